"""Bad inputs of every kind, few of each, and how their outcomes are told apart: `python -m tests.fuzz` has them all."""

import json
import os
import subprocess
import sys

from harness.spec import ROOT
from tests.fuzz.case import Case, lost
from tests.fuzz.child import Ended
from tests.fuzz.claim import rows
from tests.fuzz.kinds import KINDS
from tests.fuzz.outcome import Found, judged

WORDS = ("run", "toy.py")


def test_no_bad_input_of_any_kind_ends_in_a_traceback_hangs_is_taken_for_good_or_loses_what_is_stored():
    """A failure names the input; `python -m tests.fuzz --seed 3 --only KIND --show FILE` makes it again with what was
    said.
    """
    words = [sys.executable, "-m", "tests.fuzz", "--seed", "3", "--n", "60", "--jobs", "2"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, env=environment)
    document = json.loads(done.stdout.splitlines()[-1])
    assert document["inputs"] == 60 and set(document["kinds"]) == set(KINDS)
    assert done.returncode == 0 and document["failed"] == 0, done.stdout


def test_what_happened_is_told_apart():
    def outcome(code: int, stdout: str = "", stderr: str = "", refuse: bool = False, late: bool = False, after=None,
        strays=()) -> str:
        return judged(Case(WORDS, refuse), Ended(code, late, stdout, stderr), {"a": b"1"},
            {"a": b"1"} if after is None else after, [*strays])[0]

    sentence, trace = "ssmd-bench: the study file toy.py cannot be read: correct it\n", ("Traceback (most recent call "
                                                                                         "last):\n  File x\n"
                                                                                         "ValueError: x\n")
    assert outcome(2, stderr=sentence) == "refused" and outcome(3, stdout="{}\n") == "told" and outcome(0,
        stdout="x\n{}\n") == "handled"
    assert outcome(1, stderr=trace) == "traceback" and outcome(2,
        stderr=trace + sentence) == "traceback" and outcome(70, stderr=sentence) == "unforeseen"
    assert outcome(-11) == "crash" and outcome(-9, late=True) == "hang" and outcome(0, stdout="{}\n",
        refuse=True) == "accepted"
    assert outcome(2, stderr="ssmd-bench: \n") == "mute" and outcome(0,
        stdout="done\n") == "mute" and outcome(2) == "mute"
    assert outcome(2, stderr=sentence, after={"a": b"2"}) == "lost" and outcome(2, stderr=sentence,
        after={}) == "lost" and outcome(0, stdout="{}\n", strays=["x"]) == "strayed"


def test_records_may_grow_and_keep_every_byte_and_files_change_only_by_leave():
    case = Case(WORDS, changes=("page.md",))
    assert not lost(case, 0, {"run/records.jsonl": b"a\n"}, {"run/records.jsonl": b"a\nb\n"})
    assert lost(case, 0, {"run/records.jsonl": b"a\n"}, {"run/records.jsonl": b"b\na\n"}) and lost(case, 0,
        {"run/samples/k.npy": b"a"}, {"run/samples/k.npy": b"ab"})
    assert not lost(case, 0, {"page.md": b"a"}, {"page.md": b"b"}) and lost(case, 2, {"page.md": b"a"},
        {"page.md": b""})


def test_the_claim_is_a_count_with_its_bound():
    found = [Found("records", k, Case(WORDS), "traceback" if k < bad else "refused", "", "", 0.1) for bad in (2,
        ) for k in range(300)]
    (row,) = rows(found, 7)
    assert (
        row["value"] == row["low"] == row["high"] == 2
        and row["n"] == 300
        and row["command"].endswith("--seed 7 --n 300 --claims")
        and "2.0" in row["note"]
    )
    assert "below 0.99%" in rows([f._replace(outcome="refused") for f in found], 7)[0]["note"]
