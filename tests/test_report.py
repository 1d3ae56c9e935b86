"""Reports are made of records alone: on a made-up run that looks like text, every number on the page and in the figures is recomputed here."""

import hashlib
import json
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from harness.frontier import Point, matched_ratio
from harness.kinds import Scores
from harness.stats import ratio_interval
from harness.store import Store
from reports.build import build
from reports.frame import short

LENGTH, WORDS = 128, "the of a in river school known was born city one nine and is team".split()
STEPS = (8, 16, 24, 32, 48, 96)
LABELS = {"spelling": ("higher", "share of words"), "judge": ("lower", "nats per token"), "sample_entropy": ("match", "nats")}


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def made_up(folder, n: int = 64, labels=tuple(LABELS), timed: bool = True, seed: int = 0):
    """Three families of six points, an inert arm, two controls, a failed and a late cell; nothing here was measured."""
    store, rng = Store(folder), np.random.default_rng(seed)
    ease = rng.normal(0, 1, n)                                                     # shared by all arms: rows are paired
    arms = ["ancestral", "scheduled", "ssmd", "stuck", "held_out", "shuffled"]
    store.append({"type": "study", "name": "made_up", "question": "What does the page look like?", "reference": "heavy", "arms": arms,
                  "controls": arms[-2:], "command": "ssmd-bench run studies/made_up.py"})
    store.append({"type": "machine", "id": "m0", "commit": "c0ffee" * 6, "dirty": True, "diff_sha": "d1ff", "python": "3.11", "packages": {"torch": "2.0"},
                  "cpu": "made-up processor", "gpu": None, "cores": 2, "threads": 2, "os": "Linux"})
    for net in ("heavy", "light", "hybrid"):
        store.append({"type": "network", "sha256": sha(net), "name": net, "card": {}})

    def about(arm, sampler, nets, control=False):
        cell = {"sampler": sampler, "nets": {role: sha(net) for role, net in nets.items()}, "net_names": nets,
                "data": {"name": "made_up_text", "version": 1, "length": LENGTH, "sha256": sha("text")}, "prompt": None, "n": n, "batch": 32, "seed": 0,
                "temperature": 1.0, "device": "cpu", "dtype": "float32", "draw_dtype": "float64"}
        return {"type": "counted", "key": sha(json.dumps(sampler) + arm)[:24], "study": "made_up", "arm": arm, "control": control, "cell": cell, "code": "abc123"}

    def cell(arm, sampler, nets, passes, level, control=False, inert=False):
        record = about(arm, sampler, nets, control)
        key = record["key"]
        text = " ".join(rng.choice(WORDS, 60 * n))[: n * LENGTH]
        samples = np.array(["abcdefghijklmnopqrstuvwxyz ".index(c) for c in text], np.uint8).reshape(n, LENGTH)
        costs = np.zeros((n, 3)) if control else passes * np.exp(rng.normal(0, 0.05, (n, 1))) * [1, 0.9, 1.05]
        store.put("samples", key, samples)
        store.put("costs", key, costs)
        tested = {"depth": [int(2000 * 0.7**k) for k in range(LENGTH)], "progress": [500] * 10, "round": [0] * 64} if arm == "ssmd" else {}
        empty = {"depth": [0] * LENGTH, "progress": [0] * 10, "round": [0] * 64}
        passed = {"depth": [int(t * 0.95 * 0.97**k) for k, t in enumerate(tested["depth"])], "progress": [350 + 12 * k for k in range(10)], "round": [0] * 64} if tested else {}
        a, b, c = costs.mean(0).tolist()
        store.append(record | {"status": "done", "reason": "", "inert": inert, "samples_sha256": sha(key), "machine": "m0", "seconds": 1.0, "cost": {
            "calls": {}, "nfe_a": a, "nfe_b": b, "nfe_c": c, "executed_a": a, "executed_over_needed": 1.0, "gflop": c * 1.7, "tokens": 0 if control else n * LENGTH,
            "revealed": [], "tested": tested or empty, "passed": passed or empty}})
        if timed and not control and arm != "scheduled":
            for process in range(5):
                store.append({"type": "timed", "key": key, "process": process, "block": process, "rows": 8, "batch": 8, "seconds": [passes * 0.02 * (1 + 0.02 * process)],
                              "same_output": True, "differing_rows": 0, "machine": "m0", "code": "abc123"})
        words = rng.integers(18, 26, n).astype(float)
        rows = {"spelling": ((words * np.clip(level + 0.05 * ease + rng.normal(0, 0.08, n), 0, 1)).round(), words), "sample_entropy": (rng.normal(2.7, 0.05, n), np.ones(n)),
                "judge": ((3.2 - 1.4 * level - 0.1 * ease + rng.normal(0, 0.08, n)) * LENGTH, np.full(n, float(LENGTH)))}
        for label, (top, bottom) in rows.items():
            if label not in labels:
                continue
            score_key = sha(key + label)[:24]
            store.put("scores", score_key, np.stack((top, bottom)))
            store.append({"type": "scored", "key": key, "score_key": score_key, "metric": {"name": label, "version": 1} | ({"sha256": sha("judge")} if label == "judge" else {}),
                          "label": label, "better": LABELS[label][0], "unit": LABELS[label][1], "value": top.sum() / bottom.sum(), "n": n, "per": "row",
                          "status": "done", "reason": ""})
        store.append({"type": "scored", "key": key, "score_key": sha(key + "set")[:24], "metric": {"name": "corpus_entropy", "version": 1}, "label": "corpus_entropy",
                      "better": "match", "unit": "nats", "value": 2.83, "n": n, "per": "set", "status": "done", "reason": ""})

    def level(passes, speed):
        return 0.93 - 0.62 * np.exp(-((speed * passes) ** 0.5) / 2.6)

    def ancestral(steps):
        return {"name": "ancestral", "version": 1, "steps": steps, "schedule": {"name": "linear"}}

    def ssmd(delta, rounds):
        return {"name": "ssmd", "version": 1, "window": {"name": "cosine", "delta": delta}, "rounds": rounds}

    for k, steps in enumerate(STEPS):
        cell("ancestral", ancestral(steps), {"main": "heavy"}, 0.95 * steps, level(steps, 1))
        cell("scheduled", {"name": "scheduled", "version": 1, "host": ancestral(steps), "placement": {"name": "sandwich", "share": 0.25}, "by": "clock"},
             {"main": "heavy", "light": "light"}, 0.8 * steps, level(steps, 0.95))
        cell("ssmd", ssmd((0.32, 0.16, 0.11, 0.083, 0.05, 0.02)[k], 2), {"main": "hybrid"}, 0.6 * steps, level(steps, 1.3))
    cell("stuck", ssmd(0.001, 1), {"main": "hybrid"}, 120, 0.9, inert=True)
    cell("held_out", {"name": "held_out", "version": 1, "split": "test"}, {}, 0, 0.97, control=True)
    cell("shuffled", {"name": "shuffled", "version": 1, "split": "test"}, {}, 0, 0.08, control=True)
    store.append(about("ancestral", ancestral(256), {"main": "heavy"}) | {"status": "failed", "reason": "RuntimeError: made-up <failure> & more"})
    store.append(about("ssmd", ssmd(0.01, 1), {"main": "hybrid"}) | {"status": "timeout", "reason": "only 3 of 64 rows after 60 s"})
    return store


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    store = made_up(folder / "run")
    return store, build([folder / "run"], folder / "out").parent


def test_page_fetches_nothing(made):
    page = (made[1] / "index.html").read_text()
    assert not re.search(r"""(?:src|href|xlink:href|action)\s*=\s*["']?(?!["'#])|@import|<script|<link|url\((?!#)""", page)
    assert "http" not in page


def test_every_figure_has_three_formats_and_shows_something(made):
    pictures = sorted((made[1] / "figures").glob("*.png"))
    assert len(pictures) == 11
    for picture in pictures:
        assert imread(picture)[..., :3].std() > 0.02
        assert b"/FontFile2" in picture.with_suffix(".pdf").read_bytes() and picture.with_suffix(".svg").read_text().count("<path") > 20
    shown = re.findall(r'<figure id="([^"]+)"><svg viewBox="[^"]+" role="img" aria-label="[^"]{40,}">', (made[1] / "index.html").read_text())
    assert sorted(shown) == [p.stem for p in pictures]


def test_numbers_are_those_of_the_records(made):
    store, out = made
    numbers = json.loads((out / "numbers.json").read_text())
    scored = store.latest("scored", "key", "label")
    assert len(numbers["points"]) == 21
    for point in numbers["points"]:
        for label in LABELS:
            found = ratio_interval(*store.get("scores", scored[point["key"], label]["score_key"]))
            assert point["qualities"][label] == {"value": found.value, "low": found.low, "high": found.high, "n": 64}
        for k, cost in enumerate(point["costs"]):
            assert point["costs"][cost]["value"] == pytest.approx(store.get("costs", point["key"])[:, k].mean(), rel=1e-12)
    drawn = numbers["groups"][0]["tradeoff"]["tradeoff_spelling_nfe_a"]
    by_key = {p["key"]: p for p in numbers["points"]}
    assert {p["key"] for mine in drawn["arms"].values() for p in mine} == {k for k, p in by_key.items() if not p["control"]}
    assert all(p["x"] == by_key[p["key"]]["costs"]["nfe_a"] and p["y"] == by_key[p["key"]]["qualities"]["spelling"] for mine in drawn["arms"].values() for p in mine)
    candidates = [p for mine in drawn["arms"].values() for p in mine]
    alone = [p["key"] for p in candidates if not any(q["x"]["value"] <= p["x"]["value"] and q["y"]["value"] >= p["y"]["value"] and q is not p for q in candidates)]
    assert sorted(drawn["front"]) == sorted(alone)
    csv = pd.read_csv(out / "tables" / "points.csv").set_index("key")
    assert csv.judge.to_dict() == {k: pytest.approx(p["qualities"]["judge"]["value"]) for k, p in by_key.items()}


def test_headline_is_the_ratio_at_the_point_nearest_to_32_passes(made):
    store, out = made
    counted = [r for r in store.of("counted") if r["status"] == "done"]
    scored = store.latest("scored", "key", "label")

    def scores(record):
        found = scored[record["key"], "spelling"]
        return Scores(found["value"], *store.get("scores", found["score_key"]))

    def points(arm):
        mine = [r for r in counted if r["arm"] == arm]
        return [Point(float(store.get("costs", r["key"])[:, 0].mean()), scores(r), store.get("costs", r["key"])[:, 0]) for r in mine]

    at = next(r for r in counted if r["cell"]["sampler"].get("steps") == 32 and r["arm"] == "ancestral")
    expected = matched_ratio(points("ancestral"), points("ssmd"), scores(at), "higher")
    found = json.loads((out / "numbers.json").read_text())["headline"]
    assert (found["arm"], found["label"], found["parameters"]) == ("ssmd", "spelling", "steps 32")
    assert (found["ratio"], found["low"], found["high"]) == pytest.approx(expected.interval[:3], rel=1e-9)
    assert f"{expected.interval.value:.2f} times" in (out / "index.html").read_text()


def test_what_failed_or_does_nothing_is_on_the_page(made):
    page = (made[1] / "index.html").read_text()
    assert "made-up &lt;failure&gt; &amp; more" in page and "only 3 of 64 rows" in page and "inert" in page
    assert page.count("held_out") >= 2 and "<pre>" in page and sha("heavy") in page and "c0ffeec0ffee" in page and "not committed" in page
    assert "draws float64" in page


def test_tables_are_booktabs(made):
    text = (made[1] / "tables" / "points.tex").read_text()
    widths = {line.count(" & ") for line in text.splitlines() if line.endswith(r"\\")}
    assert r"\toprule" in text and r"\bottomrule" in text and len(widths) == 1 and r"held\_out" in text


def test_report_without_times_or_judge_and_with_stale_points(tmp_path):
    store = made_up(tmp_path / "run", labels=("spelling",), timed=False)
    store.append(store.of("counted")[0] | {"code": "of another day"})
    page = build([tmp_path / "run"], tmp_path / "out")
    names = {p.stem for p in (tmp_path / "out" / "figures").glob("*.png")}
    assert names and not any("seconds" in name or "judge" in name for name in names)
    assert "no likelihood under a judge network" in page.read_text() and "no times are stored" in page.read_text()
    assert "6 points come from 2 states of the code" in page.read_text()


def test_empty_folder_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="not a run folder.*ssmd-bench run"):
        build([tmp_path], tmp_path / "out")
    Store(tmp_path / "bare").append({"type": "study", "name": "bare"})
    with pytest.raises(ValueError, match="no counted cell.*ssmd-bench run"):
        build([tmp_path / "bare"], tmp_path / "out")


def test_settings_are_short():
    assert short({"name": "ssmd", "version": 1, "window": {"name": "cosine", "delta": 0.02}, "rounds": 2}) == "cosine 0.02, N 2"
    assert short({"name": "ancestral", "version": 1, "steps": 32, "schedule": {"name": "linear"}}) == "steps 32"
    assert short({"name": "ancestral", "version": 1, "steps": 32, "schedule": {"name": "polynomial", "exponent": 3.0}}) == "steps 32, polynomial 3"
