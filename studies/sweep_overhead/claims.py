"""Processor seconds of a sweep beside its samples. Claim sweep.overhead_1000_trials."""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import optuna
import torch

from baselines.ancestral import Ancestral
from harness.boundary.workers import fresh_process
from harness.claims import claim as claims_of
from harness.claims.claim import claim
from harness.data.exact import Exact
from harness.metrics.exact_nll import ExactNll
from harness.param import Choice, Range
from harness.run import count
from harness.run.progress import Progress
from harness.schedules.noise import Polynomial
from harness.search.sweep import Sweep
from harness.search.worker import sweep
from harness.stats.intervals import ratio_interval
from harness.study import Arm, Study, Table

COMMAND = "python -m studies.sweep_overhead"
TRIALS, FEWER, SWEEPS = 1000, 250, 3
DATA = Exact()
STUDY = Study(name="sweep_overhead", question=__doc__, data=DATA, nets={"main": Table(DATA)}, reference="main",
              arms=(Arm("ancestral", [Ancestral(4, Polynomial(1.5))]),), metrics=[ExactNll()], n=16, batch=16)
SPACE = {"steps": Range(1, 64, log=True), "schedule": Choice(Polynomial(1.5)),
         "schedule.polynomial.exponent": Range(0.5, 4.0, log=True)}


class Spent(NamedTuple):
    """Processor seconds of one sweep."""

    whole: float
    sampling: float
    optuna: float

    @property
    def own(self) -> float:
        return self.whole - self.sampling - self.optuna


def spent(trials: int) -> Spent:
    """Of a sweep of so many trials, in this process."""
    torch.set_num_threads(1)
    Progress.quiet = True
    seconds = {"sampling": 0.0, "optuna": 0.0}

    def clocked(call: Callable, part: str) -> Callable:
        def wrapped(*args: Any, **more: Any) -> Any:
            begun = time.process_time()
            try:
                return call(*args, **more)
            finally:
                seconds[part] += time.process_time() - begun
        return wrapped

    count.sampled = clocked(count.sampled, "sampling")
    for name in ("ask", "tell"):
        setattr(optuna.Study, name, clocked(getattr(optuna.Study, name), "optuna"))
    asked = Sweep(STUDY, arm="ancestral", objectives=("exact_nll", "nfe_a"), space=SPACE, search="random",
                  trials=trials, early=(4,))
    with tempfile.TemporaryDirectory() as folder:
        begun = time.process_time()
        tally = sweep(asked, Path(folder))
        whole = time.process_time() - begun
    if tally["trials"] != trials or tally["failed"]:
        raise ValueError(f"{tally['trials']} of {trials} trials are done and {tally['failed']} failed: the seconds "
                         "would be those of another sweep")
    return Spent(whole, **seconds)


def alone(trials: int) -> Spent:
    """The same in a process of its own."""
    with fresh_process() as pool:
        return pool.submit(spent, trials).result()


def main() -> int:
    fewer, found = alone(FEWER), []
    progress = Progress(SWEEPS, "sweeps")
    for _ in range(SWEEPS):
        found.append(alone(TRIALS))
        progress.tick(f"{TRIALS} trials", f"{found[-1].own:.1f} s")
    own = ratio_interval(np.array([one.own for one in found]), np.ones(SWEEPS))
    sampling, asking = (float(np.mean([getattr(one, part) for one in found])) for part in ("sampling", "optuna"))
    note = (f"processor seconds of one worker; beside them {sampling:.1f} s of sampling and {asking:.1f} s of Optuna's "
            f"asking and telling; {own.value / fewer.own:.2f} times those of {FEWER} trials")
    claims_of.write("sweep_overhead", [claim("sweep.overhead_1000_trials", own.value, own.low, own.high, "seconds",
                                             own.n, COMMAND, [], note)])
    print(json.dumps({"claims": 1, "seconds": own.value, "times_a_quarter": own.value / fewer.own}), file=sys.stdout)
    return 0
