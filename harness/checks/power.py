"""The law test with many rows on small worlds: which bias it sees, whatever its direction.

    X2 = sum_s (c_s - n P_s)^2 / (n P_s)        c_s of n rows are in state s; chi-square with S - 1 degrees of freedom

A sampler at total variation d has a noncentrality of at least 4 d^2 n, since sum (Q - P)^2 / P >= (sum |Q - P|)^2. So
`smallest_seen` bounds from above what is missed. Two worlds: `SMALL`, two symbols at four places, where a step is cheap
enough for a million rows; and `Rare`, one place with a sure symbol and many rare ones, of which a float32 race loses a
part. In that one the rare symbols count as one state.

What these tests cannot see: windows and orders that only rows longer than four places have, events rarer than one in n,
and what an ideal network hides, that drafts and targets come from one joint there (tests/conformance).
"""

from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from harness.data.exact import Exact
from harness.kinds import Sampler
from harness.nets.tabular import Tabular
from harness.sampling.loop import sample

SMALL, ROWS, BATCH = Exact(symbols=2, length=4), 1_200_000, 1 << 15
RARE, SHARE = 20, 5e-4    # symbols, and the probability of each
RARE_ROWS = 1 << 15
LEVEL, POWER = 1e-4, 0.8


class Sharp(NamedTuple):
    sampler: str
    claim: str        # "exact" or "exact in its limit", whose limit was tested
    p: float          # of X2 in the small world
    rare: float       # and in that of rare symbols
    seen: float       # total variation that is seen with POWER in the small world, at LEVEL
    passed: bool


def pearson(counts: Tensor, law: Tensor) -> tuple[float, float]:
    """counts (S,), law (S,) without zeros -> X2 and its p-value."""
    from scipy.special import chdtrc

    expected = counts.sum() * law                                                  # (S,)
    found = float(((counts - expected) ** 2 / expected).sum())
    return found, float(chdtrc(len(law) - 1, found))


@lru_cache
def smallest_seen(states: int, n: int, level: float = LEVEL, power: float = POWER) -> float:
    """The total variation above which n rows are told from a law of so many states, with that power."""
    from scipy.special import chdtri, chndtrinc

    return float((chndtrinc(chdtri(states - 1, level), states - 1, 1 - power) / (4 * n)) ** 0.5)


def small(sampler: Sampler, n: int = ROWS) -> float:
    """The p-value of n rows in the small world, with a light network of a flatter law."""
    heavy = Tabular(SMALL.law(), SMALL.vocab, SMALL.length)
    nets = {"main": heavy, "light": heavy.flat()}
    x = sample(sampler, nets, torch.full((n, SMALL.length), SMALL.mask), 0, BATCH)
    return pearson(torch.bincount(SMALL.index(x), minlength=len(SMALL.law())), SMALL.law())[1]


def rare(sampler: Sampler, n: int = RARE_ROWS) -> float:
    """The p-value of the number of rare symbols among n."""
    law = torch.full((RARE + 1,), SHARE, dtype=torch.float64)
    law[0] = 1 - RARE * SHARE
    net = Tabular(law, RARE + 1, 1)
    x = sample(sampler, {"main": net, "light": net.flat()}, torch.full((n, 1), RARE + 1), 0, BATCH)
    common = (x == 0).sum()
    return pearson(torch.stack((common, n - common)), torch.stack((law[0], 1 - law[0])))[1]


def sharp(sampler: Sampler, n: int = ROWS) -> Sharp | None:
    """Of a sampler, or of its exact limit; None for one that has none."""
    limit: Any = sampler.exact()
    if limit is None:
        return None
    found = small(limit, n), rare(limit, min(n, RARE_ROWS))
    return Sharp(str(sampler), "exact" if limit == sampler else "exact in its limit", *found,
                 smallest_seen(len(SMALL.law()), n), min(found) > LEVEL)


def table(verdicts: list[Sharp]) -> str:
    """As a Markdown table."""
    head = ("sampler", "claims", "p, small world", "p, rare symbols", "total variation seen", "verdict")
    rows = [(f"`{v.sampler}`", v.claim, f"{v.p:.3g}", f"{v.rare:.3g}", f"{v.seen:.4f}", "pass" if v.passed else "FAIL")
            for v in verdicts]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ("---",) * len(head), *rows))
