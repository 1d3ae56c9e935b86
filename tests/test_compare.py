"""The regression gate on made-up runs: each tier, each verdict, each exit code; what it reads, refuses and writes.
Nothing is sampled.
"""



import numpy as np
import pytest

from harness.checks.side import COUNTS
from harness.checks.text import headline
from harness.checks.tiers import LEVEL, _beyond, seen
from harness.records.store import Store
from harness.stats.intervals import Interval, time_ratio
from tests.compared import (
    COST,
    FAST,
    N,
    against,
    by,
    called,
    cell,
    failed,
    gate,
    made,
    many,
    one,
    rows,
    score,
    times,
    whole,
)


def test_a_run_equals_itself(tmp_path, capsys):
    base = made(tmp_path / "base", *whole())
    code, document, out = called(capsys, base, base)
    assert code == 0 and document["end"] == "no regression" and document["compared"] == 3 and document["notes"] == []
    assert document["totals"] == {"counts": {"equal": 3}, "quality": {"equal": 3},
                                  "time": {"equal": 3}} and "verdicts" not in document
    assert out.splitlines()[:-1] == ["counts: 3 equal", "quality: 3 equal", "time: 3 equal",
                                     "no regression in counts, quality and time: 3 cells compared, 0 finished in "
                                     "BASE alone, 0 in NEW alone"]


@pytest.mark.parametrize(("new", "code", "end"), [
    ([cell()], 0, "no regression"), ([cell(cost={"nfe_a": 8.6})], 1, "regression"),
    ([cell(16)], 2, "nothing comparable"), ([failed(cell())], 3, "a run failed"),
    ([failed(cell(), "timeout")], 3, "a run failed"), ([failed(cell(), "skipped", "no light network")], 2,
                                                       "nothing comparable"),
])
def test_the_four_exit_codes(tmp_path, capsys, new, code, end):
    found, document, out = called(capsys, made(tmp_path / "base", cell()), made(tmp_path / "new", *new))
    assert (found, document["end"]) == (code, end) and f"\n{end}{' in counts' if not code else ''}: " in f"\n{out}"


def test_a_failed_run_outweighs_a_regression(tmp_path):
    found = against(tmp_path, [cell(8), cell(16)], [cell(8, cost={"gflop": 4.0}), failed(cell(16))])
    assert found.code == 3 and {v.outcome for v in found.verdicts
                                if v.fails} == {"failed", "regression"} and found[1:4] == (1, 0, 0)


def test_a_cell_that_failed_before_and_is_done_now_is_new(tmp_path):
    found = against(tmp_path, [cell(8), failed(cell(16))], [failed(cell(8)), cell(8), cell(16)])
    assert found[1:4] == (1, 0, 1) and found.code == 0    # and the latest record of a key counts


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("factor", [1.001, 0.999])
def test_a_planted_change_of_each_count_is_caught(tmp_path, count, factor):
    cost = (
        {"calls": {"main.draft": 8.0, "main.verify": 12.5 * factor}}
        if count == "calls"
        else {count: type(COST[count])(COST[count] * factor)}
    )
    found = against(tmp_path, [cell(), cell(16)], [cell(cost=cost), cell(16)])
    assert found.code == 1 and [v.outcome for v in found.verdicts] == ["regression", "equal"]
    assert found.verdicts[0].detail.startswith("calls.main.verify 12.5 before" if count == "calls"
                                               else f"{count} {COST[count]:g} before")


@pytest.mark.parametrize("calls", [{"main.draft": 8.0}, {"main.draft": 8.0, "main.verify": 12.5, "light.draft": 1.0},
                                   {"main.draft": 8.0, "light.verify": 12.5}])
def test_a_kind_of_call_that_comes_or_goes_is_a_change(tmp_path, calls):
    assert against(tmp_path, [cell()], [cell(cost={"calls": calls})], tolerance=0.5).code == 1


def test_the_last_bits_of_a_mean_are_no_change(tmp_path):
    assert one(against(tmp_path, [cell()], [cell(cost={"nfe_c": 7.75 * (1 + 1e-13)})]), "counts").outcome == "equal"


@pytest.mark.parametrize(("rules", "outcome"), [
    ({}, "regression"), ({"tolerance": 0.02}, "declared"), ({"tolerance": 0.005}, "regression"),
    ({"counts": {"nfe_a": 0.02}}, "declared"),
    ({"counts": {"nfe_b": 0.02}}, "regression"), ({"tolerance": 0.02, "counts": {"nfe_a": 0.0}}, "regression"),
    ({"arms": {"ancestral": {"tolerance": 0.02}}}, "declared"), ({"arms": {"ssmd": {"tolerance": 0.02}}}, "regression"),
    ({"tolerance": 0.02, "arms": {"ancestral": {"tolerance": 0.0}}}, "regression"),
    ({"counts": {"gflop": 1.0}, "arms": {"ancestral": {"counts": {"nfe_a": 0.02}}}}, "declared"),
])
def test_a_tolerance_declares_a_change_of_a_count(tmp_path, rules, outcome):
    found = against(tmp_path, [cell()], [cell(cost={"nfe_a": 8.585})], **rules)    # 1 % more
    assert one(found, "counts").outcome == outcome and found.code == (outcome == "regression")


@pytest.mark.parametrize(("rule", "changes", "outcome"), [
    ("same-environment", {}, "regression"), ("same-environment", {"made": by("other")}, "samples differ"),
    ("same-environment", {"machine": "m1"}, "samples differ"),
    ("same-machine", {"made": by("other")}, "regression"), ("same-machine", {"machine": "m1"}, "samples differ"),
    ("always", {"machine": "m1", "made": by("other")}, "regression"),
    ("never", {}, "samples differ"),
])
def test_where_samples_must_be_equal_is_a_rule(tmp_path, rule, changes, outcome):
    found = against(tmp_path, [cell()], [cell(samples_sha256="6" * 64, **changes)], samples=rule)
    assert (
        one(found, "counts").outcome == outcome
        and "samples differ" in one(found, "counts").detail
        and found.code == (outcome == "regression")
    )


@pytest.mark.parametrize(("better", "shift", "outcome"), [
    ("lower", 0.3, "regression"), ("lower", -0.3, "better"), ("lower", 0.01, "equal"), ("higher", -0.3, "regression"),
    ("higher", 0.3, "better"), ("higher", -0.01, "equal"),
    ("match", 0.3, "regression"), ("match", -0.3, "regression"), ("match", 0.01, "equal"),
    ("lower", 0.1, "inconclusive"), ("higher", -0.1, "inconclusive"), ("match", 0.1, "inconclusive"),
])
def test_quality_is_equivalent_worse_or_neither(tmp_path, better, shift, outcome):
    noise = np.random.default_rng(7).normal(0, 0.1, N)
    base, new = score(cell(), rows(), better=better), score(cell(), rows() + shift + noise - noise.mean(),
                                                            better=better)
    found = against(tmp_path, [cell(), base], [cell(), new], margins={"judge": 0.1})
    verdict = one(found, "quality")
    assert verdict.outcome == outcome and found.code == (outcome == "regression") and verdict.what == "judge"
    assert (
        verdict.value == pytest.approx(shift)
        and verdict.low < shift < verdict.high
        and verdict.bound == 0.1
        and verdict.n == N
    )


def test_inconclusive_fails_if_the_rules_say_so(tmp_path):
    noise = np.random.default_rng(7).normal(0, 0.6, N)    # the interval of its mean is wider than the margin
    base, new = [cell(), score(cell(), rows())], [cell(), score(cell(), rows() + noise - noise.mean())]
    assert one(against(tmp_path, base, new), "quality").outcome == "inconclusive"
    for rules, code in (({}, 0), ({"inconclusive": "fail"}, 4), ({"arms": {"ancestral": {"inconclusive": "fail"}}}, 4),
                        ({"arms": {"ssmd": {"inconclusive": "fail"}}}, 0),
                        ({"inconclusive": "fail", "margin": 0.5}, 0)):
        assert gate(tmp_path / "base", tmp_path / "new", **rules).code == code, rules
    # as wide, and clearly better
    assert against(tmp_path, base, [cell(), score(cell(), rows() + noise - 1.0)], inconclusive="fail").code == 0


def test_the_margin_is_a_share_of_base_unless_the_rules_state_one(tmp_path):
    base, new = [cell(), score(cell(), rows())], [cell(), score(cell(), rows() + 0.05)]
    for rules, bound in (({}, 0.05 * rows().mean()), ({"margin": 0.1}, 0.1 * rows().mean()),
                         ({"margins": {"judge": 0.3}}, 0.3),
                         ({"margins": {"judge": 0.3}, "arms": {"ancestral": {"margins": {"judge": 0.01}}}}, 0.01)):
        assert one(against(tmp_path, base, new, **rules), "quality").bound == pytest.approx(bound)
    zero = [cell(), score(cell(), np.zeros(N))]
    assert "state one under [margins]" in one(against(tmp_path, zero, zero), "quality").detail


def test_scores_of_unlike_numbers_of_rows_are_compared_unpaired_and_say_so(tmp_path):
    found = against(tmp_path, [cell(), score(cell(), rows())], [cell(), score(cell(), rows(1, 48) + 1.0)])
    assert (
        one(found, "quality").outcome == "regression"
        and "rows not paired" in one(found, "quality").detail
        and one(found, "quality").n == 48
    )


@pytest.mark.parametrize(("changes", "outcome", "says", "code"), [
    ({"metric": {"name": "judge", "version": 2}}, "not comparable", "unlike metrics", 0),
    ({"better": "higher"}, "not comparable", "unlike metrics", 0),
    ({"per": "set"}, "not comparable", "unlike metrics", 0), ({"score_key": "nowhere"}, "not comparable",
                                                              "missing or damaged", 0),
    ({"label": "other"}, "not comparable", "not scored in NEW", 0), ({"status": "failed", "reason": "not a number"},
                                                                     "failed", "not a number", 3),
])
def test_scores_that_cannot_be_compared_say_why(tmp_path, changes, outcome, says, code):
    record, array = score(cell(), rows(1), **changes)
    new = made(tmp_path / "new", cell(), (record, array))
    if changes.get("score_key"):
        (new / "scores" / "nowhere.npy").unlink()
    found = gate(made(tmp_path / "base", cell(), score(cell(), rows())), new)
    assert one(found, "quality").outcome == outcome and says in one(found, "quality").detail and found.code == code


def test_the_same_checkpoint_at_another_place_is_the_same_metric(tmp_path):
    base, new = (score(cell(), rows(), metric={"name": "judge", "checkpoint": place, "identity": {"sha256": "0"}})
                 for place in ("here", "there"))
    assert one(against(tmp_path, [cell(), base], [cell(), new]), "quality").outcome == "equal"


def test_damaged_scores_and_metrics_of_the_set_leave_the_other_verdicts_alone(tmp_path):
    new = made(tmp_path / "new", cell(), score(cell(), rows()), score(cell(), rows(), "spelling", "higher"))
    base = made(tmp_path / "base", cell(), score(cell(), rows()), score(cell(), rows(), "spelling", "higher"),
                score(cell(), rows(), "distinct", per="set"))
    record = Store(new).latest("scored", "key", "label")[cell()["key"], "judge"]
    Store(new).put("scores", record["score_key"], np.ones(3))
    assert [(v.what, v.outcome) for v in gate(base, new).verdicts if v.tier
            == "quality"] == [("judge", "not comparable"), ("spelling", "equal")]


def test_many_cells_of_one_law_raise_no_alarm_though_some_would_alone(tmp_path):
    base = many(tmp_path / "base", seed=1)
    found = gate(base, many(tmp_path / "same", seed=2), margins={"judge": 1e-9})
    assert found.code == 0 and found.compared == 60
    assert any(v.p <= 0.05 for v in found.verdicts
               if v.p is not None) and any("worse alone, not among 60 tests" in v.detail for v in found.verdicts)
    found = gate(base, many(tmp_path / "worse", seed=2, worse=1), margins={"judge": 1e-9})
    assert found.code == 1 and [v.cell for v in found.verdicts if v.fails] == ["ancestral: ancestral(steps=1)"]


def test_timed_cells_of_one_law_raise_an_alarm_in_one_comparison_of_twenty_and_no_more(tmp_path):
    cells, alarms, alone = [cell(steps + 1) for steps in range(20)], 0, 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        for name in ("base", "new"):
            made(tmp_path / name, *cells, *(times(c, list(rng.lognormal(0, 0.1, 6))) for c in cells))
        found = gate(tmp_path / "base", tmp_path / "new", time_ratio=1.0)
        alarms, alone = alarms + (found.code == 1), alone + any(v.p <= 0.05 for v in found.verdicts if v.p is not None)
    # of 40: more than 6 at 5 % has a probability of 0.3 %, fewer than 16 at 64 % of 0.1 %
    assert alarms <= 6 and alone >= 16


def test_a_p_value_is_5_percent_where_the_interval_touches_the_bound():
    assert _beyond(Interval(0.5, 0.1, 0.9, 5, LEVEL), 0.1) == pytest.approx(0.05)
    assert _beyond(Interval(0.5, 0.5, 0.5, 5, LEVEL), 0.1) == 0 and _beyond(Interval(0.1, 0.1, 0.1, 5, LEVEL), 0.1) == 1
    # few processes have heavy tails
    assert _beyond(Interval(0.5, 0.1, 0.9, 500, LEVEL), -3.0) < 1e-12 < _beyond(Interval(0.5, 0.1, 0.9, 5, LEVEL), -3.0)


@pytest.mark.parametrize(("medians", "changes", "outcome", "says"), [
    ([1.2 * s for s in FAST], {}, "regression", "1.200 times as long"), (FAST, {}, "equal", "threshold 1.03"),
    ([s / 1.2 for s in FAST], {}, "better", "0.833"),
    ([1.02 * s for s in FAST], {}, "equal", "1.020"), ([2.0, 0.9, 1.6, 0.8, 1.5], {}, "not shown", "times as long"),
    ([2 * s for s in FAST[:4]], {}, "too few processes", "4 processes timed on both sides, 5 are needed"),
    ([2 * s for s in FAST], {"machine": "m1"}, "not comparable", "other machines"),
    ([2 * s for s in FAST], {"rows": 64}, "not comparable", "unlike numbers of rows"),
    ([2 * s for s in FAST], {"samples_sha256": "6" * 64}, "not comparable", "not timed in NEW"),
    ([2 * s for s in FAST], {"seconds": []}, "not comparable", "must have repetitions"),
    ([1.2 * s for s in FAST], {"hour": 12}, "regression", "not interleaved"),
])
def test_times_are_compared_on_one_machine_alone(tmp_path, medians, changes, outcome, says):
    found = against(tmp_path, [cell(), times(cell(), FAST)], [cell(), times(cell(), medians, **changes)])
    verdict = one(found, "time")
    assert (
        verdict.outcome == outcome
        and says in verdict.detail
        and found.code == {"regression": 1, "not shown": 4}.get(outcome, 0)
    )
    assert ("not interleaved" in verdict.detail) == ("hour" in changes)
    assert gate(tmp_path / "base", tmp_path / "new", inconclusive="fail").code == found.code    # a rule for metrics


NOISY = [1.0, 1.3, 0.95, 1.25, 1.05]    # over FAST: 1.07 (0.95 to 1.21) times as long


def test_times_that_decide_nothing_are_not_called_no_regression_and_end_in_a_code_of_their_own(tmp_path, capsys):
    base = made(tmp_path / "base", cell(), times(cell(), FAST, busy=0.54))
    new = made(tmp_path / "new", cell(), times(cell(), NOISY, busy=0.94))
    code, document, out = called(capsys, base, new)
    assert code == 4 and document["end"] == "not shown"
    assert document["undecided"] == {"time": 1} and document["decided"] == ["counts"]
    said = "not shown: neither a regression nor its absence in time (1 undecided); counts in order: 1 cells compared"
    assert "no regression" not in out and out.splitlines()[-2].startswith(said)
    assert "other work took of the machine while it was timed: 54% in BASE (54% to 54%), 94% in NEW" in out
    assert "ssmd-bench contest" in out
    (tmp_path / "rules.toml").write_text('inconclusive_time = "pass"')
    code, document, out = called(capsys, base, new, "--rules", tmp_path / "rules.toml")
    assert code == 0 and document["end"] == "not shown" and "no regression" not in out


def test_a_time_that_decides_nothing_says_which_slow_down_it_would_have_shown(tmp_path):
    """Four in five of simulated comparisons with that noise and that slow-down are regressions."""
    v = one(against(tmp_path, [cell(), times(cell(), FAST)], [cell(), times(cell(), NOISY)]), "time")
    ratio = seen(v, 1)
    noise, rng = np.log(np.array(NOISY) / FAST).std(ddof=1), np.random.default_rng(0)
    slower = np.exp(np.log(ratio) + noise * rng.standard_normal((2000, 5, 1)))
    found = [time_ratio(times.tolist(), np.ones((5, 1)).tolist(), LEVEL).low > 1.03 for times in slower]
    assert f"a slow-down of {ratio - 1:.0%} would have been seen" in v.detail
    assert 0.72 < np.mean(found) < 0.86    # approximate: the noise itself is estimated
    assert seen(v, 20) > ratio


@pytest.mark.parametrize("new", [[cell(), times(cell(), FAST[:4])], [cell(), times(cell(), FAST, machine="m1")]])
def test_times_that_were_not_tried_pass_and_are_not_called_no_regression(tmp_path, new):
    found = against(tmp_path, [cell(), times(cell(), FAST)], new)
    assert found.code == 0 and found.end == "not shown" and headline(found).startswith("not shown: ")


def test_no_regression_is_said_of_what_was_compared_alone(tmp_path):
    assert headline(against(tmp_path, [cell(), times(cell(), FAST)],
                            [cell()])).startswith("no regression in counts: 1 cells compared")


def test_the_threshold_of_times_is_a_rule(tmp_path):
    base, new = [cell(), times(cell(), FAST)], [cell(), times(cell(), [1.2 * s for s in FAST])]
    for rules, outcome in (({"time_ratio": 1.3}, "equal"), ({"arms": {"ancestral": {"time_ratio": 1.3}}}, "equal"),
                           ({"time_ratio": 1.0}, "regression")):
        assert one(against(tmp_path, base, new, **rules), "time").outcome == outcome


def test_cells_on_one_side_are_counted_and_missing_ones_fail_if_the_rules_say_so(tmp_path):
    found = against(tmp_path, [cell(8), cell(16), cell(32), cell(64)],
                    [cell(8), cell(16, net="b"), failed(cell(32), "skipped", "no network"), cell(128)])
    assert found[1:4] == (1, 3, 2) and found.code == 0
    assert [v.detail for v in found.verdicts if v.outcome == "missing"] == ["NEW has it with other networks or data",
                                                                            "skipped in NEW: no network", "not in NEW"]
    assert gate(tmp_path / "base", tmp_path / "new", missing="fail").code == 1
