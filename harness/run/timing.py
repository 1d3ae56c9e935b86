"""Times cells in fresh processes, bare: no meter, no progress, no other cell on the device.

A process is one repetition unit. It runs every cell once untimed (warm-up, compilation, peak memory), then `repeats`
times over all cells, each time in a new random order, so that a slow minute of the machine falls on no arm alone. The
rows are the first `rows` of the counted run and must come out the same: a timing is also a check.
"""

from concurrent.futures.process import BrokenProcessPool
from typing import NamedTuple

import cloudpickle
import numpy as np
import torch

from harness import plugins
from harness.boundary.workers import fresh_process
from harness.random import Stream, permutation
from harness.records import provenance
from harness.records.store import Store
from harness.run.cell import Cell
from harness.run.clock import busy, peak, timed
from harness.run.hands import Hands
from harness.run.progress import Progress
from harness.sampling.loop import sample
from harness.study import Study, Timing

BUSY = 0.1    # share of a device that other work may take before times are doubted; as reports do (reports/busy.py)


class Timed(NamedTuple):
    key: str
    seconds: list[float]
    peak_mib: float
    rows: np.ndarray | None    # of the last repetition, (m, L); None if the cell failed
    reason: str


def in_fresh_process(job: bytes) -> list[Timed]:
    """job: pickled (cells, process, rows, repeats, plug-in packages); settings may be of classes that only a study file
    knows.
    """
    cells, process, rows, repeats, packages = cloudpickle.loads(job)
    for package in packages:
        plugins.add_package(package)
    return repeated(cells, process, rows, repeats)


def repeated(cells: list[Cell], process: int, rows: int, repeats: int) -> list[Timed]:
    """What one process does, in this one: every cell untimed, then `repeats` times, each time in another order."""
    found: dict[str, Timed] = {}
    for turn in range(repeats + 1):
        order = permutation(process, torch.tensor([turn]), Stream.RESAMPLE, len(cells))[0].tolist()
        for cell in (cells[k] for k in order):
            key = cell.key()
            if turn and found[key].reason:
                continue
            try:
                found[key] = _once(cell, rows, found.get(key))
            except Exception as error:    # one cell that fails must not take the others with it
                found[key] = Timed(key, [], 0.0, None, f"{type(error).__name__}: {error}")
    return list(found.values())


def _once(cell: Cell, rows: int, before: Timed | None) -> Timed:
    nets, prompts, batch = cell.wrapped_networks(), cell.prompts()[:rows], min(rows, cell.study.batch)

    def run() -> torch.Tensor:
        return sample(cell.sampler, nets, prompts, cell.study.seed, batch)

    if before is None:
        mib, x = peak(run, cell.device)
        return Timed(cell.key(), [], mib, x.cpu().numpy(), "")
    seconds, x = timed(run, cell.device)
    return before._replace(seconds=[*before.seconds, seconds], rows=x.cpu().numpy())


def time_all(cells: list[Cell], store: Store, machine_id: str, again: bool = False) -> dict[str, int]:
    """Fill in the timed records that are missing. Cells are of one study, counted and no controls; what happened, in
    numbers.

    One run of a folder times at a time, on each kind of machine: two would measure each other. Times belong to the code
    that was timed: other code is not timed for that alone, but `again` is.
    """
    tally = {"timed": 0, "untimed": 0, "differing": 0}
    if not cells:
        return tally
    progress = Progress(_plan(cells[0].study).processes, "time")
    first = len(store.of("timed")) if again else 0    # of the records that count
    if not any(_due(cells, store, machine_id, process, first) for process in range(progress.total)):
        if commits := {str(r["made"].get("commit"))[:10] for r in store.of("timed")
                       if not provenance.surely(r["made"])}:
            progress.note(f"the times of {', '.join(sorted(commits))} stand: --time-again times the code that runs now")
        return tally
    with Hands(store.folder, progress.note) as hands, hands.alone(f"timing on {machine_id}"):
        store.refresh()
        for process in range(progress.total):
            if due := _due(cells, store, machine_id, process, first):
                _time(due, process, store, machine_id, progress, tally)
    return tally


def _due(cells: list[Cell], store: Store, machine_id: str, process: int, first: int) -> list[Cell]:
    """The cells that this process has not timed, by the records from that one on."""
    rows = _rows(cells[0].study)
    have = {(r["key"], r["samples_sha256"], r["rows"]) for r in store.of("timed")[first:] if r["machine"] == machine_id
            and r["process"] == process}
    known = store.latest("counted", "key")
    return [c for c in cells if (c.key(), known[c.key(),]["samples_sha256"], rows) not in have]


def _rows(study: Study) -> int:
    return min(_plan(study).rows, study.n)


def _plan(study: Study) -> Timing:
    assert study.timing is not None, "a study whose cells are timed says how"
    return study.timing


def _time(due: list[Cell], process: int, store: Store, machine_id: str, progress: Progress,
          tally: dict[str, int]) -> None:
    """One fresh process."""
    study, rows, repeats = due[0].study, _rows(due[0].study), _plan(due[0].study).repeats
    others = busy(due[0].device)
    if (others or 0) > BUSY:
        progress.note(f"{others:.0%} of the device is busy with other work: times will be too long; wait for it to "
                      "end, or leave them out with --no-time")
    known = store.latest("counted", "key")
    try:
        with fresh_process() as pool:
            answers = pool.submit(in_fresh_process, cloudpickle.dumps((due, process, rows, repeats,
                                                                       plugins.packages()))).result()
    except BrokenProcessPool:
        answers = [Timed(c.key(), [], 0.0, None, "the process was killed, perhaps for want of memory") for c in due]
    for answer in answers:
        if answer.reason:
            tally["untimed"] += 1
            progress.note(f"not timed: {answer.key}: {answer.reason}")
            continue
        assert answer.rows is not None, "what was timed was sampled"
        differing = int((answer.rows != store.get("samples", answer.key)[:rows]).any(1).sum())
        store.append({"type": "timed", "key": answer.key, "process": process, "block": process, "rows": rows,
                      "batch": min(rows, study.batch), "seconds": answer.seconds,
                      "same_output": not differing, "differing_rows": differing, "machine": machine_id,
                      "made": provenance.made(),
                      "samples_sha256": known[answer.key,]["samples_sha256"], "busy": others,
                      "peak_mib": answer.peak_mib})
        tally["timed"] += 1
        tally["differing"] += bool(differing)
    progress.tick(f"fresh process {process}, {len(due)} cells x {rows} rows x {repeats}", "timed")
