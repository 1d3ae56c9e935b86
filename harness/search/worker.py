"""The worker of a sweep: takes a trial, looks at it with more and more rows, tells its value; any number of workers,
here or on other machines, share one sweep.

A trial has a slot, 0 .. trials-1, which alone seeds its suggestion. The trial of a dead worker is failed and its slot
tried again with the same parameters, so a single worker that is killed and started anew makes the suggestions that it
would have made, and ends at the same front.
"""

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import optuna
import torch
from optuna.trial import FrozenTrial, Trial, TrialState

from harness.boundary.addresses import kept
from harness.kinds import Scores
from harness.records.store import Store
from harness.run.cell import cells_of
from harness.run.progress import Progress
from harness.run.runner import run
from harness.search import front
from harness.search.mend import looks, mend, refuse_foreign
from harness.search.shown import Shown
from harness.search.space import suggest, suggest_temperature
from harness.search.storage import Locks, answering, copy_to_journal, open_storage
from harness.search.sweep import Sweep
from harness.spec import brief, sha256, to_json
from harness.stats.paired import difference
from harness.study import Study

# places of locks: of taking a trial; of cells; how many trials each sweep has places for
ASKING, CELLS, SWEEPS = 0, 2**62, 2**24
LIVE = (TrialState.COMPLETE, TrialState.RUNNING)


class Seen(NamedTuple):
    """What one look at a trial, or one trial of the front, has shown."""

    values: list[Scores]     # of the objectives
    excess: float            # how far outside the band, at most 0 within it
    beyond: bool             # outside beyond doubt


class Worker:
    def __init__(self, sweep: Sweep, folder: Path, storage: str = "", device: str = "cpu", command: str = ""):
        """Open or begin the sweep. Raises ValueError if the storage belongs to another folder or sweep, or cannot be
        reached.
        """
        self.sweep, self.folder, self.storage, self.device = sweep, folder, storage, device
        store = Store(folder)    # makes the folder, or says why not
        self.lower = sweep.lower()
        self.shown: dict[int, Shown] = {}    # rows -> what the looks at so many have shown
        self.locks = Locks(store.work() / "sweep.lock")
        with self.locks.held(ASKING), answering(storage):
            identity = sweep.identity(device)
            self.place = 1 + int(identity[:9], 16) * SWEEPS
            self.study = optuna.create_study(storage=open_storage(storage, folder),
                                             study_name=f"{sweep.study.name}-{sweep.arm}-{identity}",
                                             load_if_exists=True,
                                             directions=["minimize" if lower else "maximize"
                                                         for lower in self.lower], sampler=_search(sweep, 0))
            refuse_foreign(self)
            self._claim(store)
            if self.study.metric_names != list(sweep.objectives):    # for what others show of the storage
                self.study.set_metric_names(list(sweep.objectives))
            self.command = kept(next((r["command"] for r in reversed(store.of("study"))
                                      if r["name"] == sweep.study.name), command))
            self.store = store
            for n in sweep.looks:    # the control, and what is written once
                self.run(sweep.at(n))
            mend(self)
        self.progress = Progress(sweep.trials, "sweep", before=self.ended())

    def _claim(self, store: Store) -> None:
        """A data base has a sweep for one folder, known by the name in its locks; one whose locks were deleted is known
        by its records.
        """
        known = self.study.user_attrs.get("folder", "")
        found = {key for t in self.study.get_trials(deepcopy=False)
                 for key in looks(t).values()} & {r["key"] for r in store.of("counted")}
        name = self.locks.name(known if found or not self.storage else "")
        if self.storage and known and known != name:
            raise ValueError("the storage has this sweep as one of another folder: give the --out that it was begun "
                             "with, or choose another --storage")
        if known != name:
            self.study.set_user_attr("folder", name)

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: Any) -> None:
        self.locks.close()

    def run(self, study: Study) -> None:
        """Count and score what is missing of it."""
        run(study, self.folder, self.device, command=self.command, asks="search", store=self.store)

    def work(self) -> None:
        """Until every slot is done, by this worker or by others."""
        while trial := self.take():
            try:
                self.try_(trial)
            # our lock was lost, and another worker has failed the trial: its records stand
            except optuna.exceptions.UpdateFinishedTrialError:
                pass
            finally:
                self.locks.release(self.place + trial.number)

    # ---- taking a trial

    def take(self) -> Trial | None:
        """The next trial, its lock held; waits for those of other workers at the end, in case they die; None if all
        slots are done.
        """
        while True:
            self.locks.check()
            with self.locks.held(ASKING):
                running, slots = self._close_stale(), dict[int, list[FrozenTrial]]()
                for t in self.study.get_trials(deepcopy=False):
                    slots.setdefault(t.user_attrs["slot"], []).append(t)
                # by a worker that died just here
                left = [slot for slot, tried in sorted(slots.items())
                        if any(t.state == TrialState.WAITING for t in tried)]
                left += [slot for slot, tried in sorted(slots.items())
                         if not any(t.state in LIVE or "ended" in t.user_attrs for t in tried)]
                slot = left[0] if left else len(slots)
                if slot < self.sweep.trials:
                    return self._ask(slot, slots.get(slot, []))
            if not running:
                return None
            with self.locks.held(self.place + running[0]):
                pass

    def _close_stale(self) -> list[int]:
        """Fail the trials of dead workers; the numbers of those that run. One that is told between our list and our
        look at its lock is finished, not dead.
        """
        running = [t.number for t in self.study.get_trials(deepcopy=False) if t.state == TrialState.RUNNING]
        alive = [number for number in running if not self.locks.free(self.place + number)]
        for number in set(running) - set(alive):
            self.study.tell(number, state=TrialState.FAIL, skip_if_finished=True)
        return alive

    def _ask(self, slot: int, tried: list[FrozenTrial]) -> Trial:
        self.study.sampler = _search(self.sweep, slot)
        if not any(t.state == TrialState.WAITING for t in tried):
            whole = [t.params for t in tried if "settings" in t.user_attrs]
            self.study.enqueue_trial(whole[-1] if whole else {}, user_attrs={"slot": slot})
        trial = self.study.ask()
        self.locks.take(self.place + trial.number)
        settings, temperature = self.point(trial)
        trial.set_user_attr("settings", brief(to_json(settings)) + (f" at {temperature:g}" if temperature != 1 else ""))
        return trial

    def point(self, ask: Any) -> tuple[Any, float]:
        """The sampler and temperature of a trial."""
        arm, space = next(arm for arm in self.sweep.study.arms if arm.name == self.sweep.arm), self.sweep.space
        return suggest(ask, self.sweep.start, space,
                       self.sweep.study.data.length), suggest_temperature(ask, arm.temperature, space)

    # ---- trying it

    def try_(self, trial: Trial) -> None:
        """Look after look, until it is beaten beyond doubt or all rows are counted."""
        sampler, temperature = self.point(trial)
        for n in self.sweep.looks:
            cell = self.sweep.cell(n, sampler, temperature, self.device)
            with self.at_cell(cell.key()):    # two workers at one point: the second finds it stored
                self.run(cell.study)
            trial.set_user_attr(f"look {n}", cell.key())
            try:
                seen = self.look(n, cell.key())
            except LookupError as reason:
                trial.set_user_attr("ended", str(reason))
                self.study.tell(trial, state=TrialState.FAIL)
                return self.say(trial.user_attrs["settings"], "failed")
            if n < self.sweep.study.n and (seen.beyond or self.beaten(n, seen)):
                break
        if self.sweep.constraint:
            trial.set_constraint(self.sweep.constraint.metric, seen.excess)
        self.study.tell(trial, [v.value for v in seen.values])
        self.say(f"{trial.user_attrs['settings']}  " + "  ".join(f"{name} {v.value:.4g}" for name,
                                                                 v in zip(self.sweep.objectives, seen.values)),
                           "done" if n == self.sweep.study.n else f"at {n}")

    def at_cell(self, key: str) -> AbstractContextManager[None]:
        """Nobody else counts it meanwhile."""
        return self.locks.held(CELLS + int(key[:12], 16))

    def ended(self) -> int:
        """Slots that are done, whichever worker did them."""
        trials = self.study.get_trials(deepcopy=False)
        return len({t.user_attrs["slot"] for t in trials if t.state == TrialState.COMPLETE or "ended" in t.user_attrs})

    def say(self, text: str, status: str) -> None:
        """A trial has ended; those of other workers count too."""
        self.progress.done = self.ended() - 1
        self.progress.tick(text, status)

    def look(self, n: int, key: str) -> Seen:
        """What the records say of a cell. Raises LookupError, with the reason, if they say nothing."""
        self.store.refresh()
        band, values = self.sweep.constraint, [self.sweep.read(self.store, key, name) for name in self.sweep.objectives]
        if band is None:
            return Seen(values, -math.inf, False)
        control = cells_of(self.sweep.at(n), self.device)[0].key()
        apart, error = difference(self.sweep.read(self.store, key, band.metric),
                                  self.sweep.read(self.store, control, band.metric))
        return Seen(values, abs(apart) - band.width, abs(apart) - band.width > self.sweep.doubt * error)

    def beaten(self, n: int, seen: Seen) -> bool:
        """Whether another trial is better at the same look, beyond doubt; those within the band alone. A record is read
        once: what it says is settled.
        """
        live = {look for t in self.study.get_trials(deepcopy=False)
                if t.state in LIVE and (look := t.user_attrs.get(f"look {n}")) is not None}
        shown = self.shown.setdefault(n, Shown(self.lower))
        for other in live - shown.known:
            try:
                found = self.look(n, other)
            except LookupError:
                continue
            shown.add(other, found.values, found.excess <= 0)
        return shown.beaten(seen.values, live, self.sweep.doubt)

    def beside(self) -> int:
        """Count the points that the search is compared with; how many of them failed."""
        keys = {cells_of(study, self.device)[-1].key(): study for study in self.sweep.compared()}
        for wait in (False, True):    # those that another worker has at hand come last
            for key, study in keys.items():
                place = CELLS + int(key[:12], 16)
                if wait or self.locks.free(place):
                    with self.locks.held(place):
                        self.run(study)
        known = self.store.latest("counted", "key")
        return sum(known[(key,)]["status"] != "done" for key in keys)


def sweep(asked: Sweep, folder: Path, storage: str = "", device: str = "cpu", command: str = "") -> dict:
    """Work until the sweep is done; its tally and its front."""
    with answering(storage), Worker(asked, folder, storage, device, command) as worker:
        worker.work()
        failed, tally = worker.beside(), front.tally(worker)
        if storage:
            with worker.locks.held(ASKING):
                copy_to_journal(worker.study, storage, folder)
        return tally | {"failed": tally["failed"] + failed, "front": front.front(worker)}


@contextmanager
def alongside(asked: Sweep, words: list[str], jobs: int) -> Iterator[None]:
    """Further workers on this machine, each by the command line `words`; all share its cores."""
    if jobs > 1 and "seconds" in asked.objectives:
        raise ValueError("seconds are measured by one worker alone: leave --jobs out")
    threads = max(1, (os.cpu_count() or 1) // jobs)
    if jobs > 1:
        torch.set_num_threads(threads)
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    others = [subprocess.Popen([sys.executable, "-m", "ssmd_bench", *words], stdout=subprocess.DEVNULL, env=environment)
              for _ in range(jobs - 1)]
    try:
        yield
    except BaseException:
        for other in others:
            other.terminate()
        raise
    finally:
        for other in others:
            other.wait()


def _search(asked: Sweep, slot: int) -> optuna.samplers.BaseSampler:
    seed = int(sha256([asked.seed, slot])[:8], 16)
    if asked.search == "tpe":
        return optuna.samplers.TPESampler(seed=seed)
    if asked.search == "nsga2":
        return optuna.samplers.NSGAIISampler(seed=seed, population_size=16)
    return optuna.samplers.GPSampler(seed=seed) if asked.search == "gp" else optuna.samplers.RandomSampler(seed=seed)
