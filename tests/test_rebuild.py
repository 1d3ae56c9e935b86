"""Claims computed anew from kept runs: every one of them, to the last digit. Wrong ones are put right, lost ones come
back, and no run is touched.
"""

import json
from math import isclose
from pathlib import Path

import pytest

from harness.__main__ import main
from harness.claims import claim as claims
from harness.claims import rebuild
from harness.records.pack import unpack
from harness.records.store import Store
from harness.spec import ROOT
from studies.ablations import study as ablations

FILES = {path.parent.name: json.loads(path.read_text()) for path in claims.files()}
# made without a run, or by one that is not kept
WITHOUT = {"bad_input", "coverage", "evidence", "gate_power", "house", "likelihood", "mutants", "peers",
           "resume", "sweep_overhead", "tests", "tree", "waits"}
# all that a run says of a claim
BLANK = {"value": 9.0, "low": 9.0, "high": 9.0, "n": 0, "unit": "", "keys": [], "note": ""}


@pytest.fixture
def results(tmp_path, monkeypatch):
    (tmp_path / "results").mkdir()
    monkeypatch.setattr(claims, "RESULTS", tmp_path / "results")

    def put(rows: list[dict], name: str = "ablations") -> Path:
        path = tmp_path / "results" / name / "claims.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(rows))
        return path
    return put


def kept(name: str = "ablations") -> list[dict]:
    return FILES[name]


def test_no_claim_is_without_a_kept_run_but_those_that_need_none():
    assert {name for name in FILES if rebuild.kept_run(name) is None} <= WITHOUT


@pytest.mark.parametrize("name", [name for name in FILES if name not in WITHOUT])
def test_every_claim_of_a_kept_run_comes_out_of_its_records_again(name, results):
    """Nothing that the run says is there beforehand, so all that is there afterwards was computed."""
    rows, said = kept(name), []
    path = results([row | BLANK for row in rows], name)
    assert rebuild.rebuild(said.append) == {"equal": 0, "changed": len(rows), "added": 0, "left": 0}, said
    for row, again in zip(rows, json.loads(path.read_text()), strict=True):
        assert again == row | {end: again[end] for end in ("value", "low", "high")}
        assert all(isclose(again[end], row[end], rel_tol=1e-9) for end in ("value", "low", "high")), row["claim"]


def test_claims_that_come_out_as_they_are_written_are_not_written(results):
    rows, said = kept(), []
    path = results(rows)
    before = path.stat().st_mtime_ns
    assert rebuild.rebuild(said.append) == {"equal": len(rows), "changed": 0, "added": 0, "left": 0} and not said
    assert path.stat().st_mtime_ns == before, "nothing to write"


def test_a_wrong_number_is_put_right_and_said(results):
    rows, said = kept(), []
    path = results([rows[0] | {"value": 9.0, "high": 9.0}, *rows[1:]])
    assert rebuild.rebuild(said.append)["changed"] == 1 and "9 (" in said[0] and " before, " in said[0]
    (now, *others) = json.loads(path.read_text())
    assert rebuild.same(now, rows[0]) and others == rows[1:]


def test_a_lost_claim_comes_back(results):
    first, second, *others = kept()
    path = results(others)
    assert rebuild.rebuild(print)["added"] == 2
    back = {row["claim"]: row for row in json.loads(path.read_text())}
    assert all(rebuild.same(back[row["claim"]], row) and back[row["claim"]].keys() == row.keys()
               for row in (first, second))


def test_a_claim_without_a_kept_run_is_left_and_named(results, tmp_path):
    rows, said = kept(), []
    results([rows[0] | {"claim": "ablations.of_a_network_that_is_gone"}, *rows])
    assert rebuild.rebuild(said.append)["left"] == 1 and "does not yield ablations.of_a_network_that_is_gone" in said[0]
    assert rebuild.rebuild(said.append, kept=tmp_path
                           / "none")["left"] == len(rows) + 1 and "no run is kept" in said[-1]


def test_the_kept_run_is_not_written_to(results, tmp_path):
    unpack(Store(ROOT / "studies" / "ablations" / "kept.zip"), tmp_path / "kept" / "ablations" / "kept")
    every = {path: path.read_bytes() for path in (tmp_path / "kept").rglob("*") if path.is_file()}
    results(kept())
    assert rebuild.rebuild(print, kept=tmp_path / "kept")["equal"] == len(kept())
    assert every == {path: path.read_bytes() for path in (tmp_path / "kept").rglob("*") if path.is_file()}


def test_a_study_that_computes_beside_its_run_has_a_copy_of_the_zip(results, tmp_path, monkeypatch):
    run = ROOT / "studies" / "ablations" / "kept.zip"
    before, plain, rows, seen = run.read_bytes(), ablations.claims, kept(), []

    def claiming(store, command):
        seen.append(store.folder.suffix)
        (store.work() / "beside").write_text("")
        return plain(store, command)

    monkeypatch.setattr(ablations, "claims", claiming)
    monkeypatch.setattr(rebuild, "load_module", lambda path: ablations)
    results(rows)
    assert rebuild.rebuild(print)["equal"] == len(rows) and seen == [".zip", ""]
    assert run.read_bytes() == before and not list(run.parent.glob("*/"))


# ---- pages that quote claims


@pytest.mark.parametrize(("ends", "said"), [
    ((1.969, 1.856, 2.104), "1.97 (1.86 to 2.10)"), ((-0.0457, -0.0674, -0.0238), "-0.046 (-0.067 to -0.024)"),
    ((12.0, 8.0, 17.0), "12.00 (8.00 to 17.00)"),
    ((1.0, 1.0, 1.0), "1.00 (1.00 to 1.00)"),
])
def test_a_quote_has_the_digits_that_its_interval_leaves(ends, said):
    assert claims.quoted(dict(zip(("value", "low", "high"), ends))) == said


def test_a_page_quotes_numbers_alone_and_takes_no_claim_that_is_not_there():
    row = {"claim": "a.b", "value": 1.0, "low": 1.0, "high": 1.0, "command": "make it", "unit": "x", "n": 1,
           "note": "seen"}
    assert claims.filled("{a.b}; {not a name}, {}", [row]) == "1.00 (1.00 to 1.00); {not a name}, {}"
    assert claims.table([row]).splitlines()[-1] == "| `a.b` | 1 | 1 to 1 | x | 1 | seen |"
    with pytest.raises(ValueError, match="a.c is no claim"):
        claims.filled("{a.c}", [row])


def test_the_findings_are_the_claims_of_now():
    assert claims.filled((ROOT / "studies" / "findings.md").read_text(),
                         claims.read()) == (ROOT / "docs" / "findings.md").read_text(), "run `make findings`"


def test_the_command_fills_a_page_and_refuses_half_a_request(tmp_path, capsys):
    (tmp_path / "in.md").write_text("killed: {mutants.killed_share}")
    assert main(["claims", "--fill", str(tmp_path / "in.md"), "--write", str(tmp_path / "out.md")]) == 0
    assert (tmp_path / "out.md").read_text().startswith("killed: 1.00 (0.8")
    for words in (["--fill", str(tmp_path / "in.md")], ["--fill", str(tmp_path / "gone.md"), "--write",
                                                        str(tmp_path / "out.md")]):
        assert main(["claims", *words]) == 2 and "--fill takes a text that is there" in capsys.readouterr().err


def test_a_page_s_table_is_written_again_in_its_own_order(tmp_path, capsys):
    page, row = tmp_path / "page.md", "| `{}` | 9 | 9 to 9 | an old unit | 1 | |"
    rows = map(row.format, ("resume.kills_survived_share", "mutants.killed_share"))
    page.write_text("\n".join(["above", "<!-- claims -->", *rows, "<!-- /claims -->", "| `judge` | below |"]))
    assert main(["claims", "--refresh", str(page)]) == 0
    named = [line.split("`")[1] for line in page.read_text().splitlines() if line.startswith("| `")]
    assert named == ["resume.kills_survived_share", "mutants.killed_share",
                     "judge"] and "old unit" not in page.read_text()
    page.write_text(page.read_text().replace("mutants.killed", "mutants.gone"))
    before = page.read_text()
    for path, says in ((page, "quotes mutants.gone_share, which is no claim any more"),
                       (tmp_path / "gone.md", "there is no")):
        assert main(["claims", "--refresh", str(path)]) == 2 and says in capsys.readouterr().err
    assert page.read_text() == before
