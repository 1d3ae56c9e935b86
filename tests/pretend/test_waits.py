"""How often the host waits for its device in the sampling loop, and how many kernels a round starts.

A round is a draft pass with the verify passes on it. Waits before the first round and after the last are a handful a
run, and none of a round. `pytest tests/pretend/test_waits.py --claims` writes the claims device.waits_a_round, the most
of any sampler below, and device.kernels_a_round.ssmd.
"""

from collections import Counter
from functools import lru_cache
from typing import NamedTuple

import pytest
import torch

from baselines.ancestral import Ancestral
from harness.claims import claim as claims
from harness.nets.wrap import Wrapper
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.schedules.window import Cosine, Linear
from ssmd.model import Hybrid, HybridConfig
from ssmd.sampler import SelfSpeculative
from tests.golden.toys import filled
from tests.pretend.away import DEVICE
from tests.pretend.device import moved, pretended
from tests.pretend.tally import Tally

ROWS, BATCH, LENGTH, VOCAB = 12, 5, 24, 27
SAMPLERS = {"ancestral": Ancestral(8), "ssmd": SelfSpeculative(Cosine(0.15), 2),
            "ssmd, 4 rounds": SelfSpeculative(Linear(0.25), 4)}
AROUND = 6    # waits of a run outside of its rounds: what there is to write, what the first rows need, the last checks
COMMAND = "pytest tests/pretend/test_waits.py --claims"


class Watched(Wrapper):
    """A network whose passes are counted, and whose kernels are kept apart."""

    def __init__(self, net, tally: Tally):
        super().__init__(net)
        self.tally, self.passes = tally, Counter()

    def draft(self, x, at=None, alive=None, clock=None):
        self.passes["draft"] += 1
        with self.tally.during("network"):
            return self.net.draft(x, at, alive, clock)

    def verify(self, hidden, y, order, at, alive=None):
        self.passes["verify"] += 1
        with self.tally.during("network"):
            return self.net.verify(hidden, y, order, at, alive)


class Seen(NamedTuple):
    rounds: int
    waits: float      # a round
    kernels: float    # a round, of the network and of all that is around it
    of_network: float


@lru_cache
def seen(name: str, metered: bool) -> Seen:
    net = filled(Hybrid(HybridConfig(vocab=VOCAB, width=16, heads=2, blocks=2)), 1.0)
    ledger = Ledger(ROWS, LENGTH, net.mask) if metered else None
    with pretended() as tally:
        watched, x = Watched(moved(net), tally), torch.full((ROWS, LENGTH), net.mask).to(DEVICE)
        sample(SAMPLERS[name], {"main": watched}, x, 0, BATCH, ledger=ledger)
    rounds, kernels = watched.passes["draft"], tally.kernels_by_phase
    return Seen(rounds, (tally.waited("harness/", "ssmd/", "baselines/") - AROUND) / rounds,
                sum(kernels.values()) / rounds, kernels["network"] / rounds)


@pytest.mark.parametrize("metered", [False, True], ids=["bare", "with a ledger"])
@pytest.mark.parametrize("name", SAMPLERS)
def test_the_host_waits_once_a_round(name, metered):
    assert seen(name, metered).waits == 1


def test_the_claims(request):
    found = {(name, metered): seen(name, metered) for name in SAMPLERS for metered in (False, True)}
    rounds, most = sum(one.rounds for one in found.values()), max(one.waits for one in found.values())
    bare = found["ssmd", False]
    ratio = bare.kernels / bare.of_network
    assert ratio < 3
    if not request.config.getoption("--claims"):
        return
    about = f"counted, not sampled: {ROWS} rows of {LENGTH} tokens in batches of {BATCH}, on a pretended device"
    claims.write("waits", [
        claims.claim("device.waits_a_round", most, most, most, "waits of the host a draft pass", rounds, COMMAND,
                     list(SAMPLERS), f"{about}; the most of these samplers, with a ledger and without, verify passes "
                     f"included; beside them {AROUND} a run"),
        claims.claim("device.kernels_a_round.ssmd", ratio, ratio, ratio, "kernels over those of the network",
                     bare.rounds, COMMAND, ["ssmd"],
                     f"{about}; {bare.kernels:.0f} kernels a draft pass, of them {bare.of_network:.0f} of a network of "
                     "2 blocks and one causal block, an operation of torch for a kernel; deeper networks have a "
                     "smaller ratio")])
