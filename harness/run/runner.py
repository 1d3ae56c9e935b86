"""Runs a study: counts its cells, times them in fresh processes, scores them. What is stored is never computed again.

The counted run is metered and gives samples and costs (harness/run/count.py); the timed runs (harness/run/timing.py)
are bare, give only seconds, and must reproduce the counted rows. A cell is

    cached     done before, with its arrays whole, and proven to be of the present code: by the hash of the sources, or
               by some rows sampled again
    refuted    done before by other code, and some rows differ: all of it is sampled anew
    skipped    it cannot run, with the reason
    failed, timeout    it was tried, with the reason; tried again by the next run

Several runs may work in one folder: each cell is counted, timed and scored by one of them (harness/run/hands.py).
"""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from harness.records import provenance
from harness.records.standing import PROVEN, REFUTED, Evidence
from harness.records.store import Store
from harness.run import prove, scoring, shard
from harness.run.backend import each
from harness.run.cell import Cell, cells_by_key
from harness.run.count import Counted, count, unite, whole
from harness.run.hands import Hands
from harness.run.opening import networks, opened
from harness.run.progress import Progress
from harness.run.shard import WHOLE, Shard
from harness.run.spot_check import ROWS
from harness.run.timing import time_all
from harness.spec import brief, to_json
from harness.study import Study

TRIED = ("skipped", "failed", "timeout")


class Counting:
    """The cells of a study, or a part of their rows, as one store has them."""

    def __init__(self, store: Store, cells: dict[str, Cell], part: Shard):
        self.store, self.cells, self.part = store, cells, part
        self.begun, self.evidence = self.latest(), Evidence(store)
        self.todo = {key: cell for key, cell in cells.items() if not self.kept(key, self.begun.get(key))}
        self.doubted = (
            {}
            if part != WHOLE
            else {
                key: cell
                for key, cell in cells.items()
                if key not in self.todo and self.evidence.standing(self.begun[key]) != PROVEN
            }
        )
        self.shards = shard.whole(store, [*self.todo.values()]) if part == WHOLE else {}
        self.tally = {"cached": len(cells) - len(self.todo), "proven": 0, "refuted": 0,
                      "done": 0} | dict.fromkeys(TRIED, 0)
        self.progress = Progress(len(self.todo), "count")

    def prove(self, machine_id: str, jobs: int, backend: str) -> None:
        """Look at some rows of every cell that is kept and not known to be of the present code. One that differs is to
        be sampled anew.
        """
        progress, metrics = (
            Progress(len(self.doubted), "prove"),
            scoring.metrics_of(next(iter(self.doubted.values())).study) if self.doubted else [],
        )
        wanted = ((cell, self.begun[key]) for key, cell in self.doubted.items()
                  if self.evidence.standing(self.begun[key]) != REFUTED)
        for found in prove.looks(wanted, self.store, metrics, ROWS, jobs, backend):
            cell, record = self.cells[found.key], self.begun[found.key]
            # on another machine rounding may be all: sampled anew, it is surely of this one
            said = PROVEN if found.verdict == "equal" else REFUTED
            self.store.append(prove.proof(found, record, said, found.reason, machine_id, cell.own()))
            progress.tick(f"{record['arm']}: {brief(record['cell']['sampler'])} {found.reason}", said)
        self.evidence = Evidence(self.store)
        for key, cell in self.doubted.items():
            refuted = self.evidence.standing(self.begun[key]) == REFUTED
            self.tally["refuted" if refuted else "proven"] += 1
            if refuted:
                self.todo[key] = cell
                self.tally["cached"] -= 1
        self.progress = Progress(len(self.todo), "count")

    def latest(self) -> dict[str, dict]:
        """The last record of each cell, or of our rows of it."""
        if self.part == WHOLE:
            known = self.store.latest("counted", "key")
            return {key: known[(key,)] for key in self.cells if (key,) in known}
        return {r["key"]: r for r in self.store.of("shard") if r["shard"] == str(self.part)}

    def kept(self, key: str, record: dict | None) -> bool:
        """Whether the record is done, and its arrays are whole; of our rows by the present code."""
        if self.part == WHOLE:
            return whole(self.store, record)
        return bool(record and record["status"] == "done" and shard.answers(self.store, record))

    def answered(self, key: str, record: dict | None) -> bool:
        """Whether the record answers for its cell."""
        return record is not None and self.kept(key, record) and (
            self.part != WHOLE or self.evidence.standing(record) == PROVEN)

    def whole(self) -> list[Cell]:
        """The cells that are counted, controls aside."""
        known = self.latest()
        return [cell for key, cell in self.cells.items() if not cell.is_control and self.answered(key, known.get(key))]

    def due(self, name: str) -> bool:
        """Whether no other run has counted the cell, or tried to, since this one began."""
        key = name.partition(".")[0]
        self.store.refresh()
        record, cell = self.latest().get(key), self.cells[key]
        if record is None:
            return True
        mine = record == self.begun.get(key) or record["status"] not in TRIED or not provenance.surely(record["made"])
        if mine and not self.answered(key, record):
            return True
        self.tally["cached" if record["status"] == "done" else record["status"]] += 1
        self.progress.tick(f"{cell.arm.name}: {brief(to_json(cell.sampler))} by another run", record["status"])
        return False

    def count(self, hands: Hands, jobs: int, backend: str) -> Iterator[Counted]:
        """What becomes of every cell that no other run has in hand."""
        for part, work in ((self.shards.keys(), self._unite), (self.todo.keys() - self.shards.keys(),
                                                               lambda cells: self._sample(cells, jobs, backend))):
            yield from hands.share({self.part.file(key): cell for key, cell in self.todo.items() if key in part},
                                   self.due, work, lambda found: self.part.file(found.key))

    def _unite(self, cells: Iterable[Cell]) -> Iterator[Counted]:
        for cell in cells:
            yield unite(cell, self.shards[cell.key()], self.store)

    def _sample(self, cells: Iterable[Cell], jobs: int, backend: str) -> Iterator[Counted]:
        """One after the other, samples stored as they are made, or `jobs` at a time; the results are the same."""
        if jobs > 1 or backend != "loky":
            yield from each(_count_elsewhere, ((cell, provenance.made(cell.own()), self.part) for cell in cells), jobs,
                            backend)
            return
        for cell in cells:
            label = f"{cell.arm.name}: {cell.sampler.name}"
            first, last = self.part.rows(cell.study.n)
            with self.store.writing("samples" if self.part == WHOLE else "shard_samples", self.part.file(cell.key()),
                                    last - first) as keep:
                found = count(cell, partial(self._live, label, last - first), self.part, keep)
            yield found

    def _live(self, label: str, of: int, finished: int) -> None:
        self.progress.live(label, finished, of)

    def keep(self, found: Counted, machine_id: str) -> None:
        """Store what was counted; that a cell cannot run is said once."""
        key, record, arrays = found
        for room, array in arrays.items():
            self.store.put(room, self.part.file(key), array)
        old = self.begun.get(key, {})
        if record["status"] != "skipped" or self.part == WHOLE and any(old.get(k) != record[k]
                                                                       for k in ("status", "reason")):
            self.store.append(record | {"machine": machine_id})
        self.tally[record["status"]] += 1
        self.progress.tick(f"{record['arm']}: {brief(record['cell']['sampler'])} {record['reason']}", record["status"])


def _count_elsewhere(cell: Cell, made: dict, part: Shard) -> Counted:
    """In another process, which knows no study file: what made it here says where classes of the user's own stand."""
    found = count(cell, part=part)
    there = found.record["made"]
    return found._replace(record=found.record | {"made": there | ({"modules": there["modules"] | made["modules"]}
                                                                  if "modules" in made else {})})


def run(study: Study, folder: Path, device: str = "cpu", jobs: int = 1, timing: bool = True, command: str = "",
        backend: str = "loky", part: Shard = WHOLE,
        asks: str = "all", time_again: bool = False, store: Store | None = None) -> dict:
    """Count, time and score; what happened, in numbers. Raises ValueError, in a sentence, for what no cell could
    survive.

    With a `part`, only the rows of that shard are counted; a run without one then unites the shards. `asks`:
    harness/records/record.py. Who runs many studies into one folder hands over its store.
    """
    nets, cells = networks(study, device), cells_by_key(study, device)
    store, machine_id = opened(study, nets, cells, folder, device, command, part.checked(study.n), asks, store)
    counting = Counting(store, cells, part)
    for cell in (cell for cell in cells.values() if cell.also):
        counting.progress.note(f"{brief(to_json(cell.sampler))} of the arm {cell.arm.name} is also of "
                               f"{' and '.join(cell.also)}: it is sampled once, under the first name")
    tally = counting.tally
    counting.prove(machine_id, jobs, backend)
    if counting.todo:
        with Hands(store.folder, counting.progress.note) as hands:
            for found in counting.count(hands, jobs, backend):
                with hands.guard:
                    counting.keep(found, machine_id)
    if part != WHOLE:
        return tally | {"unscored": 0}
    if timing and study.timing:
        tally |= time_all(counting.whole(), store, machine_id, time_again)
    return tally | scoring.score(study, store, cells, jobs, backend)
