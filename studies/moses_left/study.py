"""Molecules on networks that are good: how many passes does self-speculative masked diffusion save where most of what
one character a pass writes is valid, and does it save more or less on weaker ones?

Design: networks that begin as left-to-right ones and write from the left alone (studies/moses_left/family.py), at three
budgets of training. The length is given. Standard masked diffusion writes one, two or four characters a pass, which it
draws independently; one a pass is the quality to match. The self-speculative sampler writes in windows of two to
eight. Quality has three sides: validity, FCD to the test molecules, and the share of distinct molecules among the
first 300 valid ones; a matched setting is shown to be no worse on each. NFE by convention A: blocks over the six of the
heavy network; a verify pass runs two. Expected: independent characters lose most of the molecules at once, verified
ones few; so a ratio of passes far above that of studies/moses_frontier.
"""

from baselines.first_hitting import FirstHitting
from harness.metrics.molecules.fcd import Fcd
from harness.metrics.molecules.validity import Validity
from harness.metrics.molecules.variety import Novelty, Unique
from harness.schedules.order import LeftToRight
from harness.schedules.window import Fixed
from harness.study import Arm, Checkpoint, Study, grid
from ssmd.sampler import SelfSpeculative
from studies.arms import HELD_OUT, ROUNDS
from studies.moses_left.claims import BASELINE, LEVELS, SSMD, claims, measure
from studies.moses_left.family import DATA, FAMILY, OUT

__all__ = ["DATA", "FAMILY", "STUDY", "claims", "measure"]

ORDER = LeftToRight()
TOKENS = {"": (1, 2, 4), "_middle": (1, 2), "_low": (1, 2)}
WINDOWS = {"": (2, 3, 4, 6, 8), "_middle": (2, 3, 4), "_low": (2, 3, 4)}
NETS = {f"{member}{end}": Checkpoint(str(OUT / level / member / f"{member}.safetensors"))
        for level, end in LEVELS.items() for member in ("heavy", "hybrid_frozen")}


def arms(end: str) -> list[Arm]:
    """Those of one budget of training."""
    return [Arm(f"{BASELINE}{end}", grid(FirstHitting, tokens=list(TOKENS[end]), order=[ORDER]),
                {"main": f"heavy{end}"}),
            Arm(f"{SSMD}{end}", [SelfSpeculative(Fixed(width), ROUNDS, order=ORDER) for width in WINDOWS[end]],
                {"main": f"hybrid_frozen{end}"})]


STUDY = Study(
    name="moses_left", question=__doc__, data=DATA, reference="heavy", nets=NETS,
    arms=[*(arm for end in LEVELS.values() for arm in arms(end)), HELD_OUT],
    metrics=[Validity(), Fcd(split="test"), Unique(k=300), Novelty()], n=2048, batch=128, dtype="bfloat16")
