"""The journal of a sweep: FOLDER/sweep.journal, one operation on the list of trials a line, as Optuna replays them.

A line that is no JSON, the end of a killed writer, is skipped by all alike. A line that is JSON and no operation is
none of ours: it is refused, with its number, since skipping it might lose a trial. Optuna's own journal file cannot be
read after a torn line, and its lock outlives a killed writer by 30 seconds. Not synced to the disk: the records are,
and the sweep can be rebuilt from them.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from optuna.storages.journal import BaseJournalBackend
from optuna.study import StudyDirection
from optuna.trial import TrialState

from harness.boundary.incoming import Wrong, fitted, parsed

NEWLINE = b"\n"
REBUILT = "move it away, and the sweep is rebuilt from the records, which are intact"


class Operation(msgspec.Struct, tag_field="op_code"):
    worker_id: str


class CreateStudy(Operation, tag=0):
    study_name: str
    directions: list[StudyDirection]


class DeleteStudy(Operation, tag=1):
    study_id: int


class SetStudyUserAttr(Operation, tag=2):
    study_id: int
    user_attr: dict[str, Any]


class SetStudySystemAttr(Operation, tag=3):
    study_id: int
    system_attr: dict[str, Any]


class CreateTrial(Operation, tag=4):
    study_id: int
    datetime_start: str | None
    datetime_complete: str = ""
    state: TrialState = TrialState.RUNNING
    value: float | None = None
    values: list[float] | None = None
    distributions: dict[str, str] = {}
    params: dict[str, float] = {}
    user_attrs: dict[str, Any] = {}
    system_attrs: dict[str, Any] = {}
    intermediate_values: dict[str, float] = {}


class SetTrialParam(Operation, tag=5):
    trial_id: int
    param_name: str
    param_value_internal: float
    distribution: str


class SetTrialStateValues(Operation, tag=6):
    trial_id: int
    state: TrialState
    values: list[float] | None
    datetime_start: str = ""
    datetime_complete: str = ""


class SetTrialIntermediateValue(Operation, tag=7):
    trial_id: int
    step: int
    intermediate_value: float


class SetTrialUserAttr(Operation, tag=8):
    trial_id: int
    user_attr: dict[str, Any]


class SetTrialSystemAttr(Operation, tag=9):
    trial_id: int
    system_attr: dict[str, Any]


class DiscardTrials(Operation, tag=10):
    """Written by another program than Optuna, and skipped by it."""


OPERATIONS = (CreateStudy | DeleteStudy | SetStudyUserAttr | SetStudySystemAttr | CreateTrial | SetTrialParam
              | SetTrialStateValues | SetTrialIntermediateValue | SetTrialUserAttr | SetTrialSystemAttr | DiscardTrials)


class JournalError(ValueError):
    """In a sentence, with the remedy."""


class Journal(BaseJournalBackend):
    def __init__(self, path: Path):
        self.path, self.starts = path, [0]    # starts: where operation k begins

    def read_logs(self, log_number_from: int) -> Iterator[dict]:
        """Raises JournalError for a file that cannot be read and for a line that is no operation."""
        if not self.path.exists():
            return
        try:
            file = open(self.path, "rb")
        except OSError as error:
            raise JournalError(f"{self.path} cannot be read ({error.strerror}): "
                               f"correct its rights, or {REBUILT}") from None
        with file:
            k = min(log_number_from, len(self.starts) - 1)
            end = file.seek(self.starts[k])
            for line in file:
                begin, end = end, end + len(line)
                if not line.endswith(NEWLINE):
                    return    # still being written
                try:
                    operation = parsed(line)
                except Wrong:
                    continue
                try:
                    fitted(operation, OPERATIONS)
                except Wrong as error:
                    where = f"{self.path} line {1 + self.path.read_bytes()[:begin].count(NEWLINE)}"
                    raise JournalError(f"{where} is no operation of a sweep ({error}): {REBUILT}") from None
                k += 1
                if k == len(self.starts):
                    self.starts.append(end)
                if k > log_number_from:
                    yield operation

    def append_logs(self, logs: list[dict]) -> None:
        """Raises JournalError if the disk refuses."""
        texts = (json.dumps(log, separators=(",", ":"), allow_nan=False) for log in logs)
        lines = b"".join(text.encode() + NEWLINE for text in texts)
        try:
            with open(self.path, "a+b", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                size = os.fstat(file.fileno()).st_size
                torn = size and os.pread(file.fileno(), 1, size - 1) != NEWLINE
                left = memoryview(NEWLINE + lines if torn else lines)
                while left:
                    left = left[file.write(left):]
        except OSError as error:
            raise JournalError(f"{self.path} cannot be written ({error.strerror}): correct its rights or the room on "
                               "its disk; the records are intact, and the same command goes on from there") from None
