"""Whether a device writes what a CPU writes: draws to the bit, laws of samplers, golden probes.

Draws are integers and float64, made alike on both: none may differ. A network's floats round otherwise on another
device, so a probe may give another token where a draw lies near an edge; such tokens are counted.
"""

import json
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

from harness import random
from harness.checks.conformance import DATA
from harness.kinds import Denoiser
from harness.metrics.law import null_quantile, total_variation
from harness.nets.tabular import Tabular
from harness.random import LARGE, Stream
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.spec import ROOT
from studies.gpu.plan import Ask

SEED, STREAM = 2**40 + 7, Stream.TOKEN    # both words of the key matter
PROBES = ROOT / "tests" / "golden" / "probes.json"


def cases(n: int, few: int, vocab: int) -> dict[str, Callable[[str], tuple[Tensor, ...]]]:
    """Function of harness/random.py -> what it gives on a device: n rows of 27 symbols, few rows of `vocab`."""
    made = torch.Generator().manual_seed(0)
    logits, wide = torch.randn(n, 27, generator=made) * 3, torch.randn(few, vocab, generator=made) * 3
    p, q = (torch.rand(n, 27, generator=made, dtype=torch.float64) for _ in range(2))
    u, token = torch.rand(n, generator=made, dtype=torch.float64), torch.randint(27, (n,), generator=made)

    def numbers(device: str) -> tuple[Tensor, Tensor]:
        return torch.arange(n, device=device) + 2**31, torch.arange(16, device=device) + 2**40

    def philox(device: str) -> tuple[Tensor, ...]:
        row, index = numbers(device)
        return random.philox4x32((row, row * 3 % 2**32, row, torch.full_like(row, int(index[0]) % 2**32)), (7, 2**31))

    return {
        "philox4x32": philox,
        "uniform": lambda d: (random.uniform(SEED, numbers(d)[0], STREAM, numbers(d)[1]),),
        "permutation": lambda d: (random.permutation(SEED, numbers(d)[0], STREAM, 64),),
        "integers": lambda d: (random.integers(SEED, numbers(d)[0], STREAM, numbers(d)[1], 1_000_003),),
        "categorical": lambda d: (random.categorical(p.to(d), u.to(d)),),
        "residual": lambda d: (random.residual(p.to(d), q.to(d), u.to(d)),),
        "from_logits": lambda d: random.from_logits(logits.to(d), u.to(d)),
        "from_logits, many symbols": lambda d: random.from_logits(wide.to(d), u[:few].to(d)),
        "probability_of": lambda d: (random.probability_of(token.to(d), logits.to(d)),),
        "probability_of, many symbols": lambda d: (random.probability_of(token[:few].to(d), wide.to(d)),),
    }


def draws(ask: Ask) -> Iterator[dict[str, Any]]:
    for name, call in cases(ask.of(2**16, 64), ask.of(256, 4), ask.of(50_257, LARGE + 8)).items():
        for here, there in zip(call("cpu"), call(ask.device)):
            there, kind = there.cpu(), "numbers" if here.is_floating_point() else "integers"
            row = {"what": name, "kind_of": kind, "numbers": here.numel(), "differ": int((here != there).sum())}
            if kind == "numbers":    # probabilities hang on exp and on the order of sums
                row["largest_relative"] = float(((here - there).abs() / here.abs().clamp_min(1e-300)).max())
            yield row


def placed(nets: dict[str, Denoiser], device: str) -> dict[str, Denoiser]:
    """Copies of networks on a device."""
    return {role: Tabular(net.law.to(device), net.vocab, net.length, net.cost) if isinstance(net, Tabular)
            else deepcopy(net).to(device) for role, net in nets.items()}    # type: ignore[attr-defined]


def laws(ask: Ask) -> Iterator[dict[str, Any]]:
    """Total variation of each sampler, as it stands by default and in its exact limit, under a network that knows the
    law; the 99.99 % quantile of what chance alone gives.
    """
    from tests.golden.cells import PROBES as probes

    heavy, n = Tabular(DATA.law(), DATA.vocab, DATA.length), ask.of(8192, 32)
    nets = placed({"main": heavy, "light": heavy.flat()}, ask.device)
    quantile = null_quantile(DATA.law(), n, draws=ask.of(1000, 20))
    known: dict[Any, float] = {}

    def distance(sampler: Any) -> float:
        if sampler not in known:
            x = sample(sampler, nets, torch.full((n, DATA.length), DATA.mask, device=ask.device), 0, n).cpu()
            known[sampler] = total_variation(torch.bincount(DATA.index(x), minlength=len(DATA.law())), DATA.law())
        return known[sampler]

    every = list(dict.fromkeys(type(probe.sampler) for probe in probes))
    for k, cls in enumerate(every):
        if ask.over():
            yield {"what": "stopped", "looked_at": k, "of": len(every)}
            return
        begun, sampler = time.monotonic(), cls()
        own, limit = distance(sampler), sampler.exact()
        at_limit = None if limit is None else distance(limit)
        yield {"what": sampler.name, "rows": n, "distance": own, "of_its_limit": at_limit, "quantile": quantile,
               "passed": at_limit is None or at_limit < quantile, "exact": limit == sampler,
               "seconds": round(time.monotonic() - begun, 3)}


def golden(ask: Ask) -> Iterator[dict[str, Any]]:
    """Each probe on the CPU, against the file, and on the device, against the CPU."""
    from tests.golden.cells import PROBES as probes
    from tests.golden.draw import digest
    from tests.golden.toys import BATCH, IDS, ROWS, changed, prompts, toy

    filed = json.loads(PROBES.read_text(encoding="utf-8"))["probes"]
    stride = 7    # so that samplers of all kinds come early
    order = [probe for k in range(stride) for probe in probes[k::stride]][: ask.of(len(probes), 6)]
    for k, probe in enumerate(order):
        if ask.over():
            yield {"what": "stopped", "looked_at": k, "of": len(order)}
            return
        found, bare = [], toy(probe.net)
        for device in ("cpu", ask.device):
            nets = {role: changed(net, probe.change) for role, net in placed(bare, device).items()}
            x = prompts(bare["main"], probe.every).to(device)
            ledger = Ledger(ROWS, x.shape[1], bare["main"].mask)
            found.append(sample(probe.sampler, nets, x, probe.seed, BATCH, IDS.to(device), ledger).cpu())
        differ = found[0] != found[1]                                              # (ROWS, L)
        yield {"what": probe.name, "rows": ROWS, "rows_differ": int(differ.any(1).sum()), "tokens": differ.numel(),
               "tokens_differ": int(differ.sum()), "cpu_as_filed": digest(found[0]) == filed[probe.name]["tokens"]}
