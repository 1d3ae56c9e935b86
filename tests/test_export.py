"""A run as a table: cells and rows, as the store has them, in CSV and, where it is installed, Parquet."""

import json

import numpy as np
import pandas as pd
import pytest

from harness.__main__ import main
from harness.records.pack import pack
from harness.records.store import Store
from tests.compared import cell, failed, made, rows, score, times

SAMPLER = {"name": "ssmd", "version": 1, "window": {"name": "cosine", "delta": 0.25}, "schedule": [1, 2]}


@pytest.fixture
def run(tmp_path):
    first, second = cell(steps=8), cell(steps=16)
    odd = failed(second) | {"key": "o" * 24, "cell": second["cell"] | {"sampler": SAMPLER}}
    again = second | {"samples_sha256": "6" * 64}    # drawn anew, and not scored since
    judged = score(first, rows())
    folder = made(tmp_path / "run", first, judged, score(second, rows(1)), second, score(second, rows(1)), again, odd,
                  times(first, [2.0, 4.0]))
    Store(folder).put("costs", first["key"], np.tile([8.5, 8.0, 7.75], (64, 1)))
    return folder


def test_cells_are_rows_with_settings_costs_and_scores(run, tmp_path, capsys):
    assert main(["export", str(run), str(tmp_path / "cells.csv")]) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    table = pd.read_csv(tmp_path / "cells.csv")
    first, second, odd = (row for _, row in table.iterrows())
    assert said["rows"] == len(table) == 3 and list(table.columns[:3]) == ["key", "study", "arm"]
    assert (first["sampler.steps"], first["n"], first["cost.nfe_a"], first["cost.gflop"]) == (8, 64, 8.5, 3.25)
    assert first["score.judge"] == pytest.approx(rows().mean()) and np.isnan(second["score.judge"])
    assert first["seconds"] == 3 / 32 and first["seconds.machine"] == "m0" and np.isnan(second["seconds"])
    assert (odd["status"], odd["sampler.window.delta"], odd["sampler.schedule"]) == ("failed", 0.25, "[1, 2]")


def test_rows_are_rows_whose_sums_make_up_the_values_and_a_zip_says_the_same(run, tmp_path, capsys):
    pack(Store(run), tmp_path / "run.zip")
    for source in (run, tmp_path / "run.zip"):
        assert main(["export", str(source), str(tmp_path / f"{source.suffix}rows.csv"), "--rows"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["missing"] == 1, "costs of the second cell"
    assert (tmp_path / "rows.csv").read_bytes() == (tmp_path / ".ziprows.csv").read_bytes()
    table = pd.read_csv(tmp_path / "rows.csv")
    first = table[table.key == cell(steps=8)["key"]]
    assert len(table) == 128 and list(first.row) == list(range(64)) and set(first["cost.nfe_c"]) == {7.75}
    assert (first["score.judge.numerator"].to_numpy() == rows()).all()
    assert first["score.judge.numerator"].sum() / first["score.judge.denominator"].sum() == pytest.approx(rows().mean())


def test_parquet_holds_the_same_table(run, tmp_path):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install ssmd-bench[parquet]")
    for words in ([], ["--rows"]):
        for name in ("t.csv", "t.parquet"):
            assert main(["export", str(run), str(tmp_path / name), *words]) == 0
        back = pd.read_parquet(tmp_path / "t.parquet")
        back.to_csv(tmp_path / "back.csv", index=False)
        assert (tmp_path / "back.csv").read_text() == (tmp_path / "t.csv").read_text()


def test_what_cannot_be_exported_is_one_sentence(run, tmp_path, capsys, monkeypatch):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "records.jsonl").write_text("")

    def absent(*words, **more):
        raise ImportError("pyarrow")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", absent)
    for words, says in ((["RUN", "x.xlsx"], "end its name in .csv or .parquet"),
                        (["RUN", "x.parquet"], "pip install 'ssmd-bench[parquet]'"),
                        (["RUN", "none/x.csv"], "cannot be written (No such"),
                        (["none", "x.csv"], "is not a run folder"),
                        (["EMPTY", "x.csv"], "has no cell"), (["EMPTY", "x.csv", "--rows"], "has no finished cell")):
        named = [word.replace("RUN", str(run)).replace("EMPTY", str(tmp_path / "empty")) for word in words]
        assert main(["export", named[0], str(tmp_path / named[1]), *named[2:]]) == 2
        said = capsys.readouterr().err
        assert says in said and said.count("\n") == 1
    assert not list(tmp_path.glob("x.*"))
