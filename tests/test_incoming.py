"""Every file that comes in meets one boundary: a value of the declared type, or one sentence with place, field and
remedy; never a traceback.
"""

import json
from typing import Annotated

import pytest
from msgspec import Meta, Struct
from msgspec.structs import fields

from harness.__main__ import main
from harness.boundary.incoming import DEPTH, Size, Wrong, decode, parsed, read
from harness.claims.rebuild import kept_runs
from harness.records.record import SCHEMA, whole
from harness.records.store import Store
from harness.records.types import KINDS
from harness.spec import ROOT
from tests.compared import by, cell, made, rows, score, times

PROOF = {"type": "proof", "key": "k", "of": "5" * 64, "verdict": "proven", "rows": 16, "seen": ["costs"], "reason": "",
         "machine": "m0", "made": by()}


class Part(Struct):
    n: Size
    names: dict[str, str] = {}


class File(Struct):
    part: Part
    share: Annotated[float, Meta(ge=0, le=1)] = 0.0


HOSTILE = {
    "nested deep": b"[" * 100_000, "nested deep in an object": b'{"part":' * 100_000, "nested deep and whole": b"["
    * 5000 + b"]" * 5000,
    "half a character": b'{"part": {"n": 1, "names": {"a": "\\ud800"}}}', "a huge integer": b'{"part": {"n": ' + b"9"
    * 5000 + b"}}",
    "a long integer": b'{"part": {"n": ' + b"9" * 40 + b"}}", "no number": b'{"part": {"n": 1}, "share": NaN}',
    "infinity": b'{"part": {"n": 1}, "share": 1e999}',
    "a negative size": b'{"part": {"n": -1}}', "nothing": b"", "noise": b"\x00\xff", "another type": b'{"part": []}',
    "a boolean": b'{"part": {"n": true}}',
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_bytes_are_one_sentence_with_place_and_remedy(case):
    with pytest.raises(ValueError, match=r"^FILE line 3: .*: write it again$") as told:
        decode(HOSTILE[case], File, "FILE line 3", "write it again")
    assert "\n" not in str(told.value)


def test_a_missing_and_a_wrong_field_are_named_with_their_path():
    for text, says in ((b"{}", "the field `part` is missing"), (b'{"part": {}}', "the field `part.n` is missing"),
                       (b'{"part": {"n": 0}}', "the field `part.n` is wrong"),
                       (b'{"part": {"n": 1}, "share": 2}', "the field `share` is wrong (expected float <= 1.0)")):
        with pytest.raises(ValueError) as told:
            decode(text, File, "F", "do")
        assert says in str(told.value)
    assert decode(b'{"part": {"n": 3}, "more": 1}', File, "F", "do") == File(Part(3))


def test_what_is_nested_as_deep_as_allowed_is_read():
    assert parsed(b"[" * DEPTH + b"]" * DEPTH)
    with pytest.raises(Wrong, match="nested deeper"):
        parsed(b"[" * (DEPTH + 1) + b"]" * (DEPTH + 1))


def test_a_file_that_is_not_there_or_too_large_is_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="cannot be read .No such file.*: make it"):
        read(tmp_path / "none.json", File, "make it")
    with open(tmp_path / "large.json", "wb") as file:
        file.truncate(2**28 + 1)
    with pytest.raises(ValueError, match="larger than 256 MiB"):
        read(tmp_path / "large.json", File, "make it")


def every_kind() -> list[dict]:
    """A whole record of each type, out of the kept runs."""
    found: dict[str, dict] = {"timed": times(cell(), [1.0])[0], "proof": PROOF}
    for run in kept_runs() if found.keys() < KINDS.keys() else ():
        for record in Store(run).records:
            found.setdefault(record["type"], record)
    assert found.keys() == KINDS.keys()
    return list(found.values())


def test_every_record_of_a_kept_run_is_whole():
    for run in kept_runs():
        store = Store(run, strict=True)
        assert store.records and not store.torn + store.newer and all(whole(record) == record and record["schema"]
                                                                      == SCHEMA for record in store.records)


@pytest.mark.parametrize("record", every_kind(), ids=lambda record: record["type"])
def test_a_record_without_one_of_its_fields_or_with_another_type_in_it_is_told_by_the_field(record):
    for f in fields(KINDS[record["type"]]):
        changes = [record | {f.name: [[[]]]}] + [{k: v for k, v in record.items() if k != f.name}] * f.required
        for broken in changes if f.name != "type" else ():
            with pytest.raises(Wrong, match=f"the field `{f.name}"):
                whole(broken)


LINES = ['{"type":"counted","key":"k","status":"done"}', '{"type":"scored","key":"k"}', '{"schema":0}',
         '{"schema":true,"type":"note"}', '{"type":"network"}', '{"type":"shard"}',
         '{"type":"timed"}', '{"type":"counted","key":[1]}', '{"type":7}', "{}", '{"type":"study"}',
         '{"type":"machine"}', '{"type":"measured"}',
         '{"schema":2,"type":"counted","key":"k","status":"done"}', '{"schema":2,"type":"proof"}',
         *(json.dumps({"schema": SCHEMA} | record) for record in (
cell(key="../../x"), cell(status="fine"), {k: v for k, v in cell().items() if k != "cost"},
cell() | {"cell": cell()["cell"] | {"n": -1}}))]


@pytest.mark.parametrize("line", LINES)
def test_a_line_that_is_no_whole_record_is_left_out_and_named_and_blocks_no_other(tmp_path, capsys, line):
    folder = made(tmp_path / "run", cell(), score(cell(), rows()))
    with (folder / "records.jsonl").open("a") as file:
        file.write(line + "\n" + json.dumps({"schema": SCHEMA} | cell(16)) + "\n")
    store = Store(folder)
    assert len(store.records) == 3 and len(store.broken) == 1 and store.torn == 0
    assert store.broken[0].startswith("records.jsonl line 3: the field `")
    told = capsys.readouterr().err
    assert told.startswith("1 line of ") and "(line 3: the field `" in told and told.count("\n") == 1
    Store(folder)
    assert capsys.readouterr().err == "", "it is said once"


def test_every_command_reads_a_store_with_such_lines_and_the_run_computes_what_is_missing(tmp_path, capsys):
    run = ["run", str(ROOT / "studies" / "smoke"), "--n", "4", "--no-time", "--only", "ancestral", "--out",
           str(tmp_path / "run")]
    assert main(run) == 0
    first = json.loads(capsys.readouterr().out.splitlines()[-1])
    path = tmp_path / "run" / "records.jsonl"
    lines = path.read_text().splitlines()
    k = next(k for k, line in enumerate(lines) if json.loads(line)["type"] == "counted")
    lines[k] = json.dumps({name: v for name, v in json.loads(lines[k]).items() if name != "cell"})
    path.write_text("\n".join([*lines, *LINES, "[" * 100_000, '{"type": "\\ud800"}', '{"n": NaN}']) + "\n")
    assert main(run) == 0
    again, told = json.loads(capsys.readouterr().out.splitlines()[-1]), capsys.readouterr().err
    assert again["done"] == 1 and again["cached"] == first["done"] - 1 and "Traceback" not in told
    for words in (["rescore", str(tmp_path / "run"), "--metric", "sample_entropy"],
                  ["report", str(tmp_path / "run"), "--out", str(tmp_path / "page")]):
        assert main(words) == 0
    capsys.readouterr()
    assert main(["compare", str(tmp_path / "run"),
                 str(tmp_path / "run")]) == 2, "a gate on what is left could pass by accident"
    assert "remove that line" in capsys.readouterr().err


def test_a_record_that_could_not_be_read_back_is_not_written(tmp_path):
    store = Store(tmp_path)
    for record, says in (({"type": "counted", "key": "k"}, r"a counted record cannot be stored .the field `"),
                         (score(cell(), rows(), unit=None)[0], "the field `unit` is wrong"),
                         ({"x": 1}, "the field `type` is missing"),
                         ({"type": "note", "x": object()}, "not JSON serializable"),
                         ({"type": "note", "x": float("nan")}, "not JSON compliant"),
                         (None, "NoneType is no record")):
        with pytest.raises(ValueError, match=says):
            store.append(record)
    assert not store.path.exists()
    store.append(cell(status="failed", reason="half a character \ud800"))
    assert Store(tmp_path).records[0]["reason"] == "half a character ?"


def test_settings_without_a_name_are_no_settings():
    for sampler in ({"name": [1]}, {"name": "x", "window": {}},
                    {"name": "x", "window": {"name": "y", "inner": {"name": None}}}):
        with pytest.raises(Wrong, match="the field `cell.sampler.*name` is missing"):
            whole(cell() | {"cell": cell()["cell"] | {"sampler": sampler}})
