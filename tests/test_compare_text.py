"""What a comparison prints: table, JSON, JUnit, the page for a pull request, and rules that are read or refused."""


import json
import re
from xml.etree import ElementTree

import pytest

from harness.checks.rules import Every, Rules, read
from harness.checks.text import LONGEST, junit, markdown, table
from harness.checks.tiers import OUTCOMES, Verdict
from harness.spec import ROOT
from tests.compared import COST, FAST, against, called, cell, failed, made, refused, rows, score, times, whole


def test_json_holds_every_verdict(tmp_path, capsys):
    base = made(tmp_path / "base", *whole())
    _, document, _ = called(capsys, base, made(tmp_path / "new", *whole(5)), "--json")
    assert len(document["verdicts"]) == 9 and all(v.keys() == set(Verdict._fields) and v["outcome"] in OUTCOMES
                                                  for v in document["verdicts"])


NASTY = "a|b <script>&\"]]> \x1b[31m\ud800 `x` *y* [z](w)\nnext"


def test_junit_parses_and_has_a_case_for_each_cell_and_tier(tmp_path, capsys):
    base = made(tmp_path / "base", *whole(), cell(64), cell(128), cell(256))
    new = made(tmp_path / "new", *whole()[:6], times(cell(8), FAST[:3]), times(cell(16), [2 * s for s in FAST]),
               failed(cell(64), reason=NASTY), cell(128, cost={"nfe_a": 9.0}))
    code, _, _ = called(capsys, base, new, "--junit", tmp_path / "gate.xml")
    suite = ElementTree.parse(tmp_path / "gate.xml").getroot()[0]
    cases = {(c.get("classname"), c.get("name").split(" [")[0]): [e.tag for e in c] for c in suite}
    assert code == 3 and len(suite) == len(cases) == int(suite.get("tests")) == 12
    # a missing cell, too few processes, not timed
    assert {k: int(suite.get(k))
            for k in ("failures", "errors", "skipped")} == {"failures": 2, "errors": 1, "skipped": 3}
    assert cases["compare.time", "ancestral: ancestral(steps=16)"] == ["failure"] and cases[
        "compare.counts", "ancestral: ancestral(steps=64)"
    ] == ["error"]
    assert (
        cases["compare.time", "ancestral: ancestral(steps=8)"] == ["skipped"]
        and cases["compare.quality", "ancestral: ancestral(steps=8)"] == []
    )
    assert any("<script>" in e.text for e in suite.iter("error"))


@pytest.mark.parametrize("text", [NASTY, "\x00", "|", "line\r\nline", "\uffff"])
def test_no_text_breaks_the_xml_the_table_or_the_page(tmp_path, text):
    arm = cell(arm=text)
    found = against(tmp_path, [arm, score(arm, rows(), text)], [arm | {"cost": COST | {"nfe_a": 9.0}},
                                                                score(arm, rows() + 1, text)])
    root = ElementTree.fromstring(junit(found).encode())
    assert len(root[0]) == 2 and found.code == 1
    page = markdown(found).encode().decode()
    lines = [line for line in page.splitlines() if line.startswith("|")]
    assert len(lines) == 4 and all(len(re.findall(r"(?<!\\)\|", line)) == 5
                                   for line in lines) and "<script>" not in page
    assert len(table(found).encode().splitlines()) == 2 + 3 + len(found.notes) + 1 and "\x1b" not in table(found) + page


def test_the_page_is_short(tmp_path, capsys):
    cells = [cell(steps + 1) for steps in range(40)]
    base, new = made(tmp_path / "base", *cells), made(tmp_path / "new", *(c | {"cost": COST | {"tokens": 9000 + k}}
                                                                          for k, c in enumerate(cells)))
    assert called(capsys, base, new, "--markdown", tmp_path / "page.md")[0] == 1
    text = (tmp_path / "page.md").read_text()
    assert (
        text.startswith("**ssmd-bench compare: regression: 40 cells compared")
        and text.count("\n| ") == LONGEST + 2
        and text.endswith(f"and {40 - LONGEST} rows more\n")
    )


def test_many_verdicts_with_one_reason_are_one_line(tmp_path):
    cells = [cell(steps + 1) for steps in range(40)]
    found = against(tmp_path, cells, [c | {"samples_sha256": "6" * 64, "machine": "m1"} for c in cells[:30]])
    assert [re.split("  +", line)[-2:]
            for line in table(found).splitlines()[:2]] == [["10 cells", "not in NEW"], ["30 cells", "samples differ"]]


@pytest.mark.parametrize(("text", "says"), [
    ("tolerance = ", "is not valid TOML"), (b"\xff\xfe", "is not valid TOML"),
    ("speed = 1", "there is no field `speed`; there are tolerance, counts, samples"),
    ("[arms.ssmd]\nspeed = 1", "arms.ssmd: there is no field `speed`; there are tolerance"),
    ("[arms.ssmd.arms]", "there is no field `arms`"),
    ("arms = 3", "the field `arms` is wrong"),
    ("[arms]\nssmd = 3", "arms.ssmd: expected object"), ("counts = 1", "the field `counts` is wrong"),
    ("[counts]\nnfe = 1", "counts has no 'nfe'; the counts are calls, nfe_a"),
    ("[counts]\nnfe_a = -1", "the field `counts.nfe_a` is wrong (expected float >= 0.0)"),
    ("tolerance = true", "the field `tolerance` is wrong (expected float, got bool)"),
    ("tolerance = nan", "the field `tolerance` is wrong"),
    ("tolerance = 'much'", "the field `tolerance` is wrong (expected float, got str)"),
    ("margin = 0", "the field `margin` is wrong (expected float > 0.0)"),
    ("[margins]\njudge = 0.0", "the field `margins.judge` is wrong"),
    ("time_ratio = 0.9", "the field `time_ratio` is wrong (expected float >= 1.0)"),
    ("samples = 'equal'", "choose same-environment | same-machine | always | never"),
    ("inconclusive = 'maybe'", "choose pass | fail"), ("missing = []", "choose pass | fail"),
    ("time_ratio = inf", "the field `time_ratio` is wrong"),
    ("tolerance = " + "9" * 400, "a number that no float64 can hold"),
])
def test_wrong_rules_are_refused(tmp_path, capsys, text, says):
    (tmp_path / "rules.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    base = made(tmp_path / "base", cell())
    refused(capsys, ["compare", base, base, "--rules", tmp_path / "rules.toml"], says)


def test_rules_that_meet_nothing_are_noted(tmp_path):
    base = [cell(), score(cell(), rows())]
    notes = against(tmp_path, base, base, margins={"juge": 1.0, "judge": 1.0},
                    arms={"smd": {"margins": {"jugde": 1.0}}}).notes
    assert [note for note in notes
            if note.startswith("the rules")] == [f"the rules in {table} for {name!r} met nothing of that name"
                                                 for table, name in (
("margins", "jugde"), ("margins", "juge"), ("arms", "smd"))]


def test_the_page_on_the_gate_names_every_rule_and_its_example_is_read(tmp_path, capsys):
    page = (ROOT / "docs" / "gate.md").read_text()
    (tmp_path / "rules.toml").write_text(re.search(r"```toml\n(.*?)```", page, re.S)[1])
    rules = read(tmp_path / "rules.toml")
    assert (
        rules.of("ssmd").tolerance_of("calls.main.verify") != rules.tolerance_of("calls.main.verify")
        and rules.of("ssmd").margins["spelling"] == rules.margins["spelling"]
    )
    assert all(f"| `{name}` |" in page
               for name in Every.__struct_fields__) and all(f"| {outcome} |" in page for outcome in OUTCOMES)
    quoted = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", page, re.M))
    assert {name: json.loads(text) for name, text in quoted.items()} == {name: getattr(Rules(), name)
                                                                         for name in Every.__struct_fields__}
    base = made(tmp_path / "base", *whole())
    assert called(capsys, base, base, "--rules", tmp_path / "rules.toml")[0] == 0
