"""Loss of the 28 placements of 2 light segments out of 8: predicted by the additive bound, measured by the judge, and
how well the two agree.

Claims scheduling.spearman, .sandwich_minus_{middle, prefix, suffix, fewer_steps} and .sandwich_worth.
"""

from functools import cache
from itertools import combinations

import numpy as np
import torch

from harness.claims.claim import claim
from harness.kinds import Scores
from harness.records.measured import cached_table, column
from harness.records.points import done, rows, scores
from harness.records.store import Store
from harness.run.cell import cells_of
from harness.schedules.placement import Segments
from harness.stats.agreement import AGREED, RANKED, agreed, losses, ranked
from harness.stats.intervals import paired_difference
from harness.stats.realised import Side, matched
from harness.study import Study
from studies.analysis.additive_bound import as_revealed, gaps, predicted_losses
from studies.analysis.matched import MARGINS, described, settings

PIECES, STEPS, RESAMPLES = 8, 16, 2000
CHOSEN = list(combinations(range(PIECES), 2))


def predicted(study: Study, store: Store, record: dict, lane: int) -> np.ndarray:
    """Loss of every placement by the bound, (1 + resamples, 28), on the rows of a record: what its sampler met, or text
    masked under the same seed.
    """
    x = torch.from_numpy(store.get("samples", record["key"]).astype(np.int64))
    heavy, light = (study.nets[name].load("cpu") for name in ("heavy", "light"))
    found = gaps(heavy, light, x, as_revealed(x, study.seed), torch.arange(STEPS, dtype=torch.float64) / STEPS)
    return predicted_losses(found, [Segments(chosen, PIECES) for chosen in CHOSEN], RESAMPLES, lane=lane)


def measure(study: Study, store: Store) -> list[dict]:
    """Predicted and measured loss of every placement, and how well they agree; nothing before all of them are
    scored.
    """
    if study.prompt:
        raise ValueError("the model_scheduling study takes whole rows: leave its prompt at 0")
    known = {r["key"]: r for arm in study.arms for r in done(store, arm.name, study.n)}
    cells = [known[c.key()] for c in cells_of(study) if c.arm.name in ("heavy", "placed", "held_out")
             and c.key() in known]
    nll = [scores(store, r["key"], "judge") for r in cells]
    if len(cells) < 2 + len(CHOSEN) or None in nll:
        return []
    place = {tuple(r["cell"]["sampler"].get("placement", {}).get("chosen", ())): k for k, r in enumerate(cells)
             if r["arm"] == "placed"}
    heavy, text = (next(k for k, r in enumerate(cells) if r["arm"] == arm) for arm in ("heavy", "held_out"))

    def loss(rows: slice, seed: int = 0) -> np.ndarray:
        base, *others = [Scores(0.0, nll[k].numerator[rows], nll[k].denominator[rows])
                         for k in (heavy, *(place[c] for c in CHOSEN))]
        return losses(base, others, RESAMPLES, seed)

    @cache
    def both() -> dict[str, np.ndarray]:
        return {states: predicted(study, store, cells[k], lane) for lane,
                (states, k) in enumerate((("own states", heavy), ("validation text", text)))}

    names, halves = [" ".join(map(str, ("segments", *c))) for c in CHOSEN], (slice(0, None, 2), slice(1, None, 2))
    tables = (("placements", RANKED, lambda: ranked(names, both(), loss(slice(None)), study.n)),
              ("agreement", AGREED, lambda: agreed(both(), loss(slice(None)),
                                                   [loss(half, k) for k, half in enumerate(halves)], CHOSEN, PIECES,
                                                   study.n)))
    nets = {name: study.nets[name].load("cpu").sha256 for name in ("heavy", "light")}
    return [cached_table(store, study.name, name, columns, compute, cells, **nets) for name, columns, compute in tables]


def claims(store: Store, command: str) -> list[dict]:
    """scheduling.spearman; .sandwich_minus_{middle, prefix, suffix, fewer_steps}: judge NLL, paired, below zero the
    sandwich is better; .sandwich_worth: FLOPs of the heavy network alone over those of the sandwich at the sandwich's
    likelihood (above 1: it pays).
    """
    n, made = rows(store, "heavy", "placed", "fewer_heavy"), []
    counted = {r["key"]: r for r in done(store, "placed", n)}
    record = next((m for m in reversed(store.of("measured")) if m["name"] == "agreement"
                   and counted.keys() <= m["cells"].keys()), None)
    if record is None or len(counted) < len(CHOSEN):
        print("scheduling.spearman: no claim, not all placements are predicted and measured; run the study again")
        return []
    rho = {states: [column(record, end, states=states, quantity="spearman")[0] for end in ("value", "low", "high")]
           for states in {*column(record, "states")} - {"measured"}}
    others = "; ".join(f"{states} {v:.2f} ({low:.2f} to {high:.2f})" for states, (v, low, high) in sorted(rho.items())
                       if states != "validation text")
    made.append(claim("scheduling.spearman", *rho["validation text"], f"rank correlation over {len(CHOSEN)} placements",
                      n, command, list(record["cells"]),
                      "the 28 placements are the whole design, not a sample: the interval is of rows. Predicted on "
                      f"validation text; {others}"))
    at = {tuple(r["cell"]["sampler"]["placement"]["chosen"]): r for r in counted.values()}
    sandwich, alone = at[0, PIECES - 1], [r for arm in ("heavy", "fewer_heavy") for r in done(store, arm, n)]
    # of equal FLOPs, as nearly as whole steps allow
    fewer = min(alone, key=lambda r: abs(r["cost"]["nfe_c"] - sandwich["cost"]["nfe_c"]))
    for name, other in {"middle": at[3, 4], "prefix": at[0, 1], "suffix": at[6, 7], "fewer_steps": fewer}.items():
        d = paired_difference(*(scores(store, r["key"], "judge") for r in (sandwich, other)))
        note = f"{sandwich['cost']['nfe_c']:.2f} against {other['cost']['nfe_c']:.2f} passes (convention C)"
        made.append(claim(f"scheduling.sandwich_minus_{name}", d.value, d.low, d.high, "judge nats per token, paired",
                          d.n, command, [sandwich["key"], other["key"]], note))
    goal = settings(store, "placed", ["judge"], n, "nfe_c")[sandwich["key"]]
    heavy = [s for arm in ("heavy", "fewer_heavy") for s in settings(store, arm, ["judge"], n, "nfe_c").values()]
    sides = [Side("judge", "lower", MARGINS["judge"])]
    found = matched(goal, heavy, sides)
    if found.ratio is None:
        print(f"scheduling.sandwich_worth: no claim, {found.reason}")
        return made
    value, low, high, rows_, _ = found.ratio
    return [*made, claim("scheduling.sandwich_worth", 1 / value, 1 / high, 1 / low, "NFE C / NFE C", rows_, command,
                         [sandwich["key"], *(r["key"] for r in alone)],
                         described(found, goal, heavy, sides,
                                   "passes by convention C; chosen on the even rows, reported on the odd"))]
