"""Arms that studies share: the controls, and those of a frontier on any kind of data."""

from collections.abc import Sequence

from baselines.ancestral import Ancestral
from baselines.fixed_count import FixedCount
from baselines.scheduled import Scheduled
from harness.data.control import HeldOut, Shuffled
from harness.schedules.order import Dilated
from harness.schedules.placement import Middle, Sandwich
from harness.schedules.window import Linear, Open
from harness.study import Arm, grid
from ssmd.sampler import SelfSpeculative

BASELINE, ARM, DILATED = "ancestral", "ssmd_frozen", "ssmd_dilated"
HELD_OUT, SHUFFLED = Arm("held_out", [HeldOut()]), Arm("shuffled", [Shuffled()])
WINDOWS = [Linear(delta) for delta in (0.125, 0.083, 0.0625, 0.05, 0.04, 0.03)]
FEWER, ROUNDS = (26, 28), 10    # steps of the heavy network alone around the FLOPs of a sandwich of 32; verify rounds


def arms(windows: Sequence[Open | Linear] = WINDOWS, steps: Sequence[int] = (16, 24, 32, 64)) -> list[Arm]:
    """Ancestral sampling of the heavy network; the sandwich with its controls; the hybrid in windows from wide to
    narrow, in uniform and in dilated orders, one of them unverified; held-out and shuffled rows.
    """
    both, wider = {"main": "heavy", "light": "light"}, dict.fromkeys((Linear(0.25), *windows[:5]))
    return [
        Arm(BASELINE, grid(Ancestral, steps=list(steps)), {"main": "heavy"}),
        Arm("scheduled", [Scheduled(Ancestral(32), Sandwich(0.25))], both),
        Arm("middle", [Scheduled(Ancestral(32), Middle(0.25))], both),
        Arm("fewer_steps", grid(Ancestral, steps=list(FEWER)), {"main": "heavy"}),
        Arm(ARM, [SelfSpeculative(window, ROUNDS) for window in windows], {"main": "hybrid_frozen"}),
        Arm(DILATED, [SelfSpeculative(window, ROUNDS, order=Dilated()) for window in wider],
            {"main": "hybrid_frozen"}),
        Arm("fixed_count", [FixedCount(next(w for w in windows if w != Open()))], {"main": "hybrid_frozen"}),
        HELD_OUT, SHUFFLED,
    ]
