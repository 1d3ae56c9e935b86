"""The two tests of a law, of a peer's loop and of our sampler of the same kind beside it.

    small    81 texts of four places (harness/data/exact.py): chi-square of the texts against the exact law of the
             algorithm at its own number of steps. States that fewer than 5 rows are expected in count as one.
    wide     50,257 symbols of a Zipf law, one place: chi-square of three parts of the law, the likeliest symbols that
             make three quarters of it and two eighths of rarer ones. Steps of any number are exact there, so what is
             lost is lost by the draw: float32 noise loses the rarest. By the closed form of such a race
             (studies/float32_trap) 0.28 of the last eighth is left after 512 steps.

A p-value below LEVEL is a law that differs; `seen` is the total variation above which rows so many are told apart.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.checks.power import LEVEL, pearson, smallest_seen
from harness.data.zipf import Zipf
from harness.metrics.law import total_variation
from harness.nets.iid import Iid
from harness.nets.tabular import Tabular
from harness.sampling.loop import sample
from studies.peers.laws import DATA
from studies.peers.peer import Peer, Way

ROWS, BATCH, WIDE_ROWS, WIDE_BATCH, FEWEST = 131_072, 4096, 256, 32, 5
WIDE, EDGES = Zipf(length=1), (0.75, 0.875)
COLUMNS = ("peer", "world", "way", "steps", "side", "n", "tv", "seen", "p", "verdict", "rarest")


class Law(NamedTuple):
    """How rows stand to a law; rarest: rows in the rarest eighth over those that are expected there, wide world."""

    tv: float
    seen: float
    p: float
    rarest: float | None = None

    @property
    def verdict(self) -> str:
        return "same law" if self.p >= LEVEL else "another law"


def pooled(counts: Tensor, law: Tensor) -> tuple[Tensor, Tensor]:
    """The states (S,) as they are, those of few rows together as one more."""
    few = counts.sum() * law < FEWEST                                              # (S,)
    rest = [x[few].sum()[None] for x in (counts, law)]
    kept = [torch.cat((x[~few], more)) for x, more in zip((counts, law), rest)]
    return (kept[0], kept[1]) if float(kept[1][-1]) > 0 else (kept[0][:-1], kept[1][:-1])


def judged(counts: Tensor, law: Tensor, rarest: float | None = None) -> Law:
    counts, law = pooled(counts.double(), law)
    seen = smallest_seen(len(law), int(counts.sum()))
    return Law(total_variation(counts, law), seen, pearson(counts, law)[1], rarest)


def small(x: Tensor, law: Tensor) -> Law:
    """Rows x (n, 4) against a law (81,)."""
    return judged(torch.bincount(DATA.index(x), minlength=len(law)), law)


def parts() -> tuple[Tensor, Tensor]:
    """The part (V,) 0..2 of each symbol, the rarest in the last, and the chance (3,) of each part."""
    law = WIDE.law()                                                               # (V,) descending
    part = torch.bucketize(law.cumsum(0) - law / 2, torch.tensor(EDGES, dtype=law.dtype))
    return part, torch.zeros(len(EDGES) + 1, dtype=law.dtype).index_add_(0, part, law)


def wide(x: Tensor) -> Law:
    """Rows x (n, 1) against the Zipf law."""
    part, law = parts()
    counts = torch.bincount(part[x[:, 0]], minlength=len(law))
    return judged(counts, law, float(counts[-1] / (len(x) * law[-1])))


def found(peer: Peer, rows: int = ROWS, wide_rows: int = WIDE_ROWS, seed: int = 1) -> list[list]:
    """Rows of COLUMNS."""
    table: list[list] = []
    near, far = Tabular(DATA.law(), DATA.vocab, DATA.length), Iid(WIDE.law())

    def add(world: str, way: Way, side: str, n: int, law: Law) -> None:
        table.append([peer.name, world, way.name, way.steps, side, n, law.tv, law.seen, law.p, law.verdict,
                      law.rarest])

    for way in peer.ways:
        law = way.law.of(near)
        add("small", way, "peer", rows, small(peer.sample(near, rows, DATA.length, way, seed, BATCH), law))
        ours = sample(way.ours, {"main": near}, torch.full((rows, DATA.length), near.mask), seed, BATCH)
        add("small", way, "ours", rows, small(ours, law))
    if wide_rows:
        way = peer.wide
        add("wide", way, "peer", wide_rows, wide(peer.sample(far, wide_rows, 1, way, seed, WIDE_BATCH)))
        ours = sample(way.ours, {"main": far}, torch.full((wide_rows, 1), far.mask), seed, WIDE_BATCH)
        add("wide", way, "ours", wide_rows, wide(ours))
    return table


def rare_share(row: list) -> tuple[float, float, float]:
    """Of a row of the wide world: rows in the rarest eighth over those expected, and its 95 % interval (Wilson)."""
    n, rarest = row[COLUMNS.index("n")], row[COLUMNS.index("rarest")]
    expected = float(parts()[1][-1])
    share, z = rarest * expected, 1.96
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return rarest, max(0.0, middle - half) / expected, (middle + half) / expected
