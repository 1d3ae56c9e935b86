"""The protocols: one verb a kind, so that a scan tells the kinds of plug-in apart without base classes.

    Denoiser  draft, verify     a network as a sampler sees it
    Sampler   step              one round of every row in the batch; the loop belongs to harness/sampling/loop.py
    Schedule  dalpha            alpha(t) = P(not masked at t), from 1 at t = 0 to 0 at t = 1, its slope and its inverse
    Window    width             how many tokens may come next, per row
    Order     times             which positions are revealed first
    Placement light             which parts of a text a light network writes
    Dataset   rows              token rows of a split
    Metric    score             a pure function of samples

Symbols: B rows, L length, V real tokens (MASK is the extra input id V and never an output), sigma an order of
positions, rank r the place of a position in sigma, counted from 0; i tokens revealed.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from torch import Tensor


class Denoiser(Protocol):
    """A masked-diffusion network. `at` (B, W) says where logits are wanted, -1 pads; the head is evaluated only there.

    draft   positions `at` (None: all) of the masked rows x -> logits (B, W, V) and hidden states for verify.
    verify  ranks `at` of `order` -> logits (B, W, V) of the token at position order[rank], given y at lower ranks.
    `hidden` is the network's own: it is
            taken apart by rows alone, and may keep what verify passes leave for each other.
    begin   the first track that a verify pass would compute of each row; those before it are kept from passes before.
    alive   rows whose answer is wanted, None for all; what other rows get is undefined. (B,) bool, or for a draft pass
            also their numbers, (R,) int64 ascending, whose length a host knows without asking.
    clock   (B,) expected share revealed, for networks that read time or switch by it.
    flops   one row, one pass; `heads` logits evaluated; verify runs the tracks `begin`..`tracks`-1. A multiply-add is
            2.
    blocks  transformer blocks that one pass of this kind runs.

    An optional `span(at)` says which tokens a draft pass would run if keys and values were kept
    (harness/nets/causal.py).
    """

    vocab: int
    mask: int

    def draft(self, x: Tensor, at: Tensor | None = None, alive: Tensor | None = None,
              clock: Tensor | None = None) -> tuple[Tensor, Any]: ...
    def verify(self, hidden: Any, y: Tensor, order: Tensor, at: Tensor, alive: Tensor | None = None) -> Tensor: ...
    def begin(self, hidden: Any, y: Tensor, order: Tensor, at: Tensor) -> Tensor: ...
    def flops(self, kind: str, length: int, heads: int, tracks: int, begin: int) -> int: ...
    def blocks(self, kind: str) -> int: ...
    def __hash__(self) -> int: ...


class Identified(Denoiser, Protocol):
    """A network of a study: `sha256` is what makes two networks the same in a record."""

    sha256: str


class Rows(NamedTuple):
    """The state of the rows in flight. A row's future depends on its own entries alone.

    x      (B, L) token ids, MASK where nothing is written yet
    given  (B, L) bool, the prompt: comes back unchanged
    id     (B,) row numbers, the `row` of every draw
    n      (B,) rounds this row has made
    seed   of every draw
    memo   tensors (B, ...) that a sampler keeps between rounds, by name
    known  (K, B) on the host: what the sampler's own `ahead` says of the round to come of each row; K = 0 where
           the host may ask at no cost
    ahead  the largest of each
    """

    x: Tensor
    given: Tensor
    id: Tensor
    n: Tensor
    seed: int
    memo: dict[str, Tensor]
    known: np.ndarray = np.empty((0, 1))

    @property
    def ahead(self) -> tuple[int, ...]:
        """The largest of each thing known, (K,) numbers; empty where K = 0."""
        return tuple(self.known.max(1).tolist())


class Sampler(Protocol):
    """A frozen dataclass. step advances every row by one round; a row is done when it has no mask left, or when an
    optional `done(rows) -> (B,) bool` says so: a sampler that masks tokens again has rows without masks that are not.

    `needs` names the networks; "main.verify" asks that network for a verify pass too. An optional `start(nets, rows) ->
    dict` fills the memo of rows that are admitted, or soon will be. An optional `ahead(nets, rows) -> (K, B)` says what
    the host has to know of the next round of each row; the loop brings it with what it asks itself, and gives it back
    as `rows.known`, the largest as `rows.ahead`, so that a step need not ask. `exact` is the same sampler in its exact
    limit, whose law is that of an ideal model, or None where there is none.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    needs: ClassVar[tuple[str, ...]]
    __dataclass_fields__: ClassVar[dict[str, Any]]

    def step(self, nets: Mapping[str, Denoiser], rows: Rows) -> Rows: ...
    def exact(self) -> "Sampler | None": ...
    def __hash__(self) -> int: ...


class Schedule(Protocol):
    """Noise: t (n,) in [0, 1] -> P(not masked at t), its derivative, and the time of a given alpha; float64 in, float64
    out.
    """

    def alpha(self, t: Tensor) -> Tensor: ...
    def dalpha(self, t: Tensor) -> Tensor: ...
    def inverse(self, alpha: Tensor) -> Tensor: ...


class Window(Protocol):
    """How many tokens a row may write in a round. `width` takes i (B,), the tokens that each row shows, prompt
    included, and gives (B,) int64 from 1 to length - i.
    """

    def width(self, i: Tensor, length: int) -> Tensor: ...   # (B,) revealed -> (B,) in 1..length-i


class Order(Protocol):
    """The order sigma in which the positions of a row are revealed. `times` takes uniforms u (B, L) float64, one a
    position, and gives (B, L): the earliest is revealed first.
    """

    def times(self, u: Tensor) -> Tensor: ...                # (B, L) uniforms -> (B, L), the earliest is revealed first


class Placement(Protocol):
    """Which network writes, by the share of the row that is written. `light` takes shares (B,) in [0, 1) and gives (B,)
    bool, True where the light network has its turn.
    """

    def light(self, fraction: Tensor) -> Tensor: ...         # (B,) in [0, 1) -> (B,) bool


class Dataset(Protocol):
    """Rows of equal length, drawn from a split by the seed alone, so that the first ones do not depend on n; `identity`
    is what makes two data sets the same in a record. An optional `eos` is the token that ends the text of a row.

    `rows` raises ValueError, in one sentence, for a split that is unknown or holds fewer rows.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    length: int
    vocab: int
    mask: int

    def rows(self, split: str, n: int, seed: int) -> Tensor: ...   # (n, L) int64
    def identity(self) -> dict: ...
    def __hash__(self) -> int: ...


class Metric(Protocol):
    """A pure function of samples (n, L) int64; `better` says which side is, and "match" that it should be that of the
    data. `score` raises ValueError, in one sentence, for samples or data that it cannot judge.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    better: ClassVar[str]    # "lower" | "higher" | "match"
    unit: ClassVar[str]

    def score(self, samples: Tensor, data: Dataset) -> "Scores": ...
    def __hash__(self) -> int: ...


class Scores(NamedTuple):
    """A metric is a ratio of sums over rows: value = numerator.sum() / denominator.sum().

    So pooled shares and means per token have one form, and a bootstrap over rows needs nothing else. A metric of the
    whole set (corpus entropy, distinct-n) gives `value` and leaves the arrays empty; its bootstrap recomputes it.
    """

    value: float
    numerator: Any = ()      # (n,) float64
    denominator: Any = ()    # (n,) float64
