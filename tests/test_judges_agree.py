"""Agreement of judges: against scipy, resample by resample, intervals that cover, and the section of a report that
shows it.
"""

import doctest
import json

import numpy as np
import pytest
import torch
from scipy.stats import norm, rankdata, spearmanr

from harness.kinds import Scores
from harness.random import Stream, uniform
from harness.records.store import Store
from harness.stats import judges
from harness.stats.intervals import resampled_sums
from harness.stats.judges import over_points, over_rows, pairs, values
from reports import drawing, style
from reports import judges as reported
from reports.build import build
from reports.frame import chapters
from reports.records import read
from tests.test_report_toy import write

N = 60


def normal(seed: int, *shape: int) -> np.ndarray:
    return norm.ppf(uniform(seed, torch.arange(shape[0]), Stream.DATA,
                            torch.arange(int(np.prod(shape[1:])))).numpy()).reshape(shape)


def made(seed: int, points: int, noise: float) -> tuple[list[Scores], list[Scores]]:
    """Two judges of the same rows: sense that both see, and what each sees alone; points differ in their level."""
    sense = normal(seed, points, N) + np.linspace(0, 1, points)[:, None]
    found = (5 + sense + noise * normal(seed + k, points, N) for k in (1, 2))
    return tuple([Scores(float(row.mean()), 8 * row, np.full(N, 8.0)) for row in table] for table in found)


def test_over_points_is_the_rank_correlation_of_the_values_with_an_interval_of_the_rows():
    a, b = made(1, 12, 0.5)
    found = over_points(values(a, 500), values(b, 500), N)
    assert found.value == pytest.approx(spearmanr([s.value for s in a], [s.value for s in b]).statistic)
    assert found.low <= found.value <= found.high < 1.0 + 1e-12 and found.n == N
    resampled = [spearmanr(x, y).statistic for x, y in zip(values(a, 20), values(b, 20))]
    assert judges._correlation(*(rankdata(values(s, 20), axis=1) for s in (a, b)),
                               np.ones((1, 12))) == pytest.approx(resampled)
    turned = over_points(values(a, 500), values([Scores(-s.value, -s.numerator, s.denominator) for s in b], 500), N,
                         ("lower", "higher"))
    assert turned == pytest.approx(found), "a judge of which more is better is turned round"


def test_a_metric_of_the_whole_set_has_a_correlation_and_no_interval():
    a, b = made(3, 9, 0.5)
    found = over_points(values(a), values([Scores(s.value) for s in b]), N)
    assert (
        found.value == pytest.approx(spearmanr([s.value for s in a], [s.value for s in b]).statistic)
        and np.isnan([found.low, found.high]).all()
    )


def test_over_rows_is_the_mean_within_points_and_its_resamples_are_those_of_repeated_rows():
    a, b = made(5, 4, 1.0)
    a[0] = a[0]._replace(numerator=np.round(a[0].numerator))    # ties
    rows = [[s.numerator / s.denominator for s in side] for side in (a, b)]
    found = over_rows(a, b, resamples=300)
    assert found.value == pytest.approx(np.mean([spearmanr(x, y).statistic for x,
                                                 y in zip(*rows)])) and found.low < found.value < found.high
    times = resampled_sums(np.eye(N), 12, 0).astype(int)
    for x, y in zip(*rows):
        assert judges._resampled(x, y, 12, 0) == pytest.approx([spearmanr(np.repeat(x, m), np.repeat(y, m)).statistic
                                                                for m in times])


def test_intervals_over_rows_cover_what_is_true():
    """Spearman of a bivariate normal law is 6/pi asin(rho/2): 95 % intervals hold it about that often in 300 simulated
    studies.
    """
    rho, held, x, e = 0.6, 0, normal(8, 300, 80), normal(9, 300, 80)
    truth = 6 / np.pi * np.arcsin(rho / 2)
    for one, noise in zip(x, e):
        a, b = (Scores(0.0, values, np.ones(80)) for values in (one, rho * one + (1 - rho**2) ** 0.5 * noise))
        found = over_rows([a], [b])
        held += found.low <= truth <= found.high
    assert 0.90 <= held / 300 <= 0.985, held / 300


def test_what_ranks_nothing_is_refused_or_left_out():
    a, b = made(2, 4, 0.5)
    flat = Scores(1.0, np.ones(N), np.ones(N))
    with pytest.raises(ValueError, match="three points or more"):
        over_points(values(a[:2]), values(b[:2]), N)
    with pytest.raises(ValueError, match="same score"):
        over_points(values([flat] * 4), values(b), N)
    with pytest.raises(ValueError, match="same score"):
        over_rows([flat], b[:1])
    assert over_rows([flat, *a[1:]], b).value == over_rows(a[1:], b[1:]).value
    assert list(pairs("abc", "x")) == [("a", "b"), ("a", "c"), ("b", "c"), ("a", "x"), ("b", "x"), ("c", "x")]
    assert doctest.testmod(judges, extraglobs={"np": np}).failed == 0


def write_judges(folder, n: int = 24, noise: float = 0.02) -> Store:
    """The made-up run with two further judges: one that saw about the same, one that ranks the other way round."""
    store = write(folder, n=n, timed=0)
    rng, judged = np.random.default_rng(7), [r for r in store.of("scored") if r["label"] == "judge"]
    for label, slope in (("ngram", 0.7), ("gpt2", -0.5)):
        for record in judged:
            top, bottom = store.get("scores", record["score_key"])
            pair = np.stack((bottom * (2.0 + slope * top / bottom + noise * rng.normal(0, 1, n)), bottom))
            store.put("scores", f"{label}{record['score_key']}", pair)
            store.append({k: v for k, v in record.items() if k not in ("schema", "time")}
                         | {"label": label, "metric": {"name": label, "version": 1},
"score_key": f"{label}{record['score_key']}", "value": float(pair[0].sum() / pair[1].sum())})
    return store


def test_a_report_of_two_judges_says_how_far_they_agree_and_its_numbers_are_those_of_the_store(tmp_path, monkeypatch):
    monkeypatch.setattr(style, "save", lambda figure, folder, name: '<svg viewBox="0 0 1 1"></svg>')
    monkeypatch.setattr(drawing, "drawable", lambda tidy,
                        every=drawing.drawable: ((plot, frame) for plot, frame in every(tidy) if plot.SECTION
                                                 == "judges"))
    store = write_judges(tmp_path / "run")
    page = build([tmp_path / "run"], tmp_path / "out", resamples=200).read_text()
    chapter = json.loads((tmp_path / "out" / "numbers.json").read_text())["chapters"][0]
    assert "Do the judges agree?" in page and ">Judges</a>" in page
    done = {r["key"] for r in store.of("counted") if r["status"] == "done" and not r["control"]}
    scored = {(r["label"], r["key"]): r for r in store.of("scored") if r["key"] in done}
    rows = {(r["judge"], r["other"]): r for r in chapter["judges"]}
    assert {("judge", "ngram"), ("judge", "gpt2"), ("ngram", "gpt2"), ("gpt2", "spelling"),
            ("judge", "ngram_recall")} <= rows.keys() and ("spelling", "judge") not in rows
    for (judge, other), row in rows.items():
        keys = [key for label, key in scored if label == judge]
        x, y = ([scored[label, key]["value"] for key in keys] for label in (judge, other))
        sign = 1 if other in ("ngram", "gpt2") else -1
        assert row["k"] == len(keys) == 18 and row["n"] == 24
        assert row["points"][0] == pytest.approx(sign * spearmanr(x, y).statistic)
        if other == "ngram_recall":
            assert row["points"][1] is None and row["sequences"] is None, "a metric of the whole set has no rows"
            continue
        within = []
        for key in keys:
            one, two = (store.get("scores", scored[label, key]["score_key"]) for label in (judge, other))
            within.append(sign * spearmanr(one[0] / one[1], two[0] / two[1]).statistic)
        assert (
            row["sequences"][0] == pytest.approx(np.mean(within))
            and row["sequences"][1] <= row["sequences"][0] <= row["sequences"][2]
        )
    assert rows["judge", "ngram"]["points"][0] > 0.9 and rows["judge", "gpt2"]["points"][0] < -0.9
    drawn = chapter["figures"]["judges"]
    assert len(drawn) == 3 * 18 and {(p["judge"], p["other"])
                                     for p in drawn} == {("judge", "ngram"), ("judge", "gpt2"), ("ngram", "gpt2")}


def test_one_judge_agrees_with_nobody(tmp_path):
    write(tmp_path, n=12, timed=0)
    chapter = chapters(read([tmp_path]))[0]
    assert reported.agreement(chapter) == [] and reported.scatter(chapter, "ancestral").empty
