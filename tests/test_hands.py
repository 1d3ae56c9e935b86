"""Two runs in one folder: every cell is counted, timed and scored once, whoever does it; a run that is killed lets go
of what it had in hand.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from multiprocessing import get_context
from pathlib import Path

import pytest

from harness.__main__ import main
from harness.records.locks import place_of
from harness.records.store import Store
from harness.run.hands import Hands
from harness.spec import ROOT

STUDY = """
import os
import time
from dataclasses import dataclass

from baselines.ancestral import Ancestral
from harness.data.exact import Exact
from harness.metrics.exact_nll import ExactNll
from harness.study import Arm, Study, Table, Timing


@dataclass(frozen=True)
class Slow(Ancestral):
    name = "slow"

    def start(self, nets, rows):
        time.sleep(0.3)
        return super().start(nets, rows)


@dataclass(frozen=True)
class SlowNll(ExactNll):
    name = "slow_nll"

    def score(self, samples, data):
        time.sleep(0.2)
        return super().score(samples, data)


@dataclass(frozen=True)
class Broken(Slow):
    name = "broken"

    def step(self, nets, rows):
        raise ArithmeticError("never right")


DATA = Exact()
STUDY = Study(name="toy", question="?", data=DATA, nets={"heavy": Table(DATA)},
              reference="heavy", metrics=[SlowNll()], n=16, batch=8, timing=Timing(1, 8, 1),
              arms=[Arm("slow", [Slow(steps) for steps in range(1, 7)], {"main": "heavy"}),
                        Arm("broken", [Broken(3)], {"main": "heavy"})])
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "s.py").write_text(STUDY)
    return tmp_path


class Run:
    """`run s.py`, in a process of its own, forked so that the network library is loaded once."""

    def __init__(self, folder: Path, *words: str):
        self.said = folder / f"said {time.monotonic_ns()}"
        self.words = ["run", str(folder / "s.py"), "--out", str(folder / "run"), *words]
        self.process = get_context("fork").Process(target=self.go)
        self.process.start()

    def go(self) -> None:
        with open(self.said, "w") as said:
            for stream in (1, 2):
                os.dup2(said.fileno(), stream)
        sys.stdout, sys.stderr = (open(stream, "w", closefd=False) for stream in (1, 2))
        code = main(self.words)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    def ended(self) -> tuple[dict, str]:
        """Its answer, and all it said."""
        self.process.join(timeout=600)
        said = self.said.read_text()
        assert self.process.exitcode == 3, said    # for the broken cell
        return json.loads(next(line for line in said.splitlines() if line.startswith("{"))), said


def two(folder: Path, *words: str) -> list[tuple[dict, str]]:
    """Two such runs, side by side."""
    return [run.ended() for run in [Run(folder, *words), Run(folder, *words)]]


def times(folder: Path) -> dict[str, Counter]:
    """How often each thing was written, by the type of its record."""
    made: dict[str, Counter] = {}
    for r in Store(folder / "run").records:
        made.setdefault(r["type"], Counter())[str([r.get(name) for name in ("key", "shard", "process", "label", "name",
                                                                            "id")])] += 1
    return made


def once(made: dict[str, Counter]) -> dict[str, int]:
    """How many records of each type; each must be there once."""
    assert all(found == Counter(found.keys()) for found in made.values()), made
    return {kind: len(found) for kind, found in made.items()}


def test_two_runs_in_one_folder_count_time_and_score_every_cell_once(folder):
    answers = two(folder)
    assert once(times(folder)) == {"study": 1, "network": 1, "machine": 1, "counted": 7, "timed": 6, "scored": 6}
    assert [(a["done"] + a["cached"], a["failed"]) for a,
            _ in answers] == [(6, 1), (6, 1)] and all(a["done"] for a, _ in answers)
    assert [sum(a[name] for a, _ in answers) for name in ("done", "timed", "scored")] == [6, 6, 6]
    assert any("another run" in said and "waiting" in said for _, said in answers)


def test_two_runs_with_workers_count_and_score_every_cell_once(folder):
    answers = two(folder, "--no-time", "--jobs", "2")
    assert once(times(folder)) == {"study": 1, "network": 1, "machine": 1, "counted": 7, "scored": 6}
    assert [sum(a[name] for a, _ in answers) for name in ("done", "scored")] == [6, 6]


def test_two_runs_of_one_shard_count_its_rows_once_and_two_that_unite_them_too(folder):
    for shard in ("1/2", "2/2"):
        assert sum(answer["done"] for answer, _ in two(folder, "--shard", shard)) == 6
    assert sum(answer["done"] for answer, _ in two(folder, "--no-time")) == 6
    made = once({kind: found for kind, found in times(folder).items() if kind in ("shard", "counted", "scored")})
    assert made == {"shard": 14, "counted": 7, "scored": 6}


@pytest.mark.parametrize("seconds", [0.1, 0.7])
def test_what_a_killed_run_had_in_hand_is_taken_over(folder, seconds):
    first, second = Run(folder, "--no-time"), Run(folder, "--no-time")
    while not (folder / "run/samples").exists() and first.process.is_alive():
        time.sleep(0.02)
    time.sleep(seconds)
    first.process.kill()
    first.process.join()
    answer, _ = second.ended()
    made = once({kind: found for kind, found in times(folder).items() if kind in ("counted", "scored")})
    assert made == {"counted": 7, "scored": 6} and answer["failed"] == 1 and answer["done"] + answer["cached"] == 6
    Run(folder, "--no-time").ended()
    assert not [*(folder / "run").glob("*/*.tmp")]    # the next run removes what the killed one left


def test_items_in_other_hands_come_last_and_only_if_they_are_still_due(tmp_path):
    """The other process holds one of three, and lets go when it ends."""
    held = f"""
import sys; from pathlib import Path; from harness.__main__ import main
from harness.run.hands import Hands, place_of
hands = Hands(Path({str(tmp_path)!r})); hands.locks.take(place_of('a')); print(1, flush=True); sys.stdin.read()
"""
    other = subprocess.Popen([sys.executable, "-c", held], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    other.stdout.readline()
    said, made = [], []

    def note(text: str) -> None:
        said.append(text)
        other.communicate()    # it ends

    with Hands(tmp_path, note) as hands:
        for item in hands.share({"a": "A", "b": "B", "c": "C"}, lambda key: key != "b", lambda items: items, str.lower):
            assert hands.locks.take_now(place_of(item.lower()))
            made.append(item)
    assert made == ["C", "A"] and len(said) == 1 and "has 1 of these in hand: waiting" in said[0]
