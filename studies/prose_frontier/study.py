"""How many passes does self-speculative masked diffusion save at equal quality on subword text, with 8,192 tokens
instead of 27 letters?

Design: rows of 256 tokens (some thousand characters) of the embedded prose. Ancestral sampling of the heavy network
against the hybrid of one causal block on that network, frozen, in linear windows from wide to narrow; a sandwich of
light and heavy steps against the same share in the middle and against fewer heavy steps; the window unverified;
held-out and shuffled text. Rows share seeds; NFE by convention A. Two judges: autoregressive, trained on a split of its
own, and n-gram; spelling and entropy beside them. Claims: the ratio of passes at the likelihood that ancestral sampling
reaches at 8 and 16 steps. Expected: ratios near those of letters, in uniform orders and in dilated ones
(harness/schedules/order.py). It was to be claimed at 24, 32 and 64 steps as for letters; a first look showed that 16,
24 and 32 ancestral steps cannot be told apart here and that no window reaches 64, so that none of these has an
interval. So 2, 4 and 8 steps and the window 0.25 were added, and 16 is the most that is claimed. `ssmd-bench run
studies/prose_frontier --compile --no-time --claims`: about two hours on one core at n = 512 (which are as many
tokens as 1,024 rows of the letters). The family: `ssmd-bench train family --recipe studies/prose_frontier --compile
--out runs/prose_family`. Both need the extra `hub`, whose tokenizers read the text.
"""

from harness.data.prose import Prose
from harness.metrics.entropy import CorpusEntropy, SampleEntropy
from harness.metrics.judge import Judge
from harness.metrics.ngram_judge import NgramJudge
from harness.metrics.words import Spelling
from harness.records.store import Store
from harness.schedules.window import Linear
from harness.study import Study
from studies.analysis.domain import claims_of
from studies.analysis.matched import ratio
from studies.arms import ARM, WINDOWS, arms
from studies.families import MEMBERS, checkpoint, family, nets

__all__ = ["DATA", "FAMILY", "STUDY", "claims"]

DATA, SHORT = Prose(length=256), 8e6
# embeddings of 8,192 tokens learn too slowly at the usual 2e-3
FAMILY = family(tokens=SHORT, lr=8e-3) | {"hybrid_frozen": family(tokens=SHORT)["hybrid_frozen"]}
STUDY = Study(
    name="prose_frontier", question=__doc__, data=DATA, reference="heavy", nets=nets(*MEMBERS, of="prose"),
    arms=arms([*WINDOWS, Linear(0.25)], steps=(2, 4, 8, 16, 24, 32, 64)),
    metrics=[Judge(checkpoint("judge", of="prose")), NgramJudge(order=3), Spelling(), SampleEntropy(), CorpusEntropy()],
    n=512, batch=32)


def claims(store: Store, command: str) -> list[dict]:
    frontier = claims_of("subword", matched={"": 16, ".at_8": 8})
    return [*frontier(store, command), *ratio("nfe_ratio.subword.ngram.at_8", store, command, ARM, 8, "ngram")]
