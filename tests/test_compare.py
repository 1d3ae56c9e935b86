"""The regression gate on made-up runs: each tier, each verdict, each exit code; what it reads, refuses and writes. Nothing is sampled."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from harness.__main__ import main
from harness.compare import Comparison, compare
from harness.compare_rules import RULES, Rules, checked, read
from harness.compare_side import COUNTS, expectations, side
from harness.compare_text import LONGEST, junit, markdown, table
from harness.compare_tiers import LEVEL, OUTCOMES, Verdict, _beyond
from harness.record import SCHEMA
from harness.spec import ROOT, sha256
from harness.stats import Interval
from harness.store import Store

N = 64
COST = {"calls": {"main.draft": 8.0, "main.verify": 12.5}, "nfe_a": 8.5, "nfe_b": 8.0, "nfe_c": 7.75, "executed_a": 9.0, "gflop": 3.25, "tokens": 8192}


def cell(steps: int = 8, arm: str = "ancestral", net: str = "a", cost: dict | None = None, **changes) -> dict:
    about = {"sampler": {"name": arm, "version": 1, "steps": steps}, "nets": {"main": net * 64}, "net_names": {"main": "heavy"},
             "data": {"name": "made_up", "version": 1}, "n": N, "seed": 0}
    return {"type": "counted", "key": sha256({k: v for k, v in about.items() if k != "net_names"})[:24], "study": "made_up", "arm": arm, "control": False, "cell": about,
            "code": "c0de", "machine": "m0", "status": "done", "reason": "", "cost": COST | (cost or {}), "samples_sha256": "5" * 64} | changes


def failed(record: dict, status: str = "failed", reason: str = "RuntimeError: made up") -> dict:
    return {k: v for k, v in record.items() if k not in ("cost", "samples_sha256")} | {"status": status, "reason": reason}


def score(record: dict, numerator: np.ndarray, label: str = "judge", better: str = "lower", **changes) -> tuple[dict, np.ndarray]:
    """A scored record and its array (2, n); the denominators are 1."""
    return {"type": "scored", "key": record["key"], "score_key": sha256([record["key"], label])[:24], "metric": {"name": label, "version": 1}, "label": label, "better": better,
            "unit": "nats per token", "n": len(numerator), "status": "done", "reason": "", "value": float(numerator.mean()), "per": "row"} | changes, np.stack(
                [numerator, np.ones(len(numerator))])


def times(record: dict, medians: list[float], hour: int = 0, **changes) -> list[dict]:
    return [{"type": "timed", "key": record["key"], "process": k, "rows": 32, "batch": 32, "seconds": [s * 0.9, s, s * 1.4], "machine": "m0", "code": "c0de",
             "time": f"2026-01-01T{hour + k:02}:00:00+00:00"} | changes for k, s in enumerate(medians)]


def made(folder: Path, *records: dict | tuple[dict, np.ndarray] | list[dict]) -> Path:
    """A run folder with these records, written at once."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [r for record in records for r in (record if isinstance(record, list) else [record[0]] if isinstance(record, tuple) else [record])]
    (folder / "records.jsonl").write_text("".join(json.dumps({"schema": SCHEMA} | r) + "\n" for r in lines))
    for record, array in (r for r in records if isinstance(r, tuple)):
        Store(folder).put("scores", record["score_key"], array)
    return folder


def gate(base: Path, new: Path, **rules) -> Comparison:
    return compare(side(Store(base)), side(Store(new)), checked(rules, "rules"))


def against(tmp_path: Path, base: list, new: list, **rules) -> Comparison:
    return gate(made(tmp_path / "base", *base), made(tmp_path / "new", *new), **rules)


def one(found: Comparison, tier: str) -> Verdict:
    verdicts = [v for v in found.verdicts if v.tier == tier]
    assert len(verdicts) == 1, verdicts
    return verdicts[0]


def rows(seed: int = 0, n: int = N) -> np.ndarray:
    return np.random.default_rng(seed).normal(2.0, 0.3, n)


def called(capsys, *words: str | Path) -> tuple[int, dict, str]:
    code = main(["compare", *map(str, words)])
    captured = capsys.readouterr()
    assert not captured.err
    return code, json.loads(captured.out.splitlines()[-1]), captured.out


def refused(capsys, words: list[str | Path], says: str) -> None:
    assert main([*map(str, words)]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("ssmd-bench: ") and says in captured.err and captured.err.count("\n") == 1 and captured.out == "", captured.err


def whole(seed: int = 0) -> list:
    """Three cells, counted, scored and timed."""
    cells = [cell(steps) for steps in (8, 16, 32)]
    return [*cells, *(score(c, rows(seed + k)) for k, c in enumerate(cells)), *(times(c, [1.0, 1.1, 1.05, 1.02, 0.98]) for c in cells)]


def test_a_run_equals_itself(tmp_path, capsys):
    base = made(tmp_path / "base", *whole())
    code, document, out = called(capsys, base, base)
    assert code == 0 and document["end"] == "no regression" and document["compared"] == 3 and document["notes"] == []
    assert document["totals"] == {"counts": {"equal": 3}, "quality": {"equal": 3}, "time": {"equal": 3}} and "verdicts" not in document
    assert out.splitlines()[:-1] == ["counts: 3 equal", "quality: 3 equal", "time: 3 equal", "no regression: 3 cells compared, 0 finished in BASE alone, 0 in NEW alone"]


@pytest.mark.parametrize(("new", "code", "end"), [
    ([cell()], 0, "no regression"), ([cell(cost={"nfe_a": 8.6})], 1, "regression"), ([cell(16)], 2, "nothing comparable"), ([failed(cell())], 3, "a run failed"),
    ([failed(cell(), "timeout")], 3, "a run failed"), ([failed(cell(), "skipped", "no light network")], 2, "nothing comparable"),
])
def test_the_four_exit_codes(tmp_path, capsys, new, code, end):
    found, document, out = called(capsys, made(tmp_path / "base", cell()), made(tmp_path / "new", *new))
    assert (found, document["end"]) == (code, end) and f"{end}: " in out


def test_a_failed_run_outweighs_a_regression(tmp_path):
    found = against(tmp_path, [cell(8), cell(16)], [cell(8, cost={"gflop": 4.0}), failed(cell(16))])
    assert found.code == 3 and {v.outcome for v in found.verdicts if v.fails} == {"failed", "regression"} and found[1:4] == (1, 0, 0)


def test_a_cell_that_failed_before_and_is_done_now_is_new(tmp_path):
    found = against(tmp_path, [cell(8), failed(cell(16))], [failed(cell(8)), cell(8), cell(16)])
    assert found[1:4] == (1, 0, 1) and found.code == 0    # and the latest record of a key counts


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("factor", [1.001, 0.999])
def test_a_planted_change_of_each_count_is_caught(tmp_path, count, factor):
    cost = {"calls": {"main.draft": 8.0, "main.verify": 12.5 * factor}} if count == "calls" else {count: COST[count] * factor}
    found = against(tmp_path, [cell(), cell(16)], [cell(cost=cost), cell(16)])
    assert found.code == 1 and [v.outcome for v in found.verdicts] == ["regression", "equal"]
    assert found.verdicts[0].detail.startswith("calls.main.verify 12.5 before" if count == "calls" else f"{count} {COST[count]:g} before")


@pytest.mark.parametrize("calls", [{"main.draft": 8.0}, {"main.draft": 8.0, "main.verify": 12.5, "light.draft": 1.0}, {"main.draft": 8.0, "light.verify": 12.5}])
def test_a_kind_of_call_that_comes_or_goes_is_a_change(tmp_path, calls):
    assert against(tmp_path, [cell()], [cell(cost={"calls": calls})], tolerance=0.5).code == 1


def test_the_last_bits_of_a_mean_are_no_change(tmp_path):
    assert one(against(tmp_path, [cell()], [cell(cost={"nfe_c": 7.75 * (1 + 1e-13)})]), "counts").outcome == "equal"


@pytest.mark.parametrize(("rules", "outcome"), [
    ({}, "regression"), ({"tolerance": 0.02}, "declared"), ({"tolerance": 0.005}, "regression"), ({"counts": {"nfe_a": 0.02}}, "declared"),
    ({"counts": {"nfe_b": 0.02}}, "regression"), ({"tolerance": 0.02, "counts": {"nfe_a": 0.0}}, "regression"),
    ({"arms": {"ancestral": {"tolerance": 0.02}}}, "declared"), ({"arms": {"ssmd": {"tolerance": 0.02}}}, "regression"),
    ({"tolerance": 0.02, "arms": {"ancestral": {"tolerance": 0.0}}}, "regression"), ({"counts": {"gflop": 1.0}, "arms": {"ancestral": {"counts": {"nfe_a": 0.02}}}}, "declared"),
])
def test_a_tolerance_declares_a_change_of_a_count(tmp_path, rules, outcome):
    found = against(tmp_path, [cell()], [cell(cost={"nfe_a": 8.585})], **rules)    # 1 % more
    assert one(found, "counts").outcome == outcome and found.code == (outcome == "regression")


@pytest.mark.parametrize(("rule", "changes", "outcome"), [
    ("same-environment", {}, "regression"), ("same-environment", {"code": "other"}, "samples differ"), ("same-environment", {"machine": "m1"}, "samples differ"),
    ("same-machine", {"code": "other"}, "regression"), ("same-machine", {"machine": "m1"}, "samples differ"), ("always", {"machine": "m1", "code": "other"}, "regression"),
    ("never", {}, "samples differ"),
])
def test_where_samples_must_be_equal_is_a_rule(tmp_path, rule, changes, outcome):
    found = against(tmp_path, [cell()], [cell(samples_sha256="6" * 64, **changes)], samples=rule)
    assert one(found, "counts").outcome == outcome and "samples differ" in one(found, "counts").detail and found.code == (outcome == "regression")


@pytest.mark.parametrize(("better", "shift", "outcome"), [
    ("lower", 0.3, "regression"), ("lower", -0.3, "better"), ("lower", 0.01, "equal"), ("higher", -0.3, "regression"), ("higher", 0.3, "better"), ("higher", -0.01, "equal"),
    ("match", 0.3, "regression"), ("match", -0.3, "regression"), ("match", 0.01, "equal"),
    ("lower", 0.1, "inconclusive"), ("higher", -0.1, "inconclusive"), ("match", 0.1, "inconclusive"),
])
def test_quality_is_equivalent_worse_or_neither(tmp_path, better, shift, outcome):
    noise = np.random.default_rng(7).normal(0, 0.1, N)
    base, new = score(cell(), rows(), better=better), score(cell(), rows() + shift + noise - noise.mean(), better=better)
    found = against(tmp_path, [cell(), base], [cell(), new], margins={"judge": 0.1})
    verdict = one(found, "quality")
    assert verdict.outcome == outcome and found.code == (outcome == "regression") and verdict.what == "judge"
    assert verdict.value == pytest.approx(shift) and verdict.low < shift < verdict.high and verdict.bound == 0.1 and verdict.n == N


def test_inconclusive_fails_if_the_rules_say_so(tmp_path):
    noise = np.random.default_rng(7).normal(0, 0.6, N)    # the interval of its mean is wider than the margin
    base, new = [cell(), score(cell(), rows())], [cell(), score(cell(), rows() + noise - noise.mean())]
    assert one(against(tmp_path, base, new), "quality").outcome == "inconclusive"
    for rules, code in (({}, 0), ({"inconclusive": "fail"}, 1), ({"arms": {"ancestral": {"inconclusive": "fail"}}}, 1), ({"arms": {"ssmd": {"inconclusive": "fail"}}}, 0),
                        ({"inconclusive": "fail", "margin": 0.5}, 0)):
        assert gate(tmp_path / "base", tmp_path / "new", **rules).code == code, rules
    assert against(tmp_path, base, [cell(), score(cell(), rows() + noise - 1.0)], inconclusive="fail").code == 0    # as wide, and clearly better


def test_the_margin_is_a_share_of_base_unless_the_rules_state_one(tmp_path):
    base, new = [cell(), score(cell(), rows())], [cell(), score(cell(), rows() + 0.05)]
    for rules, bound in (({}, 0.05 * rows().mean()), ({"margin": 0.1}, 0.1 * rows().mean()), ({"margins": {"judge": 0.3}}, 0.3),
                         ({"margins": {"judge": 0.3}, "arms": {"ancestral": {"margins": {"judge": 0.01}}}}, 0.01)):
        assert one(against(tmp_path, base, new, **rules), "quality").bound == pytest.approx(bound)
    zero = [cell(), score(cell(), np.zeros(N))]
    assert "state one under [margins]" in one(against(tmp_path, zero, zero), "quality").detail


def test_scores_of_unlike_numbers_of_rows_are_compared_unpaired_and_say_so(tmp_path):
    found = against(tmp_path, [cell(), score(cell(), rows())], [cell(), score(cell(), rows(1, 48) + 1.0)])
    assert one(found, "quality").outcome == "regression" and "rows not paired" in one(found, "quality").detail and one(found, "quality").n == 48


@pytest.mark.parametrize(("changes", "outcome", "says", "code"), [
    ({"metric": {"name": "judge", "version": 2}}, "not comparable", "unlike metrics", 0), ({"better": "higher"}, "not comparable", "unlike metrics", 0),
    ({"per": "set"}, "not comparable", "unlike metrics", 0), ({"score_key": "nowhere"}, "not comparable", "missing or damaged", 0),
    ({"label": "other"}, "not comparable", "not scored in NEW", 0), ({"status": "failed", "reason": "not a number"}, "failed", "not a number", 3),
])
def test_scores_that_cannot_be_compared_say_why(tmp_path, changes, outcome, says, code):
    record, array = score(cell(), rows(1), **changes)
    new = made(tmp_path / "new", cell(), (record, array))
    if changes.get("score_key"):
        (new / "scores" / "nowhere.npy").unlink()
    found = gate(made(tmp_path / "base", cell(), score(cell(), rows())), new)
    assert one(found, "quality").outcome == outcome and says in one(found, "quality").detail and found.code == code


def test_the_same_checkpoint_at_another_place_is_the_same_metric(tmp_path):
    base, new = (score(cell(), rows(), metric={"name": "judge", "checkpoint": place, "identity": {"sha256": "0"}}) for place in ("here", "there"))
    assert one(against(tmp_path, [cell(), base], [cell(), new]), "quality").outcome == "equal"


def test_damaged_scores_and_metrics_of_the_set_leave_the_other_verdicts_alone(tmp_path):
    new = made(tmp_path / "new", cell(), score(cell(), rows()), score(cell(), rows(), "spelling", "higher"))
    base = made(tmp_path / "base", cell(), score(cell(), rows()), score(cell(), rows(), "spelling", "higher"), score(cell(), rows(), "distinct", per="set"))
    record = Store(new).latest("scored", "key", "label")[cell()["key"], "judge"]
    Store(new).put("scores", record["score_key"], np.ones(3))
    assert [(v.what, v.outcome) for v in gate(base, new).verdicts if v.tier == "quality"] == [("judge", "not comparable"), ("spelling", "equal")]


def many(folder: Path, seed: int, worse: int = 0, cells: int = 60) -> Path:
    """Cells whose rows are drawn anew; `worse` of them lie 0.5 higher."""
    rng = np.random.default_rng(seed)
    about = [cell(steps + 1) for steps in range(cells)]
    return made(folder, *about, *(score(c, rng.normal(2.0, 0.3, N) + 0.5 * (k < worse)) for k, c in enumerate(about)))


def test_many_cells_of_one_law_raise_no_alarm_though_some_would_alone(tmp_path):
    base = many(tmp_path / "base", seed=1)
    found = gate(base, many(tmp_path / "same", seed=2), margins={"judge": 1e-9})
    assert found.code == 0 and found.compared == 60
    assert any(v.p <= 0.05 for v in found.verdicts if v.p is not None) and any("worse alone, not among 60 tests" in v.detail for v in found.verdicts)
    found = gate(base, many(tmp_path / "worse", seed=2, worse=1), margins={"judge": 1e-9})
    assert found.code == 1 and [v.cell for v in found.verdicts if v.fails] == ["ancestral: ancestral(steps=1)"]


def test_timed_cells_of_one_law_raise_an_alarm_in_one_comparison_of_twenty_and_no_more(tmp_path):
    cells, alarms, alone = [cell(steps + 1) for steps in range(20)], 0, 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        for name in ("base", "new"):
            made(tmp_path / name, *cells, *(times(c, list(rng.lognormal(0, 0.1, 6))) for c in cells))
        found = gate(tmp_path / "base", tmp_path / "new", time_ratio=1.0)
        alarms, alone = alarms + found.code, alone + any(v.p <= 0.05 for v in found.verdicts if v.p is not None)
    assert alarms <= 6 and alone >= 16    # of 40: more than 6 at 5 % has a probability of 0.3 %, fewer than 16 at 64 % of 0.1 %


def test_a_p_value_is_5_percent_where_the_interval_touches_the_bound():
    assert _beyond(Interval(0.5, 0.1, 0.9, 5, LEVEL), 0.1) == pytest.approx(0.05)
    assert _beyond(Interval(0.5, 0.5, 0.5, 5, LEVEL), 0.1) == 0 and _beyond(Interval(0.1, 0.1, 0.1, 5, LEVEL), 0.1) == 1
    assert _beyond(Interval(0.5, 0.1, 0.9, 500, LEVEL), -3.0) < 1e-12 < _beyond(Interval(0.5, 0.1, 0.9, 5, LEVEL), -3.0)    # few processes have heavy tails


FAST = [1.0, 1.1, 1.05, 1.02, 0.98]


@pytest.mark.parametrize(("medians", "changes", "outcome", "says"), [
    ([1.2 * s for s in FAST], {}, "regression", "1.200 times as long"), (FAST, {}, "equal", "threshold 1.03"), ([s / 1.2 for s in FAST], {}, "better", "0.833"),
    ([1.02 * s for s in FAST], {}, "equal", "1.020"), ([2.0, 0.9, 1.6, 0.8, 1.5], {}, "inconclusive", "times as long"),
    ([2 * s for s in FAST[:4]], {}, "too few processes", "4 processes timed on both sides, 5 are needed"),
    ([2 * s for s in FAST], {"machine": "m1"}, "not comparable", "other machines"),
    ([2 * s for s in FAST], {"rows": 64}, "not comparable", "unlike numbers of rows"), ([2 * s for s in FAST], {"code": "old"}, "not comparable", "not timed in NEW"),
    ([2 * s for s in FAST], {"seconds": []}, "not comparable", "must have repetitions"), ([1.2 * s for s in FAST], {"hour": 12}, "regression", "not interleaved"),
])
def test_times_are_compared_on_one_machine_alone(tmp_path, medians, changes, outcome, says):
    found = against(tmp_path, [cell(), times(cell(), FAST)], [cell(), times(cell(), medians, **changes)])
    verdict = one(found, "time")
    assert verdict.outcome == outcome and says in verdict.detail and found.code == (outcome == "regression")
    assert ("not interleaved" in verdict.detail) == ("hour" in changes)
    assert gate(tmp_path / "base", tmp_path / "new", inconclusive="fail").code == found.code    # a rule for metrics


def test_the_threshold_of_times_is_a_rule(tmp_path):
    base, new = [cell(), times(cell(), FAST)], [cell(), times(cell(), [1.2 * s for s in FAST])]
    for rules, outcome in (({"time_ratio": 1.3}, "equal"), ({"arms": {"ancestral": {"time_ratio": 1.3}}}, "equal"), ({"time_ratio": 1.0}, "regression")):
        assert one(against(tmp_path, base, new, **rules), "time").outcome == outcome


def test_cells_on_one_side_are_counted_and_missing_ones_fail_if_the_rules_say_so(tmp_path):
    found = against(tmp_path, [cell(8), cell(16), cell(32), cell(64)], [cell(8), cell(16, net="b"), failed(cell(32), "skipped", "no network"), cell(128)])
    assert found[1:4] == (1, 3, 2) and found.code == 0
    assert [v.detail for v in found.verdicts if v.outcome == "missing"] == ["NEW has it with other networks or data", "skipped in NEW: no network", "not in NEW"]
    assert gate(tmp_path / "base", tmp_path / "new", missing="fail").code == 1


def test_json_holds_every_verdict(tmp_path, capsys):
    base = made(tmp_path / "base", *whole())
    _, document, _ = called(capsys, base, made(tmp_path / "new", *whole(5)), "--json")
    assert len(document["verdicts"]) == 9 and all(v.keys() == set(Verdict._fields) and v["outcome"] in OUTCOMES for v in document["verdicts"])


NASTY = "a|b <script>&\"]]> \x1b[31m\ud800 `x` *y* [z](w)\nnext"


def test_junit_parses_and_has_a_case_for_each_cell_and_tier(tmp_path, capsys):
    base = made(tmp_path / "base", *whole(), cell(64), cell(128), cell(256))
    new = made(tmp_path / "new", *whole()[:6], times(cell(8), FAST[:3]), times(cell(16), [2 * s for s in FAST]), failed(cell(64), reason=NASTY), cell(128, cost={"nfe_a": 9.0}))
    code, _, _ = called(capsys, base, new, "--junit", tmp_path / "gate.xml")
    suite = ElementTree.parse(tmp_path / "gate.xml").getroot()[0]
    cases = {(c.get("classname"), c.get("name").split(" [")[0]): [e.tag for e in c] for c in suite}
    assert code == 3 and len(suite) == len(cases) == int(suite.get("tests")) == 12
    assert {k: int(suite.get(k)) for k in ("failures", "errors", "skipped")} == {"failures": 2, "errors": 1, "skipped": 3}    # a missing cell, too few processes, not timed
    assert cases["compare.time", "ancestral: ancestral(steps=16)"] == ["failure"] and cases["compare.counts", "ancestral: ancestral(steps=64)"] == ["error"]
    assert cases["compare.time", "ancestral: ancestral(steps=8)"] == ["skipped"] and cases["compare.quality", "ancestral: ancestral(steps=8)"] == []
    assert any("<script>" in e.text for e in suite.iter("error"))


@pytest.mark.parametrize("text", [NASTY, "\x00", "|", "line\r\nline", "\uffff"])
def test_no_text_breaks_the_xml_the_table_or_the_page(tmp_path, text):
    arm = cell(arm=text)
    found = against(tmp_path, [arm, score(arm, rows(), text)], [arm | {"cost": COST | {"nfe_a": 9.0}}, score(arm, rows() + 1, text)])
    root = ElementTree.fromstring(junit(found).encode())
    assert len(root[0]) == 2 and found.code == 1
    page = markdown(found).encode().decode()
    lines = [line for line in page.splitlines() if line.startswith("|")]
    assert len(lines) == 4 and all(len(re.findall(r"(?<!\\)\|", line)) == 5 for line in lines) and "<script>" not in page
    assert len(table(found).encode().splitlines()) == 2 + 3 + len(found.notes) + 1 and "\x1b" not in table(found) + page


def test_the_page_is_short(tmp_path, capsys):
    cells = [cell(steps + 1) for steps in range(40)]
    base, new = made(tmp_path / "base", *cells), made(tmp_path / "new", *(c | {"cost": COST | {"tokens": 9000 + k}} for k, c in enumerate(cells)))
    assert called(capsys, base, new, "--markdown", tmp_path / "page.md")[0] == 1
    text = (tmp_path / "page.md").read_text()
    assert text.startswith("**ssmd-bench compare: regression: 40 cells compared") and text.count("\n| ") == LONGEST + 2 and text.endswith(f"and {40 - LONGEST} rows more\n")


def test_many_verdicts_with_one_reason_are_one_line(tmp_path):
    cells = [cell(steps + 1) for steps in range(40)]
    found = against(tmp_path, cells, [c | {"samples_sha256": "6" * 64, "machine": "m1"} for c in cells[:30]])
    assert [re.split("  +", line)[-2:] for line in table(found).splitlines()[:2]] == [["10 cells", "not in NEW"], ["30 cells", "samples differ"]]


@pytest.mark.parametrize(("text", "says"), [
    ("tolerance = ", "is not valid TOML"), (b"\xff\xfe", "is not valid TOML"), ("speed = 1", "unknown rule 'speed'; the rules are tolerance, counts, samples"),
    ("[arms.ssmd]\nspeed = 1", "arms.ssmd has an unknown rule 'speed'; the rules are tolerance"), ("[arms.ssmd.arms]", "unknown rule 'arms'"), ("arms = 3", "arms must be a table"),
    ("[arms]\nssmd = 3", "arms.ssmd must be a table"), ("counts = 1", "counts must be a table"), ("[counts]\nnfe = 1", "counts has no 'nfe'; the counts are calls, nfe_a"),
    ("[counts]\nnfe_a = -1", "counts.nfe_a cannot be -1; it is a number from 0 on"), ("tolerance = true", "tolerance cannot be True"), ("tolerance = nan", "cannot be nan"),
    ("tolerance = 'much'", "cannot be 'much'"), ("margin = 0", "margin cannot be 0; it is a number above 0"), ("[margins]\njudge = 0.0", "margins.judge cannot be 0.0"),
    ("time_ratio = 0.9", "time_ratio cannot be 0.9; it is a number from 1 on"), ("samples = 'equal'", "choose same-environment | same-machine | always | never"),
    ("inconclusive = 'maybe'", "choose pass | fail"), ("missing = []", "choose pass | fail"), ("time_ratio = inf", "cannot be inf"),
])
def test_wrong_rules_are_refused(tmp_path, capsys, text, says):
    (tmp_path / "rules.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    base = made(tmp_path / "base", cell())
    refused(capsys, ["compare", base, base, "--rules", tmp_path / "rules.toml"], says)


def test_rules_that_meet_nothing_are_noted(tmp_path):
    base = [cell(), score(cell(), rows())]
    notes = against(tmp_path, base, base, margins={"juge": 1.0, "judge": 1.0}, arms={"smd": {"margins": {"jugde": 1.0}}}).notes
    assert [note for note in notes if note.startswith("the rules")] == [f"the rules in {table} for {name!r} met nothing of that name" for table, name in (
        ("margins", "jugde"), ("margins", "juge"), ("arms", "smd"))]


def test_the_page_on_the_gate_names_every_rule_and_its_example_is_read(tmp_path, capsys):
    page = (ROOT / "docs" / "gate.md").read_text()
    (tmp_path / "rules.toml").write_text(re.search(r"```toml\n(.*?)```", page, re.S)[1])
    rules = read(tmp_path / "rules.toml")
    assert rules.of("ssmd").tolerance_of("calls.main.verify") != rules.tolerance_of("calls.main.verify") and rules.of("ssmd").margins["spelling"] == rules.margins["spelling"]
    assert all(f"| `{name}` |" in page for name in RULES) and all(f"| {outcome} |" in page for outcome in OUTCOMES)
    quoted = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", page, re.M))
    assert {name: json.loads(text) for name, text in quoted.items()} == {name: getattr(Rules(), name) for name in RULES}
    base = made(tmp_path / "base", *whole())
    assert called(capsys, base, base, "--rules", tmp_path / "rules.toml")[0] == 0


def test_a_truncated_store_loses_the_torn_cell_and_says_so(tmp_path, capsys):
    base = made(tmp_path / "base", cell(8), cell(16))
    new = made(tmp_path / "new", cell(8), cell(16))
    path = new / "records.jsonl"
    path.write_bytes(path.read_bytes()[:-100])
    code, document, out = called(capsys, base, new)
    assert code == 0 and document["compared"] == 1 and document["only_base"] == 1 and "torn lines in NEW, skipped: 1; a writer was killed" in out


@pytest.mark.parametrize("change", [
    {"key": 3}, {"cost": {}}, {"cost": COST | {"gflop": None}}, {"cost": COST | {"nfe_a": float("nan")}}, {"cost": COST | {"calls": {"main.draft": "many"}}},
    {"status": "fine"}, {"cell": {}}, {"cell": {"sampler": {"name": "x", "window": {}}}}, {"samples_sha256": None}, {"arm": None},
])
def test_records_that_are_not_whole_are_refused_on_either_side(tmp_path, capsys, change):
    good, bad = made(tmp_path / "good", cell()), made(tmp_path / "bad", cell() | change)
    refused(capsys, ["compare", good, bad], "has a counted record that is not whole")
    refused(capsys, ["compare", bad / "records.jsonl", good], "records.jsonl line 1 is not a counted record")


@pytest.mark.parametrize("record", [
    score(cell(), rows(), label=None)[0], score(cell(), rows(), value="high")[0], *times(cell(), [1.0], seconds=["x"]), *times(cell(), [1.0], process=None),
])
def test_scores_and_times_that_are_not_whole_are_refused(tmp_path, capsys, record):
    base = made(tmp_path / "base", cell(), record)
    refused(capsys, ["compare", base, base], f"has a {record['type']} record that is not whole")


@pytest.mark.parametrize(("text", "says"), [
    ("<<<<<<< HEAD\n", "line 3 is not valid JSON"), ('{"type": "counted"', "line 3 is not valid JSON"), ("[1]", "line 3 is not a counted record"),
    (json.dumps(score(cell(), rows())[0]), "line 3 is not a counted record"), (json.dumps(cell(8)), "line 3 repeats the key"),
    (json.dumps(cell(64) | {"schema": SCHEMA + 1}), "line 3 was written by a newer version"), ("[" * 100_000, "line 3 is not valid JSON"), ("\udcff", "line 3 is not valid JSON"),
])
def test_corrupt_expectations_are_refused(tmp_path, capsys, text, says):
    path = tmp_path / "counts.jsonl"
    path.write_bytes((json.dumps(cell(8)) + "\n" + json.dumps(cell(16)) + "\n").encode() + text.encode("utf-8", "surrogateescape"))
    base = made(tmp_path / "base", cell(8))
    refused(capsys, ["compare", path, base], f"counts.jsonl {says}")


def test_what_is_no_run_is_refused(tmp_path, capsys):
    base = made(tmp_path / "base", cell())
    (tmp_path / "empty").mkdir()
    for other in ("nowhere", "empty", "counts.jsonl"):
        refused(capsys, ["compare", base, tmp_path / other], "is not a run folder")
        assert other == "empty" or not (tmp_path / other).exists()
    refused(capsys, ["compare", base, base, "--rules", tmp_path / "nowhere.toml"], "cannot be used (No such file")
    refused(capsys, ["compare", base, base, "--junit", tmp_path / "nowhere" / "gate.xml"], "cannot be used (No such file")


LOG = "# Changelog\n\n## Unreleased\n\n- First.\n\n## 0.1\n\n- Old.\n"


def kept(capsys, tmp_path: Path, run: Path) -> dict:
    assert main(["expect", str(run), "--write", str(tmp_path / "gate" / "counts.jsonl"), "--changelog", str(tmp_path / "LOG.md")]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_expectations_hold_the_counts_of_a_run_and_the_log_says_what_changed(tmp_path, capsys):
    (tmp_path / "LOG.md").write_text(LOG)
    path = tmp_path / "gate" / "counts.jsonl"
    first = kept(capsys, tmp_path, made(tmp_path / "run", cell(8), cell(16), cell(32), score(cell(8), rows())))
    assert (first["cells"], first["changed"], first["new"], first["gone"]) == (3, 0, 3, 0) and f"- `{path}`: new, 3 cells." in (tmp_path / "LOG.md").read_text()
    assert called(capsys, path, tmp_path / "run")[:2][0] == 0 and expectations(path).counted.keys() == {cell(steps)["key"] for steps in (8, 16, 32)}
    before, log = path.read_bytes(), (tmp_path / "LOG.md").read_text()
    made(tmp_path / "run", cell(32), cell(16, cost={"revealed": [1]}, seconds=3.0), cell(8))    # the same counts, in another order
    assert kept(capsys, tmp_path, tmp_path / "run")["changelog"] == "" and path.read_bytes() == before and (tmp_path / "LOG.md").read_text() == log
    made(tmp_path / "run", cell(8, cost={"nfe_a": 7.5, "calls": {"main.draft": 7.0, "main.verify": 12.5}}), cell(16, net="b", cost={"tokens": 4096}), cell(64))
    code, _, out = called(capsys, path, tmp_path / "run")
    assert code == 1 and "nfe_a 8.5 before, 7.5 now" in out and "NEW has it with other networks or data" in out
    assert {k: v for k, v in kept(capsys, tmp_path, tmp_path / "run").items() if k in ("cells", "changed", "new", "gone")} == {"cells": 3, "changed": 2, "new": 1, "gone": 1}
    text = (tmp_path / "LOG.md").read_text()
    assert text.startswith(log.partition("\n\n## 0.1")[0]) and text.endswith("\n\n## 0.1\n\n- Old.\n") and max(map(len, text.splitlines())) <= 180
    said = " ".join(text.partition("new, 3 cells.")[2].partition("## 0.1")[0].split())
    assert "ancestral: ancestral(steps=8): calls.main.draft 8 before, 7 now, nfe_a 8.5 before, 7.5 now" in said
    assert "ancestral: ancestral(steps=16): tokens 8192 before, 4096 now" in said
    assert "ancestral(steps=64): new" in said and "ancestral(steps=32): no more." in said
    assert called(capsys, path, tmp_path / "run")[0] == 0


def test_expectations_against_a_run_leave_quality_and_times_out(tmp_path, capsys):
    (tmp_path / "LOG.md").write_text("## Unreleased")
    run = made(tmp_path / "run", *whole())
    kept(capsys, tmp_path, run)
    assert (tmp_path / "LOG.md").read_text().startswith("## Unreleased\n\n- `")
    for words in ((tmp_path / "gate" / "counts.jsonl", run), (run, tmp_path / "gate" / "counts.jsonl")):
        code, document, out = called(capsys, *words)
        assert code == 0 and document["totals"] == {"counts": {"equal": 3}, "quality": {}, "time": {}} and "the quality tier was left out" in out


@pytest.mark.parametrize(("records", "log", "old", "says"), [
    ([cell(8), failed(cell(16))], LOG, None, "1 cells of"), ([failed(cell(16), "skipped")], LOG, None, "has no finished cell"),
    ([cell(8)], "# Changelog\n", None, "has no '## Unreleased'"),
    ([cell(8)], LOG, "torn", "line 1 is not valid JSON"),
])
def test_expectations_are_refused_before_anything_is_written(tmp_path, capsys, records, log, old, says):
    run, path = made(tmp_path / "run", *records), tmp_path / "counts.jsonl"
    (tmp_path / "LOG.md").write_text(log)
    if old:
        path.write_text(old)
    refused(capsys, ["expect", run, "--write", path, "--changelog", tmp_path / "LOG.md"], says)
    assert (tmp_path / "LOG.md").read_text() == log and (path.read_text() == old if old else not path.exists())


def test_a_comparison_changes_neither_side(tmp_path, capsys):
    base, new = made(tmp_path / "base", *whole()), made(tmp_path / "new", *whole(5))
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    called(capsys, base, new)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
