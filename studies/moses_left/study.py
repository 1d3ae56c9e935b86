"""Molecules on networks that are good: how many passes does self-speculative masked diffusion save where most of what
one character a pass writes is valid, and does it save more or less on weaker ones?

Design: networks that begin as left-to-right ones and write from the left alone (studies/moses_left/family.py), at three
budgets of training. The length is given. Standard masked diffusion writes one or two characters a pass, which it draws
independently; one a pass is the quality to match. The self-speculative sampler writes in windows of four and eight: a
hybrid, whose two causal blocks verify, and the heavy network, which verifies itself by one pass more
(harness/nets/itself.py) and writes one character more where a window passed whole. That one keeps the law of one
character a pass. Quality has three sides: validity, FCD to the test molecules, and the share of distinct molecules
among the first 300 valid ones; a matched setting is shown to be no worse on each. NFE by convention A: blocks over the
six of the heavy network; a verify pass of the hybrid runs two. Expected: independent characters lose most of the
molecules at once, verified ones few, and none where the network verifies itself, which pays where it can guess the next
characters.
"""

from collections.abc import Sequence

from baselines.first_hitting import FirstHitting
from harness.metrics.molecules.fcd import Fcd
from harness.metrics.molecules.validity import Validity
from harness.metrics.molecules.variety import Unique
from harness.nets.itself import Itself
from harness.schedules.order import LeftToRight
from harness.schedules.window import Fixed
from harness.study import Arm, Checkpoint, Study, grid
from ssmd.bonus import SelfSpeculativeBonus
from ssmd.sampler import SelfSpeculative
from studies.arms import ROUNDS
from studies.moses_left.claims import BASELINE, ITSELF, LEVELS, SSMD, claims, measure
from studies.moses_left.family import DATA, FAMILY, FOLDERS, OUT

__all__ = ["DATA", "FAMILY", "STUDY", "claims", "measure"]

ORDER = LeftToRight()
NETS = {f"{member}{end}": Checkpoint(str(OUT / folder / member / f"{member}.safetensors"))
        for level, end in LEVELS.items() for member, folder in zip(("heavy", "hybrid_frozen"), FOLDERS[level])}


def arms(end: str, windows: Sequence[int] = (4,), tokens: Sequence[int] = (1, 2)) -> list[Arm]:
    """Those of one budget of training."""
    return [Arm(f"{BASELINE}{end}", grid(FirstHitting, tokens=list(tokens), order=[ORDER]), {"main": f"heavy{end}"}),
            Arm(f"{SSMD}{end}", [SelfSpeculative(Fixed(width), ROUNDS, order=ORDER) for width in windows],
                {"main": f"hybrid_frozen{end}"}),
            Arm(f"{ITSELF}{end}", [SelfSpeculativeBonus(Fixed(8), 1, order=ORDER)], {"main": f"itself{end}"})]


STUDY = Study(
    name="moses_left", question=__doc__, data=DATA, reference="heavy",
    nets=NETS | {f"itself{end}": Itself(NETS[f"heavy{end}"].path) for end in LEVELS.values()},
    arms=[*arms("", (4, 8)), *arms("_15M"), *arms("_3M")],
    metrics=[Validity(), Fcd(split="test"), Unique(k=300)], n=2048, batch=128, dtype="bfloat16")
