"""The trained family: one recipe of equal width, data, token budget and seed but for the judge and what goes on from a
member, so that only the method differs. Budgets of what ships are in the cards.

    hybrid         5 non-causal blocks + 1 causal          the self-speculative network
    heavy          6 blocks                                masked diffusion
    light          2 blocks                                the cheap half of a model schedule
    hybrid_plain   5 + 1 without the output residual       ablation
    hybrid_two     4 + 2                                   ablation
    hybrid_frozen  the 6 blocks of heavy, frozen, + 1      only the causal block is trained, as in the paper's protein
                                                           model; one block deeper than the others
    hybrid_frozen_plain, hybrid_frozen_heads               the same without the output residual; with two heads
    hybrid_frozen_long                                     hybrid_frozen after a further cycle of 32 M tokens
    judge          4 blocks, left to right                 trained on text that no sampler's network has seen

The plain ones, hybrid_two and hybrid_frozen_heads are not in the tree: `ssmd-bench checkpoints` says how they come
back. `ssmd-bench train family` queues all of it, each resumable, two at a time on two cores.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.kinds import Dataset
from harness.study import load_module
from ssmd.train.settings import Training

SHIPPED = Path(__file__).parents[1] / "checkpoints"
TRUNK = "heavy"                                      # the member whose blocks a frozen hybrid takes over
GOES_ON = {"hybrid_frozen_long": "hybrid_frozen"}  # member -> the one whose training it goes on with, on other batches

FAMILY: dict[str, Training] = {
    "hybrid": Training("hybrid"),
    "heavy": Training("masked"),
    "light": Training("masked", blocks=2),
    "judge": Training("judge", blocks=4, width=192, heads=6, dropout=0.1),
    "hybrid_plain": Training("hybrid", residual=False),
    "hybrid_two": Training("hybrid", causal=2),
    "hybrid_frozen": Training("hybrid", blocks=7, frozen=True),
    "hybrid_frozen_long": Training("hybrid", blocks=7, frozen=True, seed=2),
    "hybrid_frozen_plain": Training("hybrid", blocks=7, frozen=True, residual=False),
    "hybrid_frozen_heads": Training("hybrid", blocks=7, frozen=True, shared_head=False),
}


def recipe(path: str) -> tuple[dict[str, Training], Dataset]:
    """FAMILY and DATA of a Python file: the networks of a paper and what they are trained on. Raises ValueError if it
    lacks one.
    """
    module = load_module(path)
    family: Any = getattr(module, "FAMILY", None)
    data: Any = getattr(module, "DATA", None)
    if not isinstance(family, dict) or not all(isinstance(member, Training)
                                               for member in family.values()) or not hasattr(data, "rows"):
        raise ValueError(f"{path} is no recipe, which has FAMILY = {{name: Training(...)}} and DATA: see "
                         "studies/paper/text8.py")
    return family, data


def member(name: str, family: dict[str, Training] = FAMILY, **changes) -> Training:
    if name not in family:
        raise ValueError(f"the family has no member {name!r}; choose {' | '.join(family)}")
    return replace(family[name], **changes)


def earlier(name: str, family: dict[str, Training]) -> str | None:
    """The member that must be trained before this one."""
    return GOES_ON.get(name) or (TRUNK if family[name].frozen else None)


def begins_from(name: str, out: Path, family: dict[str, Training] = FAMILY) -> Path | None:
    """The checkpoint that a member takes over, its draft or the whole: that of the same run of the family, else, for
    the shipped family, the one that ships.
    """
    before = earlier(name, family)
    if before is None:
        return None
    own = out / before / f"{before}.safetensors"
    if not own.is_file() and family is not FAMILY:
        raise ValueError(f"{name} begins from {own}, which is not there: train {before} first, or name another "
                         "checkpoint with --init")
    return own if own.is_file() else SHIPPED / f"{before}.safetensors"


def queue(family: dict[str, Training], command: Callable[[str], list[str]], jobs: int, logs: Path) -> int:
    """Run `command(NAME)` for each member, `jobs` at a time, one thread each if there are several; the number that
    failed. What ends us ends them.
    """
    if jobs < 1:
        raise ValueError(f"--jobs {jobs} must be at least 1")
    logs.mkdir(parents=True, exist_ok=True)
    waiting, failed = list(family), 0
    running: dict[str, subprocess.Popen] = {}
    threads = {"OMP_NUM_THREADS": "1"} if jobs > 1 else {}
    try:
        while waiting or running:
            for name in [n for n in waiting if earlier(n, family) not in [*waiting, *running]][:jobs - len(running)]:
                waiting.remove(name)
                log = open(logs / f"{name}.log", "a")
                running[name] = subprocess.Popen([sys.executable, *command(name)], stdout=log, stderr=log,
                                                 env=os.environ | threads)
            for name, process in list(running.items()):
                if process.poll() is not None:
                    failed += process.returncode != 0
                    print(f"{name}: {'failed, see ' + str(logs / name) + '.log' if process.returncode else 'finished'}",
                          flush=True)
                    del running[name]
            time.sleep(1)
    except BaseException:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.wait()
        raise
    return failed
