"""What studies/busy_gate does to a copy of the sources and to the machine: more work in the sampling loop, and other
work beside it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from harness.run.clock import busy
from studies.planted.claims import Plant

SLOWER, HALF = 0.12, 0.5

EXTRA = f'''
WORK = {{"owed": 0.0, "extra": 0.0, "repeats": 0}}


def _slower(sampler, nets, live):
    """The step, and as often as {SLOWER:.0%} of its CPU time is owed, the step again, for nothing."""
    import time
    begun = time.thread_time()
    found = sampler.step(nets, live)
    took = time.thread_time() - begun
    WORK["owed"] += {SLOWER} * took
    if WORK["owed"] >= took:
        begun = time.thread_time()
        sampler.step({{name: net.net if isinstance(net, Metered) else net for name, net in nets.items()}}, live)
        again = time.thread_time() - begun
        WORK["owed"], WORK["extra"], WORK["repeats"] = WORK["owed"] - again, WORK["extra"] + again, WORK["repeats"] + 1
    return found


@torch.inference_mode()
def sample('''
PLANT = Plant(f"{SLOWER:.0%} more work in the loop", "harness.sampling.loop", (
    ("        rows = sampler.step(nets, live.told())\n", "        rows = _slower(sampler, nets, live.told())\n"),
    ("\n@torch.inference_mode()\ndef sample(", EXTRA)), visible=False)

BURNER = """
import itertools, time
for seconds in itertools.cycle((0.02, 0.5, 0.1, 1.0, 0.05, 0.2)):
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass
    time.sleep(seconds)
"""


@contextmanager
def half_busy(cores: int = 2) -> Iterator[bool]:
    """Keeps so many cores half busy, unless others do; whether that was needed."""
    needed = (busy(seconds=3.0) or 0.0) < HALF
    burners = [subprocess.Popen([sys.executable, "-c", BURNER]) for _ in range(cores if needed else 0)]
    try:
        yield needed
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
