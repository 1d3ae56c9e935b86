"""How often the host waits for its device in the sampling loop, and how many kernels a round starts.

A round is a step of the sampler: its draft passes, of two networks or of several states where it has them, with the
verify passes on them. Waits before the first round and after the last are a handful a
run, and none of a round. `pytest tests/pretend/test_waits.py --claims` writes the claims device.waits_a_round, the most
of any sampler below, and device.kernels_a_round.ssmd.
"""

from collections import Counter
from functools import lru_cache
from typing import NamedTuple, cast

import pytest
import torch

from baselines import dfm
from baselines.ancestral import Ancestral
from baselines.any_order import AnyOrder
from baselines.dfm import DFM
from baselines.entropy_bounded import EntropyBounded
from baselines.euler import Euler
from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from baselines.forward_backward import ForwardBackward
from baselines.fused_float32 import FusedFloat32
from baselines.klass import KLASS
from baselines.light_heavy import LightHeavy
from baselines.maskgit import MaskGIT
from baselines.moment import Moment
from baselines.ordered import Ordered
from baselines.psi import Psi
from baselines.remdm import ReMDM
from baselines.remdm_conf import ReMDMConf
from baselines.scheduled import Scheduled
from baselines.sigma_gpt import SigmaGpt
from baselines.speculative import Speculative
from baselines.tau_leaping import TauLeaping
from baselines.theta_trapezoidal import ThetaTrapezoidal
from baselines.threshold import Threshold
from harness.claims import claim as claims
from harness.kinds import Sampler
from harness.nets.wrap import Wrapper
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.schedules import placement, window
from harness.schedules.certainty import Entropy
from harness.schedules.placement import Random, Sandwich, Segments
from harness.schedules.window import Cosine, Linear, Open
from ssmd.adaptive import Adaptive
from ssmd.bonus import SelfSpeculativeBonus
from ssmd.corrected import Corrected
from ssmd.model import Hybrid, HybridConfig
from ssmd.relay import Relayed
from ssmd.sampler import SelfSpeculative
from ssmd.unverified import HEADS, Unverified
from tests.golden.toys import filled
from tests.pretend.away import DEVICE
from tests.pretend.device import moved, pretended
from tests.pretend.tally import Tally

ROWS, BATCH, LENGTH, VOCAB = 12, 5, 24, 27
SAMPLERS = {"ancestral": Ancestral(8), "ssmd": SelfSpeculative(Cosine(0.15), 2),
            "ssmd, 4 rounds": SelfSpeculative(Linear(0.25), 4),
            "euler": Euler(8), "tau_leaping": TauLeaping(8), "first_hitting": FirstHitting(3),
            "fixed_count": FixedCount(Linear(0.2)), "ordered": Ordered(8), "maskgit": MaskGIT(8), "moment": Moment(8),
            "threshold": Threshold(0.2), "klass": KLASS(8), "entropy_bounded": EntropyBounded(1.0), "dfm": DFM(8),
            "remdm": ReMDM(8), "forward_backward": ForwardBackward(8), "psi": Psi(8), "any_order": AnyOrder(),
            "sigma_gpt": SigmaGpt(2), "ssmd_bonus": SelfSpeculativeBonus(Linear(0.25), 3),
            "ssmd_adaptive": Adaptive(Linear(0.25), 3), "ssmd_adaptive by entropy": Adaptive(Open(), 4, Entropy()),
            "ssmd_corrected": Corrected(SelfSpeculative(Linear(0.25), 2), 0.25, 1),
            "fused_float32": FusedFloat32(8), "remdm_conf": ReMDMConf(8), "theta_trapezoidal": ThetaTrapezoidal(6),
            "light_heavy": LightHeavy(3), "speculative": Speculative(3),
            "speculative without bonus": Speculative(3, False), "scheduled": Scheduled(Ancestral(8)),
            "scheduled by count": Scheduled(Ancestral(8), Random(0.4), "count"),
            "scheduled, first_hitting": Scheduled(FirstHitting(3), Segments()),
            "ssmd_relayed": Relayed(SelfSpeculative(Linear(0.25), 2), Sandwich(0.5)),
            "ssmd_relayed, 4 rounds": Relayed(SelfSpeculative(Linear(0.25), 4), Segments((1, 2, 5))),
            **{f"ssmd_unverified, {head}": Unverified(Linear(0.2), head) for head in HEADS}}
AROUND = 6    # waits of a run outside of its rounds: what there is to write, what the first rows need, the last checks
# waits of a process: a table of numbers that is copied to the device
ONCE = {"dfm": 1, "scheduled, first_hitting": 1, "ssmd_relayed, 4 rounds": 1}
METERED = ("ancestral", "ssmd", "ssmd, 4 rounds", "theta_trapezoidal", "speculative", "scheduled", "ssmd_relayed")
RUNS = [*((name, False) for name in SAMPLERS), *((name, True) for name in METERED)]    # with a ledger or not
COMMAND = "pytest tests/pretend/test_waits.py --claims"


class Counted:
    """A sampler whose rounds are counted."""

    def __init__(self, sampler):
        self.sampler, self.rounds = sampler, 0

    def __getattr__(self, name):
        return getattr(self.sampler, name)

    def step(self, nets, rows):
        self.rounds += 1
        return self.sampler.step(nets, rows)


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
    dfm.on_device.cache_clear()    # as in a process of its own
    window._table.cache_clear()
    placement._named.cache_clear()
    net, light = (filled(Hybrid(HybridConfig(vocab=VOCAB, width=16, heads=2, blocks=2)), 1.0, other)
                  for other in (0.0, 0.2))
    ledger = Ledger(ROWS, LENGTH, net.mask) if metered else None
    with pretended() as tally:
        sampler, x = Counted(SAMPLERS[name]), torch.full((ROWS, LENGTH), net.mask).to(DEVICE)
        nets = {"main": Watched(moved(net), tally), "light": Watched(moved(light), tally)}
        sample(cast(Sampler, sampler), nets, x, 0, BATCH, ledger=ledger)
    rounds, kernels = sampler.rounds, tally.kernels_by_phase
    assert all(nets[need.split(".")[0]].passes["draft"] for need in sampler.needs)
    return Seen(rounds, (tally.waited("harness/", "ssmd/", "baselines/") - AROUND - ONCE.get(name, 0)) / rounds,
                sum(kernels.values()) / rounds, kernels["network"] / rounds)


@pytest.mark.parametrize("name, metered", RUNS)
def test_the_host_waits_once_a_round(name, metered):
    assert seen(name, metered).waits == 1


def test_the_claims(request):
    found = {run: seen(*run) for run in RUNS}
    rounds, most = sum(one.rounds for one in found.values()), max(one.waits for one in found.values())
    bare = found["ssmd", False]
    ratio = bare.kernels / bare.of_network
    assert ratio < 1.3
    if not request.config.getoption("--claims"):
        return
    about = f"counted, not sampled: {ROWS} rows of {LENGTH} tokens in batches of {BATCH}, on a pretended device"
    claims.write("waits", [
        claims.claim("device.waits_a_round", most, most, most, "waits of the host a round", rounds, COMMAND,
                     list(SAMPLERS), f"{about}; the most of these samplers, {len(METERED)} of them with a ledger too, "
                     f"verify passes included; beside them {AROUND} a run"),
        claims.claim("device.kernels_a_round.ssmd", ratio, ratio, ratio, "kernels over those of the network",
                     bare.rounds, COMMAND, ["ssmd"],
                     f"{about}; {bare.kernels:.0f} kernels a draft pass, of them {bare.of_network:.0f} of a network of "
                     "2 blocks and one causal block, an operation of torch for a kernel, of harness/fused for one "
                     "too, which on CUDA takes Triton; deeper networks have a smaller ratio")])
