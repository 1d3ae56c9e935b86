"""How many passes does each way of sampling save at equal quality, in settings that were run, on rows that chose none
of them?

Design: the networks and the judge of studies/dilated, on rows of another seed. Goals: ancestral sampling of the
heavy network in 16, 32 and 64 steps, the plainest baseline. Settings are those around the ones that studies/dilated
and its finer windows chose on its own rows, with a dearer and a cheaper one where there are: the best of the
unaccelerated samplers (a fixed number of tokens a pass in a uniform order); the self-speculative sampler in a uniform
order on the block trained on 48 M characters, and in a dilated order on that of 16 M; the plain network in a dilated
order, unverified. Rows share seeds; NFE by convention A. A setting counts if it is not worse on two sides: the judge's
likelihood, and the n-grams of its samples against those of text, one way (what text holds and samples lack: a loss of
diversity) and the other. Margins: studies/analysis/matched.py. Claims headline.*. Expected, written before the run: of
ssmd_dilated W = 20, 3.44 times fewer passes than 32 steps, as on the rows that chose it, or W = 18 if luck had chosen
it; of ssmd W = 12, 2.1; of the unverified dilated order 16 tokens a pass, 3.9; of the best unaccelerated sampler 5
tokens a pass, 1.2. Both sides met by all: dilated orders change no law of one token a pass by more than 0.02 nats.
Written when a third of the rows were drawn and none was scored: two windows that follow the levels of a dilated order
were found on the rows that choose, 7.9 passes with a likelihood better than that of 32 steps and 9.0 with one better
than that of 64. They were added: so 4.0 instead of 3.44, and 6.1 at 64 steps. `ssmd-bench run studies/headline
--compile --no-time --claims`: about fifty minutes on one core at n = 2,048.
"""

from dataclasses import replace

from baselines.ancestral import Ancestral
from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from harness.metrics.ngram_kl import NgramKL
from harness.schedules.order import Dilated
from harness.schedules.window import Linear
from harness.study import Arm, grid
from ssmd.sampler import SelfSpeculative
from studies.dilated.study import HEAVY, STAIRS
from studies.dilated.study import STUDY as SEARCH
from studies.headline.claims import claims

__all__ = ["STUDY", "claims"]

LENGTH, ROUNDS = 128, 10


def windows(*tokens: int) -> list[SelfSpeculative]:
    """The self-speculative sampler in windows of so many tokens."""
    return [SelfSpeculative(Linear(width / LENGTH), ROUNDS) for width in tokens]


LEVELS = [SelfSpeculative(window, ROUNDS) for window in STAIRS[:2]]
STUDY = replace(
    SEARCH, name="headline", question=__doc__, seed=2026, n=2048,
    arms=[
        Arm("ancestral", grid(Ancestral, steps=[16, 32, 64]), HEAVY),
        Arm("ssmd_dilated", [replace(host, order=Dilated()) for host in (*windows(20, 18, 32, 16), *LEVELS)],
            {"main": "hybrid_frozen"}),
        Arm("ssmd_frozen_long", windows(12, 8, 20, 13), {"main": "hybrid_frozen_long"}),
        Arm("fixed_dilated", [*(FirstHitting(tokens, order=Dilated()) for tokens in (16, 22)),
                              *(FixedCount(window, order=Dilated()) for window in STAIRS[:3])], HEAVY),
        Arm("fixed", grid(FirstHitting, tokens=[5]), HEAVY),
        *(arm for arm in SEARCH.arms if arm.name in ("held_out", "shuffled")),
    ],
    metrics=[*SEARCH.metrics, NgramKL("forward"), NgramKL("reverse")])
