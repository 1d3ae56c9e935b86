"""Worlds with a known answer: a list of legal states, each as likely as the others. One law gives total variation,
likelihood and validity together, and a factorised sampler's chance of a legal state has a closed form.

    permutations    of n symbols                                             n!
    latin           squares n x n, each symbol once in rows and columns      n = 4: 576, n = 5: 161,280
    sudoku          4 x 4, each symbol once in rows, columns and boxes       288
    queens          n of them on n x n, a column for each row, none attacks  n = 8: 92
    replace         one of n items, at a random place                        n
    insert          one new item into a list of n, at a random place         n + 1
    remove          one of a list of n items, at random                      n

The last three are answers of list tasks whose list is always the same: items 0..n-1, and n the new one (ParallelBench,
arXiv 2510.04767).

    >>> data = World("latin", 4)
    >>> data.states().shape, data.legal(data.rows("test", 8, seed=0)).all().item()
    (torch.Size([576, 16]), True)
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from math import log
from typing import Any, ClassVar

import torch
from torch import Tensor

from harness.data.synthetic import check_split
from harness.param import Choice, Range, check, param
from harness.random import Stream, integers

Rows = Iterator[tuple[int, ...]]


def _latin(n: int, apart: Callable[[tuple[int, ...], tuple[int, ...], int, int], bool] = lambda *_: True) -> Rows:
    """Squares row by row behind a first row in order, then with their symbols renamed in every way; `apart` says if two
    rows, at these numbers, may stand in one square.
    """
    every = [*permutations(range(n))]

    def grown(square: tuple[tuple[int, ...], ...]) -> Rows:
        if len(square) == n:
            yield sum(square, ())
            return
        for row in every:
            if all(all(a != b for a, b in zip(row, other)) and apart(other, row, k, len(square))
                   for k, other in enumerate(square)):
                yield from grown((*square, row))
    return (tuple(names[symbol] for symbol in square) for square in grown((tuple(range(n)),)) for names in every)


def _boxes(one: tuple[int, ...], other: tuple[int, ...], k: int, j: int) -> bool:
    """Rows of one pair of boxes hold no symbol twice in a box of 2 x 2."""
    return k // 2 != j // 2 or not ({*one[:2]} & {*other[:2]} or {*one[2:]} & {*other[2:]})


def _queens(n: int) -> Rows:
    return (row for row in permutations(range(n))
            if all(abs(row[a] - row[b]) != b - a for a in range(n) for b in range(a + 1, n)))


def _replaced(n: int) -> Rows:
    return (tuple(n if k == place else k for k in range(n)) for place in range(n))


def _inserted(n: int) -> Rows:
    return ((*range(place), n, *range(place, n)) for place in range(n + 1))


def _removed(n: int) -> Rows:
    return (tuple(k for k in range(n) if k != place) for place in range(n))


# of each kind: its states, the number of symbols, and the sizes that can be listed
KINDS: dict[str, tuple[Callable[[int], Rows], Callable[[int], int], range]] = {
    "permutations": (lambda n: permutations(range(n)), lambda n: n, range(2, 9)),
    "latin": (_latin, lambda n: n, range(2, 6)),
    "sudoku": (lambda n: _latin(n, _boxes), lambda n: n, range(4, 5)),
    "queens": (_queens, lambda n: n, range(4, 9)),
    "replace": (_replaced, lambda n: n + 1, range(2, 65)),
    "insert": (_inserted, lambda n: n + 1, range(2, 65)),
    "remove": (_removed, lambda n: n, range(2, 65)),
}


@dataclass(frozen=True)
class World:
    """A world whose S legal states can be listed, each with probability 1/S: puzzles and list tasks (the latter as in
    ParallelBench, arXiv 2510.04767). Raises ValueError for a size that cannot be listed.
    """

    name: ClassVar[str] = "world"
    version: ClassVar[int] = 1

    kind: str = param("permutations", Choice(*KINDS))
    size: int = param(4, Range(2, 64), "n")

    def __post_init__(self) -> None:
        check(self)
        sizes = KINDS[self.kind][2]
        if self.size not in sizes:
            raise ValueError(f"World: {self.kind} of size {self.size} cannot be listed; choose {sizes[0]} to "
                             f"{sizes[-1]}")

    @property
    def vocab(self) -> int:
        return KINDS[self.kind][1](self.size)

    @property
    def mask(self) -> int:
        return self.vocab

    @property
    def length(self) -> int:
        """L, tokens of a state."""
        return self.states().shape[1]

    def states(self) -> Tensor:
        """Every legal state, (S, L) int64: shared, not to be written to."""
        return _listed(self.kind, self.size)

    def law(self) -> Tensor:
        """The probability of each of S states, (S,) float64, all alike."""
        states = self.states()
        return torch.full((len(states),), 1 / len(states), dtype=torch.float64)

    def index(self, rows: Tensor) -> Tensor:
        """The number of the state that each row is, (n, L) -> (n,); S for a row that is none."""
        states, x = self.states(), rows.cpu()
        codes, order = self._codes(states).sort()                                  # (S,), (S,)
        found = order[torch.searchsorted(codes, self._codes(x)).clamp_max(len(codes) - 1)]    # (n,)
        return torch.where((states[found] == x).all(1), found, len(states))

    def legal(self, rows: Tensor) -> Tensor:
        """Whether each row is a state, (n, L) -> (n,) bool."""
        return self.index(rows) < len(self.states())

    def entropy_nats(self) -> float:
        """Entropy of a row, ln S nats."""
        return log(len(self.states()))

    def rows(self, split: str, n: int, seed: int) -> Tensor:
        """n independent rows; the splits are independent draws from one law."""
        place = torch.tensor([check_split(self.name, split) << 40])
        return self.states()[integers(seed, torch.arange(n), Stream.DATA, place, len(self.states()))[:, 0]]

    def identity(self) -> dict[str, Any]:
        return {"name": self.name, "version": self.version, "kind": self.kind, "size": self.size}

    def _codes(self, rows: Tensor) -> Tensor:
        """A number for each row, (n,), another for each state. Raises ValueError for what is no row of symbols."""
        if rows.shape[-1] != self.length or bool(((rows < 0) | (rows >= self.vocab)).any()):
            raise ValueError(f"world: rows must hold {self.length} symbols of 0..{self.vocab - 1} each; is a mask left "
                             "in them?")
        code = torch.zeros(len(rows), dtype=torch.int64)
        for column in rows.unbind(1):    # it may overflow
            code = code * (self.vocab | 1) + column
        return code


@lru_cache(maxsize=8)
def _listed(kind: str, size: int) -> Tensor:
    return torch.tensor([*KINDS[kind][0](size)])
