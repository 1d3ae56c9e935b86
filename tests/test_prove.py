"""After a change of code a record stands if the rows looked at are equal to the bit, and only then."""

import json
import re
import shutil
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest

from baselines.ancestral import Ancestral
from harness.__main__ import main
from harness.records import provenance
from harness.records.standing import PROVEN, REFUTED, UNPROVEN, Evidence
from harness.records.store import Store
from harness.run import against, runner
from harness.run.cell import cells_of
from harness.run.prove import Look, known, look, may_be_rounding
from harness.run.spot_check import drawn
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
STUDY = Study(name="own", question="?", data=DATA, nets={"heavy": Table(DATA)},
              reference="heavy", metrics=[ExactNll()], n=40, batch=8,
              arms=[Arm("own", [Own()], {"main": "heavy"}), Arm("ancestral", [Ancestral(2)], {"main": "heavy"})])
"""
COMMAND = "ssmd-bench run {}/own.py --out run"
PLAIN = "nets['main'].draft(rows.x); return rows._replace(x=rows.x.clamp_max(1))"
NEW = {
    "the same": ("net = nets['main']; net.draft(rows.x); return rows._replace(x=rows.x.clamp_max(1))", PROVEN),
    "other tokens": ("nets['main'].draft(rows.x); return rows._replace(x=rows.x.clamp_max(2))", REFUTED),
    "another pass": ("nets['main'].draft(rows.x); " + PLAIN, REFUTED),
    "other tokens in one row of three": ("nets['main'].draft(rows.x); return rows._replace(x=rows.x.clamp_max(1) + "
                                         "(rows.id % 3 == 1)[:, None].long())", REFUTED),
}


@pytest.fixture
def ran(tmp_path):
    """A run, and the study with another step."""

    def other(step: str) -> Study:
        (tmp_path / "own.py").write_text(STUDY.replace("STEP", step))
        return load_study(str(tmp_path / "own.py"))

    runner.run(other(PLAIN), tmp_path / "run", command=COMMAND.format(tmp_path))
    return tmp_path / "run", other


@pytest.mark.parametrize("change", NEW)
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_record_of_other_code_stands_if_its_rows_come_out_the_same_and_is_sampled_anew_if_not(ran, change, jobs):
    (folder, other), (step, outcome) = ran, NEW[change]
    before = Store(folder).latest("counted", "key")
    study = other(step)
    tally = runner.run(study, folder, jobs=jobs)
    assert (tally["cached"], tally["proven"], tally["refuted"],
            tally["done"]) == ((2, 1, 0, 0) if outcome == PROVEN else (1, 0, 1, 1))
    store = Store(folder)
    [key] = [key for key, record in before.items() if record["arm"] == "own"]
    [proof] = store.of("proof")
    assert (proof["verdict"], proof["rows"], proof["of"]) == (outcome, 16, before[key]["samples_sha256"]) and {
        "costs",
        "counts",
        "tokens",
        "exact_nll",
    } <= {*proof["seen"]}
    after = store.latest("counted", "key")
    assert (after[key] == before[key]) == (outcome == PROVEN) and all(after[k] == before[k] for k in after if k != key)
    assert runner.run(study, folder, jobs=jobs)["cached"] == 2 and len(Store(folder).of("proof")) == 1


def proved(folder, *words: str) -> tuple[int, dict]:
    """Exit code and answer of the verb, of the run in the folder."""
    said = StringIO()
    with redirect_stdout(said):
        code = main(["prove", str(folder), *words])
    return code, json.loads(said.getvalue().splitlines()[-1])


def test_the_verb_looks_stores_and_knows_what_it_has_looked_at(ran):
    folder, other = ran
    other(NEW["the same"][0])
    code, said = proved(folder, "--rows", "5")
    assert (code, said[PROVEN], said["known"]) == (0, 1, 1) and Store(folder).of("proof")[0]["rows"] == 5
    assert proved(folder)[1]["known"] == 2
    assert proved(folder, "--check")[1][PROVEN] == 2 and len(Store(folder).of("proof")) == 1


def test_what_it_refutes_ends_in_exit_code_1_and_the_next_run_samples_it_anew(ran):
    folder, other = ran
    study = other(NEW["other tokens"][0])
    code, said = proved(folder)
    assert (code, said[REFUTED]) == (1, 1) and runner.run(study, folder)["refuted"] == 1
    assert proved(folder)[1]["known"] == 2


def test_all_rows_see_what_a_few_may_miss(ran):
    folder, other = ran
    [key] = [r["key"] for r in Store(folder).of("counted") if r["arm"] == "own"]
    missed = next(row for row in range(40) if row not in drawn(key, provenance.tree(), 40))
    other(f"nets['main'].draft(rows.x); return rows._replace(x=rows.x.clamp_max(1) + (rows.id == {missed})[:, "
          "None].long())")
    assert proved(folder, "--check")[1][PROVEN] == 2
    assert proved(folder, "--check", "--rows", "all")[1][REFUTED] == 1


def test_without_samples_and_digests_the_scores_of_the_rows_tell(ran):
    folder, other = ran
    for room in ("samples", "rows", "counts"):
        shutil.rmtree(folder / room)
    other(NEW["other tokens"][0])
    assert proved(folder)[1][REFUTED] == 1 and "exact_nll" in Store(folder).of("proof")[0]["reason"]


def test_rows_that_differ_on_another_machine_leave_the_verdict_open(ran):
    """Until the older sources give the same rows there."""
    folder, other = ran
    records = folder / "records.jsonl"
    machine = Store(folder).of("machine")[0]["id"]
    records.write_text(records.read_text().replace(machine, "elsewhere"))
    other(NEW["other tokens"][0])
    code, said = proved(folder)
    assert (code, said[UNPROVEN]) == (3, 1) and "--against" in Store(folder).of("proof")[0]["reason"]
    code, said = proved(folder, "--check")
    assert (code, said["lost"]) == (0, 0), "it was never proven, so that nothing is lost"
    [record] = [r for r in Store(folder).of("counted") if r["arm"] == "own"]
    assert Evidence(Store(folder)).standing(record) == UNPROVEN
    [proof] = Store(folder).of("proof")
    Store(folder).append({k: v for k, v in proof.items() if k not in ("schema", "time")}
                         | {"verdict": PROVEN, "machine": "elsewhere", "made": proof["made"] | {"tree": "older"}})
    code, said = proved(folder, "--check")
    assert (code, said["lost"]) == (1, 1), "what was proven elsewhere and differs here is not passed over"


@pytest.mark.parametrize("same, outcome", [(True, PROVEN), (False, REFUTED), (None, UNPROVEN)])
def test_tokens_that_differ_on_another_machine_are_asked_of_the_last_proven_commit(ran, monkeypatch, capsys, same,
                                                                                   outcome):
    folder, other = ran
    records, machine = folder / "records.jsonl", Store(folder).of("machine")[0]["id"]
    records.write_text(re.sub(r'"commit": ?("[0-9a-f]*"|null)(, ?"dirty": ?true)?', '"commit": "f00"',
                              records.read_text().replace(machine, "elsewhere")))
    other(NEW["other tokens"][0])
    asked = []

    def settled(commit, study, looked_at, reads, last):
        [key] = last
        asked.append((commit, last[key]["commit"], [found.key for found, _ in looked_at] == [key]))
        yield key, same

    monkeypatch.setattr(against, "settled_by", settled)
    code, said = proved(folder)
    assert asked == [("f00", "f00", True)]
    told = capsys.readouterr().err
    assert "to be asked of f00 " in told and REFUTED not in told.partition("to be asked")[0]
    assert said[outcome] == 1 and code == {PROVEN: 0, REFUTED: 1, UNPROVEN: 3}[outcome]
    [proof], [record] = Store(folder).of("proof"), [r for r in Store(folder).of("counted") if r["arm"] == "own"]
    assert ("against" in proof) == (same is not None)
    assert Evidence(Store(folder)).machines(record) == {"elsewhere"}, "its rows never came out the same here"


@pytest.mark.parametrize("fails", [True, False])
def test_few_rows_of_bfloat16_that_cannot_be_asked_of_other_sources_stay_open(ran, monkeypatch, capsys, fails):
    """Of a commit that does not load, or that lacks the cell."""
    folder, other = ran
    records = folder / "records.jsonl"
    records.write_text(re.sub(r'"commit": ?("[0-9a-f]*"|null)(, ?"dirty": ?true)?', '"commit": "f00"',
                              records.read_text()))
    other(NEW["other tokens"][0])
    monkeypatch.setattr("harness.run.prove.may_be_rounding", lambda found, said, dtype: found.verdict != "equal")

    def settled(commit, study, looked_at, reads, last):
        if fails:
            raise ValueError("cannot load the study")
        return ((found.key, None) for found, _ in looked_at)

    monkeypatch.setattr(against, "settled_by", settled)
    code, said = proved(folder)
    assert (code, said[UNPROVEN], said[REFUTED]) == (3, 1, 0) and "refuted" not in capsys.readouterr().err
    monkeypatch.setattr("harness.run.prove.may_be_rounding", lambda *_: False)
    assert proved(folder)[1][REFUTED] == 1, "many rows, or those of other types, are"


@pytest.mark.parametrize("differing, beyond, said, dtype, asked", [
    (16, False, UNPROVEN, "float32", True), (16, True, UNPROVEN, "float32", False),
    (1, False, REFUTED, "float32", False), (4, False, REFUTED, "bfloat16", True),
    (5, False, REFUTED, "bfloat16", False), (4, True, REFUTED, "bfloat16", False)])
def test_only_what_may_be_rounding_is_asked_of_other_sources(differing, beyond, said, dtype, asked):
    ids = np.arange(16)
    found = Look("", "differ", ids, ("tokens",), "", ids, ids, differing, beyond)
    assert may_be_rounding(found, said, dtype) == asked
    assert not may_be_rounding(found._replace(verdict="equal"), said, dtype)


def test_scores_and_costs_that_differ_though_the_tokens_do_not_are_beyond_rounding(ran, monkeypatch):
    folder, other = ran
    study = other(NEW["the same"][0])
    [(cell, record)] = [(cell, record) for cell in cells_of(study) if cell.arm.name == "own"
                        for record in Store(folder).of("counted") if record["key"] == cell.key()]
    ids = np.arange(4)
    before = known(Store(folder), record, study.metrics, ids)
    assert not look(cell, ids, before).beyond
    assert look(cell, ids, before._replace(costs=before.costs + 1)).beyond
    scores = {label: (metric, table * 1.5) for label, (metric, table) in before.scores.items()}
    assert look(cell, ids, before._replace(scores=scores)).beyond
    assert not look(cell, ids, before._replace(digests=before.digests + 1, costs=before.costs + 1)).beyond
    some = np.where(ids < 2, before.digests, 0)    # of the others the tokens are not kept
    assert not look(cell, ids, before._replace(digests=some, costs=before.costs + (ids >= 2)[:, None])).beyond
    assert look(cell, ids, before._replace(digests=some, costs=before.costs + 1)).beyond
    assert look(cell, ids, before._replace(digests=None, costs=before.costs + (ids >= 2)[:, None])).beyond


def test_costs_alone_prove_nothing_of_the_tokens(ran):
    folder, other = ran
    for room in ("samples", "rows", "counts", "scores"):
        shutil.rmtree(folder / room)
    other(NEW["other tokens"][0])
    code, said = proved(folder)
    assert (code, said[UNPROVEN],
            said[PROVEN]) == (3, 1, 0) and "nothing of its tokens is kept" in Store(folder).of("proof")[0]["reason"]
    assert not (folder / "rows").exists(), "tokens that nothing speaks for are not learnt"


def test_rows_that_a_library_rounds_otherwise_in_a_small_batch_are_looked_at_in_a_full_one(ran):
    folder, other = ran
    study = other(PLAIN)
    wide = replace(study, n=200, batch=64)
    runner.run(wide, folder.parent / "wide", command=COMMAND.format(folder.parent))
    [key] = [r["key"] for r in Store(folder.parent / "wide").of("counted") if r["arm"] == "own"]
    few = [*map(int, drawn(key, provenance.tree(), 200)[:3])]
    other(f"import torch; few = torch.isin(rows.id, torch.tensor({few})) & (len(rows.x) <= 16); "
          "nets['main'].draft(rows.x); "
          "return rows._replace(x=rows.x.clamp_max(1) + few[:, None].long())")
    assert proved(folder.parent / "wide")[1][PROVEN] == 1


def test_a_record_that_no_arm_makes_any_more_and_one_of_other_settings(ran):
    folder, other = ran
    study = other(PLAIN)
    arms = [Arm("ancestral", [Ancestral(3)], {"main": "heavy"}), Arm("gone", [Ancestral(4)], {"main": "heavy"})]
    runner.run(Study(**vars(study) | {"arms": arms, "n": 16}), folder, command=COMMAND.format(folder.parent))
    said = proved(folder, "--check")[1]
    assert (said[PROVEN], said["unknown"]) == (3, 1)    # steps = 3 at n = 16 is found by its settings


def test_the_parts_of_the_cells_are_all_of_them(ran):
    folder, _ = ran
    assert sum(proved(folder, "--check", "--share", f"{k}/3")[1][PROVEN] for k in (1, 2, 3)) == 2


def test_rows_drawn_depend_on_key_and_sources():
    first = drawn("a", "t", 1000)
    assert len(first) == 16 and (first[1:] > first[:-1]).all()
    assert (
        (drawn("b", "t", 1000) != first).any()
        and (drawn("a", "u", 1000) != first).any()
        and [*drawn("a", "t", 3)] == [0, 1, 2]
    )


def test_half_of_the_rows_are_of_those_whose_tokens_are_kept():
    known = np.arange(5, 900, 60)                                                  # (15,)
    found = drawn("a", "t", 1000, 16, known)
    assert len(found) == len({*found}) == 16 and np.isin(found, known).sum() == 8 and [*found] == sorted(found)
    assert np.isin(drawn("a", "t", 1000, 16, known[:3]), known).sum() == 3
    assert np.array_equal(drawn("a", "t", 1000, 16, np.arange(0)), drawn("a", "t", 1000))
    assert len({tuple(drawn("a", tree, 1000, 16, known)) for tree in "tuv"}) == 3



@pytest.mark.parametrize("words, sentence", [
    (["own.py", "--rows", "0"], "--rows: '0' must be a whole number of at least 1"), (["none"], "is not a run"),
    (["run", "--share", "4/3"], "--share '4/3' must read K/N"),
    (["no.py"], "there is no study file no.py"), (["run", "--against", "nothing"], "is neither a commit"),
])
def test_it_refuses_in_a_sentence(ran, capfd, monkeypatch, words, sentence):
    folder, other = ran
    other(NEW["other tokens"][0])
    monkeypatch.chdir(folder.parent)
    assert main(["prove", *words]) == 2 and sentence in capfd.readouterr().err
