"""Where do autoregression and classical speculative decoding stand beside the samplers of masked diffusion?

Design: the autoregressive network that ships writes one token a pass, and with a chain fitted to the same text
(harness/data/bigram.py) as its light network, which costs next to nothing: drafts of n-grams, tested by one pass. Its
passes are billed as with kept keys and values, and run whole. Beside them ancestral sampling and self-speculation. The
autoregressive network is another network than theirs (1.8 M parameters against 1.2 M, another split of the corpus), so
that qualities say what each can write, and passes what each saves. NFE A bills a pass of the chain as a whole one:
passes of the autoregressive network are those to read. Read by spelling and by n-grams of a split that
none has seen. Expected: between 1.3 and 2 tokens a pass by drafts of a chain, at the same law; the
self-speculative sampler far above that in tokens a draft pass.
`ssmd-bench run studies/autoregression --no-time --claims`: ten minutes on one core.
"""

from baselines.ancestral import Ancestral
from baselines.first_hitting import FirstHitting
from baselines.speculative import Speculative
from harness.data.bigram import Bigram
from harness.metrics.entropy import SampleEntropy
from harness.metrics.ngram_judge import NgramJudge
from harness.metrics.words import Spelling
from harness.nets.causal import Causal
from harness.schedules.order import Dilated, LeftToRight
from harness.schedules.window import Linear
from harness.study import Arm, Study, Table, grid
from ssmd.sampler import SelfSpeculative
from studies.arms import HELD_OUT, SHUFFLED
from studies.autoregression.claims import claims
from studies.families import TEXT, checkpoint, nets

__all__ = ["STUDY", "claims"]

AR, BOTH, HYBRID = {"main": "autoregressive"}, {"main": "autoregressive", "light": "chain"}, {"main": "hybrid_frozen"}

STUDY = Study(
    name="autoregression", question=__doc__, data=TEXT, reference="heavy",
    nets=nets("heavy", "hybrid_frozen") | {"autoregressive": Causal(checkpoint("judge")), "chain": Table(Bigram())},
    arms=[
        Arm("autoregressive", [FirstHitting(order=LeftToRight())], AR),
        Arm("speculative", grid(Speculative, tokens=[1, 2, 4]), BOTH),
        Arm("speculative_plain", grid(Speculative, tokens=[2], bonus=[False]), BOTH),
        Arm("ancestral", grid(Ancestral, steps=[16, 32, 64]), {"main": "heavy"}),
        Arm("ssmd", [SelfSpeculative(Linear(delta), 10) for delta in (0.1, 0.05)], HYBRID),
        Arm("ssmd_dilated", [SelfSpeculative(Linear(delta), 10, order=Dilated()) for delta in (0.1, 0.05)], HYBRID),
        HELD_OUT, SHUFFLED,
    ],
    metrics=[Spelling(), NgramJudge(split="validation"), SampleEntropy()], n=256, batch=64, seed=17)
