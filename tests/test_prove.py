"""After a change of code a record stands again if the rows looked at are equal to the bit, and only then."""

import json

import pytest
from harness.renew import renew

from baselines.ancestral import Ancestral
from harness import claims, runner
from harness.__main__ import main
from harness.store import Store
from harness.study import Arm, Study, load_study

STUDY = """
from dataclasses import dataclass
from typing import ClassVar
from baselines.ancestral import Ancestral
from harness.data.exact import Exact
from harness.metrics.exact_nll import ExactNll
from harness.study import Arm, Study, Table

@dataclass(frozen=True)
class Own:
    name: ClassVar[str] = "own"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)

    def exact(self):
        return None

    def step(self, nets, rows):
        STEP

DATA = Exact()
STUDY = Study(name="own", question="?", data=DATA, nets={"heavy": Table(DATA)}, reference="heavy", metrics=[ExactNll()], n=40, batch=8,
              arms=[Arm("own", [Own()], {"main": "heavy"}), Arm("ancestral", [Ancestral(2)], {"main": "heavy"})])
"""
PLAIN = "nets['main'].draft(rows.x); return rows._replace(x=rows.x.clamp_max(1))"
NEW = {
    "the same": ("net = nets['main']; net.draft(rows.x); return rows._replace(x=rows.x.clamp_max(1))", "renewed"),
    "other tokens": ("nets['main'].draft(rows.x); return rows._replace(x=rows.x.clamp_max(2))", "differ"),
    "another pass": ("nets['main'].draft(rows.x); " + PLAIN, "differ"),
    "other tokens from row 30 on": ("nets['main'].draft(rows.x); return rows._replace(x=rows.x.clamp_max(1) + (rows.id >= 30)[:, None].long())", "differ"),
}


@pytest.fixture
def ran(tmp_path):
    """A run, and the study with another step."""

    def other(step: str) -> Study:
        (tmp_path / "own.py").write_text(STUDY.replace("STEP", step))
        return load_study(str(tmp_path / "own.py"))

    runner.run(other(PLAIN), tmp_path / "run")
    return tmp_path / "run", other


@pytest.mark.parametrize("change", NEW)
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_record_stands_again_if_tokens_and_costs_are_equal(ran, change, jobs):
    (folder, other), (step, outcome) = ran, NEW[change]
    before = Store(folder).latest("counted", "key")
    study = other(step)
    assert renew(study, folder, 36, jobs) == {"renewed": 0, "differ": 0, "fresh": 1, "unknown": 0} | {outcome: 1}
    after = Store(folder).latest("counted", "key")
    [key] = [key for key in after if after[key]["arm"] == "own"]
    assert all(after[k] == before[k] for k in after if k != key)
    if outcome == "renewed":
        assert after[key]["renewed"]["rows"] == 36 and after[key]["renewed"]["code"] == before[key]["code"] != after[key]["code"]
        assert {k: v for k, v in after[key].items() if k not in ("renewed", "code", "time")} == {k: v for k, v in before[key].items() if k not in ("code", "time")}
        assert runner.run(study, folder)["cached"] == 2
    else:
        assert after[key] == before[key]
        tally = runner.run(study, folder)
        assert tally["stale"] == tally["done"] == 1 and "renewed" not in Store(folder).latest("counted", "key")[key]


def test_rows_that_were_not_looked_at_are_taken_over(ran):
    folder, other = ran
    assert renew(other(NEW["other tokens from row 30 on"][0]), folder, 30)["renewed"] == 1


def test_a_record_that_no_arm_makes_any_more_and_one_of_other_settings(ran):
    folder, other = ran
    study = other(PLAIN)
    runner.run(Study(**vars(study) | {"arms": [Arm("ancestral", [Ancestral(3)], {"main": "heavy"}), Arm("gone", [Ancestral(4)], {"main": "heavy"})], "n": 16}), folder)
    assert renew(study, folder, 8) == {"renewed": 0, "differ": 0, "fresh": 3, "unknown": 1}    # steps = 3 at n = 16 is found by its settings


def test_claims_say_that_their_records_were_renewed(ran):
    folder, other = ran
    renew(other(NEW["the same"][0]), folder, 36)
    keys = [r["key"] for r in Store(folder).latest("counted", "key").values()]
    [row] = claims.stamped([claims.claim("a", 1, 0, 2, "", 40, "", keys)], Store(folder))
    assert row["renewed"] == {"records": 1, "of": 2, "rows": 36} and "1 of 2 records renewed on 36 rows" in claims.table([row])


def test_the_verb_ends_in_json_and_refuses_in_a_sentence(ran, capfd):
    folder, other = ran
    other(NEW["the same"][0])
    assert main(["renew", str(folder.parent / "own.py"), "--out", str(folder), "--rows", "4"]) == 0
    assert json.loads(capfd.readouterr().out.splitlines()[-1])["renewed"] == 1
    assert main(["renew", str(folder.parent / "own.py"), "--out", str(folder), "--rows", "0"]) == 2
    assert main(["renew", str(folder.parent / "own.py"), "--out", str(folder.parent / "none")]) == 2
    said = capfd.readouterr().err
    assert "--rows: '0' must be a whole number of at least 1" in said and "is not a run folder" in said
