"""What the gate holds against its expectations: the shipped family under each kind of sampler, few rows. `make gate`,
which CI runs.

Expected: counts as in studies/gate/counts.jsonl, quality as in studies/gate/base.zip. Ancestral, fixed-count and
scheduled passes follow from draws alone and are equal to the last; a self-speculative row may differ where another
processor rounds a logit otherwise (studies/gate/rules.toml says by how much). After a change that is meant: `ssmd-bench
expect runs/gate`, which says so in the changelog. `ssmd-bench run studies/gate --no-time`: about a minute on two
cores.
"""

from baselines.ancestral import Ancestral
from baselines.fixed_count import FixedCount
from baselines.scheduled import Scheduled
from harness.schedules.placement import Sandwich
from harness.schedules.window import Cosine, Linear
from harness.study import Arm, Study
from ssmd.sampler import SelfSpeculative
from studies.families import TEXT, metrics, nets

STUDY = Study(
    name="gate", question=__doc__, data=TEXT, nets=nets("heavy", "light", "hybrid"), reference="heavy",
    arms=[
        Arm("ancestral", [Ancestral(12)], {"main": "heavy"}),
        Arm("scheduled", [Scheduled(Ancestral(12), Sandwich(0.25))], {"main": "heavy", "light": "light"}),
        Arm("fixed_count", [FixedCount(Linear(0.125))], {"main": "hybrid"}),
        Arm("ssmd", [SelfSpeculative(Linear(0.125), 4), SelfSpeculative(Cosine(0.2), 2)], {"main": "hybrid"}),
    ],
    metrics=metrics("judge", "spelling", "sample_entropy"), n=64, batch=32)
