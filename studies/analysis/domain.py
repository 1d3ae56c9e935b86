"""One question on several kinds of data: does the gain carry over? The family that is trained for each, the arms, and
what is claimed.

Claims nfe_ratio.DOMAIN[.dilated][.at_24 | .at_64], dilated.DOMAIN and scheduling.DOMAIN.sandwich_minus_{middle,
fewer_steps}.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from baselines.ancestral import Ancestral
from baselines.fixed_count import FixedCount
from baselines.scheduled import Scheduled
from harness.claims.claim import claim
from harness.data.control import HeldOut, Shuffled
from harness.kinds import Scores
from harness.records.points import done, rows, scores
from harness.records.store import Store
from harness.schedules.placement import Middle, Sandwich
from harness.schedules.window import Linear, Open
from harness.spec import brief, to_json
from harness.stats.equal_entropy import at
from harness.stats.intervals import paired_difference
from harness.study import Arm, Checkpoint, grid
from ssmd.dilated import DilatedSelfSpeculative
from ssmd.sampler import SelfSpeculative
from ssmd.train.family import SHIPPED
from ssmd.train.settings import Training
from studies.analysis.matched import difference, ratio

BASELINE, ARM, DILATED = "ancestral", "ssmd_frozen", "ssmd_dilated"
# of a claim's name: steps of ancestral sampling whose quality is matched
MATCHED = {"": 32, ".at_24": 24, ".at_64": 64}
CONTROLS = ("middle", "fewer_steps")              # arms that the sandwich is held against
WINDOWS = [Linear(delta) for delta in (0.125, 0.083, 0.0625, 0.05, 0.04, 0.03)]
# steps of the heavy network alone around the FLOPs of a sandwich of 32, rounds, and how near a control must be in cost
FEWER, ROUNDS, NEAR = (26, 28), 10, 0.01


def family(tokens: float, **size) -> dict[str, Training]:
    """The members that a frontier needs; the hybrid is one causal block on the frozen heavy network, the paper's
    protein recipe.
    """
    shapes = {"heavy": dict(network="masked"), "light": dict(network="masked", blocks=2),
              "hybrid_frozen": dict(network="hybrid", blocks=7, frozen=True),
              "judge": dict(network="judge", blocks=4, width=192, heads=6, dropout=0.1)}
    return {name: Training(**shape | size, tokens=tokens) for name, shape in shapes.items()}


def checkpoint(domain: str, name: str) -> str:
    return str(SHIPPED / domain / f"{name}.safetensors")


def nets(domain: str) -> dict[str, Checkpoint]:
    return {name: Checkpoint(checkpoint(domain, name)) for name in ("heavy", "light", "hybrid_frozen")}


def arms(windows: Sequence[Open | Linear] = WINDOWS, steps: Sequence[int] = (16, 24, 32, 64)) -> list[Arm]:
    """Ancestral sampling of the heavy network; the sandwich with its controls; the hybrid in windows from wide to
    narrow, in uniform and in dilated orders, one of them unverified; held-out and shuffled rows.
    """
    both, wider = {"main": "heavy", "light": "light"}, dict.fromkeys((Linear(0.25), *windows[:5]))
    return [
        Arm(BASELINE, grid(Ancestral, steps=list(steps)), {"main": "heavy"}),
        Arm("scheduled", [Scheduled(Ancestral(32), Sandwich(0.25))], both),
        Arm("middle", [Scheduled(Ancestral(32), Middle(0.25))], both),
        Arm("fewer_steps", grid(Ancestral, steps=list(FEWER)), {"main": "heavy"}),
        Arm(ARM, [SelfSpeculative(window, ROUNDS) for window in windows], {"main": "hybrid_frozen"}),
        Arm(DILATED, [DilatedSelfSpeculative(SelfSpeculative(window, ROUNDS)) for window in wider],
            {"main": "hybrid_frozen"}),
        Arm("fixed_count", [FixedCount(next(w for w in windows if w != Open()))], {"main": "hybrid_frozen"}),
        Arm("held_out", [HeldOut()]), Arm("shuffled", [Shuffled()]),
    ]


def claims_of(domain: str, label: str = "judge", unit: str = "judge nats per token, paired",
              matched: Mapping[str, int] = MATCHED,
              margin: float | None = None) -> Callable[[Store, str], list[dict]]:
    """What a study of this kind of data claims: passes of ancestral sampling over those of the self-speculative sampler
    at equal `label`, and the sandwich against its controls. margin: what counts as equal (default: that of
    studies/analysis/matched.py).
    """
    def claims(store: Store, command: str) -> list[dict]:
        ratios = [row for order, arm in (("", ARM), (".dilated", DILATED)) for where, steps in matched.items()
                  for row in ratio(f"nfe_ratio.{domain}{order}{where}", store, command, arm, steps, label,
                                   margin=margin)]
        return [*ratios, *order(domain, label, unit, store, command), *scheduling(domain, label, unit, store, command)]
    return claims


def order(domain: str, label: str, unit: str, store: Store, command: str) -> list[dict]:
    """dilated.DOMAIN: the self-speculative sampler in a dilated order minus the same in a uniform one, at the widest of
    WINDOWS.
    """
    n, window = rows(store, DILATED, ARM), to_json(WINDOWS[0])
    pair = [next((r for r in done(store, arm, n)
                  if r["cell"]["sampler"].get("host", r["cell"]["sampler"])["window"] == window), None)
            for arm in (DILATED, ARM)]
    return difference(f"dilated.{domain}", pair, label, unit, store, command,
                      f"window {brief(window)}, dilated minus uniform")


def scheduling(domain: str, label: str, unit: str, store: Store, command: str, controls: Sequence[str] = CONTROLS,
               placed: str = "sandwich") -> list[dict]:
    """The control is read at the FLOPs of what is placed, between its two points in ln(FLOPs) where it has two; at the
    most rows for which it can be.
    """
    def nats(key: str) -> np.ndarray | None:
        found = scores(store, key, label)
        return found and np.asarray(found.numerator) / np.asarray(found.denominator)    # (n,)

    made, sizes = [], sorted({r["cell"]["n"] for r in store.of("counted")}, reverse=True)
    for control in controls:
        name = f"scheduling.{domain}.{placed}_minus_{control}"
        for n in sizes:
            mine, theirs = ([(r["cost"]["nfe_c"], r["key"]) for r in done(store, arm, n)]
                            for arm in ("scheduled", control))
            found = [at(points, nats, mine[0][0], NEAR) if mine else None for points in (mine, theirs)]
            if not any(x is None for x in found):
                d = paired_difference(*(Scores(float(x.mean()), x, np.ones(n)) for x in found))
                note = (f"at {mine[0][0]:.2f} passes (convention C); the control's own: "
                        f"{' and '.join(f'{cost:.2f}' for cost, _ in theirs)}")
                made.append(claim(name, d.value, d.low, d.high, unit, d.n, command,
                                  [key for _, key in (*mine, *theirs)], note))
                break
        else:
            print(f"{name}: scheduled, or {control} within {NEAR:.0%} of its cost, is not in the store; run the study "
                  "without --only")
    return made
