"""Freed memory stays with the process, and is not cleared anew at each pass."""

import os
import subprocess
import sys

import pytest

from harness.spec import ROOT

FAULTS = """
import resource
import torch
from harness.boundary.heap import keep_freed

keep_freed()

def two():
    a = torch.ones(6_000_000)
    return a, torch.ones(6_000_000)    # 24 MB each

for _ in range(16):    # until the holes of the heap have their sizes
    two()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    two()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(**environment: str) -> int:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")} | environment
    done = subprocess.run([sys.executable, "-c", FAULTS], cwd=ROOT, capture_output=True, text=True, env=clean)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is of Linux")
def test_freed_tensors_are_not_given_back_unless_the_environment_says_so():
    assert faults() < 1000 < 20_000 < faults(MALLOC_TRIM_THRESHOLD_="65536", MALLOC_MMAP_THRESHOLD_="65536")
