"""What an order costs in the training of a block: the trunk's pass for each, one for four, or states that were kept.

The trunk's states do not depend on the order, and the block's target does. So a pass can serve several orders
(`orders` of ssmd/train/settings.py), or be kept: then it is read from a file in place of being made. A kept view of a
row is one mask: the states of 120 residues take a thousand times the row itself, and a training that never sees a mask
twice keeps as many views as it has rows. Times are of one thread, in turns, of whole updates: the orders of one
pass share its mask and the optimiser's step, and a kept view has a step of its own.
"""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor

from harness.nets.own import Own
from harness.study import Study
from ssmd.attached import fresh, width_of
from ssmd.train.settings import Training
from ssmd.train.updates import Updates

BATCH, MANY, TURNS, WARM = 16, 4, 12, 2
COLUMNS = ("way", "seconds", "low", "high", "turns")
WAYS = ("a pass for each order", "a pass for four orders", "kept states")


class Kept:
    """The trunk with states out of a file of float16, one batch after the other."""

    def __init__(self, trunk: Own, path: Path, wide: int):
        self.trunk, self.path, self.wide, self.at = trunk, path, wide, 0

    def states(self, x: Tensor) -> Tensor:
        begin = 2 * self.at * x.numel() * self.wide
        found = np.memmap(self.path, np.float16, "r", begin, (*x.shape, self.wide))
        self.at = (self.at + 1) % (TURNS + WARM)
        return torch.from_numpy(np.array(found)).float()                           # (B, L, d)

    def __getattr__(self, name: str):
        return getattr(self.trunk, name)


def _updates(study: Study, trunk, orders: int) -> Updates:
    config = Training(network="hybrid", frozen=True, width=512, heads=8, blocks=9, tokens=1e9, batch=BATCH,
                      orders=orders, given=study.prompt)
    net = fresh(trunk, config.width, config.heads, config.causal, config.seed)
    return Updates(config, study.data, net=net)


def rows(study: Study) -> list[list]:
    """Processor seconds of an order of a batch, for each way: median and quartiles over the turns."""
    threads, trunk = torch.get_num_threads(), study.nets["trunk"].load("cpu")
    torch.set_num_threads(1)
    try:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "states"
            with path.open("wb") as file:
                for k in range(TURNS + WARM):
                    x = study.data.rows("validation", BATCH, seed=k)
                    with torch.no_grad():
                        file.write(trunk.states(x).half().numpy().tobytes())
            ways = {WAYS[0]: (_updates(study, trunk, 1), 1), WAYS[1]: (_updates(study, trunk, MANY), MANY),
                    WAYS[2]: (_updates(study, Kept(trunk, path, width_of(trunk)[0]), 1), 1)}
            spent: dict[str, list[float]] = {way: [] for way in WAYS}
            for _ in range(TURNS + WARM):
                for way, (updates, orders) in ways.items():
                    begun = time.process_time()
                    updates.once()
                    spent[way].append((time.process_time() - begun) / orders)
    finally:
        torch.set_num_threads(threads)
    return [[way, *(float(np.quantile(spent[way][WARM:], q)) for q in (0.5, 0.25, 0.75)), TURNS] for way in WAYS]
