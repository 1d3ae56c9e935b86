"""A run folder with made-up numbers, for the report's tests: three families, controls, a failed, a skipped and an inert
cell.

Nothing here was measured. The curves only look like those of samplers: quality saturates with passes, the second family
needs about half of them.
"""

import hashlib
from pathlib import Path

import numpy as np
import optuna

from harness.records.store import Store
from harness.search.storage import open_storage
from tests.compared import by

LENGTH = 128
DATA = {"name": "made_up_text", "version": 1, "length": LENGTH, "sha256": "0" * 64}
WORDS = (
    "the of and in was a is to by it for on as at from his with an that he which were born are who also first known "
    "one two nine city "
    "film team river north school church album season station player county village"
).split()
FAMILIES = {  # arm -> (network, speed, top quality, settings)
    "ancestral": (
        "heavy",
        1.0,
        0.9,
        [{"name": "ancestral", "version": 1, "steps": s, "schedule": {"name": "linear"}}
         for s in (8, 16, 24, 32, 64, 128)],
    ),
    "scheduled": (
        "heavy",
        1.08,
        0.893,
        [
            {
                "name": "scheduled",
                "version": 1,
                "base": {"name": "ancestral", "version": 1, "steps": s},
                "placement": {"name": "sandwich", "share": 0.25},
            }
            for s in (8, 16, 24, 32, 64, 128)
        ],
    ),
    "ssmd": (
        "hybrid",
        2.1,
        0.905,
        [
            {"name": "ssmd", "version": 1, "window": {"name": "cosine", "delta": d}, "rounds": n}
            for d, n in ((0.32, 10), (0.16, 8), (0.083, 4), (0.04, 3), (0.02, 2), (0.01, 1))
        ],
    ),
}
SCALE = {"ancestral": (8, 16, 24, 32, 62, 110), "scheduled": (7, 14, 21, 27, 53, 95), "ssmd": (6, 9, 14, 22, 39, 66)}
METRICS = {
    "spelling": ("higher", "share of words", "row"),
    "judge": ("lower", "nats per token", "row"),
    "sample_entropy": ("match", "nats", "row"),
    "corpus_entropy": ("match", "nats", "set"),
    "ngram_precision": ("higher", "share of n-grams", "row"),
    "ngram_recall": ("higher", "share of n-grams", "set"),
}


# over those of the reference
BLOCKS = {("hybrid", "draft"): 5 / 6, ("hybrid", "verify"): 1 / 6, ("light", "draft"): 1 / 3}


def write(
    folder: Path, n: int = 64, judge: bool = True, timed: int = 3, troubles: bool = True, name: str = "made_up",
    seed: int = 0, families=FAMILIES, scale=SCALE
) -> Store:
    store, rng = Store(folder), np.random.default_rng(seed)
    arms = [*FAMILIES, "held_out", "shuffled"]
    store.append(
        {
            "type": "study",
            "name": name,
            "question": "Made-up numbers: what does the page look like?",
            "reference": "heavy",
            "arms": arms,
            "controls": ["held_out", "shuffled"],
            "command": f"ssmd-bench run studies/{name}.py --out {folder}",
        }
    )
    store.append(
        {
            "type": "machine",
            "id": "m0",
            "commit": "c0ffee" * 6,
            "dirty": True,
            "diff_sha": "d1ff",
            "python": "3.11",
            "packages": {"torch": "2.0"},
            "cpu": "made-up processor",
            "gpu": None,
            "threads": 2,
            "os": "Linux",
        }
    )
    for net in ("heavy", "light", "hybrid"):
        store.append({"type": "network", "sha256": _sha(net), "name": net, "card": {"note": "made up"}})
    ease = rng.normal(0, 0.35, n)  # shared by all arms: rows are paired
    for arm, (net, speed, top, samplers) in families.items():
        for k, sampler in enumerate(samplers):
            a = scale[arm][k] * (np.exp(rng.normal(0, 0.05, n)) if arm == "ssmd" else np.ones(n))
            level = top - 0.55 * np.exp(-((speed * scale[arm][k]) ** 0.55) / 3.2)
            _cell(
                store,
                rng,
                arm,
                sampler,
                {"main": net},
                n,
                a,
                level,
                ease,
                judge,
                timed,
                inert=troubles and arm == "ssmd" and k == 5,
                seed=seed,
            )
    for arm, level in (("held_out", 0.97), ("shuffled", 0.12)):
        _cell(
            store,
            rng,
            arm,
            {"name": arm, "version": 1, "split": "test"},
            {},
            n,
            np.zeros(n),
            level,
            ease,
            judge,
            0,
            control=True,
            seed=seed,
        )
    if troubles:
        for status, reason, steps in (
            ("failed", "RuntimeError: made-up <failure> & more", 256),
            ("timeout", "only 3 of 64 rows after 60 s", 512),
        ):
            sampler = {"name": "ancestral", "version": 1, "steps": steps, "schedule": {"name": "linear"}}
            store.append(_about(store, "ancestral", sampler, {"main": "heavy"}, n, seed)
                         | {"status": status, "reason": reason})
    return store


def write_grid(folder: Path, n: int = 24, timed: int = 5) -> Store:
    """A second run: a grid of steps and schedule, one of window and rounds whose passes add up, placements with their
    prediction, marks of spelling.
    """
    store, rng = Store(folder), np.random.default_rng(1)
    arms = ["ancestral", "ssmd", "sandwich", "middle", "random", "held_out"]
    store.append({"type": "study", "name": "grid", "question": "Made up.", "reference": "heavy", "arms": arms,
                  "controls": ["held_out"], "command": "made up"})
    for net in ("heavy", "light", "hybrid"):
        store.append({"type": "network", "sha256": _sha(net), "name": net, "card": {"note": "made up"}})
    ease = rng.normal(0, 0.35, n)

    def cell(arm, sampler, nets, drafts, level, calls=None, control=False, timed=timed):
        _cell(store, rng, arm, sampler, nets, n, drafts * np.exp(rng.normal(0, 0.02, n)), level, ease, True, timed,
              control=control, calls=calls)

    ancestral = {"name": "ancestral", "version": 1}
    for schedule in ("linear", "cosine"):
        for steps in (16, 32, 64):
            cell("ancestral", ancestral | {"steps": steps, "schedule": {"name": schedule}}, {"main": "heavy"}, steps,
                 0.5 + 0.05 * np.log2(steps) - 0.02 * (schedule == "cosine"))
    for k, delta in enumerate((0.3, 0.1, 0.03)):
        for rounds in (1, 2):
            sampler = {"name": "ssmd", "version": 1, "window": {"name": "cosine", "delta": delta}, "rounds": rounds}
            cell("ssmd", sampler, {"main": "hybrid"}, 8.0 * 2**k, 0.6 + 0.06 * k,
                 {"main.draft": 5 / 6, "main.verify": rounds / 6})
    for name, extra, level in (("sandwich", {}, 0.74), ("middle", {}, 0.70), ("random", {"draw": 0}, 0.72),
                               ("random", {"draw": 1}, 0.73)):
        sampler = {"name": "scheduled", "version": 1, "host": ancestral | {"steps": 32, "schedule": {"name": "linear"}},
                   "placement": {"name": name, "share": 0.25} | extra}
        cell(name, sampler, {"main": "heavy", "light": "light"}, 28, level, {"main.draft": 6 / 7, "light.draft": 1 / 7})
    cell("held_out", {"name": "held_out", "version": 1, "split": "test"}, {}, 0, 0.97, {}, control=True, timed=0)
    predicted = [["sandwich", True, 0.02], ["middle", True, 0.05], ["random 0", False, 0.03], ["random 1", False, 0.04]]
    nets = {"heavy": _sha("heavy"), "light": _sha("light")}
    store.append({"type": "measured", "key": "p0", "study": "other", "name": "placements", "settings": nets,
                  "cells": {"elsewhere": ""}, "columns": ["placement", "named", "loss"],
                  "rows": predicted, "made": by()})
    return store


def write_many(folder: Path, cells: int, n: int = 8) -> Store:
    """A run of `cells` cells in three arms, ten records each."""
    each = cells // 3
    many = {
        "ancestral": [{"name": "ancestral", "version": 1, "steps": 4 + k} for k in range(each)],
        "scheduled": [{"name": "scheduled", "version": 1, "base": {"name": "ancestral", "version": 1, "steps": 4 + k}}
                      for k in range(each)],
        "ssmd": [{"name": "ssmd", "version": 1, "window": {"name": "cosine", "delta": round(0.5 / (1 + k // 9), 6)},
                  "rounds": 1 + k % 9} for k in range(each)],
    }
    families = {arm: (*FAMILIES[arm][:3], samplers) for arm, samplers in many.items()}
    return write(folder, n=n, troubles=False, families=families, scale=dict.fromkeys(many, np.geomspace(5, 100, each)))


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _about(store: Store, arm: str, sampler: dict, nets: dict, n: int, seed: int, control: bool = False) -> dict:
    cell = {
        "sampler": sampler,
        "nets": {role: _sha(net) for role, net in nets.items()},
        "net_names": nets,
        "data": DATA,
        "prompt": None,
        "n": n,
        "batch": 32,
        "seed": seed,
        "temperature": 1.0,
        "device": "cpu",
        "dtype": "float32",
        "draw_dtype": "float64",
    }
    return {
        "type": "counted",
        "key": _sha(f"{sampler}{nets}{n}{seed}")[:24],
        "study": store.of("study")[-1]["name"],
        "arm": arm,
        "control": control,
        "cell": cell,
        "made": by(),
        "machine": "m0",
    }


def _cell(store, rng, arm, sampler, nets, n, a, level, ease, judge, timed, control=False, inert=False, seed=0,
          calls=None) -> None:
    """`calls`: share of NFE A of each (role, kind), whose passes follow from blocks of the networks; else passes that
    do not add up to NFE A.
    """
    about = _about(store, arm, sampler, nets, n, seed, control)
    key, rounds = about["key"], sampler.get("rounds", 0)
    x = _text(rng, n, level)
    sha = hashlib.sha256(x.tobytes()).hexdigest()
    costs = np.stack([a, a * (0.8 if rounds else 1.0), a * 0.93], 1)
    store.put("samples", key, x)
    store.put("costs", key, costs)
    tested, passed = ({"depth": [0] * LENGTH, "progress": [0] * 10, "round": [0] * 64} for _ in range(2))
    if rounds:
        for d in range(min(LENGTH, int(8 + 200 * sampler["window"]["delta"]))):
            tested["depth"][d] = int(n * 60 * 0.93**d)
            passed["depth"][d] = int(tested["depth"][d] * (0.93 - 0.05 * np.log1p(d)))
        for t in range(10):
            tested["progress"][t] = n * 40
            passed["progress"][t] = int(n * 40 * (0.7 + 0.025 * t - 0.4 * sampler["window"]["delta"]))
    mean = costs.mean(0).tolist()
    if calls is not None:
        calls = {call: mean[0] * share / sum(calls.values()) / BLOCKS.get((nets.get(call.split(".")[0]),
                                                                           call.split(".")[1]), 1) for call,
                 share in calls.items()}
    elif rounds:
        calls = {"main.draft": mean[1], "main.verify": mean[1] * max(1, rounds) * 0.6}
    else:
        calls = {"main.draft": mean[1]}
    store.append(
        about
        | {
            "status": "done",
            "reason": "",
            "inert": inert,
            "samples_sha256": sha,
            "seconds": 1.0,
            "cost": {
                "calls": {} if control else calls,
                "nfe_a": mean[0],
                "nfe_b": mean[1],
                "nfe_c": mean[2],
                "executed_a": mean[0] * 1.1,
                "executed_over_needed": 1.08,
                "gflop": mean[2] * 0.31,
                "tokens": 0 if control else n * LENGTH,
                "revealed": [],
                "tested": tested,
                "passed": passed,
            },
        }
    )
    words = rng.integers(15, 25, n)
    p = 1 / (1 + np.exp(-(np.log(level / (1 - level)) + ease)))
    rows = {
        "spelling": (rng.binomial(words, p), words),
        "judge": (LENGTH * (3.4 - 1.6 * level + 0.1 * ease + rng.normal(0, 0.05, n)), np.full(n, LENGTH)),
        "sample_entropy": (2.9 - 0.13 * level + rng.normal(0, 0.04, n), np.ones(n)),
        "ngram_precision": (rng.binomial(100, p * 0.8), np.full(n, 100)),
    }
    for label, (better, unit, per) in METRICS.items():
        if label == "judge" and not judge:
            continue
        score_key, value = _sha(key + label)[:24], 2.85 + 0.01 * level if label == "corpus_entropy" else 0.4 * level
        if per == "row":
            pair = np.stack(rows[label]).astype(np.float64)
            store.put("scores", score_key, pair)
            value = pair[0].sum() / pair[1].sum()
        store.append(
            {
                "type": "scored",
                "key": key,
                "samples_sha256": sha,
                "score_key": score_key,
                "metric": {"name": label, "version": 1},
                "label": label,
                "better": better,
                "unit": unit,
                "n": n,
                "made": by(),
                "status": "done",
                "reason": "",
                "value": float(value),
                "per": per,
            }
        )
    for process in range(timed):
        store.append(
            {
                "type": "timed",
                "key": key,
                "samples_sha256": sha,
                "process": process,
                "block": process,
                "rows": 16,
                "batch": 16,
                "seconds": [float(mean[0] * 0.012 * np.exp(rng.normal(0, 0.03)))],
                "same_output": True,
                "differing_rows": 0,
                "machine": "m0",
                "made": by(),
            }
        )


def _text(rng: np.random.Generator, n: int, level: float) -> np.ndarray:
    """Rows of words, misspelt in a share of places that falls with `level`, (n, LENGTH) uint8."""
    letters = np.array([list(" ".join(rng.choice(WORDS, 60))[:LENGTH]) for _ in range(n)])
    ids = np.where(letters == " ", 26, letters.view(np.int32).reshape(n, LENGTH) - 97).astype(np.uint8)
    wrong = rng.random(ids.shape) < (1 - level) / 3
    return np.where(wrong, rng.integers(0, 27, ids.shape), ids).astype(np.uint8)


def write_sweep(folder: Path, n: int = 24, trials: int = 20) -> Store:
    """A run folder of a sweep with its journal: window step and rounds of the third family, points given up early,
    outside the band and failed; an arm beside it.
    """
    store, rng = Store(folder), np.random.default_rng(2)
    store.append({"type": "study", "name": "hunt", "question": "Made up.", "reference": "heavy",
                  "arms": ["ssmd", "ancestral", "held_out"], "controls": ["held_out"],
                  "command": "ssmd-bench sweep made_up.py"})
    for net in ("heavy", "hybrid"):
        store.append({"type": "network", "sha256": _sha(net), "name": net, "card": None})
    ease = rng.normal(0, 0.35, n)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(storage=open_storage("", folder), study_name="hunt-ssmd-0123456789ab",
                                directions=["minimize", "minimize"])
    space = {"delta": optuna.distributions.FloatDistribution(0.02, 0.5, log=True),
             "rounds": optuna.distributions.IntDistribution(1, 8)}
    for slot in range(trials):
        study.enqueue_trial({"delta": float(0.02 * 25 ** rng.random()), "rounds": int(rng.integers(1, 9))},
                            user_attrs={"slot": slot})
        trial = study.ask(space)
        delta, rounds = trial.params["delta"], trial.params["rounds"]
        trial.set_user_attr("settings", f"ssmd(cosine(delta={delta:.3g}), rounds={rounds})")
        if slot == 3:
            trial.set_user_attr("ended", "RuntimeError: made up")
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
            continue
        sampler = {"name": "ssmd", "version": 1, "window": {"name": "cosine", "delta": delta}, "rounds": rounds}
        for rows in (n // 2, n):
            _cell(store, rng, "ssmd", sampler, {"main": "hybrid"}, rows, 2 / delta * np.exp(rng.normal(0, 0.02, rows)),
                  0.9 - 0.4 * delta, ease[:rows], True, 0)
            key = _sha(f"{sampler}{ {'main': 'hybrid'} }{rows}0")[:24]
            trial.set_user_attr(f"look {rows}", key)
            if slot % 7 == 5:
                break
        values = [store.latest("scored", "key", "label")[key, "judge"]["value"],
                  store.latest("counted", "key")[(key,)]["cost"]["nfe_a"]]
        trial.set_constraint("sample_entropy", 0.1 if slot % 6 == 4 else -0.1)
        study.tell(trial, values)
    for steps in (8, 32):
        _cell(store, rng, "ancestral", {"name": "ancestral", "version": 1, "steps": steps}, {"main": "heavy"}, n,
              np.full(n, float(steps)), 0.6 + steps / 200, ease, True, 0)
    return store


def count_again(store: Store, commit: str, time: str) -> None:
    """Every finished cell counted and scored once more under another commit: other passes, other samples, other
    spelling. The old arrays stay.
    """
    store.append(store.of("machine")[0] | {"commit": commit, "dirty": False, "diff_sha": None, "time": time})
    for record in [r for r in store.of("counted") if r["status"] == "done"]:
        key, costs = record["key"], store.get("costs", record["key"]) * 1.25
        store.put("costs", key, costs)
        means = dict(zip(("nfe_a", "nfe_b", "nfe_c"), costs.mean(0).tolist()))
        sha = _sha(commit + key)
        store.append(record | {"time": time, "samples_sha256": sha, "cost": record["cost"] | means})
        for scored in [r for r in store.of("scored") if r["key"] == key and r["label"] == "spelling" and r["per"]
                       == "row"][:1]:
            pair, score_key = store.get("scores", scored["score_key"]), _sha(commit + scored["score_key"])[:24]
            pair[0] = np.floor(pair[0] * 0.9)
            store.put("scores", score_key, pair)
            store.append(scored | {"time": time, "score_key": score_key, "samples_sha256": sha,
                                   "value": float(pair[0].sum() / pair[1].sum())})
