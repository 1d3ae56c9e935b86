"""One question on several kinds of data: does the gain carry over? What is claimed of the arms of studies/arms.py.

Claims nfe_ratio.DOMAIN[.dilated][.at_24 | .at_64], dilated.DOMAIN and scheduling.DOMAIN.sandwich_minus_{middle,
fewer_steps}.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from harness.claims.claim import claim
from harness.kinds import Scores
from harness.records.points import done, rows, scores
from harness.records.store import Store
from harness.spec import brief, to_json
from harness.stats.equal_entropy import at
from harness.stats.intervals import paired_difference
from studies.analysis.matched import difference, ratio
from studies.arms import ARM, DILATED, WINDOWS

# of a claim's name: steps of ancestral sampling whose quality is matched
MATCHED = {"": 32, ".at_24": 24, ".at_64": 64}
CONTROLS = ("middle", "fewer_steps")              # arms that the sandwich is held against
NEAR = 0.01                                       # in cost, of a control


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
