"""A signal ends a command with all its workers, in one sentence; what is stored stays."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.records.store import Store
from harness.spec import ROOT

STUDY = '''
"""Cells that take their time."""
import time
from dataclasses import dataclass
from typing import ClassVar

from baselines.ancestral import Ancestral
from harness.data.exact import Exact
from harness.metrics.exact_nll import ExactNll
from harness.study import Arm, Study, Table, Timing


@dataclass(frozen=True)
class Slow:
    k: int
    name: ClassVar[str] = "slow"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)

    def exact(self): return None

    def start(self, nets, rows): return Ancestral(1).start(nets, rows)

    def step(self, nets, rows):
        time.sleep({seconds} if self.k >= {quick} else 0)
        return Ancestral(1).step(nets, rows)


DATA = Exact()
STUDY = Study(name="slow", question=__doc__, data=DATA, nets={{"heavy": Table(DATA)}},
              reference="heavy", metrics=[ExactNll()], n=4, batch=4,
              arms=[Arm("slow", [Slow(k) for k in range(6)], {{"main": "heavy"}})], timing={timing})
'''


def group(leader: int) -> list[int]:
    """The processes of a session that are still there and no zombies."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, _, _, session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
            except (OSError, ValueError):
                continue
            if int(session) == leader and state != "Z":
                found.append(int(entry.name))
    return found


def begun(tmp_path: Path, *words: str, until: str, seconds: float = 60, quick: int = 2,
          timing: str = "None") -> subprocess.Popen:
    """A run in a session of its own, when it has said so much and its workers are at work."""
    (tmp_path / "slow.py").write_text(STUDY.format(seconds=seconds, quick=quick, timing=timing))
    said = tmp_path / "said"
    process = subprocess.Popen([sys.executable, "-m", "harness", "run", "slow.py", "--out", "run", *words],
                               cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=said.open("w"),
                               start_new_session=True, env=os.environ | {"PYTHONPATH": str(ROOT),
                                                                         "OMP_NUM_THREADS": "1"})
    for _ in range(600):
        if until in said.read_text() or process.poll() is not None:
            break
        time.sleep(0.1)
    assert until in said.read_text(), said.read_text()
    return process


def gone(leader: int, seconds: float = 5) -> bool:
    end = time.monotonic() + seconds
    while group(leader) and time.monotonic() < end:
        time.sleep(0.1)
    left = group(leader)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return not left


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are counted in /proc")
@pytest.mark.parametrize(("number", "words", "code"), [(signal.SIGTERM, ["--jobs", "2"], 143),
                                                       (signal.SIGINT, ["--jobs", "2"], 130), (signal.SIGHUP, [], 129),
                                                       (signal.SIGKILL, ["--jobs", "2"], -9)],
                         ids=lambda value: getattr(value, "name", None))
def test_a_signal_ends_a_run_with_all_its_workers_and_loses_nothing(tmp_path, number, words, code):
    process = begun(tmp_path, *words, until="[count 2/6]")
    process.send_signal(number)
    assert process.wait(20) == code and gone(process.pid)
    said = (tmp_path / "said").read_text()
    assert "Traceback" not in said
    if number != signal.SIGKILL:
        assert said.splitlines()[-1].startswith("ssmd-bench: stopped") and "goes on from here" in said
    kept = Store(tmp_path / "run")
    assert kept.torn == 0 and len(kept.of("counted")) == 2 and all(kept.has("samples", r["key"])
                                                                   for r in kept.of("counted"))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are counted in /proc")
def test_ctrl_c_of_a_terminal_which_reaches_the_workers_too_is_one_sentence(tmp_path):
    process = begun(tmp_path, "--jobs", "2", until="[count 2/6]")
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(20) == 130 and gone(process.pid)
    said = (tmp_path / "said").read_text()
    assert (
        "Traceback" not in said
        and "KeyboardInterrupt" not in said
        and said.splitlines()[-1] == "ssmd-bench: stopped; the same command goes on from here"
    )


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are counted in /proc")
def test_sigterm_ends_the_process_that_times(tmp_path):
    process = begun(tmp_path, until="[time 1/9]", seconds=0, quick=9, timing="Timing(processes=9, rows=4, repeats=3)")
    assert len(group(process.pid)) > 1
    process.terminate()
    assert process.wait(20) == 143 and gone(process.pid)
    said = (tmp_path / "said").read_text()
    assert "Traceback" not in said and said.splitlines()[-1] == ("ssmd-bench: stopped by SIGTERM; the same command "
                                                                 "goes on from here")


@pytest.mark.parametrize("read", ["harness.boundary.surroundings", "harness.cli.verbs", "torch._utils_internal",
                                  "torch.nested", "harness.checks.conformance"])
def test_ctrl_c_while_the_libraries_load_is_one_sentence(tmp_path, read):
    """From when our own handler stands, which is after the first two files."""
    process = subprocess.Popen([sys.executable, "-X", "importtime", "-m", "harness", "verify", "ancestral"],
                               cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               text=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    while read != (said := process.stderr.readline()).rpartition("|")[2].strip():
        assert said, f"{read} was not imported"
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=60)[1]
    assert process.returncode == 130 and "Traceback" not in told, told
    assert [line for line in told.splitlines()
            if not line.startswith("import time")] == ["ssmd-bench: stopped; the same command goes on from here"]


def test_code_that_loads_for_ever_is_left_after_a_while(tmp_path):
    (tmp_path / "slow.py").write_text("import time\nprint('loads', flush=True)\nwhile True:\n    time.sleep(0.01)\n")
    process = subprocess.Popen([sys.executable, "-m", "harness", "run", "slow.py"], cwd=tmp_path, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert process.stdout.readline() == "loads\n"
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=60)[1]
    assert process.returncode == 130 and told == "ssmd-bench: stopped; the same command goes on from here\n"


def test_a_signal_that_is_ignored_stays_ignored(tmp_path):
    """As nohup asks for."""
    (tmp_path / "slow.py").write_text(STUDY.format(seconds=0, quick=9, timing="None"))
    words = [sys.executable, "-m", "harness", "run", "slow.py", "--out", "run"]
    script = ("import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); os.execv(sys.executable, "
              f"{words!r})")
    process = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": str(ROOT)})
    time.sleep(1)
    process.send_signal(signal.SIGHUP)
    assert process.wait(60) == 0
