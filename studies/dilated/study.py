"""Does an order that keeps tokens apart combine with self-speculation, so that drafts drawn side by side are accepted
more often?

Design: the networks of studies/text_frontier. Ancestral sampling of the heavy network; the same network by a fixed
number of tokens a pass, in a uniform order and in a dilated one (each place halfway between places that are written,
from a random start: harness/schedules/order.py); the hybrid of one causal block on that network, frozen, in linear
windows, in either order, and the same after a further cycle of training of that block (_long, 48 M characters in all);
held-out and shuffled text. Orders depend on no token, so that all of it keeps the law. Rows share seeds; NFE by
convention A. Claims: the ratio of passes at the likelihood that ancestral sampling reaches at 32 and 64 steps, and
dilated minus uniform at equal settings; headline.best.* is asked on other rows, in studies/headline. What a dilated
order costs the network itself, one token a pass, is read on held-out text: dilated.law_minus_uniform. Question S14 (the
choice of order) of the reviewers of arXiv 2510.03929. Expected, written before the run: a pilot (128 rows of another
seed; uniform and three dilated orders, of which this one was best) had the dilated sampler at 10 passes ahead of 64
uniform ones, at equal entropy of samples, and dilated orders alone, 16 passes, level with 64: so ratios of 4 or more by
likelihood, less by spelling, since a row of letters is judged by its words and not by their order of writing; the law
of one token a pass no worse. Of the long ones, written after they were trained (target 1.207, before 1.309) and before
these samples: ratios 10 % above those of the others. They were lower in dilated orders (studies/LOG.md). Windows
between the first ones were added when it was seen that a dilated order, whose levels are powers of two, does not lie on
a line between them. `ssmd-bench run studies/dilated --compile --no-time --claims`: about two hours and a half on one
core at n = 1,024.
"""

from baselines.ancestral import Ancestral
from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from baselines.theta_trapezoidal import ThetaTrapezoidal
from harness.schedules.order import Dilated
from harness.schedules.window import Linear, Stairs
from harness.study import Arm, Study, grid
from ssmd.sampler import SelfSpeculative
from studies.arms import HELD_OUT, SHUFFLED
from studies.dilated.claims import claims, measure
from studies.families import METRICS, TEXT, nets

__all__ = ["STUDY", "claims", "measure"]

WIDE, WINDOWS = [Linear(0.5), Linear(0.25)], [Linear(delta) for delta in (0.125, 0.083, 0.0625)]
# that follow the levels of a dilated order
STAIRS = [Stairs((0.125, 0.25, 0.375, 0.5, 0.75, 1.0)), Stairs((0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 1.0)),
          Stairs((0.125, 0.25, 0.5, 0.75, 1.0)), Stairs((0.0625, 0.125, 0.25, 0.5, 0.75, 1.0))]
# in dilated orders
FINER = {"": [*(Linear(width / 128) for width in (18, 20, 22, 24)), *STAIRS],
         "_long": [Linear(width / 128) for width in (18, 20)]}
FINER_UNIFORM = {"": [], "_long": [Linear(width / 128) for width in (12, 13, 20, 24)]}
HEAVY, HYBRIDS = {"main": "heavy"}, {"": "hybrid_frozen", "_long": "hybrid_frozen_long"}    # of an arm's name

STUDY = Study(
    name="dilated", question=__doc__, data=TEXT, reference="heavy",
    nets=nets("heavy", *HYBRIDS.values()),
    arms=[
        Arm("ancestral", grid(Ancestral, steps=[16, 32, 64]), HEAVY),
        Arm("fixed", grid(FirstHitting, tokens=[16, 10, 8, 5, 4]), HEAVY),
        Arm("theta_trapezoidal", grid(ThetaTrapezoidal, steps=[9]), HEAVY),
        Arm("fixed_dilated", [*(FirstHitting(tokens, order=Dilated()) for tokens in (32, 26, 22, 19, 16, 8, 4)),
                              *(FixedCount(window, order=Dilated()) for window in STAIRS)], HEAVY),
        *(Arm(f"ssmd_frozen{end}", [SelfSpeculative(window, 10) for window in (WIDE[1], *WINDOWS, *FINER_UNIFORM[end])],
              {"main": net}) for end, net in HYBRIDS.items()),
        *(Arm(f"ssmd_dilated{end}", [SelfSpeculative(window, 10, order=Dilated())
                                     for window in (*WIDE, *WINDOWS, *FINER[end])], {"main": net})
          for end, net in HYBRIDS.items()),
        HELD_OUT, SHUFFLED,
    ],
    metrics=METRICS, n=1024, batch=64, seed=21)
