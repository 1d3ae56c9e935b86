"""What a sweep found: the points that no other beats, and its trials by what became of them."""

import numpy as np
from optuna.trial import TrialState

from harness.search.mend import Worker
from harness.search.sweep import Sweep


def front(worker: Worker) -> list[dict]:
    """The points with all rows, within the band, that no other such point beats, each once, the best of the first
    objective first; values are the records'.
    """
    n, found = worker.sweep.study.n, {}
    for t in worker.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        if (key := t.user_attrs.get(f"look {n}")) and key not in found:
            try:
                found[key] = worker.look(n, key), t
            except LookupError as reason:
                raise ValueError(f"trial {t.number} is done and its record is gone ({reason}): delete the storage "
                                 "of the sweep and run it again; "
                                 "what is stored is not computed twice") from None
    kept = [(key, seen, t) for key, (seen, t) in found.items() if seen.excess <= 0]
    lower = worker.lower
    up = np.array([[-v.value if less else v.value for v, less in zip(seen.values, lower)] for _, seen, _ in kept])
    best = [k for k in range(len(kept)) if not ((up >= up[k]).all(1) & (up > up[k]).any(1)).any()]
    return [{"key": kept[k][0], "settings": kept[k][2].user_attrs["settings"], "params": kept[k][2].params,
             **{name: v.value for name, v in zip(worker.sweep.objectives, kept[k][1].values)}}
            for k in sorted(best, key=lambda k: (*-up[k], kept[k][0]))]


def tally(worker: Worker) -> dict:
    """Trials by what became of them. `requeued` counts those whose worker died."""
    trials, n = worker.study.get_trials(deepcopy=False), worker.sweep.study.n
    done = [t for t in trials if t.state == TrialState.COMPLETE]
    whole = [t for t in done if f"look {n}" in t.user_attrs]
    return {"trials": len(done), "points": len({t.user_attrs[f"look {n}"] for t in whole}),
            "given_up_early": len(done) - len(whole),
            "outside_band": sum(any(v > 0 for v in t.constraints.values()) for t in whole),
            "failed": sum("ended" in t.user_attrs for t in trials),
            "requeued": sum(t.state == TrialState.FAIL and "ended" not in t.user_attrs for t in trials)}


def table(asked: Sweep, front: list[dict]) -> str:
    """The front as a Markdown table."""
    rows = [(f["settings"], *(f"{f[name]:.5g}" for name in asked.objectives), f["key"]) for f in front]
    return "\n".join("| " + " | ".join(row) + " |" for row in (("settings", *asked.objectives, "key"),
                                                               ("---",) * (2 + len(asked.objectives)), *rows))
