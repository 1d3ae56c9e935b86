"""The two tests of a law, of a peer's loop and of our sampler of the same kind beside it.

    small    81 texts of four places (harness/data/exact.py): chi-square of the texts against the exact law of the
             algorithm at its own number of steps. States that fewer than 5 rows are expected in count as one.
    wide     50,257 symbols at one place, 64 of which have half of the chance and the others the rest: how many rare
             symbols come. The law is the same for any number of steps, so what is lost is lost by the draw. A float32
             race of tokens and MASK loses rare ones (baselines/fused_float32.py): where the chance of a step is c grid
             points of 2**-24, it leaves 1 / (c (exp(1 / c) - 1)) of it. In the first of 1,000 steps c is 0.17.

A p-value below LEVEL is a law that differs; `seen` is the total variation above which rows so many are told apart.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from harness.checks.power import LEVEL, pearson, smallest_seen
from harness.metrics.law import total_variation
from harness.nets.iid import Iid
from harness.nets.tabular import Tabular
from harness.sampling.loop import sample
from studies.peers.laws import DATA
from studies.peers.peer import Peer, Way

ROWS, BATCH, WIDE_ROWS, WIDE_BATCH, FEWEST = 131_072, 4096, 256, 8, 5
SYMBOLS, COMMON = 50_257, 64
COLUMNS = ("peer", "world", "way", "steps", "side", "n", "tv", "seen", "p", "verdict", "rare")


class Law(NamedTuple):
    """How rows stand to a law; rare: rare symbols over those that are expected, in the wide world."""

    tv: float
    seen: float
    p: float
    rare: float | None = None

    @property
    def verdict(self) -> str:
        return "same law" if self.p >= LEVEL else "another law"


def pooled(counts: Tensor, law: Tensor) -> tuple[Tensor, Tensor]:
    """The states (S,) as they are, those of few rows together as one more."""
    few = counts.sum() * law < FEWEST                                              # (S,)
    rest = [x[few].sum()[None] for x in (counts, law)]
    kept = [torch.cat((x[~few], more)) for x, more in zip((counts, law), rest)]
    return (kept[0], kept[1]) if float(kept[1][-1]) > 0 else (kept[0][:-1], kept[1][:-1])


def judged(counts: Tensor, law: Tensor, rare: float | None = None) -> Law:
    counts, law = pooled(counts.double(), law)
    seen = smallest_seen(len(law), int(counts.sum()))
    return Law(total_variation(counts, law), seen, pearson(counts, law)[1], rare)


def small(x: Tensor, law: Tensor) -> Law:
    """Rows x (n, 4) against a law (81,)."""
    return judged(torch.bincount(DATA.index(x), minlength=len(law)), law)


def wide_law() -> Tensor:
    """(V,) the chance of each symbol, the common ones first."""
    common = torch.arange(SYMBOLS) < COMMON
    return torch.where(common, 0.5 / COMMON, 0.5 / (SYMBOLS - COMMON)).double()


def wide(x: Tensor) -> Law:
    """Rows x (n, 1) in the wide world."""
    counts = torch.bincount((x[:, 0] >= COMMON).long(), minlength=2)               # (2,)
    return judged(counts, torch.tensor([0.5, 0.5], dtype=torch.float64), float(2 * counts[1] / len(x)))


def found_small(peer: Peer, rows: int, seed: int = 1) -> list[list]:
    """Rows of COLUMNS."""
    net, table = Tabular(DATA.law(), DATA.vocab, DATA.length), []
    prompts = torch.full((rows, DATA.length), net.mask)
    for way in peer.ways:
        law = way.law.of(net)
        sides = {"peer": peer.sample(net, rows, DATA.length, way, seed, BATCH),
                 "ours": sample(way.ours, {"main": net}, prompts, seed, BATCH)}
        table += [_row(peer, "small", way, side, rows, small(x, law)) for side, x in sides.items()]
    return table


def found_wide(peer: Peer, rows: int, seed: int = 1) -> list[list]:
    """Rows of COLUMNS."""
    net, way = Iid(wide_law()), peer.wide
    sides = {"peer": peer.sample(net, rows, 1, way, seed, WIDE_BATCH),
             "ours": sample(way.ours, {"main": net}, torch.full((rows, 1), net.mask), seed, WIDE_BATCH)}
    return [_row(peer, "wide", way, side, rows, wide(x)) for side, x in sides.items()]


WORLDS = {"small": found_small, "wide": found_wide}


def _row(peer: Peer, world: str, way: Way, side: str, n: int, law: Law) -> list:
    return [peer.name, world, way.name, way.steps, side, n, law.tv, law.seen, law.p, law.verdict, law.rare]


def rare_share(row: list) -> tuple[float, float, float]:
    """Of a row of the wide world: rare symbols over those expected, and its 95 % interval (Wilson)."""
    n, rare, z = row[COLUMNS.index("n")], row[COLUMNS.index("rare")], 1.96
    share = rare / 2
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5 / (1 + z * z / n)
    return rare, min(rare, 2 * (middle - half)), max(rare, 2 * (middle + half))
