"""What a worker does before it takes a trial: refuse a list that is not its sweep's, and make again what is gone of it.

The list of trials is written by workers of ours alone, and yet it is a file, or a data base that others may reach. What
each trial found stands in the records; a line, an array or a whole record of them may have been lost since, and is made
again from the settings of the trial.
"""

from contextlib import AbstractContextManager
from math import isfinite
from pathlib import Path
from typing import Any, Protocol

import optuna
from optuna.trial import FixedTrial, FrozenTrial, TrialState

from harness.boundary.addresses import without_secrets
from harness.records.journal import REBUILT
from harness.search.sweep import Sweep
from harness.study import Study


class Worker(Protocol):
    """What is asked of a worker (harness/search/worker.py)."""

    study: optuna.Study
    sweep: Sweep
    lower: list[bool]    # of each objective
    folder: Path
    storage: str
    device: str

    def point(self, ask: Any) -> tuple[Any, float]: ...
    def run(self, study: Study) -> None: ...
    def look(self, n: int, key: str) -> Any: ...
    def at_cell(self, key: str) -> AbstractContextManager: ...


def looks(trial: FrozenTrial) -> dict[int, str]:
    """Rows -> key of the cell, of every look at the trial so far."""
    return {int(name.split()[1]): key for name, key in trial.user_attrs.items() if name.startswith("look ")}


def refuse_foreign(worker: Worker) -> None:
    """Raises ValueError if the list holds what no worker of this sweep has written."""
    for trial in worker.study.get_trials(deepcopy=False):
        if wrong := _wrong(worker, trial):
            raise _foreign(worker, trial, wrong)


def _foreign(worker: Worker, trial: FrozenTrial, wrong: str) -> ValueError:
    where, remedy = str(worker.folder / "sweep.journal"), REBUILT
    if worker.storage:
        where = without_secrets(worker.storage)
        remedy = "give another --storage, and the sweep is rebuilt from the records, which are intact"
    return ValueError(f"trial {trial.number} of {where} is none of this sweep ({wrong}): {remedy}")


def _wrong(worker: Worker, trial: FrozenTrial) -> str:
    """What a trial of ours would have, or nothing."""
    slot, asked = trial.user_attrs.get("slot"), worker.sweep
    if type(slot) is not int or slot < 0:
        return "it has no slot"
    if "settings" not in trial.user_attrs:
        return "it is done and has no settings" if trial.state == TrialState.COMPLETE else ""
    if not isinstance(trial.user_attrs["settings"], str):
        return "its settings are no text"
    try:
        worker.point(FixedTrial(trial.params))
        seen = looks(trial)
    except (ValueError, IndexError):
        return "its settings lie outside the space" if trial.state == TrialState.COMPLETE else ""
    if trial.state != TrialState.COMPLETE:
        return ""
    if not seen or not set(seen) <= set(asked.looks) or not all(isinstance(key, str) for key in seen.values()):
        return "it is done and no cell of it is named"
    values = trial.values or []
    return "" if len(values) == len(asked.objectives) and all(map(isfinite, values)) else "it is done and has no value"


def mend(worker: Worker) -> None:
    """Count and score again what the records lack of trials that are done. Raises ValueError for one of another
    cell.
    """
    for trial in worker.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        for n, key in looks(trial).items():
            try:
                worker.look(n, key)
            except (LookupError, ValueError):
                cell = worker.sweep.cell(n, *worker.point(FixedTrial(trial.params)), worker.device)
                if cell.key() != key:
                    raise _foreign(worker, trial, "its settings do not make the cell that it names") from None
                with worker.at_cell(key):
                    worker.run(cell.study)
