"""What arms and settings are called: the arm's name in its study, and the settings that vary within it."""

import json
from collections.abc import Sequence

from reports.records import Cell
from reports.text import apart, plain

# beside its sampler; what they are where a record is silent
ARM_SETTINGS = {"temperature": 1.0, "nucleus": 1.0, "nucleus_keep": "crossing"}


def arm_names(cells: Sequence[Cell]) -> dict[str, str]:
    """key -> arm, plain; arms of one name and unlike networks or samplers, from two studies, get the study's name
    too.
    """
    kinds: dict[str, set] = {}
    for cell in cells:
        kinds.setdefault(cell.record["arm"], set()).add(
            (cell.study["name"], json.dumps(cell.record["cell"].get("nets") or {}, sort_keys=True))
        )
    mixed = {arm for arm, seen in kinds.items() if len({nets for _, nets in seen}) > 1
             and len({study for study, _ in seen}) > 1}
    return apart({cell.record["key"]: cell.record["arm"] + (f" [{cell.study['name']}]" if cell.record["arm"] in mixed
                                                            else "") for cell in cells})


def _flat(value: object, path: str = "") -> dict[str, object]:
    if isinstance(value, dict):
        return {k: v for key, inner in value.items() if key != "version" for k,
                v in _flat(inner, f"{path}.{key}" if path else key).items()}
    return {path.removesuffix(".name"): value}


def settings_of(cells: Sequence[Cell], names: dict[str, str]) -> dict[str, str]:
    """key -> the settings of a cell that vary within its arm, as short text."""
    flat = {
        cell.record["key"]: _flat(cell.record["cell"]["sampler"]) | {part: cell.record["cell"].get(part, usual)
                                                                     for part, usual in ARM_SETTINGS.items()}
        for cell in cells
    }
    found: dict[str, str] = {}
    for arm in set(names.values()):
        mine = [key for key in flat if names[key] == arm]
        paths = list(dict.fromkeys(path for key in mine for path in flat[key]))
        varying = [p for p in paths if len({json.dumps(flat[key].get(p)) for key in mine}) > 1]
        leaves = [p.rsplit(".", 1)[-1] for p in varying]
        short = {p: leaf if leaves.count(leaf) == 1 else p for p, leaf in zip(varying, leaves)}
        found |= {key: " ".join(f"{short[p]}={text_of(flat[key][p])}" for p in varying if p in flat[key])
                  for key in mine}
    return {key: text and plain(text) for key, text in found.items()}


def text_of(value: object) -> str:
    """The value of a setting as short text."""
    return f"{value:g}" if isinstance(value, float) else str(value)
