"""Ratios of a report are of settings that were run: which, at which margin, on which sides of quality, on which rows;
and the line between settings is a guide.
"""

import json
import re

import numpy as np
import pandas as pd
import pytest

from harness.__main__ import main
from harness.stats.intervals import interval, resampled_sums
from reports import front, matched, style
from reports.build import build
from reports.frame import chapters
from reports.plots import matched as plot
from reports.records import read
from tests.compared import by
from tests.test_cli import refuses
from tests.test_report_toy import _sha, write

N = 400
COARSE = {"base": ((8, 2.9), (16, 2.6), (32, 2.4), (64, 2.3)), "fast": ((5.7, 2.62), (10.2, 2.35), (20, 2.25))}


def made_up(folder, arms, n=N, noise=0.2, metric="judge", better="lower", extra=None, seed=0):
    """A run whose arms have these (passes, quality); `extra` gives (arm, passes) -> n-gram divergence."""
    store, rng = write(folder, n=n, timed=0, troubles=False, families={}), np.random.default_rng(seed)
    store.append(store.of("study")[-1] | {"arms": [*arms, "held_out"], "controls": ["held_out"]})
    ease = rng.normal(0, noise, n)
    for arm, points in arms.items():
        for k, (passes, quality) in enumerate(points):
            sampler = {"name": "ancestral" if arm == "base" else "ssmd", "version": 1, "steps": k}
            key = _sha(f"{arm}{k}")[:24]
            about = {"sampler": sampler, "nets": {"main": _sha("heavy")}, "net_names": {"main": "heavy"},
                     "prompt": None, "n": n, "batch": 32, "seed": 0, "temperature": 1.0}
            about |= {"data": {"name": "made_up_text", "version": 1, "length": 128, "sha256": "0" * 64},
                      "device": "cpu", "dtype": "float32", "draw_dtype": "float64"}
            store.put("costs", key, np.stack([np.full(n, float(passes)), np.full(n, passes * 0.9),
                                              np.full(n, passes * 0.95)], 1))
            cost = {"calls": {"main.draft": float(passes)}, "nfe_a": float(passes), "nfe_b": passes * 0.9,
                    "nfe_c": passes * 0.95, "executed_a": float(passes)}
            cost |= {"executed_over_needed": 1.0, "gflop": 1.0, "tokens": n, "revealed": [], "tested": {}, "passed": {}}
            record = {"type": "counted", "key": key, "study": "made_up", "arm": arm, "control": False, "cell": about,
                      "made": by(), "machine": "m0", "status": "done"}
            store.append(record | {"reason": "", "seconds": 1.0, "inert": False, "samples_sha256": _sha(key),
                                   "cost": cost})
            values = {metric: (quality, {"name": metric, "version": 1}, better, "nats per token")}
            if extra is not None:
                values["kl"] = (extra.get((arm, passes), 0.5), {"name": "ngram_kl", "version": 1}, "lower", "nats")
            for label, (level, about_metric, side, unit) in values.items():
                pair = np.stack([level + ease + rng.normal(0, noise / 4, n), np.ones(n)])
                store.put("scores", _sha(key + label)[:24], pair)
                scored = {"type": "scored", "key": key, "score_key": _sha(key + label)[:24], "metric": about_metric,
                          "label": label, "better": side, "unit": unit}
                store.append(scored | {"samples_sha256": _sha(key), "n": n, "made": by(), "status": "done",
                                       "reason": "", "value": float(pair[0].mean()), "per": "row"})
    return store


def ratios(folder, *words, **settings):
    made_up(folder, *words, **settings)
    chapter = next(c for c in chapters(read([folder])) if "base" in c.arms)
    return matched.matched(chapter, "base", 100), chapter


def by_a(frame, kind="realised"):
    return frame[(frame.kind == kind) & (frame.cost == "nfe_a")]


@pytest.fixture
def plain(monkeypatch):
    """Figures are drawn but not written."""
    monkeypatch.setattr(style, "save", lambda figure, folder, name: '<svg viewBox="0 0 1 1"></svg>')


def test_a_ratio_is_of_a_setting_that_was_run_and_not_of_one_on_the_line_between_two(tmp_path):
    """At the goal (32 passes, 2.4) the line between 5.7 and 10.2 passes would promise 8.9; no setting has it."""
    frame, chapter = ratios(tmp_path, COARSE)
    row = by_a(frame)[by_a(frame).goal == "steps=2"].iloc[0]
    assert (row.setting, row.arm_cost, row.ratio) == ("steps=1", pytest.approx(10.2),
                                                      pytest.approx(32 / 10.2)) and row.key in set(chapter.frame.key)
    assert row.at_least and row.next_cost == pytest.approx(5.7)
    assert set(by_a(frame).key) <= {"", *chapter.frame.key} and set(by_a(frame).goal_key) <= set(chapter.frame.key)


def test_b_and_c_are_ratios_of_the_setting_that_a_chose(tmp_path):
    frame, _ = ratios(tmp_path, COARSE)
    for _, rows in frame[frame.kind == "realised"].groupby("goal_key"):
        assert (
            list(rows.cost) == ["nfe_a", "nfe_b", "nfe_c"]
            and rows.key.nunique() == 1
            and rows.ratio.tolist() == pytest.approx([rows.ratio.iloc[0]] * 3)
        )


def test_numbers_of_a_ratio_are_of_the_rows_that_chose_nothing(tmp_path):
    frame, chapter = ratios(tmp_path, COARSE)
    for row in by_a(frame).dropna(subset="ratio").itertuples():
        pair = {key: chapter.cells[key].rows("judge")[:, 1::2] for key in (row.key, row.goal_key)}
        columns = np.concatenate([pair[row.key], pair[row.goal_key]]).T
        values = [s[0] / s[1] - s[2] / s[3] for s in resampled_sums(columns, 4000, 0)]
        assert (row.excess, row.excess_low,
                row.excess_high) == pytest.approx(interval(values[0], values[1:], N // 2, 0.95)[:3])
        assert row.n_reported == N // 2 and row.excess_high <= row.margin


def test_at_least_is_said_where_the_next_cheaper_setting_that_was_run_is_far_or_there_is_none(tmp_path):
    base = COARSE["base"]
    near, _ = ratios(tmp_path / "near", {"base": base, "fast": ((9.5, 2.6), (10.2, 2.35))})
    far, _ = ratios(tmp_path / "far", {"base": base, "fast": ((9.0, 2.6), (10.2, 2.35))})
    none, _ = ratios(tmp_path / "none", {"base": base, "fast": ((10.2, 2.35),)})
    assert [by_a(frame)[by_a(frame).passes == 32].at_least.tolist()
            for frame in (near, far, none)] == [[False], [True], [True]]


def test_a_cheaper_setting_that_is_not_shown_to_be_worse_is_the_upper_end(tmp_path):
    frame, _ = ratios(tmp_path, {"base": COARSE["base"], "fast": ((8, 2.4605), (16, 2.3))}, noise=0.3)
    row = by_a(frame)[by_a(frame).passes == 32].iloc[0]
    assert row.margin == pytest.approx(0.06, rel=0.05) and (row.setting, row.cheaper, row.ratio,
                                                            row.high) == ("steps=1", "steps=0", 2, 4)


def test_the_margin_is_a_tenth_of_what_the_settings_of_the_baseline_differ_and_is_said(tmp_path, plain):
    frame, chapter = ratios(tmp_path / "run", COARSE)
    values = [chapter.frame.judge[chapter.frame.key == key].iloc[0]
              for key in chapter.frame.key[chapter.frame.arm == "base"]]
    assert by_a(frame).margin.tolist() == pytest.approx([(max(values) - min(values)) / 10] * len(by_a(frame)))
    said = (f"Worse by less than {by_a(frame).margin.iloc[0]:.2g} nats per token (judge) counts as equal: a tenth of "
            "the distance")
    page = build([tmp_path / "run"], tmp_path / "out", "base", resamples=50).read_text()
    assert (
        said in plot.caption(frame)
        and page.count(said) >= 3
        and said in (next((tmp_path / "out" / "tables").glob("*matched.tex"))).read_text()
    )


def test_a_bad_setting_of_the_baseline_widens_no_margin_of_a_metric_without_an_upper_end(tmp_path, plain):
    """A Frechet distance of 40 at two passes would make 4 count as equal to 1.2."""
    arms = {"base": ((2, 40.0), (16, 2.0), (32, 1.2), (64, 1.0)), "fast": ((5.7, 4.0), (10.2, 1.1), (20, 1.0))}
    frame, _ = ratios(tmp_path / "run", arms, noise=0.02)
    row = by_a(frame)[by_a(frame).passes == 32].iloc[0]
    assert (row.margin, row.margin_of) == (pytest.approx(0.12, rel=0.05), "value")
    assert row.arm_cost == pytest.approx(10.2)
    page = build([tmp_path / "run"], tmp_path / "out", "base", resamples=50).read_text()
    assert "(judge) counts as equal: a tenth of the value that is matched." in page
    assert re.search(r"at equal judge \(worse by less than 0\.12 nats per token\)", page)


def test_a_margin_that_the_command_names_counts_and_is_said(tmp_path, plain):
    made_up(tmp_path / "run", COARSE)
    page = tmp_path / "out" / "index.html"
    words = ["report", str(tmp_path / "run"), "--out", str(page.parent), "--margins", "judge=0.25"]
    assert main(words) == 0
    html = page.read_text()
    assert "Worse by less than 0.25 nats per token (judge) counts as equal: a margin that the command names." in html
    assert "(worse by less than 0.25 nats per token)" in html and "--margins judge=0.25" in html


@pytest.mark.parametrize("given, says", [
    ("judg=0.1", "these runs have no metric 'judg'; did you mean 'judge'?"),
    ("judge", "'judge' must be METRIC=NUMBER, such as judge=0.02"),
    ("judge=0", "'0' must be a number above 0"), ("judge=much", "'much' must be a number above 0")])
def test_a_margin_that_cannot_be_is_one_sentence(tmp_path, capsys, given, says):
    made_up(tmp_path / "run", COARSE)
    refuses(capsys, ["report", str(tmp_path / "run"), "--out", str(tmp_path / "out"), "--margins", given], says)


def test_without_a_metric_that_sees_diversity_quality_is_matched_on_one_side_and_that_is_said(tmp_path):
    frame, _ = ratios(tmp_path, COARSE)
    assert set(frame.side) == {""} and "Quality was matched on judge alone" in plot.caption(frame)


def test_an_arm_that_is_likelier_and_has_lost_its_diversity_is_not_as_good(tmp_path, plain):
    kl = {("fast", 5.7): 2.0, ("fast", 10.2): 2.0, ("fast", 20): 0.5} | {("base", p): 0.9 - p / 100
                                                                         for p in (8, 16, 32, 64)}
    frame, chapter = ratios(tmp_path / "run", COARSE, extra=kl)
    row = by_a(frame)[by_a(frame).passes == 32].iloc[0]
    assert set(frame.metric) == {"judge"}, "the other side is no goal of its own"
    assert (row.side, row.arm_cost) == ("kl", 20) and row.side_excess_high <= row.side_margin == pytest.approx(
        0.056, rel=0.05
    )
    page = build([tmp_path / "run"], tmp_path / "out", "base", resamples=50).read_text()
    assert (
        "Quality was matched on two sides at once: judge, and kl, which sees lost diversity." in page
        and "kl, worse by" in page
        and "nats (kl) counts as equal" in page
    )


def test_the_reverse_divergence_sees_no_lost_diversity(tmp_path):
    store = made_up(tmp_path, COARSE, extra={})
    for record in [r for r in store.of("scored") if r["label"] == "kl"]:
        store.append(record | {"metric": record["metric"] | {"direction": "reverse"},
                               "time": "2999-01-01T00:00:00+00:00"})
    assert matched.diversity(next(c for c in chapters(read([tmp_path])) if "base" in c.arms)) == []


@pytest.mark.parametrize(
    ("costs", "goals"),
    [
        ((8, 16, 24, 32, 62, 110), [24, 32, 62]),
        ((30, 70), [30, 70]),
        ((100, 200, 400, 800, 1600), [200, 400, 800]),
        ((2, 4), [2, 4]),
        ((12, 25, 26, 90), [25, 26, 90]),
    ],
)
def test_goals_are_settings_of_the_baseline_nearest_to_the_passes_asked_or_in_the_middle_of_its_range(
    tmp_path, costs, goals
):
    frame, _ = ratios(tmp_path, {"base": [(c, 3 - 0.1 * k) for k, c in enumerate(costs)], "fast": ((3, 2.0),)}, n=40)
    assert by_a(frame).passes.tolist() == goals


def test_a_setting_of_the_baseline_that_a_cheaper_one_beats_is_no_goal(tmp_path):
    frame, _ = ratios(tmp_path, {"base": ((16, 2.6), (31, 2.4), (33, 2.5), (64, 2.3)), "fast": ((5, 2.2),)})
    assert by_a(frame).passes.tolist() == [16, 31, 64]


def test_where_nothing_is_not_worse_the_reason_names_the_setting_that_came_nearest(tmp_path):
    frame, _ = ratios(tmp_path, {"base": COARSE["base"], "fast": ((5, 3.2), (6, 3.0))})
    told = r"no setting that was run is within half of the margin .* the nearest, steps=1, is worse by [\d.]+ of judge"
    assert by_a(frame).ratio.isna().all() and by_a(frame).reason.str.fullmatch(told).all()
    frame, _ = ratios(tmp_path / "few", {"base": COARSE["base"], "fast": ((5, 2.4), (6, 2.42))}, n=8, noise=1.0, seed=3)
    unsure = by_a(frame)[by_a(frame).reason.str.startswith("the surest")]
    assert (
        len(unsure)
        and unsure.reason.str.contains("is not shown to be no worse: judge worse by").all()
        and unsure.excess.notna().all()
    )


def test_three_rows_a_flat_baseline_and_unscored_sides_have_a_reason_and_no_ratio(tmp_path):
    few, _ = ratios(tmp_path / "few", COARSE, n=3)
    assert by_a(few).reason.str.contains("3 rows cannot be halved").all() and by_a(few).ratio.isna().all()
    flat = made_up(tmp_path / "flat", COARSE, noise=0)
    for record in [r for r in flat.of("scored") if r["label"] == "judge"]:
        flat.put("scores", record["score_key"], np.ones((2, N)))
        flat.append(record | {"value": 1.0, "time": "2999-01-01T00:00:00+00:00"})
    found = matched.matched(next(c for c in chapters(read([tmp_path / "flat"])) if "base" in c.arms), "base", 50)
    said = "the settings of base do not differ in judge, or it is 0 there, so that there is no margin: name one, "
    assert by_a(found).reason.str.startswith(said).all()


def test_the_guide_breaks_where_settings_lie_further_apart_than_ten_percent(tmp_path):
    """Dense from 20 to 29 passes and from 8 to 12; one gap in the arm."""
    costs = 20 * 1.08 ** np.arange(6)
    arms = {"base": [(c, 3 - np.log(c / 20)) for c in costs], "fast": [(c / 2.5, 3.01 - np.log(c / 20)) for k,
                                                                       c in enumerate(costs) if k not in (2, 3)]}
    frame, _ = ratios(tmp_path, arms, noise=0.001)
    guide = by_a(frame, "guide").sort_values("passes")
    drawn = guide[guide.ratio.notna()]
    inside = guide[(guide.arm_cost > costs[1] / 2.5 * 1.001) & (guide.arm_cost < costs[4] / 2.5 * 0.999)]
    assert len(drawn) and drawn.ratio.between(2.3, 2.8).all() and drawn.low.isna().all(), "a guide has no interval"
    assert len(inside) and inside.ratio.isna().all() and inside.reason.str.contains(r"the arm is read between "
                                                                                    r"settings at 8.64 and 10.9, "
                                                                                    r"further apart than 10 %").all()
    assert "a guide: read on lines between settings, claimed nowhere" in plot.caption(frame)
    coarse, _ = ratios(tmp_path / "coarse", COARSE)
    assert by_a(coarse, "guide").ratio.isna().all() and "No line between settings is drawn" in plot.caption(coarse)


def test_no_number_of_the_guide_is_in_a_table_the_headline_or_beside_published_numbers(tmp_path, plain):
    costs = 20 * 1.08 ** np.arange(8)
    arms = {"base": [(c, 3 - np.log(c / 20)) for c in costs], "fast": [(c / 2.5, 3.01 - np.log(c / 20)) for c in costs]}
    made_up(tmp_path / "run", arms, noise=0.001)
    page = build([tmp_path / "run"], tmp_path / "out", "base", resamples=50).read_text()
    chapter = next(c for c in json.loads((tmp_path / "out" / "numbers.json").read_text())["chapters"]
                   if any(p["arm"] == "base" for p in c["points"]))
    run = {round(p["nfe_a"], 6) for p in chapter["points"]}
    guide = [m for m in chapter["matched"] if m["kind"] == "guide" and m["ratio"]]
    stated = [m for m in chapter["matched"] if m["kind"] == "realised" and m["ratio"]]
    assert guide and stated and all(round(m["arm_cost"], 6) in run for m in stated if m["cost"] == "nfe_a")
    assert {row["value"] for row in chapter["published"] if row["quantity"] == "nfe_ratio" and row["marker"]
            == "ours"} <= {m["ratio"] for m in stated}
    table = page[page.index("-matched\">\n") :]
    assert len(re.findall(r"<tr><th scope=\"row\">", table[: table.index("</section>")])) == len(stated) // 3


def test_no_p_value_of_a_ratio_is_left_and_the_page_says_how_error_is_controlled(tmp_path, plain):
    made_up(tmp_path / "run", COARSE)
    page = build([tmp_path / "run"], tmp_path / "out", "base", resamples=50).read_text()
    csv = pd.read_csv(next(path for path in (tmp_path / "out" / "tables").glob("*matched.csv")
                           if path.stat().st_size > 100))
    assert "Holm" not in page and "p_holm" not in csv and "in at most 2.5 % of comparisons" in page
    count = by_a(csv)
    assert f"{len(count)} comparisons, {count.ratio.notna().sum()} of which found a setting" in page


def test_the_headline_is_at_the_goal_nearest_to_32_passes_that_has_a_ratio(tmp_path):
    frame, chapter = ratios(tmp_path, COARSE)
    assert matched.headline(frame, chapter).passes.tolist() == [32]
    assert front.baseline_of(chapter, "base") == "base"
