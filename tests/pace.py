"""How fast this machine is just now: a limit on seconds is to say something about the code, and not about the host."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

# processor seconds of `_load` on the machine for which the limits of the tests were chosen
CHOSEN = 0.2


@dataclass
class Pace:
    """`slower`: how many times as long as on that machine a fixed load takes here, at least 1. The slower of before and
    after the block, known once it is over.
    """

    slower: float


@contextmanager
def paced() -> Iterator[Pace]:
    found = Pace(_slower())
    yield found
    found.slower = max(found.slower, _slower())


def _slower() -> float:
    _load(2_000)    # what is loaded on first use is no load
    begun = time.process_time()
    _load(20_000)
    return max(1.0, (time.process_time() - begun) / CHOSEN)


def _load(lines: int) -> None:
    """Text to objects and back, as stores and pages do it."""
    line = {"key": "0123456789", "cost": {"calls": [0.125] * 8, "n": list(range(16))}, "words": ["word"] * 8}
    for _ in range(lines):
        json.loads(json.dumps(line))
