"""The metrics of the cells of a chapter, from their newest records."""

import json
from collections.abc import Sequence

from reports.records import Cell

FIRST = ("spelling", "judge")  # metrics drawn first where they were scored


def metrics_of(cells: Sequence[Cell]) -> dict[str, dict]:
    """label -> what it is, from its newest record; those drawn first come first."""
    newest: dict[str, dict] = {}
    for cell in cells:
        for label, record in cell.scored.items():
            if label not in newest or record.get("time", "") >= newest[label].get("time", ""):
                newest[label] = record
    rank = {
        label: (FIRST.index(r["metric"]["name"]) if r["metric"]["name"] in FIRST else len(FIRST), r["per"] != "row")
        for label, r in newest.items()
    }
    return {
        label: {"name": newest[label]["metric"]["name"],
                **{key: newest[label][key] for key in ("better", "unit", "per", "metric")}}
        | {"identity": identity(newest[label])}
        for label in sorted(newest, key=rank.__getitem__)
    }


def identity(scored: dict) -> str:
    """What a score rests on beside the samples: a judge is known by its weights, not by the path of its file."""
    return json.dumps(scored["metric"].get("identity", scored["metric"]), sort_keys=True)
