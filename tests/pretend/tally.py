"""The counts: waits of the host and kernels started, each with the line of our code that caused it."""

import sys
from collections import Counter
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from harness.spec import ROOT

OWN = tuple(str(Path(__file__).with_name(f"{name}.py")) for name in ("away", "device", "rules", "tally"))
LIBRARIES = f"{ROOT}/."    # environments lie in folders of such a name


def line() -> str:
    """The innermost line of this repository that is running, as path:number, the device's own left out."""
    frame = sys._getframe(1)
    while frame is not None:
        if place := _within(frame.f_code.co_filename):
            return f"{place}:{frame.f_lineno}"
        frame = frame.f_back
    return "elsewhere"


@cache
def _within(file: str) -> str:
    """The file's path in this repository, "" for one that is the device's own or a library's."""
    ours = file.startswith(str(ROOT)) and not file.startswith((*OWN, LIBRARIES))
    return str(Path(file).relative_to(ROOT)) if ours else ""


class Tally:
    """waits and kernels by line; `phase` names what is running, and kernels_by_phase counts by it."""

    def __init__(self):
        self.waits: Counter[str] = Counter()
        self.kernels: Counter[str] = Counter()
        self.kernels_by_phase: Counter[str] = Counter()
        self.phase = "sampler"

    def wait(self) -> None:
        self.waits[line()] += 1

    def kernel(self) -> None:
        self.kernels[line()] += 1
        self.kernels_by_phase[self.phase] += 1

    def waited(self, *folders: str) -> int:
        """Waits that lines of these folders caused; of all, if none is named."""
        return sum(n for line_, n in self.waits.items() if not folders or line_.startswith(folders))

    @contextmanager
    def during(self, phase: str):
        before, self.phase = self.phase, phase
        try:
            yield
        finally:
            self.phase = before
