"""The steps in order of worth, how long each may take, and what a step is given.

A step is a function of Ask that yields its results, a plain dictionary each; every one is written as it comes. It is
named and not imported: it may lack a package, and two of them are of the tests. Bounds are those of 14 minutes and
shrink or grow with the minutes; what fixed steps leave over goes to training.
"""

import time
from dataclasses import dataclass
from pathlib import Path

MINUTES = 14.0
FILES, LARGEST = 8, 16 * 2**20    # at most so many files, of at most so many bytes each
RESULTS, LOG = "results.jsonl", "log.txt"


@dataclass(frozen=True)
class Step:
    name: str
    call: str           # module:function
    seconds: float      # its bound; of a step that takes a share of what is left, 0
    share: float = 0.0  # of what is left
    about: str = ""


STEPS = (
    Step("doctor", "studies.gpu.machine:doctor", 40, about="device, driver, torch, packages"),
    Step("draws", "studies.gpu.exact:draws", 40, about="every function that draws, CPU against device, to the bit"),
    Step("laws", "tests.golden.device:laws", 60, about="every sampler against an exact law, on the device"),
    Step("golden", "tests.golden.device:golden", 60, about="golden probes, tokens that differ from the CPU's"),
    Step("ceiling", "studies.gpu.machine:ceiling", 25, about="matrix products in three precisions, and copies"),
    Step("eager", "studies.gpu.speed:eager", 45, about="passes, loops and host waits, batch 1 and saturated"),
    Step("compiled", "studies.gpu.speed:compiled_blocks", 75, about="the same with compiled blocks"),
    Step("graphs", "studies.gpu.speed:graphs", 40, about="the same with passes as CUDA graphs"),
    Step("side", "studies.gpu.speed:side", 75, about="SSMD against ancestral sampling in seconds at matched settings"),
    Step("text", "studies.gpu.train:text", 0, 0.6, "a larger network of text"),
    Step("molecules", "studies.gpu.train:molecules", 0, 1.0, "a larger network of molecules"),
)


@dataclass(frozen=True)
class Ask:
    """What a step is given."""

    device: str
    scale: float            # of the work: 1, or less in a rehearsal
    out: Path
    moses: Path | None      # molecules to train on
    until: float = 0.0      # time.monotonic() at which a step ends by itself

    def of(self, whole: int, least: int) -> int:
        """So much work at this scale."""
        return max(least, int(whole * self.scale))

    @property
    def kind(self) -> str:
        return self.device.split(":")[0]

    @property
    def compiles(self) -> bool:
        """A rehearsal leaves the compiler out, which would take longer than all the rest."""
        return self.scale >= 1 or self.kind == "cuda"

    def over(self) -> bool:
        return time.monotonic() > self.until


def bound(step: Step, minutes: float, left: float) -> float:
    """Seconds after which the step is killed, of those that are left."""
    return min(left, step.seconds * minutes / MINUTES if step.seconds else step.share * left)


def soft(step: Step, seconds: float, scale: float) -> float:
    """Seconds after which it is to end by itself, its results whole. At a smaller scale training is shorter too."""
    most = seconds - min(15.0, 0.15 * seconds)
    return most if step.seconds else most * min(1.0, scale)


def table(steps: tuple[Step, ...], minutes: float) -> list[str]:
    """The plan, a line a step."""
    fixed = sum(step.seconds for step in steps) * minutes / MINUTES
    left, lines = max(0.0, 60 * minutes - fixed), []
    for step in steps:
        seconds = step.seconds * minutes / MINUTES if step.seconds else step.share * left
        left -= 0 if step.seconds else seconds
        lines.append(f"{step.name:<10} {'at most' if step.seconds else 'at least'} {seconds:5.0f} s   {step.about}")
    return lines
