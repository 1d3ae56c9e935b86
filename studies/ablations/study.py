"""Which parts of the hybrid network carry the gain: the output residual, one causal block or two, one head for both
outputs?

Design: two networks and members of the family that differ from one of them in one part each. The shipped hybrid (5
non-causal blocks + 1 causal, residual, shared head, 36 M tokens): hybrid_plain (no residual), hybrid_two (4 + 2).
hybrid_frozen (the six blocks of heavy, frozen, + 1 causal, 16 M tokens): hybrid_frozen_plain (no residual),
hybrid_frozen_heads (two heads). The same four settings of the self-speculative sampler for all, the same seeds, so that
differences are paired. A member whose checkpoint is not here is left out, and the run says so and how it comes back.
Claims, at the third setting: the judge's nats a token, ablated minus base; and the passes (NFE A) of the ablated over
those of the base at the base's likelihood. The budgets of training stand in the notes: unlike budgets make no ablation.
Expected, from arXiv 2510.03929: without the residual the target rejects more and both numbers are worse (hybrid_plain,
measured before the frozen pairs were sampled, says the reverse); 4 + 2 drafts worse, verifies better, and costs two
sixths of a pass a verification; two heads make little difference, the draft's own being frozen. `ssmd-bench run
studies/ablations --compile --no-time --claims`: about four minutes a network on one core.
"""

from harness.schedules.window import Cosine
from harness.study import Arm, Study
from ssmd.sampler import SelfSpeculative
from studies.ablations.claims import COMPARED, MEMBERS, claims, measure
from studies.arms import HELD_OUT
from studies.families import TEXT, metrics, nets

__all__ = ["STUDY", "claims", "measure"]

SETTINGS = [SelfSpeculative(Cosine(0.3), 10), SelfSpeculative(Cosine(0.16), 10), COMPARED,
            SelfSpeculative(Cosine(0.04), 4)]

STUDY = Study(
    name="ablations", question=__doc__, data=TEXT, reference="heavy",
    nets=nets("heavy", *MEMBERS),
    arms=[*(Arm(name, SETTINGS, {"main": name}) for name in MEMBERS),
          HELD_OUT],
    metrics=metrics("judge", "spelling", "sample_entropy"), n=512, batch=64)
