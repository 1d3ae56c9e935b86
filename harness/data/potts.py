"""The Potts model on a lattice, sampled exactly: two-dimensional order, exact likelihood, known entropy.

    p(s) = exp(K * sum over neighbours of [s_i = s_j]) / Z

A row is a lattice with `line` sites a line, read line by line, with free edges; the last line may be short. Sites have
q = `symbols` values. Given the last `line` sites, a site is independent of those before, so that sums over all
q**length states go site by site (transfer matrices, Kramers and Wannier 1941; the site-by-site form, Baxter 1982):
M_k(state) is the weight of everything from site k on. It gives Z and exact draws in reading order. At K = ln(1 +
sqrt(q)), 1.005 for q = 3, the infinite lattice is critical: domains of all sizes, and no short window of a text tells
the next site well.

    >>> data = Potts(length=12, line=4)
    >>> data.log_prob(data.rows("test", n=2, seed=0)).shape
    torch.Size([2])
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import torch
from torch import Tensor

from harness.data.synthetic import _SPLIT, Source, check_split
from harness.param import Range, param
from harness.random import Stream, categorical, uniform

LARGEST = 1 << 16    # states of a line: with 128 sites their messages take 64 MiB


@dataclass(frozen=True)
class Potts(Source):
    """The Potts model on a lattice with free edges, read line by line and sampled exactly. `coupling` K is the weight
    in nats of each pair of equal neighbours. Raises ValueError for more than 65,536 states of a line.
    """

    name: ClassVar[str] = "potts"
    version: ClassVar[int] = 1

    symbols: int = param(3, Range(2, 1024), "values q of a site")
    length: int = param(128, Range(1, 65536), "sites a row")
    line: int = param(8, Range(1, 16), "sites a line")
    coupling: float = param(1.0, Range(0.0, 5.0), "K, in units of the temperature; 0: independent sites")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.symbols**self.line > LARGEST:
            raise ValueError(f"Potts: {self.symbols}**{self.line} states of a line are more than {LARGEST}: choose "
                             "fewer symbols or a shorter line")

    def log_prob(self, rows: Tensor) -> Tensor:
        """ln p of each row, (n, L) -> (n,) float64."""
        if bool(((rows < 0) | (rows >= self.symbols)).any()):
            raise ValueError(f"potts: rows must hold symbols of 0..{self.symbols - 1}; is a mask left in them?")
        return self.coupling * self.bonds(rows).double() - _messages(self)[1]          # (n,)

    def bonds(self, rows: Tensor) -> Tensor:
        """Neighbours that are equal, beside and above, (n, L) -> (n,) int64."""
        beside = (rows[:, 1:] == rows[:, :-1]) & (torch.arange(1, self.length, device=rows.device) % self.line > 0)
        return (
            beside.sum(1) + (rows[:, self.line :] == rows[:, : -self.line]).sum(1)
            if self.length > self.line
            else beside.sum(1)
        )

    def entropy_nats(self) -> float:
        """Expected -log_prob of a row, in nats: ln Z - K d ln Z / dK."""
        with torch.enable_grad():
            k = torch.tensor(self.coupling, dtype=torch.float64, requires_grad=True)
            log_z = _transfer(self, k)[1]
            (slope,) = torch.autograd.grad(log_z, k)
        return log_z.item() - self.coupling * slope.item()

    def rows(self, split: str, n: int, seed: int) -> Tensor:
        """n independent rows; the splits are independent draws from one law."""
        return self.crops(split, torch.arange(n), seed)

    def crops(self, split: str, rows: Tensor, seed: int) -> Tensor:
        """Rows by number, (B,) -> (B, L) on their device: training never sees one twice."""
        places = check_split(self.name, split) * _SPLIT + torch.arange(self.length)
        return self._drawn(uniform(seed, rows.cpu(), Stream.DATA, places)).to(rows.device)

    def _drawn(self, u: Tensor) -> Tensor:
        """(n, L) uniforms -> (n, L) int64, site by site."""
        messages, _ = _messages(self)                                                  # (L + 1, q**line)
        state = torch.zeros(len(u), dtype=torch.int64)  # (n,) the last `line` sites in base q, the newest lowest
        rows = torch.empty(u.shape, dtype=torch.int64)                                 # (n, L)
        weights = [torch.exp(self.coupling * equal) for equal in _equal(self)]         # by site: (q**line, q)
        after = _after(self)                                                           # (q**line, q)
        for k in range(self.length):
            p = weights[_kind(self, k)][state] * messages[k + 1][after[state]]         # (n, q)
            rows[:, k] = categorical(p, u[:, k].contiguous())
            state = after[state, rows[:, k]]
        return rows


def _after(data: Potts) -> Tensor:
    """The state once a site has been written, (q**line, q)."""
    q = data.symbols
    return (torch.arange(q**data.line)[:, None] * q + torch.arange(q)) % q**data.line


def _equal(data: Potts) -> list[Tensor]:
    """Equal neighbours that a new site brings, (q**line, q) float64: for a site with one above and beside, above alone,
    beside alone, neither.
    """
    q, state = data.symbols, torch.arange(data.symbols**data.line)[:, None]
    beside, above = (((state // q**back) % q == torch.arange(q)).double() for back in (0, data.line - 1))
    return [above + beside, above, beside, torch.zeros_like(above)]


def _kind(data: Potts, k: int) -> int:
    """Which of `_equal` holds at site k."""
    return 2 * (k < data.line) + (k % data.line == 0)


def _transfer(data: Potts, coupling: Tensor) -> tuple[list[Tensor], Tensor]:
    """M_k up to a factor, k = 0..L, and ln Z."""
    weights, after = [torch.exp(coupling * equal) for equal in _equal(data)], _after(data)
    message, log_z, found = torch.ones(len(after), dtype=torch.float64), torch.zeros((), dtype=torch.float64), []
    for k in reversed(range(data.length)):
        found.append(message)
        message = (weights[_kind(data, k)] * message[after]).sum(1)                    # (q**line,)
        log_z = log_z + message[0].log()
        message = message / message[0]
    return [*reversed([*found, message])], log_z


@lru_cache(maxsize=4)
def _messages(data: Potts) -> tuple[Tensor, float]:
    """All M_k, (L + 1, q**line) float64, and ln Z: shared, not to be written to."""
    with torch.no_grad():
        messages, log_z = _transfer(data, torch.tensor(data.coupling, dtype=torch.float64))
    return torch.stack(messages), log_z.item()
