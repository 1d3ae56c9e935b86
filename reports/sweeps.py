"""Sweeps of a run folder -> tidy frames: what each trial found in its order, which settings mattered, and the front.

    FOLDER/sweep.journal      trials, their settings and values (harness/search/storage.py); one that a data base kept
                              leaves a copy there when it ends

A trial's values are those of the record of its last look: an objective goes by the name that the sweep gave it, or is
known by its values. Trials are `whole` (all rows, within the band), `outside` (of the band), `early` (given up at fewer
rows) or `failed`. The area of a front is harness.stats.frontier.hypervolume, in (ln cost, quality).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from harness.records.store import Store
from harness.stats.frontier import hypervolume, pareto
from harness.stats.intervals import resampled_sums
from reports import busy
from reports.frame import COSTS, Chapter
from reports.front import along, dressed

OTHER_COSTS = ("executed_a", "gflop")
UNITS = {"gflop": "GFLOP a sequence", "seconds": "a sequence"}
EXACT = 1e-12  # relative difference of a value and the record that it was read from
RESAMPLES = 100  # of trials, for the interval of an importance
TOP = 0.25  # share of trials that count as good
ENOUGH = 12  # complete trials from which importance is computed


class Objective(NamedTuple):
    name: str
    better: str
    unit: str
    cost: bool


class Sweep(NamedTuple):
    name: str
    objectives: list[Objective]
    trials: list  # optuna.trial.FrozenTrial, the last of each slot, by slot
    rows: int  # of the last look


def of(chapter: Chapter) -> list[Sweep]:
    """The sweeps whose last looks are cells of the chapter."""
    found = [sweep for store in chapter.stores() if store.searched() for sweep in _read(store)]
    return [sweep for sweep in found if any(_key(trial, sweep.rows) in chapter.cells for trial in sweep.trials)]


def _read(store: Store) -> list[Sweep]:
    from harness.search.storage import open_storage  # loads optuna, which other reports do not need

    with store.place.on_disk() as folder:
        storage, found = open_storage("", folder), []
        studies = [(study, storage.get_all_trials(study._study_id)) for study in storage.get_all_studies()]
    for study, every in studies:
        ours = [t for t in every if {"slot", "settings"} <= set(t.user_attrs)]
        for trial in ours:    # the journal keeps the keys that it was written with
            trial.user_attrs |= {f"look {n}": store.renamed.get(key, key) for n, key in _looks(trial).items()}
        slots = {trial.user_attrs["slot"]: trial for trial in ours}
        trials = [slots[slot] for slot in sorted(slots)]
        done = [trial for trial in trials if trial.values]
        if done:
            # older sweeps have none
            named = study.system_attrs.get("study:metric_names") or [""] * len(study.directions)
            names = [_objective(store, done, k, direction.name == "MINIMIZE", named[k]) for k,
                     direction in enumerate(study.directions)]
            found.append(Sweep(study.study_name.rsplit("-", 1)[0], names, trials, max(map(_rows, done))))
    return found


def _looks(trial) -> dict[int, str]:
    return {int(name.split()[1]): key for name, key in trial.user_attrs.items() if name.startswith("look ")}


def _rows(trial) -> int:
    return max(_looks(trial), default=0)


def _key(trial, rows: int) -> str:
    return _looks(trial).get(rows, "")


def _objective(store: Store, done: Sequence, k: int, lower: bool, named: str) -> Objective:
    """The metric or cost of that name; of a sweep without names, the one of the records that the k-th values of these
    trials are.
    """
    counted, scored = store.latest("counted", "key"), store.latest("scored", "key", "label")
    keys = [_key(trial, _rows(trial)) for trial in done]
    times: dict[str, list[float]] = {}
    for r in store.of("timed"):
        if r["seconds"]:
            times.setdefault(r["key"], []).append(float(np.median(r["seconds"])) / r["rows"])
    labels = {label: (r["better"], r["unit"]) for (key, label), r in scored.items() if key in keys and r["status"]
              == "done"}
    columns = {label: [scored.get((key, label), {}).get("value", np.nan) for key in keys] for label in labels}
    columns |= {"seconds": [np.median(times[key]) if key in times else np.nan for key in keys]}
    columns |= {cost: [counted.get((key,), {}).get("cost", {}).get(cost, np.nan) for key in keys] for cost in COSTS
                + OTHER_COSTS}
    values = np.array([trial.values[k] for trial in done])
    for name, column in columns.items():
        if name == named or not named and np.allclose(values, np.array(column, np.float64), rtol=EXACT, atol=0):
            better, unit = labels.get(name, ("lower", UNITS.get(name, "passes a sequence")))
            return Objective(name, better, unit, name not in labels)
    return Objective(named or f"objective {k + 1}", "lower" if lower else "higher", "as the trials have it", False)


def _state(sweep: Sweep, trial) -> str:
    if not trial.values:
        return "failed"
    if _rows(trial) < sweep.rows:
        return "early"
    return "outside" if any(excess > 0 for excess in (trial.constraints or {}).values()) else "whole"


def history(chapter: Chapter, baseline: str | None) -> pd.DataFrame:
    """Columns sweep, trial (from 1), state, objective, better, unit, value, best (of the whole trials so far); the area
    of the front is an objective too.
    """
    rows = []
    for sweep in of(chapter):
        whole = np.array([_state(sweep, trial) == "whole" for trial in sweep.trials])
        for k, objective in enumerate(sweep.objectives):
            up = 1 if objective.better == "higher" else -1
            values = np.array([trial.values[k] if trial.values else np.nan for trial in sweep.trials])
            best = up * np.fmax.accumulate(np.where(whole, up * values, np.nan))
            rows += [_row(sweep, trial, place) | objective._asdict() | {"objective": objective.name,
                                                                        "value": values[place], "best": best[place]}
                     for place, trial in enumerate(sweep.trials)]
        if area := _areas(sweep, whole):
            about = {"objective": "front", "better": "higher", "unit": "share of the last", "value": np.nan}
            rows += [_row(sweep, trial, place) | about | {"best": area[place]} for place,
                     trial in enumerate(sweep.trials)]
    if not rows:
        return pd.DataFrame()
    known = chapter.frame.set_index("key")
    frame = dressed(chapter, rows, None).assign(colour="", marker="")
    return frame.assign(busy=frame.key.map(busy.column(known, "seconds.busy")))


def _row(sweep: Sweep, trial, place: int) -> dict:
    key = _key(trial, _rows(trial))
    return {"sweep": sweep.name, "trial": place + 1, "state": _state(sweep, trial), "key": key,
            "setting": trial.user_attrs["settings"], "arm": "", "n": sweep.rows}


def _axes(sweep: Sweep) -> tuple[int, int] | None:
    """Places of the objective that is a cost and of the one that is a quality, where there is one of each."""
    costs = [k for k, objective in enumerate(sweep.objectives) if objective.cost]
    return (costs[0], 1 - costs[0]) if len(sweep.objectives) == 2 and len(costs) == 1 else None


def _areas(sweep: Sweep, whole: np.ndarray) -> list[float]:
    """Area of the front of the whole trials so far over that of all, up to the dearest and the worst of them."""
    axes = _axes(sweep)
    if axes is None or whole.sum() < 2:
        return []
    cost, value = (np.array([trial.values[k] if ok else np.nan for trial, ok in zip(sweep.trials, whole)])
                   for k in axes)
    better = sweep.objectives[axes[1]].better
    worst = (np.nanmax(cost), np.nanmin(value) if better == "higher" else np.nanmax(value))
    found = [hypervolume(cost[:k][whole[:k]], value[:k][whole[:k]], worst, better) if whole[:k].any() else 0.0
             for k in range(1, len(whole) + 1)]
    return [area / found[-1] for area in found] if found[-1] > 0 else []


def front(chapter: Chapter, baseline: str | None) -> pd.DataFrame:
    """Points with all rows, of sweeps of a cost and a quality.

    Columns sweep, state (whole | outside | beside), x_metric, x, y_metric, y with spans, better, unit, on_front, busy.
    """
    rows, known = [], chapter.done().set_index("key")
    for sweep in of(chapter):
        if (axes := _axes(sweep)) is None:
            continue
        cost, quality = (sweep.objectives[k] for k in axes)
        states = {_key(trial, sweep.rows): _state(sweep, trial) for trial in sweep.trials if _rows(trial) == sweep.rows}
        arms = {known.arm[key] for key in states if key in known.index}
        states |= {key: "beside" for key in known.index if key not in states and known.arm[key] not in arms}
        mine = known.loc[[key for key in states if key in known.index]]
        mine = (
            mine[mine[cost.name].notna() & mine[quality.name].notna()]
            if {cost.name, quality.name} <= set(mine)
            else mine[:0]
        )
        whole = mine[[states[key] == "whole" and not mine.collapsed[key] for key in mine.index]]
        best = set(whole.index[pareto(whole[cost.name], whole[quality.name], quality.better)]) if len(whole) else set()
        for key, row in mine.iterrows():
            rows.append(
                {"sweep": sweep.name, "state": states[key], "key": key, "arm": row.arm, "setting": row.setting,
                 "n": row.n, "on_front": key in best}
                | {"busy": row.get("seconds.busy", np.nan), "x_metric": cost.name, "y_metric": quality.name,
                   "better": quality.better, "unit": quality.unit}
                | along("x", row, cost.name) | along("y", row, quality.name)
            )
    return dressed(chapter, rows, baseline)


def importance(chapter: Chapter, baseline: str | None) -> pd.DataFrame:
    """Columns sweep, target (an objective, or the front), parameter, share with low and high: PED-ANOVA (arXiv
    2304.10255), what sets the best quarter of trials apart.
    """
    rows = []
    for sweep in of(chapter):
        done = [trial for trial in sweep.trials if trial.values]
        if len(done) < ENOUGH:
            continue
        counts = resampled_sums(np.eye(len(done)), RESAMPLES, seed=0)  # (1 + RESAMPLES, trials)
        targets = [(objective.name, k, -1 if objective.better == "higher" else 1) for k,
                   objective in enumerate(sweep.objectives)]
        for name, k, sign in targets + ([("front", None, 1)] if len(targets) > 1 else []):
            found = pd.DataFrame([_shares(sweep, [t for t, times in zip(done, row) for _ in range(int(times))], k, sign)
                                  for row in counts]).fillna(0.0)
            low, high = found[1:].quantile(0.025), found[1:].quantile(0.975)
            rows += [{"sweep": sweep.name, "target": name, "parameter": parameter, "share": found[parameter][0],
                      "low": low[parameter], "high": high[parameter],
                      "trials": len(done), "n": sweep.rows, "arm": "", "setting": "", "key": ""} for parameter in found]
    return dressed(chapter, rows, None).assign(colour="", marker="") if rows else pd.DataFrame()


def _shares(sweep: Sweep, trials: Sequence, k: int | None, sign: int) -> dict[str, float]:
    import warnings

    import optuna

    study = optuna.create_study(directions=["minimize" if o.better == "lower" else "maximize"
                                            for o in sweep.objectives])
    study.add_trials(trials)
    target = None if k is None else lambda trial: sign * trial.values[k]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return optuna.importance.get_param_importances(
            study, evaluator=optuna.importance.PedAnovaImportanceEvaluator(target_quantile=TOP), target=target
        )
