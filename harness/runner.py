"""Runs a study: counts its cells, times them in fresh processes, scores them. What is stored is never computed again.

The counted run is metered and gives samples and costs (harness/count.py); the timed runs (harness/timing.py) are bare, give only seconds, and must reproduce
the counted rows. A cell is

    cached     done before, by the same code, with its arrays whole          stale     done before by other code: sampled again
    skipped    it cannot run, with the reason        failed, timeout     it was tried, with the reason; tried again by the next run

Several runs may work in one folder: each cell is counted, timed and scored by one of them (harness/hands.py).
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from harness import scoring, shard
from harness.backend import each
from harness.cell import Cell
from harness.count import Counted, count, fresh, unite
from harness.hands import Hands
from harness.opening import opened
from harness.progress import Progress
from harness.shard import WHOLE, Shard
from harness.spec import brief, to_json
from harness.store import Store
from harness.study import Study
from harness.timing import time_all

TRIED = ("skipped", "failed", "timeout")


class Counting:
    """The cells of a study, or a part of their rows, as one store has them."""

    def __init__(self, store: Store, cells: dict[str, Cell], part: Shard):
        self.store, self.cells, self.part = store, cells, part
        self.rooms = ("samples", "costs") if part == WHOLE else ("shard_samples", "shard_counts")
        self.begun = self.latest()
        self.todo = {key: cell for key, cell in cells.items() if not self.answered(key, self.begun.get(key))}
        self.shards = shard.whole(store, [*self.todo.values()]) if part == WHOLE else {}
        known = store.latest("counted", "key")
        stale = sum(old["status"] == "done" and old["code"] != cell.code() for key, cell in self.todo.items() if (old := known.get((key,))))
        self.tally = {"cached": len(cells) - len(self.todo), "stale": stale, "done": 0} | dict.fromkeys(TRIED, 0)
        self.progress = Progress(len(self.todo), "count")

    def latest(self) -> dict[str, dict]:
        """The last record of each cell, or of our rows of it."""
        if self.part == WHOLE:
            return {key: record for (key,), record in self.store.latest("counted", "key").items()}
        return {r["key"]: r for r in self.store.of("shard") if r["shard"] == str(self.part)}

    def answered(self, key: str, record: dict | None) -> bool:
        """Whether the record answers for its cell."""
        if self.part == WHOLE:
            return fresh(self.store, record, self.cells[key])
        return bool(record) and record["status"] == "done" and shard.answers(self.store, record, self.cells[key])    # type: ignore[index]

    def whole(self) -> list[Cell]:
        """The cells that are counted, controls aside."""
        known = self.latest()
        return [cell for key, cell in self.cells.items() if not cell.is_control and self.answered(key, known.get(key))]

    def due(self, name: str) -> bool:
        """Whether no other run has counted the cell, or tried to, since this one began."""
        key = name.partition(".")[0]
        self.store.refresh()
        record, cell = self.latest().get(key), self.cells[key]
        if not self.answered(key, record) and (record == self.begun.get(key) or record["status"] not in TRIED or record["code"] != cell.code()):    # type: ignore[index]
            return True
        self.tally["cached" if record["status"] == "done" else record["status"]] += 1    # type: ignore[index]
        self.progress.tick(f"{cell.arm.name}: {brief(to_json(cell.sampler))} by another run", record["status"])    # type: ignore[index]
        return False

    def count(self, hands: Hands, jobs: int, backend: str) -> Iterator[Counted]:
        """What becomes of every cell that no other run has in hand."""
        for part, work in ((self.shards.keys(), self._unite), (self.todo.keys() - self.shards.keys(), lambda cells: self._sample(cells, jobs, backend))):
            yield from hands.share({self.part.file(key): cell for key, cell in self.todo.items() if key in part}, self.due, work, lambda found: self.part.file(found.key))

    def _unite(self, cells: Iterable[Cell]) -> Iterator[Counted]:
        for cell in cells:
            yield unite(cell, self.shards[cell.key()], self.store)

    def _sample(self, cells: Iterable[Cell], jobs: int, backend: str) -> Iterator[Counted]:
        """One after the other, samples stored as they are made, or `jobs` at a time; the results are the same."""
        if jobs > 1 or backend != "loky":
            yield from each(_count_elsewhere, ((cell, cell.code(), self.part) for cell in cells), jobs, backend)
            return
        for cell in cells:
            label = f"{cell.arm.name}: {cell.sampler.name}"
            first, last = self.part.rows(cell.study.n)
            with self.store.writing(self.rooms[0], self.part.file(cell.key()), last - first) as keep:
                found = count(cell, lambda finished, label=label, of=last - first: self.progress.live(label, finished, of), self.part, keep)    # type: ignore[misc]
            yield found

    def keep(self, found: Counted, machine_id: str) -> None:
        """Store what was counted; that a cell cannot run is said once."""
        key, record, *arrays = found
        for room, array in zip(self.rooms, arrays):
            if array is not None:
                self.store.put(room, self.part.file(key), array)
        old = self.begun.get(key, {})
        if record["status"] != "skipped" or self.part == WHOLE and any(old.get(k) != record[k] for k in ("status", "reason", "code")):
            self.store.append(record | {"machine": machine_id})
        self.tally[record["status"]] += 1
        self.progress.tick(f"{record['arm']}: {brief(record['cell']['sampler'])} {record['reason']}", record["status"])


def _count_elsewhere(cell: Cell, code: str, part: Shard) -> Counted:
    """In another process, which knows no study file."""
    found = count(cell, part=part)
    return found._replace(record=found.record | {"code": code})


def run(study: Study, folder: Path, device: str = "cpu", jobs: int = 1, timing: bool = True, command: str = "", backend: str = "loky", part: Shard = WHOLE,
        asks: str = "all") -> dict:
    """Count, time and score; what happened, in numbers. Raises ValueError, in a sentence, for what no cell could survive.

    With a `part`, only the rows of that shard are counted; a run without one then unites the shards. `asks`: harness/record.py.
    """
    store, machine_id = opened(study, folder, device, command, part.checked(study.n), asks)
    cells = study.keyed(device)
    counting = Counting(store, cells, part)
    for cell in (cell for cell in cells.values() if cell.also):
        counting.progress.note(f"{brief(to_json(cell.sampler))} of the arm {cell.arm.name} is also of {' and '.join(cell.also)}: it is sampled once, under the first name")
    tally = counting.tally
    if counting.todo:
        with Hands(store.folder, counting.progress.note) as hands:
            for found in counting.count(hands, jobs, backend):
                with hands.guard:
                    counting.keep(found, machine_id)
    if part != WHOLE:
        return tally | {"unscored": 0}
    if timing and study.timing:
        tally |= time_all(counting.whole(), store, machine_id)
    return tally | scoring.score(study, store, cells, jobs, backend)
