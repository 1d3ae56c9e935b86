"""Shards: what many hosts count apart is, united, what one would have counted; and nothing missing goes unsaid."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from baselines.ancestral import Ancestral
from baselines.scheduled import Scheduled
from harness.__main__ import main
from harness.data.control import HeldOut, Shuffled
from harness.data.exact import Exact
from harness.metrics.distinct import Distinct
from harness.metrics.exact_nll import ExactNll
from harness.records import provenance
from harness.records.store import Store
from harness.run import runner
from harness.run.shard import WHOLE, Shard, parse
from harness.schedules.window import Fixed
from harness.spec import ROOT
from harness.study import Arm, Study, Table, Timing, grid
from ssmd.sampler import SelfSpeculative

DATA = Exact()
NETS = {"heavy": Table(DATA), "light": Table(DATA, power=0.5)}
DEVICE = {"gflop", "executed_over_needed"}    # what the device did, in batches of its own


def study(*arms: Arm, **changes) -> Study:
    arms = arms or (
        Arm("ancestral", grid(Ancestral, steps=[1, 4]), {"main": "heavy"}),
        Arm("ssmd", [SelfSpeculative(Fixed(2), 2)], {"main": "heavy"}),
        Arm("held_out", [HeldOut()]),
        Arm("shuffled", [Shuffled()]),
    )
    return Study(**{"name": "toy", "question": "?", "data": DATA, "nets": NETS, "arms": arms, "reference": "heavy",
                    "metrics": [ExactNll(), Distinct("chars")], "n": 31, "batch": 8}
                 | changes)


def went(tally: dict, **expected: int) -> bool:
    return {k: v for k, v in tally.items() if v} == expected


def arrays(folder, room: str) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in (folder / room).iterdir()}


@pytest.mark.parametrize("of", [2, 3])
def test_united_shards_equal_the_run_that_was_not_cut(tmp_path, of):
    one, cut = tmp_path / "one", tmp_path / "cut"
    runner.run(study(), one)
    for k in range(of, 0, -1):
        assert went(runner.run(study(), cut, part=Shard(k, of)), done=5)
        assert [r["type"] for r in Store(cut).records if r["type"] in ("counted", "scored")] == []
    assert sorted(p.name for p in cut.glob("*.jsonl")) == [f"records.{k}of{of}.jsonl" for k in range(1, of + 1)]
    assert went(runner.run(study(), cut), done=5, scored=10)
    for room in ("samples", "costs", "rows", "counts", "scores"):
        assert arrays(one, room) == arrays(cut, room) and len(arrays(one, room)) >= 5
    a, b = (Store(folder).latest("counted", "key") for folder in (one, cut))
    assert a.keys() == b.keys() and len(a) == 5
    for key, record in a.items():
        other = b[key]
        assert all(record[k] == other[k] for k in ("arm", "control", "cell", "made", "inert", "samples_sha256"))
        assert {k: v for k, v in record["cost"].items()
                if k not in DEVICE} == {k: v for k, v in other["cost"].items() if k not in DEVICE}
        assert other["cost"]["gflop"] >= 0.5 * record["cost"]["gflop"] and other["shards"].keys() == {
            f"{k}/{of}" for k in range(1, of + 1)
        }
    values = [{r["score_key"]: r["value"] for r in Store(folder).of("scored")} for folder in (one, cut)]
    assert values[0] == values[1] and len(values[0]) == 10
    assert went(runner.run(study(), cut), cached=5)


def test_rows_of_all_shards_are_each_row_once():
    for n in (1, 7, 31, 64):
        for of in range(1, n + 1):
            parts = [range(*Shard(k, of).rows(n)) for k in range(1, of + 1)]
            assert [row for part in parts
                    for row in part] == list(range(n)) and {len(part) for part in parts} <= {n // of, n // of + 1}


def test_a_shard_writes_its_own_file_and_no_other(tmp_path):
    runner.run(study(), tmp_path, part=Shard(1, 2))
    before = (tmp_path / "records.1of2.jsonl").read_bytes()
    runner.run(study(), tmp_path, part=Shard(2, 2))
    assert (tmp_path / "records.1of2.jsonl").read_bytes() == before and not (tmp_path / "records.jsonl").exists()
    assert went(runner.run(study(), tmp_path, part=Shard(2, 2)), cached=5)


def test_missing_shards_are_said_in_one_sentence(tmp_path):
    runner.run(study(), tmp_path, part=Shard(2, 3))
    with pytest.raises(ValueError,
                       match="the shards 1/3, 3/3 are missing or of other code for 5 of 5 cells: run this command "
                             "with --shard 1/3 and so on"):
        runner.run(study(), tmp_path)
    runner.run(study(), tmp_path, part=Shard(3, 3))
    with pytest.raises(ValueError, match="the shard 1/3 is missing .* --shard 1/3, or choose another --out"):
        runner.run(study(), tmp_path)
    assert not Store(tmp_path).of("counted")
    runner.run(study(), tmp_path, part=Shard(1, 3))
    next((tmp_path / "shard_counts").glob("*.2of3.npy")).unlink()
    with pytest.raises(ValueError, match="the shard 2/3 is missing .* for 1 of 5 cells"):
        runner.run(study(), tmp_path)
    assert went(runner.run(study(), tmp_path, part=Shard(2, 3)), cached=4, done=1)
    assert went(runner.run(study(), tmp_path), done=5, scored=10)


def test_shards_of_other_code_are_not_united(tmp_path, monkeypatch):
    for k in (1, 2):
        runner.run(study(), tmp_path, part=Shard(k, 2))
    monkeypatch.setattr(provenance, "tree", lambda: "other")
    runner.run(study(), tmp_path, part=Shard(1, 2))
    with pytest.raises(ValueError, match="the shard 2/2 is missing or of other code"):
        runner.run(study(), tmp_path)
    assert went(runner.run(study(), tmp_path, part=Shard(2, 2)), done=5)
    assert went(runner.run(study(), tmp_path), done=5, scored=10)
    assert {r["made"]["tree"] for r in Store(tmp_path).of("counted")} == {"other"}


@dataclass(frozen=True)
class FailsLate:
    """Breaks at row 20."""

    name: ClassVar[str] = "fails_late"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)
    broken: ClassVar[bool] = True

    def exact(self):
        return None

    def step(self, nets, rows):
        if self.broken and bool((rows.id >= 20).any()):
            raise IndexError("no such place")
        return rows._replace(x=rows.x.clamp_max(2))


def test_a_shard_that_fails_is_a_failed_record_until_it_is_run_again(tmp_path, monkeypatch):
    toy = study(Arm("late", [FailsLate()], {"main": "heavy"}), Arm("scheduled", [Scheduled(Ancestral(2))],
                                                                   {"main": "heavy"}))
    assert went(runner.run(toy, tmp_path, part=Shard(1, 2)), done=1, skipped=1)
    assert went(runner.run(toy, tmp_path, part=Shard(2, 2)), failed=1, skipped=1)
    assert went(runner.run(toy, tmp_path), failed=1, skipped=1)
    assert Store(tmp_path).of("counted")[0]["reason"] == "shard 2/2: IndexError: no such place"
    monkeypatch.setattr(FailsLate, "broken", False)
    assert went(runner.run(toy, tmp_path, part=Shard(2, 2)), done=1, skipped=1)
    assert went(runner.run(toy, tmp_path), done=1, skipped=1, scored=2)


def test_shards_may_be_counted_side_by_side_and_are_timed_once_united(tmp_path):
    toy = study(timing=Timing(processes=1, rows=4, repeats=1))
    assert went(runner.run(toy, tmp_path / "a", part=Shard(1, 2), jobs=2), done=5)
    runner.run(toy, tmp_path / "b", part=Shard(1, 2))
    assert arrays(tmp_path / "a", "shard_samples") == arrays(tmp_path / "b", "shard_samples") and arrays(
        tmp_path / "a", "shard_counts"
    ) == arrays(tmp_path / "b", "shard_counts")
    runner.run(toy, tmp_path / "a", part=Shard(2, 2))
    assert went(runner.run(toy, tmp_path / "a"), done=5, scored=10, timed=3)
    assert all(r["same_output"] for r in Store(tmp_path / "a").of("timed"))


def test_an_unfinished_cut_may_be_left_for_another(tmp_path):
    runner.run(study(), tmp_path, part=Shard(1, 3))
    for k in (1, 2):
        runner.run(study(), tmp_path, part=Shard(k, 2))
    assert went(runner.run(study(), tmp_path), done=5, scored=10)


@pytest.mark.parametrize("text", ["", "2", "0/2", "3/2", "a/b", "1/2/3", "-1/2", "1/0"])
def test_a_wrong_shard_is_refused(text):
    with pytest.raises(ValueError, match="must read K/N"):
        parse(text)


def test_shards_on_the_command_line(tmp_path, capsys):
    words = ["run", str(ROOT / "studies" / "smoke"), "--out", str(tmp_path / "run"), "--n", "6", "--no-time"]
    assert parse("2/3") == Shard(2, 3) and str(Shard(2, 3)) == "2/3" and parse("1/1") == WHOLE
    refused = {"--shard 7/7": "6 rows cannot be cut into 7 shards", "--shard 2": "must read K/N",
               "--shard 1/2 --report x": "unite the shards first"}
    for extra, says in ((text.split(), says) for text, says in refused.items()):
        assert main([*words, *extra]) == 2 and says in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    assert main([*words, "--shard", "1/2"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["shard"] == "1/2"
    assert main(words) == 2 and "the shard 2/2 is missing" in capsys.readouterr().err


def test_rescoring_shards_that_are_not_united_says_what_to_do(tmp_path, capsys, monkeypatch):
    words = ["run", str(ROOT / "studies" / "smoke"), "--out", str(tmp_path / "run"), "--n", "6", "--no-time",
             "--only", "ancestral"]
    for part in ("1/2", "2/2"):
        monkeypatch.setattr(sys, "argv", ["ssmd-bench", *words, "--shard", part])
        assert main([*words, "--shard", part]) == 0
    capsys.readouterr()
    assert main(["rescore", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert (
        "4 cells" in said
        and f"unite them with `{shlex.join(['ssmd-bench', 'run', 'studies/smoke', *words[2:]])}`" in said
        and said.count("\n") == 1
        and "--shard" not in said
    )
    assert main(words) == 0    # unites
    capsys.readouterr()
    assert main(["rescore", str(tmp_path / "run")]) == 0 and "not united" not in capsys.readouterr().out
    assert main([*words, "--n", "8", "--shard", "1/2"]) == 0    # others of another size
    capsys.readouterr()
    assert main(["rescore", str(tmp_path / "run"), "--metric", "distinct", "--set", "kind=chars", "--set",
                 "order=3"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("4 cells of") and json.loads(out[-1])["scored"] == 4


SLOW = """
from baselines.ancestral import Ancestral
from harness.data.exact import Exact
from harness.study import Arm, Study, Table, grid

DATA = Exact()
STUDY = Study(name="slow", question="?", data=DATA, nets={"heavy": Table(DATA)},
              reference="heavy", metrics=[], n=2048, batch=64,
              arms=[Arm("ancestral", grid(Ancestral, steps=list(range(1, 9))), {"main": "heavy"})])
"""


def test_a_killed_shard_resumes_to_the_same_rows(tmp_path):
    (tmp_path / "slow.py").write_text(SLOW)
    environment = os.environ | {"OMP_NUM_THREADS": "1"}

    def start(folder: str, part: str) -> subprocess.Popen:
        return subprocess.Popen([sys.executable, "-m", "harness", "run", str(tmp_path / "slow.py"), "--out",
                                 str(tmp_path / folder), "--shard", part], cwd=ROOT, env=environment,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    victim, records = start("killed", "2/2"), tmp_path / "killed" / "records.2of2.jsonl"
    while victim.poll() is None and (not records.exists() or b'"type":"shard"' not in records.read_bytes()):
        time.sleep(0.005)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    begun = sum(r["type"] == "shard" for r in Store(tmp_path / "killed").records)
    assert 1 <= begun < 8, "the shard was over before it was killed: make it slower"
    assert start("killed", "2/2").wait() == 0 and start("whole", "2/2").wait() == 0
    assert arrays(tmp_path / "killed", "shard_samples") == arrays(tmp_path / "whole", "shard_samples")
    assert arrays(tmp_path / "killed", "shard_counts") == arrays(tmp_path / "whole", "shard_counts")
    keys = [r["key"] for r in Store(tmp_path / "killed").of("shard")]
    assert len(keys) == len(set(keys)) == 8 and np.load(
        next((tmp_path / "killed" / "shard_samples").iterdir())
    ).shape == (1024, 4)
