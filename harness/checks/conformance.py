"""The conformance of samplers under an ideal network: `ssmd-bench verify`, also for a sampler of your own (--plugins).

An exact joint over 3 symbols and 4 places serves as the network, so a sampler's histogram over the 81 outcomes can be
held against the law itself. Each sampler is tried with every choice its fields offer:

    law        an exact sampler - one whose `exact()` is itself - must stay under the 99.99 % null quantile of total
               variation; the exact limit of any other must too, and its own distance is printed as its bias
    given      prompts come back unchanged and no mask is left
    batch      rows are the same in batches of 1, 7 and 64
    ledger     tokens revealed add up to tokens written, and metered rows equal bare ones
"""

import time
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import lru_cache
from typing import NamedTuple

import torch

from harness.data.exact import Exact
from harness.kinds import Sampler
from harness.metrics.law import null_quantile, total_variation
from harness.nets.tabular import Tabular
from harness.param import Choice, space_of
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample

DATA = Exact()


class Verdict(NamedTuple):
    sampler: str
    claim: str               # "exact" | "exact in its limit" | "none"
    distance: float          # total variation of the sampler as it stands
    limit: float | None      # of its exact limit
    quantile: float          # 99.99 % of total variation under the law itself
    given: bool
    batch: bool
    ledger: bool
    passed: bool
    seconds: float


def variants(sampler: Sampler) -> Iterator[Sampler]:
    """The sampler with its defaults, then with each other choice of each field, nested ones too."""
    yield sampler
    for f in fields(sampler):
        value, space = getattr(sampler, f.name), space_of(f)
        if isinstance(space, Choice):
            for other in space.values:
                if type(other) is not type(value) or (isinstance(other, str) and other != value):
                    yield replace(sampler, **{f.name: other})


def networks() -> dict:
    heavy = Tabular(DATA.law(), DATA.vocab, DATA.length)
    return {"main": heavy, "light": heavy.flat()}


@lru_cache(maxsize=64)    # many samplers share one limit
def distance(sampler: Sampler, n: int) -> float:
    x = sample(sampler, networks(), torch.full((n, DATA.length), DATA.mask), 0, 1024)
    return total_variation(torch.bincount(DATA.index(x), minlength=len(DATA.law())), DATA.law())


def verify(sampler: Sampler, n: int = 8192) -> Verdict:
    """Run every check on one sampler. Raises whatever the sampler raises."""
    begun, nets, limit = time.perf_counter(), networks(), sampler.exact()
    quantile = null_quantile(DATA.law(), n)
    claim = "none" if limit is None else "exact" if limit == sampler else "exact in its limit"
    own = distance(sampler, n)
    at_limit = None if limit is None else own if limit == sampler else distance(limit, n)
    prompts = torch.full((128, DATA.length), DATA.mask)
    prompts[::2, 1] = 2
    runs = [sample(sampler, nets, prompts[:rows], 1, batch) for batch, rows in ((1, 16), (7, 49), (64, 128))]
    ledger = Ledger(128, DATA.length, DATA.mask)
    metered = sample(sampler, nets, prompts, 1, 64, ledger=ledger)
    given = all(bool((x[::2, 1] == 2).all() and (x != DATA.mask).all()) for x in runs)
    batch = all(torch.equal(x, runs[2][: len(x)]) for x in runs)
    wrote = int((prompts == DATA.mask).sum())
    counted = torch.equal(metered, runs[2]) and int(ledger.tokens.sum()) == wrote
    lawful = at_limit is None or at_limit < quantile
    return Verdict(str(sampler), claim, own, at_limit, quantile, given, batch, counted, given and batch and counted
                   and lawful, time.perf_counter() - begun)


def table(verdicts: list[Verdict]) -> str:
    """The verdicts as a Markdown table."""
    head = ("sampler", "claims", "total variation", "of its limit", "null 99.99 %", "given", "batch", "ledger",
            "verdict", "seconds")
    rows = [(f"`{v.sampler}`", v.claim, f"{v.distance:.4f}", "" if v.limit is None else f"{v.limit:.4f}",
             f"{v.quantile:.4f}",
             *("yes" if b else "NO" for b in (v.given, v.batch, v.ledger)), "pass" if v.passed else "FAIL",
             f"{v.seconds:.1f}") for v in verdicts]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ("---",) * len(head), *rows))
