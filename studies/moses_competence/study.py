"""When a network is better, does verification pay more or less?

Design: three networks of molecules of three budgets of training, each with one causal block on its frozen blocks. `low`
and `middle` are here, the third is that of studies/moses_frontier, whose records are read; studies/moses_temperature
has it at lower temperatures, where it is right more often. Competence is the validity of first-hitting sampling, one
character a pass. Ancestral sampling of several characters a pass loses a part of it. The self-speculative sampler in
windows of three characters is held against the cheapest steps of ancestral sampling that take no fewer passes, and
gives back a share of what was lost:

    recovered = (self-speculative - ancestral) / (first-hitting - ancestral)

Its slope over competence is one answer, and that of the gain itself, as a share of rows, the other. Expected: no slope
to be seen, since a better network also drafts better. What is not held equal: `low` and `middle` have 4 blocks of width
256 and the third 8 of width 192, so that a verify pass costs a fourth and an eighth; budgets of the causal blocks
differ too (their cards say how much).
"""

from baselines.ancestral import Ancestral
from baselines.first_hitting import FirstHitting
from harness.metrics.molecules.validity import Validity
from harness.schedules.window import Linear
from harness.study import Arm, Checkpoint, Study, grid
from ssmd.sampler import SelfSpeculative
from studies.arms import ROUNDS
from studies.moses_competence.claims import WEAK, claims, measure
from studies.moses_competence.family import DATA, FAMILY, OUT

__all__ = ["DATA", "FAMILY", "STUDY", "claims", "measure"]

NETS = {f"{level}{end}": Checkpoint(str(OUT / level / name / f"{name}.safetensors"))
        for level in WEAK for end, name in (("", "heavy"), ("_hybrid", "hybrid_frozen"))}


def arms(level: str) -> list[Arm]:
    """Those of one network, named as in studies/moses_frontier with its level behind."""
    own = {"main": level}
    return [Arm(f"ancestral_{level}", grid(Ancestral, steps=[16, 20]), own),
            Arm(f"first_hitting_{level}", [FirstHitting()], own),
            Arm(f"ssmd_frozen_{level}", [SelfSpeculative(Linear(0.05), ROUNDS)], {"main": f"{level}_hybrid"})]


STUDY = Study(
    name="moses_competence", question=__doc__, data=DATA, reference="middle", nets=NETS,
    arms=[arm for level in WEAK for arm in arms(level)], metrics=[Validity()], n=2048, batch=128, dtype="bfloat16")
