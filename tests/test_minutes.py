"""A run of the tests says what it cost, its workers included, and claims it where it was the whole."""

import json
from types import SimpleNamespace

import pytest

from harness.claims import claim
from tests.minutes import Minutes


def config(**other) -> SimpleNamespace:
    option = SimpleNamespace(**dict(turn="all", claims=True, file_or_dir=[], keyword="", markexpr="") | other)
    return SimpleNamespace(option=option, getoption=lambda name: getattr(option, name.strip("-")))


@pytest.fixture
def said(monkeypatch, tmp_path):
    monkeypatch.setattr(claim, "RESULTS", tmp_path)

    def run(plugin: Minutes) -> list[str]:
        lines: list[str] = []
        for seconds in (90.0, 30.0):
            plugin.pytest_testnodedown(SimpleNamespace(workeroutput={"spent": seconds}), None)
        for when in ("setup", "call", "teardown"):
            plugin.pytest_runtest_logreport(SimpleNamespace(when=when))
        plugin.pytest_terminal_summary(SimpleNamespace(write_line=lines.append))
        return lines
    return run


@pytest.mark.parametrize("turn, name", [("all", "tests.cpu_minutes.all"), ("commit", "tests.cpu_minutes")])
def test_a_whole_run_adds_up_its_workers_and_claims_it_beside_the_claim_of_the_other(said, tmp_path, turn, name):
    (tmp_path / "tests").mkdir()
    other = claim.claim("tests.cpu_minutes.other", 1.0, 1.0, 1.0, "x", 1, "x", [])
    (tmp_path / "tests" / "claims.json").write_text(json.dumps([other, {**other, "claim": name}]))
    line, = said(Minutes(config(turn=turn)))
    before, row = json.loads((tmp_path / "tests" / "claims.json").read_text())
    assert before == other and row["claim"] == name and row["n"] == 1 and row["value"] >= 2
    assert line == f"{row['value']:.1f} minutes of processors"


@pytest.mark.parametrize("part", [dict(turn="quick"), dict(file_or_dir=["tests/test_x.py"]), dict(keyword="x"),
                                  dict(markexpr="x"), dict(claims=False)])
def test_a_part_of_the_tests_claims_nothing(said, tmp_path, part):
    assert said(Minutes(config(**part))) and not list(tmp_path.rglob("*.json"))
