"""A run of a quarter of the slow tests leaves none out for good, and no quick one ever."""

import pytest

from tests import turns

ROOT = turns.HERE.parent
PART = turns.parts(turns.seconds())


def test_every_slow_file_is_there_and_runs_once_in_four_commits():
    assert all((ROOT / file).is_file() for file in PART)
    for file in PART:
        assert sum(turns.runs(file, "commit", k, PART) for k in range(100, 100 + turns.PARTS)) == 1
        assert turns.runs(file, "all", 7, PART) and not turns.runs(file, "quick", 7, PART)
        assert turns.runs(file, "commit", None, PART), "without git every test runs"


@pytest.mark.parametrize("turn", ["all", "quick", "commit"])
def test_a_file_that_was_not_measured_always_runs(turn):
    assert all(turns.runs("tests/test_turns.py", turn, k, PART) for k in range(turns.PARTS))


def test_parts_take_about_as_long():
    slow = turns.seconds()
    loads = [sum(slow[file] for file, k in PART.items() if k == part) for part in range(turns.PARTS)]
    assert max(loads) < 1.25 * min(loads), loads


def test_seconds_are_read_from_a_report(tmp_path):
    case = '<testcase classname="tests.{}" name="t" time="{}"/>'
    (tmp_path / "j.xml").write_text("<testsuites>" + case.format("a.test_x", 6) + case.format("a.test_x", 5)
                                    + case.format("test_y", 2) + "</testsuites>")
    assert turns.measured(tmp_path / "j.xml") == {"tests/a/test_x.py": 11.0}
