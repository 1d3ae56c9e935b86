"""Damaged runs and expectations: refused or reported in one sentence, and nothing is changed."""


import json
from pathlib import Path

import pytest

from harness.__main__ import main
from harness.checks.side import expectations
from harness.records.record import SCHEMA
from tests.compared import COST, called, cell, failed, made, refused, rows, score, times, whole


def test_a_truncated_store_loses_the_torn_cell_and_says_so(tmp_path, capsys):
    base = made(tmp_path / "base", cell(8), cell(16))
    new = made(tmp_path / "new", cell(8), cell(16))
    path = new / "records.jsonl"
    path.write_bytes(path.read_bytes()[:-100])
    code, document, out = called(capsys, base, new)
    assert code == 0 and document["compared"] == 1 and document["only_base"] == 1 and ("torn lines in NEW, skipped: "
                                                                                       "1; a writer was killed") in out


@pytest.mark.parametrize("change", [
    {"key": 3}, {"cost": {}}, {"cost": COST | {"gflop": None}}, {"cost": COST | {"nfe_a": -1.0}},
    {"cost": COST | {"calls": {"main.draft": "many"}}},
    {"status": "fine"}, {"cell": {}}, {"cell": {"sampler": {"name": "x", "window": {}}}}, {"samples_sha256": None},
    {"arm": None},
])
def test_records_that_are_not_whole_are_refused_on_either_side(tmp_path, capsys, change):
    good, bad = made(tmp_path / "good", cell()), made(tmp_path / "bad", cell() | change)
    refused(capsys, ["compare", good, bad], "records.jsonl line 1: the field `")
    refused(capsys, ["compare", bad / "records.jsonl", good],
            "records.jsonl line 1 is not a counted record (the field `")


@pytest.mark.parametrize("record", [
    score(cell(), rows(), label=None)[0], score(cell(), rows(), value="high")[0], *times(cell(), [1.0], seconds=["x"]),
    *times(cell(), [1.0], process=None),
])
def test_scores_and_times_that_are_not_whole_are_refused(tmp_path, capsys, record):
    base = made(tmp_path / "base", cell(), record)
    refused(capsys, ["compare", base, base], "records.jsonl line 2: the field `")


def line(record: dict) -> str:
    return json.dumps({"schema": SCHEMA} | record)


@pytest.mark.parametrize(("text", "says"), [
    ("<<<<<<< HEAD\n", "line 3: it is not valid JSON"), ('{"type": "counted"', "line 3: it is not valid JSON"),
    ("[1]", "line 3 is not a counted record"),
    (line(score(cell(), rows())[0]), "line 3 is not a counted record"), (line(cell(8)), "line 3 repeats the key"),
    (json.dumps(cell(64) | {"schema": SCHEMA + 1}), "line 3 was written by a newer version"),
    ("[" * 100_000, "line 3: it is nested deeper than 100 levels"),
    ("\udcff", "line 3: it is not valid JSON"),
])
def test_corrupt_expectations_are_refused(tmp_path, capsys, text, says):
    path = tmp_path / "counts.jsonl"
    path.write_bytes((line(cell(8)) + "\n" + line(cell(16)) + "\n").encode() + text.encode("utf-8", "surrogateescape"))
    base = made(tmp_path / "base", cell(8))
    refused(capsys, ["compare", path, base], f"counts.jsonl {says}")


def test_what_is_no_run_is_refused(tmp_path, capsys):
    base = made(tmp_path / "base", cell())
    (tmp_path / "empty").mkdir()
    for other in ("nowhere", "empty", "counts.jsonl"):
        refused(capsys, ["compare", base, tmp_path / other], "is not a run folder")
        assert other == "empty" or not (tmp_path / other).exists()
    refused(capsys, ["compare", base, base, "--rules", tmp_path / "nowhere.toml"], "cannot be used (No such file")
    refused(capsys, ["compare", base, base, "--junit", tmp_path / "nowhere" / "gate.xml"],
            "cannot be used (No such file")


LOG = "# Changelog\n\n## Unreleased\n\n- First.\n\n## 0.1\n\n- Old.\n"


def kept(capsys, tmp_path: Path, run: Path) -> dict:
    assert main(["expect", str(run), "--write", str(tmp_path / "gate" / "counts.jsonl"), "--changelog",
                 str(tmp_path / "LOG.md")]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_expectations_hold_the_counts_of_a_run_and_the_log_says_what_changed(tmp_path, capsys):
    (tmp_path / "LOG.md").write_text(LOG)
    path = tmp_path / "gate" / "counts.jsonl"
    first = kept(capsys, tmp_path, made(tmp_path / "run", cell(8), cell(16), cell(32), score(cell(8), rows())))
    assert (first["cells"], first["changed"], first["new"],
            first["gone"]) == (3, 0, 3, 0) and f"- `{path}`: new, 3 cells." in (tmp_path / "LOG.md").read_text()
    assert called(capsys, path, tmp_path / "run")[:2][0] == 0 and expectations(path).counted.keys() == {
        cell(steps)["key"] for steps in (8, 16, 32)
    }
    before, log = path.read_bytes(), (tmp_path / "LOG.md").read_text()
    # the same counts, in another order
    made(tmp_path / "run", cell(32), cell(16, cost={"revealed": [[1]]}, seconds=3.0), cell(8))
    assert (
        kept(capsys, tmp_path, tmp_path / "run")["changelog"] == ""
        and path.read_bytes() == before
        and (tmp_path / "LOG.md").read_text() == log
    )
    made(tmp_path / "run", cell(8, cost={"nfe_a": 7.5, "calls": {"main.draft": 7.0, "main.verify": 12.5}}),
         cell(16, net="b", cost={"tokens": 4096}), cell(64))
    code, _, out = called(capsys, path, tmp_path / "run")
    assert code == 1 and "nfe_a 8.5 before, 7.5 now" in out and "NEW has it with other networks or data" in out
    assert {k: v for k, v in kept(capsys, tmp_path, tmp_path / "run").items()
            if k in ("cells", "changed", "new", "gone")} == {"cells": 3, "changed": 2, "new": 1, "gone": 1}
    text = (tmp_path / "LOG.md").read_text()
    assert (
        text.startswith(log.partition("\n\n## 0.1")[0])
        and text.endswith("\n\n## 0.1\n\n- Old.\n")
        and max(map(len, text.splitlines())) <= 180
    )
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
        assert code == 0 and document["totals"] == {"counts": {"equal": 3}, "quality": {},
                                                    "time": {}} and "the quality tier was left out" in out


@pytest.mark.parametrize(("records", "log", "old", "says"), [
    ([cell(8), failed(cell(16))], LOG, None, "1 cells of"), ([failed(cell(16), "skipped")], LOG, None,
                                                             "has no finished cell"),
    ([cell(8)], "# Changelog\n", None, "has no '## Unreleased'"),
    ([cell(8)], LOG, "torn", "line 1: it is not valid JSON"),
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
