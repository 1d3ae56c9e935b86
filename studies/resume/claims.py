"""Sweeps whose workers are killed and whose command is then given once more. Claims resume.kills_survived_share."""

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import torch

from harness.claims.claim import claim
from harness.random import Stream, uniform
from harness.records.points import done
from harness.records.store import Store
from harness.stats.intervals import share_interval
from harness.study import load_module

# the study, by its path: workers are given it, and here it is read as they read it
FILE = Path(__file__).with_name("study.py")


def worker(folder: Path) -> subprocess.Popen:
    words = [sys.executable, "-m", "ssmd_bench", "sweep", str(FILE), "--out", str(folder)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def lines(folder: Path) -> list[bytes]:
    """The whole lines of the records."""
    return (folder / "records.jsonl").read_bytes().split(b"\n")[:-1]


def finished(folder: Path) -> dict:
    """The JSON document of one more worker, which works until the sweep is done. Raises ValueError, with what it said
    last, if it ends without one.
    """
    one = worker(folder)
    answer, said = one.communicate()
    if one.returncode or not answer:
        raise ValueError(f"a worker in {folder} ended with code {one.returncode}: {said.strip()[-2000:]}")
    return json.loads(answer.splitlines()[-1])


def at_work(folder: Path) -> list[subprocess.Popen]:
    """Two workers, each of which has done a trial."""
    workers = [worker(folder), worker(folder)]
    for one in workers:
        while (line := one.stderr.readline()) and not line.startswith("[sweep"):
            pass
    return workers


def killed(folder: Path, moment: float, who: tuple[int, ...]) -> list[bytes]:
    """Kill those of two workers after so many seconds, or sooner if they would have ended; the records that stood
    then.
    """
    shutil.rmtree(folder, ignore_errors=True)
    workers = at_work(folder)
    time.sleep(moment)
    alive = all(workers[k].poll() is None for k in who)
    for k in who:
        workers[k].kill()
    stood = lines(folder)
    for k in who:
        workers[k].communicate()
    return stood if alive else killed(folder, moment / 2, who)


def survived(folder: Path, stood: list[bytes], front: list[dict], trials: int) -> bool:
    found, store = finished(folder), Store(folder)
    once = [Counter(r["key"] for r in store.of("counted")), Counter((r["key"], r["label"]) for r in store.of("scored"))]
    return (found["front"] == front and found["trials"] == trials and [line for line in lines(folder)
                                                                       if line in set(stood)] == stood
            and all(max(c.values()) == 1 for c in once))


def claims(store: Store, command: str) -> list[dict]:
    """resume.kills_survived_share, with the interval of Clopper and Pearson."""
    study = load_module(str(FILE))
    n, front, good, kills = study.KILLS, finished(store.work())["front"], 0, store.work() / "kills"
    shutil.rmtree(kills, ignore_errors=True)
    workers, begun = at_work(kills / "timed"), time.perf_counter()
    for one in workers:
        one.communicate()
    span = time.perf_counter() - begun
    for k, u in enumerate(uniform(0, torch.arange(n), Stream.DATA, torch.zeros(1, dtype=torch.int64))[:, 0].tolist()):
        who = study.KILLED[k % len(study.KILLED)]
        stood = killed(kills / str(k), 0.8 * u * span, who)
        good += (ok := survived(kills / str(k), stood, front, study.SWEEP.trials))
        print(f"kill {k}: worker {' and '.join(str(w) for w in who)} with {len(stood)} records: "
              f"{'survived' if ok else 'NOT survived'}")
    v = share_interval(good, n)
    return [claim("resume.kills_survived_share", v.value, v.low, v.high, "share of kills", n, command,
                  [r["key"] for r in done(store, study.SWEEP.arm)], "two workers, kill -9 of one or both")]
