"""Against autoregression that writes several tokens a pass: who is better at equal passes?

Design: the autoregressive network that ships (trained on a split of its own, of the same corpus), frozen, with eight
further heads trained here on that split, k of which guess the next tokens; one pass tests the guesses and makes the
states for the next ones (studies/multi_token/heads.py: Medusa's scheme, arXiv 2401.10774, tested by rejection sampling,
so that the network's own law is kept; no tree). Beside it ancestral sampling, the self-speculative sampler in uniform
and dilated orders, and drawing whatever has passed a threshold of confidence (Fast-dLLM, arXiv 2505.22618). Question
S13 of the reviewers of arXiv 2510.03929, with what can be had here: the networks are of like size (1.8 M parameters
against 1.2 M and 1.4 M), not of equal training (12 M characters against 36 M and 52 M) nor of equal splits. Read by
spelling, and by n-grams fitted on a split that neither has seen; the entropy of samples beside them. Expected, written
before the run: 1.6 to 2.2 characters a pass, so 60 to 80 passes a row, where its spelling is above that of every masked
sampler by 0.05 to 0.15; below 50 passes it has nothing to offer, and the self-speculative sampler in dilated orders
stands alone there. `ssmd-bench run studies/multi_token --compile --no-time --claims`: about forty minutes on one core.
"""

from baselines.ancestral import Ancestral
from baselines.threshold import Threshold
from harness.metrics.entropy import SampleEntropy
from harness.metrics.ngram_judge import NgramJudge
from harness.metrics.words import Spelling
from harness.schedules.order import Dilated
from harness.schedules.window import Linear
from harness.study import Arm, Study, grid
from ssmd.sampler import SelfSpeculative
from studies.arms import HELD_OUT, SHUFFLED
from studies.families import TEXT, nets
from studies.multi_token.claims import claims, measure

__all__ = ["STUDY", "claims", "measure"]

WINDOWS, HEAVY, HYBRID = [Linear(delta)
                          for delta in (0.25, 0.083, 0.03, 0.015)], {"main": "heavy"}, {"main": "hybrid_frozen"}

STUDY = Study(
    name="multi_token", question=__doc__, data=TEXT, reference="heavy",
    nets=nets("heavy", "hybrid_frozen"),
    arms=[
        Arm("ancestral", grid(Ancestral, steps=[16, 32, 64, 128]), HEAVY),
        Arm("ssmd_frozen", [SelfSpeculative(window, 10) for window in WINDOWS], HYBRID),
        Arm("ssmd_dilated", [SelfSpeculative(window, 10, order=Dilated()) for window in WINDOWS], HYBRID),
        Arm("threshold", grid(Threshold, tau=[0.9, 0.7, 0.5], tokens=["drawn"]), HEAVY),
        HELD_OUT, SHUFFLED,
    ],
    metrics=[Spelling(), NgramJudge(split="validation"), SampleEntropy()], n=512, batch=64, seed=13)
