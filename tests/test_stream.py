"""Rows are sampled and stored a stretch at a time: the same samples, costs and hash as in one piece, nothing
half-written, and memory that does not grow with them.
"""

import io
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from baselines.ancestral import Ancestral
from harness.data.control import Shuffled
from harness.data.exact import Exact
from harness.records.store import Store
from harness.run import count, runner
from harness.run.cell import cells_of
from harness.run.shard import Shard
from harness.schedules.window import Fixed
from harness.spec import ROOT
from harness.study import Arm, Study, Table
from ssmd.sampler import SelfSpeculative

DATA = Exact()
DEVICE = {"gflop", "executed_over_needed"}    # what the device did, in batches that end with a stretch
GROWTH_MIB = 8.0    # of 20,000 rows more, measured 3: their costs and counts; in one piece it was 86
# What is freed goes back to the system, so that the high-water mark is that of what lives, and not of the heap's holes.
HONEST_HEAP = {"MALLOC_MMAP_THRESHOLD_": "65536"}
LARGE = """
import sys

from baselines.ancestral import Ancestral
from harness.run import count, runner
from harness.run.clock import peak
from harness.data.zipf import Zipf
from harness.nets.iid import Known
from harness.study import Arm, Study

DATA = Zipf(27, 64)

def study(n):
    return Study(name="large", question="?", data=DATA, nets={"main": Known(DATA)},
                 reference="main", arms=[Arm("a", [Ancestral(1)])], metrics=[], n=n, batch=1024)

count.STRETCH = 2048
runner.run(study(2048), sys.argv[1])
before, _ = peak(lambda: None)
after, tally = peak(lambda: runner.run(study(int(sys.argv[2])), sys.argv[1]))
assert tally["done"] == 1, tally
print(after - before)
"""


def study(**changes) -> Study:
    arms = (Arm("ancestral", [Ancestral(3)]), Arm("ssmd", [SelfSpeculative(Fixed(2), 2)]),
            Arm("shuffled", [Shuffled()]))
    return Study(**{"name": "toy", "question": "?", "data": DATA, "nets": {"main": Table(DATA)}, "arms": arms,
                    "reference": "main", "metrics": [], "n": 53, "batch": 4} | changes)


def arrays(folder) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.glob("*/*")}


def told(folder) -> list[dict]:
    """The counted records without when and how long, and without what the device executed."""
    kept = [{k: v for k, v in r.items() if k not in ("time", "seconds")} for r in Store(folder).of("counted")]
    return [r | {"cost": {k: v for k, v in r["cost"].items() if k not in DEVICE}} for r in kept]


@pytest.mark.parametrize("prompt", [0.0, 0.5])
@pytest.mark.parametrize("stretch", [1, 7, 53])
def test_a_cell_in_stretches_is_the_cell_in_one_piece(tmp_path, monkeypatch, stretch, prompt):
    runner.run(study(prompt=prompt), tmp_path / "one")
    monkeypatch.setattr(count, "STRETCH", stretch)
    seen = []
    assert runner.run(study(prompt=prompt), tmp_path / "cut")["done"] == 3
    assert arrays(tmp_path / "one") == arrays(tmp_path / "cut") and len(arrays(tmp_path / "one")) == 12
    assert told(tmp_path / "one") == told(tmp_path / "cut")
    back = count.count(cells_of(study(prompt=prompt))[0], seen.append)    # as a worker does, in one piece
    assert (
        back.arrays["samples"].tobytes() == Store(tmp_path / "one").get("samples", back.key).tobytes()
        and seen == sorted(seen)
        and seen[-1] == 53
    )


def test_shards_are_stretched_too(tmp_path, monkeypatch):
    runner.run(study(), tmp_path / "one")
    monkeypatch.setattr(count, "STRETCH", 5)
    for k in (1, 2):
        assert runner.run(study(), tmp_path / "cut", part=Shard(k, 2))["done"] == 3
    runner.run(study(), tmp_path / "cut")
    assert {k: v for k, v in arrays(tmp_path / "cut").items() if not k.startswith("shard")} == arrays(tmp_path / "one")


def test_the_limit_is_that_of_the_cell_and_what_fails_halfway_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(count, "STRETCH", 4)
    sampled, slept = count.sampled, []

    def slow(cell, *of):
        slept.append(time.sleep(0.1))
        return sampled(cell, *of)

    monkeypatch.setattr(count, "sampled", slow)
    assert runner.run(study(limit_seconds=0.25, arms=study().arms[:2]),
                      tmp_path)["timeout"] == 2 and 4 <= len(slept) <= 6
    assert not arrays(tmp_path)
    monkeypatch.setattr(count, "sampled", lambda cell, ids, *rest: sampled(cell, ids, *rest) if ids[0] < 20 else 1 / 0)
    assert runner.run(study(arms=study().arms[:2]), tmp_path)["failed"] == 2 and not arrays(tmp_path)


def test_a_full_disk_ends_the_run_and_not_the_cell(tmp_path, monkeypatch):
    monkeypatch.setattr(count, "STRETCH", 4)
    written, write = [], os.write

    def full(file, content):
        written.append(len(content))
        if len(content) == 16:    # of the samples: 4 rows of 4
            if written.count(16) > 3:
                raise OSError(28, "No space left on device")
        return write(file, content)

    monkeypatch.setattr("harness.boundary.atomic.os.write", full)
    with pytest.raises(ValueError, match="No space left on device.: free the disk"):
        runner.run(study(), tmp_path)
    assert not arrays(tmp_path) and not Store(tmp_path).of("counted")


@pytest.mark.parametrize("array", [np.arange(12, dtype=np.uint8).reshape(4, 3), np.zeros((3, 2)), np.ones(5, np.int32),
                                   np.empty((0, 3)), np.empty((2, 0))], ids=str)
def test_an_array_is_written_as_numpy_writes_it(tmp_path, array):
    store, content = Store(tmp_path), io.BytesIO()
    np.save(content, array)
    store.put("room", "whole", array)
    with store.writing("room", "rows", len(array)) as add:
        for row in range(0, max(1, len(array)), 2):
            assert not store.has("room", "rows")
            add(array[row : row + 2])
    assert {p.name: p.read_bytes()
            for p in (tmp_path / "room").iterdir()} == dict.fromkeys(("whole.npy", "rows.npy"), content.getvalue())


def test_a_kill_between_stretches_leaves_no_array_that_is_taken_for_whole(tmp_path):
    """The kill comes from within, when the second stretch is asked for."""
    code = f"""
import os, signal
from harness.run import count, runner
from tests.test_stream import study
count.STRETCH, sampled = 16, count.sampled
def one(cell, ids, *rest):
    return sampled(cell, ids, *rest) if ids[0] < 16 else os.kill(os.getpid(), signal.SIGKILL)
count.sampled = one
runner.run(study(), {str(tmp_path)!r})
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    (scratch,) = (tmp_path / "samples").iterdir()
    assert scratch.suffix == ".tmp" and scratch.stat().st_size == 128 + 16 * 4
    store, key = Store(tmp_path), cells_of(study())[0].key()
    assert not store.has("samples", key) and not store.of("counted")
    assert runner.run(study(), tmp_path)["done"] == 3 and store.has("samples", key)


def test_memory_does_not_grow_with_the_rows(tmp_path):
    """A run of 5,000 and one of 25,000 rows of 64 tokens, each in a fresh process, beyond what a run of one stretch
    took there.
    """
    grown = []
    for n in (5_000, 25_000):
        done = subprocess.run([sys.executable, "-c", LARGE, str(tmp_path / str(n)), str(n)], cwd=ROOT,
                              capture_output=True, text=True, env=os.environ | HONEST_HEAP)
        assert done.returncode == 0, done.stderr
        grown.append(float(done.stdout))
    assert grown[1] - grown[0] < GROWTH_MIB, grown
    (key,) = (r["key"] for r in Store(tmp_path / "25000").of("counted") if r["cell"]["n"] == 25_000)
    assert Store(tmp_path / "25000").get("samples", key).shape == (25_000, 64)
