"""Laws of samplers and golden probes on a device: two steps of studies/gpu, which says how they are run.

A network's floats round otherwise on another device, so that a probe may give another token where a draw lies near an
edge; such tokens are counted.
"""

import json
import time
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch

from harness.checks.conformance import DATA
from harness.kinds import Denoiser
from harness.metrics.law import null_quantile, total_variation
from harness.nets.tabular import Tabular
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from studies.gpu.plan import Ask
from tests.golden.cells import PROBES
from tests.golden.draw import digest
from tests.golden.toys import BATCH, IDS, ROWS, changed, prompts, toy

FILE = Path(__file__).with_name("probes.json")


def placed(nets: dict[str, Denoiser], device: str) -> dict[str, Denoiser]:
    """Copies of networks on a device."""
    return {role: Tabular(net.law.to(device), net.vocab, net.length, net.cost) if isinstance(net, Tabular)
            else deepcopy(net).to(device) for role, net in nets.items()}    # type: ignore[attr-defined]


def laws(ask: Ask) -> Iterator[dict[str, Any]]:
    """Total variation of each sampler, as it stands by default and in its exact limit, under a network that knows the
    law; the 99.99 % quantile of what chance alone gives.
    """
    heavy, n = Tabular(DATA.law(), DATA.vocab, DATA.length), ask.of(8192, 32)
    nets = placed({"main": heavy, "light": heavy.flat()}, ask.device)
    quantile = null_quantile(DATA.law(), n, draws=ask.of(1000, 20))
    known: dict[Any, float] = {}

    def distance(sampler: Any) -> float:
        if sampler not in known:
            x = sample(sampler, nets, torch.full((n, DATA.length), DATA.mask, device=ask.device), 0, n).cpu()
            known[sampler] = total_variation(torch.bincount(DATA.index(x), minlength=len(DATA.law())), DATA.law())
        return known[sampler]

    every = list(dict.fromkeys(type(probe.sampler) for probe in PROBES))
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
    filed = json.loads(FILE.read_text(encoding="utf-8"))["probes"]
    stride = 7    # so that samplers of all kinds come early
    order = [probe for k in range(stride) for probe in PROBES[k::stride]][: ask.of(len(PROBES), 6)]
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
