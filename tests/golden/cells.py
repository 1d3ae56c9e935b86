"""The probes: a sampler with its settings, on one of the toy networks.

Every sampler of ours has probes, and every choice among its settings is in one of them, which a test asks.
Few settings are at their defaults, which are made for long texts.
A probe's name is made of what differs from the defaults, so that a new field with a default renames none.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

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
from baselines.remdm import Cap, Loop, ReMDM, Rescale
from baselines.remdm_conf import ReMDMConf
from baselines.scheduled import Scheduled
from baselines.sigma_gpt import SigmaGpt
from baselines.speculative import Speculative
from baselines.tau_leaping import TauLeaping
from baselines.theta_trapezoidal import ThetaTrapezoidal
from baselines.threshold import Threshold
from harness.kinds import Sampler
from harness.schedules import certainty as sure
from harness.schedules.noise import Cosine, Knots, Linear, Polynomial
from harness.schedules.order import Blocks, Dilated, LeftToRight
from harness.schedules.placement import Interleaved, Middle, Prefix, Random, Sandwich, Segments, Suffix
from harness.schedules.window import Cosine as CosineWindow
from harness.schedules.window import Fixed, Open, Stairs
from harness.schedules.window import Linear as LinearWindow
from ssmd.adaptive import Adaptive
from ssmd.bonus import SelfSpeculativeBonus
from ssmd.corrected import Corrected
from ssmd.relay import Relayed
from ssmd.sampler import SelfSpeculative
from ssmd.unverified import Unverified

SEED = 2**40 + 7    # both words of the key matter


@dataclass(frozen=True)
class Probe:
    sampler: Sampler
    net: str = "hybrid"     # of toys.NETS
    change: str = ""        # of toys.CHANGES
    seed: int = SEED
    every: bool = False     # row is given some tokens

    @property
    def name(self) -> str:
        return f"{label(self.sampler)} on {self.net}" + (f", {self.change}" if self.change else "")


def label(thing: Any) -> str:
    """A plug-in and what differs from its defaults: ssmd(window=open, rounds=1)."""
    if not hasattr(thing, "__dataclass_fields__"):
        return str(thing)
    values = {f.name: getattr(thing, f.name) for f in fields(thing) if getattr(thing, f.name) != f.default}
    inner = ", ".join(f"{key}={label(value)}" for key, value in values.items())
    return f"{thing.name}({inner})" if inner else thing.name


KNOTS, STAIRS = Knots((0.0, 0.1, 0.4, 1.0)), Stairs((0.25, 0.6, 1.0))
PLACEMENTS = (Sandwich(0.5), Middle(0.5), Prefix(0.5), Suffix(0.5),
              Interleaved(0.5, 3), Random(0.5, 4), Segments((0, 2), 4))
COUNTED = Scheduled(FirstHitting(2), Prefix(0.4), "count")

FIRST = [    # one of each road through the code: where a slip is, they show it soonest
    Probe(SelfSpeculative(Open(), 1)),
    Probe(SelfSpeculative(Open(), 4)),
    Probe(SelfSpeculative(CosineWindow(0.4), 2)),
    Probe(SelfSpeculative(Open(), 2), change="temperature 0.5"),
    Probe(SelfSpeculative(Open(), 2), "table"),
    Probe(SelfSpeculative(Fixed(2), 2, order=Dilated())),
    Probe(Ancestral(4)),
    Probe(COUNTED),
    Probe(LightHeavy(3)),
    Probe(Corrected(SelfSpeculative(Open(), 2), 0.5, 3)),
]
SPECULATIVE = [
    Probe(SelfSpeculative(Fixed(3), 2)),
    Probe(SelfSpeculative(LinearWindow(0.25), 10)),
    Probe(SelfSpeculative(STAIRS, 4)),
    Probe(SelfSpeculative(LinearWindow(0.25), 10, order=Dilated())),
    Probe(Corrected(Adaptive(Open(), 2, sure.Entropy(), 3.0), 0.25, 2, "random"), every=True),
    Probe(Adaptive(Open(), 10, sure.Random(), 6.0)),
    Probe(Adaptive(CosineWindow(0.6), 2, sure.Entropy(), 3.0), every=True),
    Probe(Adaptive(LinearWindow(0.5), 4, sure.Confidence(), 3.0), every=True),
    Probe(Adaptive(Fixed(4), 1, sure.Margin(), 3.0), every=True),
    *(Probe(Relayed(SelfSpeculative(Fixed(2), 2), placement)) for placement in PLACEMENTS),
    Probe(SelfSpeculative(Fixed(4), 2, Blocks(4))),
    Probe(SelfSpeculative(LinearWindow(0.5), 3, LeftToRight())),
    Probe(SelfSpeculative(Open(), 2), change="nucleus 0.9"),
    Probe(SelfSpeculative(Open(), 3), "deep"),
    Probe(SelfSpeculative(CosineWindow(0.5), 3), "halves"),
    Probe(SelfSpeculative(CosineWindow(0.5), 3), "learned"),
]
BASELINES = [
    Probe(FirstHitting()),
    *(Probe(Scheduled(Ancestral(8), placement)) for placement in PLACEMENTS),
    Probe(FirstHitting(3, order=Dilated())),
    Probe(FixedCount(STAIRS, order=Dilated())),
    Probe(FixedCount(LinearWindow(0.25))),
    Probe(Ancestral(6, Cosine()), change="temperature 0.5"),
    Probe(Ancestral(6, Polynomial()), change="nucleus 0.9"),
    Probe(Ancestral(6, KNOTS), change="nucleus 0.9 below"),
    Probe(MaskGIT(4, Cosine(), 2.0), every=True),
    Probe(Ordered(4, Cosine(), sure.Random())),
    Probe(Ordered(4, Linear(), sure.Confidence(), "greedy"), every=True),
    Probe(FusedFloat32(6)),
    Probe(FirstHitting(3, Blocks(4))),
    Probe(FirstHitting(2, LeftToRight())),
    Probe(FirstHitting(), "table"),
    Probe(FixedCount(CosineWindow(0.3))),
    Probe(FixedCount(Fixed(2), Blocks(4))),
    Probe(FixedCount(STAIRS, LeftToRight())),
    Probe(FixedCount(Open())),
    Probe(AnyOrder()),
    Probe(AnyOrder(Blocks(4))),
    Probe(AnyOrder(LeftToRight())),
    Probe(AnyOrder(Dilated())),
    Probe(LightHeavy(4, Blocks(4))),
    Probe(LightHeavy(3, Dilated())),
    Probe(LightHeavy(2, LeftToRight()), "table"),
    Probe(Speculative(2)), Probe(Speculative(3, bonus=False), "table"),
    *(Probe(SelfSpeculativeBonus(window, 2, order)) for window, order in (
        (Fixed(2), Dilated()), (Open(), Blocks(4)), (LinearWindow(0.5), LeftToRight()), (STAIRS, Dilated()))),
    Probe(SelfSpeculativeBonus(CosineWindow(0.4), 3), "table"),
    *(Probe(Unverified(window, head, order)) for window, head, order in (
        (Fixed(3), "sequential", Dilated()), (Open(), "drafts", Blocks(4)),
        (LinearWindow(0.5), "jacobi", LeftToRight()), (STAIRS, "jacobi", Dilated()))),
    Probe(Unverified(CosineWindow(0.4), "jacobi"), "table"),
    Probe(SigmaGpt(3)),
]
CONFIDENT = [
    Probe(Ordered(5, KNOTS, sure.Margin()), every=True),
    Probe(Ordered(5, Polynomial(), sure.Entropy()), every=True),
    Probe(Ordered(5, Linear(), sure.TokenConfidence()), every=True),
    Probe(MaskGIT(5, Linear(), 0.0), every=True),
    Probe(MaskGIT(5, Polynomial(), 0.5), every=True),
    Probe(MaskGIT(5, KNOTS), every=True),
    *(Probe(Moment(5, schedule, 2.0), every=True) for schedule in (Cosine(), Linear(), Polynomial(), KNOTS)),
    Probe(KLASS(6, Linear(), 0.4, 0.5, 1), every=True),
    Probe(KLASS(6, Cosine(), 0.3, 1.0, 2, "drawn"), every=True),
    Probe(KLASS(6, Polynomial(), 0.4, 0.5, 1, "drawn"), every=True),
    Probe(KLASS(6, KNOTS, 0.4, 0.5, 1), every=True),
    Probe(EntropyBounded(1.5, sure.Entropy()), every=True),
    Probe(EntropyBounded(1.5, sure.Confidence()), every=True),
    Probe(EntropyBounded(1.5, sure.Margin()), every=True),
    Probe(Threshold(0.5), every=True),
    Probe(Threshold(0.5, "drawn"), every=True),
]
RATES = [Probe(kind(5, schedule=schedule)) for kind in (Euler, TauLeaping, ForwardBackward, ReMDMConf)
         for schedule in (Linear(), Cosine(), Polynomial(), KNOTS)]
REMASKING = [
    *(Probe(ThetaTrapezoidal(4, theta, schedule))
      for theta, schedule in ((0.5, Linear()), (0.3, Cosine()), (0.6, Polynomial()), (0.4, KNOTS))),
    *(Probe(Psi(6, 0.7, schedule)) for schedule in (Linear(), Cosine(), Polynomial(), KNOTS)),
    Probe(ReMDM(8, Cap(0.2))),
    Probe(ReMDM(8, Cap(0.1), Cosine())),
    Probe(ReMDM(8, Rescale(0.3), Polynomial())),
    Probe(ReMDM(12, Loop(0.2, held=0.3))),
    Probe(ReMDM(8, Rescale(0.2), KNOTS)),
    Probe(DFM(4, 2.0)),
    Probe(FusedFloat32(5, Cosine())),
    Probe(FusedFloat32(5, Polynomial())),
]
ALL = [*FIRST, *SPECULATIVE, *BASELINES, *CONFIDENT, *RATES, *REMASKING]
# added to the seed of a probe in which a draw would lie near an edge, where another machine may turn it
SHIFTS = {
    "ssmd_adaptive(window=cosine(delta=0.6), rounds=2, by=entropy, budget=3.0) on hybrid": 1,
    "ordered(steps=4, schedule=cosine, by=random) on hybrid": 1,
    "moment(steps=5, schedule=knots(alphas=(0.0, 0.1, 0.4, 1.0)), temperature=2.0) on hybrid": 1,
    "remdm_conf(steps=5, schedule=cosine) on hybrid": 1,
    "remdm(steps=8, strategy=cap(eta=0.2)) on hybrid": 1,
}
PROBES = [replace(probe, seed=SEED + SHIFTS.get(probe.name, 0)) for probe in ALL]
