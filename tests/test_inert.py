"""Settings that write the same tokens are named, in the terminal and on the page, and settings that do not are not."""

import json

import pytest

from baselines.threshold import Threshold
from harness.__main__ import main
from harness.data.exact import Exact
from harness.records import inert
from harness.records.store import Store
from harness.run.runner import run as run_study
from harness.study import Arm, Study, Table
from reports.build import build

STUDY = """
from baselines.threshold import Threshold
from harness.data.exact import Exact
from harness.study import Arm, Study, Table

DATA = Exact(length={length})
STUDY = Study(name="knob", question="?", data=DATA, nets={{"heavy": Table(DATA)}}, reference="heavy",
              arms=[Arm("threshold", [Threshold(tau) for tau in ({taus})], {{"main": "heavy"}})],
              metrics=[], n=200, batch=100)
"""


@pytest.fixture
def study(tmp_path):
    def written(length, taus="0.5, 0.9"):
        path = tmp_path / "study.py"
        path.write_text(STUDY.format(length=length, taus=taus))
        return str(path)
    return written


def test_a_knob_that_turns_nothing_is_said(study, tmp_path, capsys):
    """Where an answer has one token every threshold reveals it (diffusers issue 38)."""
    assert main(["run", study(1), "--out", str(tmp_path / "run"), "--no-time", "--quiet"]) == 0
    said = capsys.readouterr().err
    assert "threshold(tau=0.9" in said and "differs on 0 of 200 rows" in said and "turned nothing here" in said
    page = build([tmp_path / "run"], tmp_path / "report").read_text()
    assert "turns nothing" in page and "differs on 0 of 200 rows" in page


def test_a_knob_that_turns_something_is_not(study, tmp_path, capsys):
    assert main(["run", study(4, "0.3, 0.99"), "--out", str(tmp_path / "run"), "--no-time", "--quiet"]) == 0
    assert "turned nothing" not in capsys.readouterr().err
    assert not inert.said(Store(tmp_path / "run"))


def test_settings_of_one_arm_alone_are_compared(tmp_path):
    data = Exact(length=1)
    study = Study(name="knob", question="?", data=data, nets={"heavy": Table(data)}, reference="heavy",
                  arms=[Arm("threshold", [Threshold(0.5), Threshold(0.9)], {"main": "heavy"})], metrics=[], n=200,
                  batch=100)
    run_study(study, tmp_path, "cpu", 1, False)
    store = Store(tmp_path)
    records = list(store.latest("counted", "key").values())
    (pair,) = inert.alike(store, records)
    assert (pair.differ, pair.n) == (0, 200) and {pair.key, pair.other} == {r["key"] for r in records}
    other = json.loads(json.dumps(records[1]))
    other["arm"] = "another"
    assert not list(inert.alike(store, [records[0], other]))
