"""A dilated order on a host that goes by an order: places revealed side by side stand far apart.

See harness/schedules/dilated.py, arXiv 2506.19037 and arXiv 2503.17076; the start is ours.

    sigma = the host's order, replaced by a dilated one;  the host goes on as it does

Law: the host's, over dilated orders instead of uniform ones: exact where the host is exact for an ideal network, one
token a pass, for each order alone. A host that draws several tokens a pass is nearer to it than under uniform orders,
as far as tokens far apart are nearly independent. Passes: the host's.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from harness.kinds import Rows
from harness.param import Choice, check, param
from harness.sampling.reveal import dilated, uniform_host


@dataclass(frozen=True)
class DilatedHost:
    host: FirstHitting | FixedCount = param(FirstHitting(8), Choice(FirstHitting(8), FixedCount()))

    name: ClassVar[str] = "dilated"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)

    def __post_init__(self):
        check(self)
        uniform_host(self.host)

    def exact(self) -> "DilatedHost":
        return DilatedHost(self.host.exact())

    def start(self, nets, rows: Rows) -> dict[str, Tensor]:
        return dilated(self.host.start(nets, rows), rows)

    def step(self, nets, rows: Rows) -> Rows:
        return self.host.step(nets, rows)
