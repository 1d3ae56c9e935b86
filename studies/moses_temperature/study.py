"""On molecules drawn at a lower temperature, which are valid more often: does verification still pay, and what does the
temperature cost in variety?

Design: the networks of studies/moses_frontier with logits divided by a temperature, draft and target alike, so that the
law to be kept is that of the cooler network. First-hitting sampling, ancestral sampling in 16 steps, and the self-
speculative sampler in windows of three characters, which takes about as many passes. FCD to the test molecules and the
share of distinct molecules say what is lost. studies/moses_competence sets these beside networks of smaller budgets.
Expected: valid molecules rise to three fourths and above, FCD falls and then rises, and verification gives back about
the same share.
"""

from dataclasses import replace

from baselines.ancestral import Ancestral
from baselines.first_hitting import FirstHitting
from harness.schedules.window import Linear
from harness.study import Arm
from ssmd.sampler import SelfSpeculative
from studies.arms import ROUNDS
from studies.families import trained
from studies.moses_frontier.family import OUT
from studies.moses_frontier.study import STUDY as WARM
from studies.moses_temperature.claims import TEMPERATURES, claims

__all__ = ["STUDY", "claims"]


def arms(end: str, temperature: float) -> list[Arm]:
    """Those of one temperature, named as in studies/moses_frontier with the temperature behind."""
    return [Arm(f"ancestral{end}", [Ancestral(16)], {"main": "heavy"}, temperature),
            Arm(f"first_hitting{end}", [FirstHitting()], {"main": "heavy"}, temperature),
            Arm(f"ssmd_frozen{end}", [SelfSpeculative(Linear(0.05), ROUNDS)], {"main": "hybrid_frozen"}, temperature)]


STUDY = replace(WARM, name="moses_temperature", question=__doc__, nets=trained(OUT, "heavy", "hybrid_frozen"),
                n=1024,
                arms=[arm for end, temperature in TEMPERATURES.items() for arm in arms(end, temperature)])
