"""Does it matter where a light network writes, and is scheduling better than fewer heavy steps at the same FLOPs?

Design: 25 % of the text light, placed at both ends (sandwich), in the middle, first, last, and at random (10 draws), ancestral sampling at 32 steps,
common random numbers. Control: the heavy network alone with as many steps as cost the same FLOPs per row (needed, logits where wanted).
Expected, from arXiv 2604.02340: sandwich better than middle under the judge; whether it beats fewer heavy steps is not known.
"""

from baselines.ancestral import Ancestral
from baselines.first_hitting import FirstHitting
from baselines.scheduled import Scheduled
from harness.claims import claim
from harness.control import HeldOut
from harness.placement import Interleaved, Middle, Prefix, Random, Sandwich, Suffix
from harness.points import done, point, rows
from harness.stats import paired_difference
from harness.store import Store
from harness.study import Arm, Study, grid
from studies.demo import STUDY as DEMO

STEPS, SHARE, DRAWS = 32, 0.25, 10
PLACED = {"sandwich": Sandwich(SHARE), "middle": Middle(SHARE), "prefix": Prefix(SHARE), "suffix": Suffix(SHARE), "interleaved": Interleaved(SHARE, teeth=8)}
BOTH = {"main": "heavy", "light": "light"}

STUDY = Study(
    name="scheduling", question=__doc__, data=DEMO.data, nets={k: DEMO.nets[k] for k in ("heavy", "light")}, reference="heavy",
    arms=[
        Arm("heavy", [Ancestral(STEPS)], {"main": "heavy"}),
        Arm("fewer_heavy", grid(Ancestral, steps=[26, 27]), {"main": "heavy"}),
        *(Arm(name, [Scheduled(Ancestral(STEPS), placement)], BOTH) for name, placement in PLACED.items()),
        Arm("random", [Scheduled(Ancestral(STEPS), Random(SHARE, pieces=32, draw=d)) for d in range(DRAWS)], BOTH),
        Arm("light", [Ancestral(STEPS)], {"main": "light"}),
        Arm("swapped", [Scheduled(Ancestral(STEPS), Sandwich(SHARE))], {"main": "light", "light": "heavy"}),
        Arm("first_hitting", [FirstHitting()], {"main": "heavy"}),
        Arm("first_hitting_sandwich", [Scheduled(FirstHitting(), Sandwich(SHARE))], BOTH),
        Arm("held_out", [HeldOut()]),
    ],
    metrics=DEMO.metrics, n=1024, batch=64)


def at_equal_cost(store: Store, cost: float, n: int) -> dict:
    """The record of the heavy-only run whose needed FLOPs are nearest to `cost`."""
    return min(done(store, "fewer_heavy", n), key=lambda record: abs(record["cost"]["nfe_c"] - cost))


def claims(store: Store, command: str) -> list[dict]:
    """scheduling.sandwich_minus_middle and .sandwich_minus_fewer_steps: judge NLL, paired; below zero the sandwich is better."""
    n, made = rows(store, "sandwich", "middle", "fewer_heavy"), []
    sandwich, middle = (done(store, name, n)[0] for name in ("sandwich", "middle"))
    for name, other in (("middle", middle), ("fewer_steps", at_equal_cost(store, sandwich["cost"]["nfe_c"], n))):
        d = paired_difference(*(point(store, record, "judge").scores for record in (sandwich, other)))
        made.append(claim(f"scheduling.sandwich_minus_{name}", d.value, d.low, d.high, "judge nats per token, paired", d.n, command, [sandwich["key"], other["key"]]))
    return made
