"""How many passes does self-speculative masked diffusion save at equal quality on the shipped text family?

Design: ancestral sampling of the heavy network against four hybrids in linear windows from wide to narrow: one causal
block on top of the six frozen blocks of the heavy network itself (the recipe of the paper's protein model), with the
output residual (ssmd_frozen) and without it (ssmd_frozen_plain), and the first of them after a further cycle of
training of that block (ssmd_frozen_long: 48 M characters in all, not 16 M); one causal block of six (ssmd).
headline.ssmd.* is asked in studies/headline. Rows share seeds, so all differences are paired. NFE by convention A:
blocks over the six of the heavy network. Claims: the ratio of passes at the quality that ancestral sampling reaches at
24, 32 and 64 steps, by spelling and by the judge's likelihood. Those without a suffix are of ssmd_frozen: its draft is
the baseline's own network, and it passes the gate of ssmd/train/depth_gain.py, which ssmd_frozen_plain misses at depth
2 although its validation loss is lower (1.297 against 1.309 nats). .same_network holds ssmd against ancestral sampling
on its own non-causal blocks. Linear windows were chosen in a pilot (studies/LOG.md). Expected: ratios near 2, the
paper's headline; of ssmd_frozen_long 5 to 10 % more than of ssmd_frozen. `run ... --compile --no-time --claims`: 2.5
hours on one core, n = 2,048.
"""

from baselines.ancestral import Ancestral
from baselines.fixed_count import FixedCount
from harness.schedules.window import Linear
from harness.study import Arm, Study, grid
from ssmd.sampler import SelfSpeculative
from studies.arms import HELD_OUT, SHUFFLED
from studies.families import METRICS, TEXT, nets
from studies.text_frontier.claims import claims

__all__ = ["STUDY", "claims"]

ROUNDS = 10    # more than a window needs: a verify pass of one block is cheap, and a cut window is drafted again
WINDOWS, NARROWEST = [Linear(delta) for delta in (0.125, 0.083, 0.0625, 0.05, 0.04)], Linear(0.03)

STUDY = Study(
    name="text_frontier", question=__doc__, data=TEXT, reference="heavy",
    nets=nets("heavy", "hybrid", "hybrid_frozen", "hybrid_frozen_plain", "hybrid_frozen_long"),
    arms=[
        Arm("ancestral", grid(Ancestral, steps=[16, 24, 32, 64]), {"main": "heavy"}),
        Arm("ancestral_hybrid", grid(Ancestral, steps=[24, 32]), {"main": "hybrid"}),
        Arm("ssmd", [SelfSpeculative(window, ROUNDS) for window in WINDOWS], {"main": "hybrid"}),
        *(Arm(f"ssmd_{name}", [SelfSpeculative(window, ROUNDS) for window in (*WINDOWS, NARROWEST)],
              {"main": f"hybrid_{name}"}) for name in ("frozen", "frozen_plain")),
        Arm("ssmd_frozen_long", [SelfSpeculative(window, ROUNDS) for window in WINDOWS],
            {"main": "hybrid_frozen_long"}),
        Arm("fixed_count", [FixedCount(WINDOWS[0])], {"main": "hybrid"}),
        HELD_OUT, SHUFFLED,
    ],
    metrics=METRICS, n=2048, batch=64)
