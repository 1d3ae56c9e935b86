"""Two processes that share every batch train the network that one process trains."""

import json
import os
import signal
import subprocess
import sys

import torch

from harness.nets import checkpoint
from harness.spec import ROOT

WORDS = ["train", "hybrid", "--data", "austen", "--length", "16", "--tokens", "20480",
         *(word for change in ("width=16", "heads=2", "blocks=2", "batch=8", "warmup=10")
           for word in ("--set", change))]


def launched(launcher: list[str], *words: str) -> str:
    """What it printed on stdout. A process that waits for ever is killed, with those that it started."""
    running = subprocess.Popen([sys.executable, *launcher, "-m", "ssmd_bench", *WORDS, *words], cwd=ROOT,
                               env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        out, said = running.communicate(timeout=300)
    except BaseException:
        os.killpg(running.pid, signal.SIGKILL)
        raise
    assert running.returncode == 0, said[-8000:]
    return out


def two(port: int) -> list[str]:
    return ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", str(port)]


def trained(launcher: list[str], out, *words: str) -> torch.nn.Module:
    assert launched(launcher, *words, "--out", str(out)).count("\n") == 1
    return checkpoint.load(out / "hybrid" / "hybrid.safetensors")


def test_torchrun_on_two_processes_gives_the_weights_of_one(tmp_path):
    one = trained([], tmp_path / "one")
    both = trained(two(29617), tmp_path / "two", "--set", "micro=3")
    assert both.card["training"] == one.card["training"] | {"micro": 3}
    assert both.card["tokens"] == one.card["tokens"] == 20480
    moved = [float((a - b).norm() / a.norm()) for a, b in zip(one.state_dict().values(), both.state_dict().values())
             if a.norm() > 0]
    # 0.02 in float32, 0.13 where the hardware has bfloat16; 1.1 with half the rows of each batch
    assert max(moved) < 0.3, max(moved)
    a, b = (net.card["validation_nats_per_token"] for net in (one, both))
    assert abs(a["draft"] - b["draft"]) < 2e-3 and abs(a["target"] - b["target"]) < 2e-3


def test_a_dry_run_of_two_processes_ends_and_one_of_them_speaks():
    """Their clocks differ, and an update that one of them makes alone would wait for ever."""
    for seconds in ("0.02", "0.5"):
        sentence, plan = launched(two(29618), "--dry-run", "--seconds", seconds).splitlines()
        found = json.loads(plan)
        assert sentence.startswith("hybrid: ") and found["processes"] == 2 and found["timed_updates"] >= 2
