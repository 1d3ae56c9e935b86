"""Two processes that share every batch train the network that one process trains."""

import os
import subprocess
import sys

import torch

from harness.nets import checkpoint
from harness.spec import ROOT

WORDS = ["train", "hybrid", "--data", "austen", "--length", "16", "--tokens", "20480",
         *(word for change in ("width=16", "heads=2", "blocks=2", "batch=8", "warmup=10")
           for word in ("--set", change))]


def trained(launcher: list[str], out) -> torch.nn.Module:
    done = subprocess.run([sys.executable, *launcher, "-m", "harness", *WORDS, "--out", str(out)], cwd=ROOT,
                          env=os.environ | {"OMP_NUM_THREADS": "1"},
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-8000:]
    return checkpoint.load(out / "hybrid" / "hybrid.safetensors")


def test_torchrun_on_two_processes_gives_the_weights_of_one(tmp_path):
    one = trained([], tmp_path / "one")
    two = trained(["-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "29617"], tmp_path / "two")
    assert two.card["training"] == one.card["training"] and two.card["tokens"] == one.card["tokens"] == 20480
    moved = [float((a - b).norm() / a.norm()) for a, b in zip(one.state_dict().values(), two.state_dict().values())
             if a.norm() > 0]
    # 0.02 in float32, 0.13 where the hardware has bfloat16; 1.1 with half the rows of each batch
    assert max(moved) < 0.3, max(moved)
    a, b = (net.card["validation_nats_per_token"] for net in (one, two))
    assert abs(a["draft"] - b["draft"]) < 2e-3 and abs(a["target"] - b["target"]) < 2e-3
