"""Run folders and zips of kept runs as cells: the newest counted record of each key, with the scores and times that
belong to its samples.

What a report says of a run comes through this file, which reads what harness/records/store.py stored and nothing else;
trials of a sweep come from its journal (reports/sweeps.py), and what reads samples as text and marks misspelt words
from the data set that the records name (reports/named.py). A folder given later answers for the keys it shares with an
earlier one.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from harness.records.places import is_run
from harness.records.standing import PROVEN, Evidence
from harness.records.store import Store


class Cell(NamedTuple):
    record: dict  # counted
    study: dict
    scored: Mapping[str, dict]  # label -> scored record of these samples
    outdated: Sequence[str]  # labels scored before the samples were drawn anew
    timed: Sequence[dict]  # the newest of each process and machine
    store: Store
    networks: Mapping[str, str]  # name -> sha256, of this run
    # the sources that made it, and those that are proven to give the same (harness/records/standing.py)
    trees: Sequence[str]
    known_at: str  # when the last of them was found out

    def rows(self, label: str) -> np.ndarray:
        """Numerator and denominator of a metric, (2, n). Raises ValueError if the array is missing or damaged."""
        return self.store.get("scores", self.scored[label]["score_key"])

    def other_batch(self, timed: Sequence[dict]) -> str:
        """What else may explain rows that differ: they were timed in batches of another size than they were sampled
        in. Empty where they were not.
        """
        batch = self.record["cell"]["batch"]
        sizes = sorted({t["batch"] for t in timed if t.get("batch", batch) != batch})
        return "" if not sizes else (f"; {batch} were sampled side by side and {', '.join(map(str, sizes))} timed, and "
                                     "in a batch of another size a GPU may round otherwise, which is no fault")

    def costs(self) -> np.ndarray:
        """nfe_a, nfe_b, nfe_c needed by each row, (n, 3). Raises ValueError if the array is missing or damaged."""
        return self.store.get("costs", self.record["key"])

    def samples(self) -> np.ndarray:
        """Token ids, (n, L). Raises ValueError if the array is missing or damaged."""
        return self.store.get("samples", self.record["key"])

    def question(self) -> str:
        """Cells with one answer may stand in one figure: same data, prompts, rows, and network that one pass is a pass
        of.
        """
        cell, reference = self.record["cell"], self.study.get("reference", "")
        unit = self.networks.get(reference, reference)
        return json.dumps([cell["data"], cell["prompt"], cell["n"], cell["seed"], unit], sort_keys=True)


class Records(NamedTuple):
    cells: list[Cell]
    networks: dict[str, dict]  # sha256 -> record
    torn: int  # lines that are no whole record, left out
    newer: int  # records of a newer schema, left out
    folders: list[Path]
    tables: list[dict]  # measured
    studies: list[tuple[Path, dict]]  # folder and record, in the order in which they count


def read(folders: Sequence[Path]) -> Records:
    """Raises ValueError, in a sentence, if there is nothing to report."""
    cells: dict[str, Cell] = {}
    networks: dict[str, dict] = {}
    tables, studies, torn, newer = [], [], 0, 0
    for folder in map(Path, folders):
        if not is_run(folder):
            raise ValueError(f"{folder} is not a run folder, it has no records.jsonl: give one that `ssmd-bench run` "
                             "wrote")
        store = Store(folder)
        torn, newer = torn + store.torn + len(store.broken), newer + store.newer
        networks |= {net["sha256"]: net for net in store.of("network")}
        tables += store.of("measured")
        studies += [(store.folder, study) for study in store.of("study")]
        cells |= _cells(store)
    if not cells:
        names = ", ".join(str(folder) for folder in folders) or "no run folder"
        raise ValueError(f"{names}: no counted cell is stored, so there is nothing to report; run a study with "
                         "`ssmd-bench run` first")
    return Records(list(cells.values()), networks, torn, newer, [Path(folder) for folder in folders], tables, studies)


def _cells(store: Store) -> dict[str, Cell]:
    counted: dict[str, dict] = {}
    scored: dict[str, dict[str, dict]] = {}                    # by key and label
    timed: dict[str, dict[tuple[int, str], dict]] = {}         # by key, process and machine
    for record in store.records:    # in the order in which they count (harness/records/store.py)
        key = record.get("key", "")
        match record.get("type"):
            case "counted":
                counted[key] = record
            case "scored":
                scored.setdefault(key, {})[record["label"]] = record
            case "timed":
                timed.setdefault(key, {})[record["process"], record["machine"]] = record
    studies = {study["name"]: study for study in store.of("study")}
    networks = {net["name"]: net["sha256"] for net in store.of("network")}
    evidence, found = Evidence(store), {}
    for key, record in counted.items():
        proofs = [proof for proof in evidence.about(record) if proof["verdict"] == PROVEN]
        mine = scored.get(key, {})
        fits = {label: r["samples_sha256"] in ("", record.get("samples_sha256")) for label, r in mine.items()}
        found[key] = Cell(
            record,
            studies.get(record["study"], {"name": record["study"]}),
            {label: r for label, r in mine.items() if fits[label]},
            [label for label, ok in fits.items() if not ok],
            list(timed.get(key, {}).values()),
            store,
            networks,
            [about["made"]["tree"] for about in (record, *proofs) if about.get("made")],
            (proofs[-1] if proofs else record).get("time", ""),
        )
    return found
