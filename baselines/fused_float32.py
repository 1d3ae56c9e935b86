"""The float32 trap as an arm: tokens and MASK drawn in one race of float32 exponentials, as much public code does.

    x_l = argmax over v and MASK of  w_v / E_v,    w_v = p_v (alpha_s - alpha_t),  w_MASK = 1 - alpha_s
    E = -log U,  U float32

Float32 uniforms are multiples of 2**-24, so E >= 2**-24: a token can win only where E_v < w_v E_MASK / w_MASK, tokens
below about 2**-24 N t practically never appear, and the temperature drops the more steps are taken (arXiv 2409.02908;
formula ours). A control: never use it for anything else. `race_law` is its exact law for one position, up to ties.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from baselines._masked import Looking
from baselines.first_hitting import FirstHitting
from harness.kinds import Rows
from harness.param import Choice, Range, check, param
from harness.random import Stream, uniform
from harness.sampling.reveal import fill, positions, probabilities
from harness.schedules.noise import Cosine, Linear, Polynomial

GRID = 2.0**-24


@dataclass(frozen=True)
class FusedFloat32(Looking):
    """The float32 trap as a control arm: tokens and MASK drawn in one race of float32 exponentials, which lowers the
    temperature the more steps are taken (arXiv 2409.02908). It draws otherwise than every other sampler here, and is
    for nothing but showing that.
    """

    steps: int = param(64, Range(1, 4096, log=True), "N, equal steps in time")
    schedule: Linear | Cosine | Polynomial = param(Linear(), Choice(Linear(), Cosine(), Polynomial()))

    name: ClassVar[str] = "fused_float32"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)

    def __post_init__(self):
        check(self)

    def exact(self) -> FirstHitting:
        return FirstHitting()    # of the method it imitates; by itself it has no exact limit

    def step(self, nets, rows: Rows) -> Rows:
        net, L = nets["main"], rows.x.shape[1]
        t = 1 - rows.n.double() / self.steps                                       # (B,)
        now, then = (self.schedule.alpha(u.clamp_min(0)) for u in (t, t - 1 / self.steps))
        at = positions(rows.x == net.mask, *rows.ahead)                            # (B, W)
        p = probabilities(net.draft(rows.x, at, clock=now)[0]).float()             # (B, W, V)
        mask = (1 - then).float()[:, None, None].expand(-1, at.shape[1], 1)
        weight = torch.cat((p * (then - now).float()[:, None, None], mask), -1)    # (B, W, V+1)
        place = (rows.n[:, None] * L
                 + at.clamp_min(0))[..., None] * (net.vocab + 1) + torch.arange(net.vocab + 1, device=p.device)
        u = uniform(rows.seed, rows.id, Stream.TOKEN, place.flatten(1)).view_as(weight)
        race = weight / -((u / GRID).floor() * GRID).float().log()
        return rows._replace(x=fill(rows.x, at, race.argmax(-1)))                  # V is MASK: nothing is written there


def race_law(p: Tensor, t: float, s: float, exact_terms: int = 64, points: int = 3000) -> Tensor:
    """Probabilities that one masked position, linear schedule, takes each token in the step t -> s; p (V,) float64 ->
    (V,).

    Token v arrives at E_v / w_v and the first arrival wins. All survive theta with log probability about - sum_u
    floor(w_u theta / 2**-24) 2**-24, the grid of E. The first `exact_terms` grid points of E_v are summed, the rest is
    an integral.
    """
    w = p * (t - s)                                                                # (V,)
    every = torch.cat((w, torch.tensor([s], dtype=torch.float64)))
    theta = torch.logspace(-9, 2.5, points, dtype=torch.float64)                   # (T,)
    survive = torch.stack([-(every * x / GRID).floor().sum() * GRID for x in theta]).exp()          # (T,)
    gain = (theta[1:] - theta[:-1]) * (survive[1:] + survive[:-1]) / 2
    # (T,) integral from theta to the end
    tail = torch.cat((gain.flip(0).cumsum(0).flip(0), torch.zeros(1, dtype=torch.float64)))

    def read(table: Tensor, x: Tensor) -> Tensor:
        k = torch.searchsorted(theta, x).clamp(1, points - 1)
        share = ((x - theta[k - 1]) / (theta[k] - theta[k - 1])).clamp(0, 1)
        return table[k - 1] + share * (table[k] - table[k - 1])

    first = sum(read(survive, j * GRID / w) for j in range(1, exact_terms + 1)) * GRID
    return first + w * read(tail, (exact_terms + 0.5) * GRID / w)
