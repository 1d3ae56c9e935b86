"""Model scheduling (arXiv 2604.02340): a light network writes some parts of the text, the heavy one the rest, on any
host sampler.

    at each pass:   network = light if placement.light(share written) else heavy

Lazy form: positions are chosen first and a network is called only for rows that reveal, so no pass is ever kept and
none can go stale at a switch; the cost is proportional to the schedule. by="clock" takes the expected share at the
start of the step, equal for all rows (the published form for the linear schedule); by="count" each row's own share.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from baselines.ancestral import Ancestral
from baselines.first_hitting import FirstHitting
from harness.kinds import Rows
from harness.nets.wrap import Switch
from harness.param import Choice, check, param
from harness.schedules.placement import Interleaved, Middle, Prefix, Random, Sandwich, Segments, Suffix


@dataclass(frozen=True)
class Scheduled:
    """Model scheduling on a host sampler (arXiv 2604.02340): at each pass `placement` says by the share written whether
    `light` or `main` is called. `by` takes the share that the clock expects, or that of each row. The law is a mixture
    of two networks', so that there is no exact limit.
    """

    host: Ancestral | FirstHitting = param(Ancestral(), Choice(Ancestral(), FirstHitting()))
    placement: Sandwich | Middle | Prefix | Suffix | Interleaved | Random | Segments = param(
        Sandwich(), Choice(Sandwich(), Middle(), Prefix(), Suffix(), Interleaved(), Random(), Segments()))
    by: str = param("clock", Choice("clock", "count"))

    name: ClassVar[str] = "scheduled"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main", "light")

    def __post_init__(self):
        check(self)

    def exact(self) -> None:
        """None: with a light network that differs, the law is a mixture of two networks' conditionals."""

    def start(self, nets, rows: Rows) -> dict[str, Tensor]:
        return self.host.start(nets, rows)

    def ahead(self, nets, rows: Rows) -> Tensor:
        """What the host's round needs to know, and whether it is light, (2, B)."""
        mask = nets["main"].mask
        share = self.host.clock(rows, mask) if self.by == "clock" else (rows.x != mask).double().mean(1)   # (B,)
        return torch.cat((self.host.ahead(nets, rows), self.placement.light(share)[None]))

    def step(self, nets, rows: Rows) -> Rows:
        lights = int(rows.known[-1].sum()) if rows.ahead else None
        net = Switch(nets["main"], nets["light"], self.placement, self.by, lights)
        return self.host.step({"main": net}, rows)
