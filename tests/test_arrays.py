"""An array counts for what its record says and for nothing else: what was cut, zeroed or moved is made again, and never
scored. And one record counts for all readers.
"""

import json
import os
import shutil

import numpy as np
import pytest

from baselines.ancestral import Ancestral
from harness.__main__ import main
from harness.data.exact import Exact
from harness.records.store import Store
from harness.run import runner
from harness.spec import ROOT
from harness.study import Arm, Study, Table
from reports import records
from tests.compared import cell, made, rows, score

DATA = Exact()
STUDY = Study(name="sharded", question="?", data=DATA, nets={"heavy": Table(DATA)}, reference="heavy", metrics=[], n=4,
              batch=2,
              arms=[Arm("ancestral", [Ancestral(2)], {"main": "heavy"})])
RUN = ["run", str(ROOT / "studies" / "smoke"), "--n", "4", "--no-time", "--only", "ancestral", "--out"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished") / "run"
    assert main([*RUN, str(folder)]) == 0
    return folder


def damage(path, how) -> None:
    array = np.load(path)
    one = (np.arange(array.size) == 3).reshape(array.shape)
    np.save(path, {"zeroed": array * 0, "cut": array[:-1], "narrow": array[:, :-1], "other type": array.astype(">f8"),
                   "one number": array + one,
                   "flat": array.reshape(-1), "texts": array.astype("U8")}[how])


@pytest.mark.parametrize("how", ["zeroed", "cut", "narrow", "other type", "one number", "flat", "texts"])
@pytest.mark.parametrize("room", ["samples", "costs", "scores"])
def test_a_damaged_array_is_no_cached_one_and_is_made_again_as_it_was(finished, tmp_path, capsys, room, how):
    if room != "samples" and how == "other type":
        pytest.skip("numbers are the same in either order of bytes")
    shutil.copytree(finished, tmp_path / "run")
    path = sorted((tmp_path / "run" / room).iterdir())[0]
    before = path.read_bytes()
    damage(path, how)
    assert not Store(tmp_path / "run").has(room, path.stem)
    with pytest.raises(ValueError, match="missing or damaged: run the study again"):
        Store(tmp_path / "run").get(room, path.stem)
    if room == "samples":
        capsys.readouterr()
        assert main(["rescore", str(tmp_path / "run"), "--metric",
                     "sample_entropy"]) == 2 and "missing or damaged" in capsys.readouterr().err
    assert main([*RUN, str(tmp_path / "run")]) == 0
    tally = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (tally["done"], tally["scored"]) == ((0, 1) if room == "scores" else (1, 0)) and path.read_bytes() == before


def test_an_array_of_another_cell_is_not_taken_for_its_own(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "run")
    for room in ("samples", "costs", "scores"):
        a, b, *_ = sorted(path for path in (tmp_path / "run" / room).iterdir())
        if a.read_bytes() != b.read_bytes():
            shutil.copy(a, b)
            assert not Store(tmp_path / "run").has(room, b.stem)


def test_a_finished_run_is_answered_at_once_until_a_file_changes_and_then_the_damage_is_found(
    finished, tmp_path, capsys
):
    shutil.copytree(finished, tmp_path / "run")
    for _ in range(2):
        assert main([*RUN, str(tmp_path / "run")]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["cached"]
    path = sorted((tmp_path / "run" / "samples").iterdir())[0]
    damage(path, "zeroed")
    assert (
        main([*RUN, str(tmp_path / "run")]) == 0 and json.loads(capsys.readouterr().out.splitlines()[-1])["done"] == 1
    )


@pytest.mark.parametrize("room", ["shard_samples", "shard_counts"])
@pytest.mark.parametrize("how", ["zeroed", "cut"])
def test_a_damaged_shard_is_counted_again_and_never_united(tmp_path, room, how):
    for k in (1, 2):
        runner.run(STUDY, tmp_path, timing=False, part=runner.Shard(k, 2))
    damage(sorted((tmp_path / room).glob("*.2of2.npy"))[0], how)
    with pytest.raises(ValueError, match="the shard 2/2 is missing"):
        runner.run(STUDY, tmp_path, timing=False)
    assert runner.run(STUDY, tmp_path, timing=False, part=runner.Shard(2, 2))["done"] == 1
    assert runner.run(STUDY, tmp_path, timing=False)["failed"] == 0


def test_a_metric_whose_value_is_not_the_ratio_of_its_sums_has_failed():
    from harness.kinds import Scores
    from harness.run.scoring import scores_of

    class Odd:
        name = "odd"

        def score(self, samples, data):
            return Scores(0.5, np.ones(len(samples)), np.ones(len(samples)))

    (answer,) = scores_of(np.zeros((3, 4), np.uint8), [("k", Odd())], None)
    assert answer.value is None and "is not numerator.sum() / denominator.sum()" in answer.reason


EARLY, LATE, FAR = "2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00", "2099-01-01T00:00:00+00:00"


def lost(record: dict, **changes) -> dict:
    return {k: v for k, v in record.items()
            if k not in ("cost", "samples_sha256")} | {"status": "failed", "reason": "node went down"} | changes


def test_under_clock_skew_run_and_report_take_the_same_record(tmp_path):
    """A clock that ran ahead wrote a failure of 2099, the next line says done: the last line counts, for both."""
    good = cell()
    folder = made(tmp_path / "run", lost(good, time=FAR), good | {"time": EARLY}, *[score(good, rows(), time=EARLY)])
    store = Store(folder)
    assert store.latest("counted", "key")[(good["key"],)]["status"] == "done"
    (seen,) = records.read([folder]).cells
    assert seen.record["status"] == "done" and list(seen.scored) == ["judge"]


def test_files_of_several_writers_are_merged_by_time_and_lines_keep_their_order(tmp_path):
    """Writer a's clock ran ahead for one line; writer b wrote after a's last line."""
    def write(name: str, *lines: tuple[str, str]) -> None:
        text = "".join(json.dumps({"schema": 1, "type": "note", "text": word, "time": time}) + "\n" for word,
                       time in lines)
        (tmp_path / f"records.{name}.jsonl").write_text(text)

    write("a", ("a1", EARLY), ("a2", FAR), ("a3", "2026-01-01T08:00:00+00:00"))
    write("b", ("b1", "2026-01-01T04:00:00+00:00"), ("b2", LATE))
    assert [r["text"] for r in Store(tmp_path).records] == ["a1", "b1", "a2", "a3", "b2"]
    os.rename(tmp_path / "records.b.jsonl", tmp_path / "records.0.jsonl")
    assert [r["text"]
            for r in Store(tmp_path).records] == ["a1", "b1", "a2", "a3", "b2"], "the names of files decide nothing"
