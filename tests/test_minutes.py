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


def test_a_whole_run_adds_up_its_workers_and_claims_it(said, tmp_path):
    line, = said(Minutes(config()))
    row, = json.loads((tmp_path / "tests" / "claims.json").read_text())
    assert row["claim"] == "tests.cpu_minutes" and row["n"] == 1 and row["value"] >= 2
    assert line == f"{row['value']:.1f} minutes of processors"


@pytest.mark.parametrize("part", [dict(turn="commit"), dict(file_or_dir=["tests/test_x.py"]), dict(keyword="x"),
                                  dict(markexpr="x"), dict(claims=False)])
def test_a_part_of_the_tests_claims_nothing(said, tmp_path, part):
    assert said(Minutes(config(**part))) and not list(tmp_path.rglob("*.json"))
