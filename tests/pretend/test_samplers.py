"""Every sampler on a device that is not the CPU: the CPU's tokens, and the CPU's counts."""

import pytest
import torch

from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from tests.golden.cells import PROBES, Probe
from tests.golden.draw import counted
from tests.golden.toys import BATCH, IDS, ROWS, changed, prompts, toy
from tests.pretend.away import DEVICE
from tests.pretend.device import moved, pretended


def one_of_each() -> list[Probe]:
    """The first probe of each sampler, each network and each change of one, and each schedule that is made of numbers.
    """
    found: dict[tuple, Probe] = {}
    for probe in PROBES:
        parts = [getattr(value, "name", "") for value in vars(probe.sampler).values()]
        for key in (("sampler", probe.sampler.name), ("net", probe.net), ("change", probe.change),
                    *(("part", part) for part in parts if part)):
            found.setdefault(key, probe)
    return list({probe.name: probe for probe in found.values()}.values())


def written(probe: Probe, device: str) -> tuple[torch.Tensor, list]:
    bare = toy(probe.net)
    nets = {role: changed(net if device == "cpu" else moved(net), probe.change) for role, net in bare.items()}
    x, ledger = prompts(bare["main"], probe.every), Ledger(ROWS, prompts(bare["main"]).shape[1], bare["main"].mask)
    found = sample(probe.sampler, nets, x.to(device), probe.seed, BATCH, IDS.to(device), ledger)
    ledger.end(found, x.to(device), 2)
    tables = [ledger.tracks, ledger.tests, ledger.kept, ledger.rejected, ledger.generated, ledger.order, ledger.untied]
    return found.cpu(), [*counted(ledger), *tables]


@pytest.mark.parametrize("probe", one_of_each(), ids=lambda probe: probe.name)
def test_a_sampler_writes_the_tokens_of_the_cpu_at_its_cost(probe):
    with pretended():
        there = written(probe, DEVICE)
    here = written(probe, "cpu")
    assert torch.equal(here[0], there[0])
    assert all(a == b if isinstance(a, str) else torch.equal(a, b) for a, b in zip(here[1], there[1], strict=True))
