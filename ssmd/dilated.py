"""The self-speculative sampler in a dilated order: the drafts of a window stand far apart (a combination of ours;
harness/schedules/dilated.py, arXiv 2510.03929).

    sigma = a dilated order;  the rest as in ssmd/sampler.py

Drafts are drawn side by side and verified one after the other, each against the law given those before it. The further
apart they stand, the less those before it change that law, and the more of them are accepted. Law: that of the causal
target over dilated orders, exact for every window and N if the network's conditionals come from one joint.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from harness.kinds import Rows
from harness.param import Choice, check, param
from harness.sampling.reveal import dilated, uniform_host
from ssmd.sampler import SelfSpeculative


@dataclass(frozen=True)
class DilatedSelfSpeculative:
    host: SelfSpeculative = param(SelfSpeculative(), Choice(SelfSpeculative()))

    name: ClassVar[str] = "ssmd_dilated"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = SelfSpeculative.needs

    def __post_init__(self):
        check(self)
        uniform_host(self.host)

    def exact(self) -> "DilatedSelfSpeculative":
        return DilatedSelfSpeculative(self.host.exact())

    def start(self, nets, rows: Rows) -> dict[str, Tensor]:
        return dilated(self.host.start(nets, rows), rows)

    def step(self, nets, rows: Rows) -> Rows:
        return self.host.step(nets, rows)
