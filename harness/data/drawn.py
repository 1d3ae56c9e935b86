"""Rows that a network wrote, as data: what a block is trained on where the network's own training data are gone
(`ssmd-bench attach MODEL --data self`, ssmd/own_rows.py, writes the file).

The file is safetensors: `rows` (N, L) token ids, and beside it the vocabulary, the tokens in words, and who wrote the
rows. Its law is that of the sampler that it names, and never that of any text. Rows are whole: 80 % train, 10 %
validation, 10 % test, in the order in which they were written.

It also holds the order in which each row's tokens were written, and at each rank the likeliest tokens with their
probabilities, as the network met them.

    Drawn("runs/attach/rows.safetensors").rows("validation", n=8, seed=0)          # (8, L)
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from harness.boundary.incoming import decode as decoded
from harness.boundary.there import there
from harness.param import param
from harness.random import Stream, integers, permutation
from harness.spec import sha256

SHARES = {"train": (0, 80), "validation": (80, 90), "test": (90, 100)}    # per cent
AGAIN = "draw the rows again with `ssmd-bench attach MODEL --data self`"
STORY = ("order", "likely", "law")
PLACE = 1 << 41    # of the draws of training rows in stream TRAIN


class Written(NamedTuple):
    """Rows with the story of their writing; the first `given` ranks were known, and have no law."""

    rows: Tensor      # (N, L) int64
    order: Tensor     # (N, L) int64, sigma
    likely: Tensor    # (N, L, K) int64 by rank, the K likeliest tokens
    law: Tensor       # (N, L, K) float32 by rank, their probabilities
    given: int


class Content(NamedTuple):
    """What a file of drawn rows holds: N rows of L tokens and, where the file tells it, how they were written."""

    rows: Tensor               # (N, L) int64
    vocab: int
    names: tuple[str, ...]     # of the tokens; none where the network knows none
    about: dict[str, Any]      # network, sampler, seed
    order: Tensor              # (N, L) int32; (0, 0) in a file that does not tell
    likely: Tensor             # (N, L, K) int32
    law: Tensor                # (N, L, K) float16


@dataclass(frozen=True)
class Drawn:
    """Rows that a network wrote, from the safetensors file of `ssmd-bench attach MODEL --data self`. Their law is that
    of the sampler that the file names.
    """

    name: ClassVar[str] = "drawn"
    version: ClassVar[int] = 1

    path: str = param(note="safetensors file of rows that a network wrote")

    @property
    def content(self) -> Content:
        """What the file holds. Raises ValueError, in a sentence, for a file that is not there or holds no such rows."""
        path = there(self.path, AGAIN)
        return read_rows(path, path.stat().st_mtime_ns)

    @property
    def length(self) -> int:
        """L, tokens a row."""
        return self.content.rows.shape[1]

    @property
    def vocab(self) -> int:
        return self.content.vocab

    @property
    def mask(self) -> int:
        return self.vocab

    def names(self) -> tuple[str, ...]:
        return self.content.names

    def _places(self, split: str) -> tuple[int, int]:
        if split not in SHARES:
            raise ValueError(f"rows that were drawn have no split {split!r}; choose {', '.join(SHARES)}")
        first, last = (len(self.content.rows) * share // 100 for share in SHARES[split])
        return first, last

    def _part(self, split: str) -> Tensor:
        first, last = self._places(split)
        return self.content.rows[first:last]                                       # (n, L)

    def rows(self, split: str, n: int, seed: int) -> Tensor:
        """(n, L), each row at most once. Raises ValueError if there are fewer."""
        part = self._part(split)
        if n > len(part):
            raise ValueError(f"{self.path} holds {len(part)} {split} rows and {n} are wanted: draw more, or ask for "
                             "fewer")
        return part[permutation(seed, torch.tensor([0]), Stream.DATA, len(part))[0, :n]]

    def crops(self, split: str, rows: Tensor, seed: int) -> Tensor:
        """Whole rows for row numbers (B,) of a training -> (B, L)."""
        return self.content.rows[self._chosen(split, rows, seed)].to(rows.device)

    def written(self, split: str, rows: Tensor, seed: int) -> Written:
        """The same rows with the story of their writing. Raises ValueError for a file that does not tell it."""
        content, chosen = self.content, self._chosen(split, rows, seed)
        if not len(content.order):
            raise ValueError(f"{self.path} does not say in which order its rows were written: {AGAIN}")
        order, likely, law = (t[chosen].to(rows.device) for t in (content.order, content.likely, content.law))
        return Written(content.rows[chosen].to(rows.device), order.long(), likely.long(), law.float(),
                       content.about.get("given", 0))

    def _chosen(self, split: str, rows: Tensor, seed: int) -> Tensor:
        """Rows of the file for row numbers (B,) of a training."""
        first, last = self._places(split)
        if first == last:
            raise ValueError(f"{self.path} holds no {split} rows: draw more")
        return first + integers(seed, rows.cpu(), Stream.TRAIN, torch.tensor([PLACE]), last - first)[:, 0]

    def identity(self) -> dict[str, Any]:
        return self.content.about | {"name": self.name, "version": self.version}


@lru_cache(maxsize=4)
def read_rows(path: Path, _modified_ns: int) -> Content:
    """The rows of a file, and what it says of them. Raises ValueError, in a sentence, for a file that holds no such
    rows.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            told = file.metadata() or {}
            rows = file.get_tensor("rows").long()
            story = [file.get_tensor(name) for name in STORY if name in file.keys()]
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} holds no rows ({error}): {AGAIN}") from None
    about = decoded(told.get("about", "").encode(), dict[str, Any], f"what stands beside the rows of {path}", AGAIN)
    vocab = decoded(told.get("vocab", "").encode(), int, f"the vocabulary of {path}", AGAIN)
    names = decoded(told.get("names", "").encode(), tuple[str, ...], f"the tokens of {path}", AGAIN)
    if rows.dim() != 2 or not rows.numel() or vocab < 2 or not 0 <= int(rows.min()) <= int(rows.max()) < vocab:
        raise ValueError(f"{path} holds no rows of {vocab} tokens: {AGAIN}")
    if story and not _tells(rows, vocab, about.get("given", 0), story):
        raise ValueError(f"{path} does not say in which order its rows were written: {AGAIN}")
    about |= {"rows": sha256([tuple(rows.shape), json.dumps(rows.tolist()), *map(_digest, story)])}
    return Content(rows, vocab, names, about, *(story or [torch.empty(0, 0)] * len(STORY)))


def _tells(rows: Tensor, vocab: int, given: Any, story: list[Tensor]) -> bool:
    """Whether orders, likeliest tokens and laws are of these rows."""
    if len(story) < len(STORY) or not isinstance(given, int) or not 0 <= given < rows.shape[1]:
        return False
    order, likely, law = story
    return (order.shape == rows.shape == likely.shape[:2] and likely.dim() == 3 and likely.numel() > 0
            and likely.shape == law.shape and not order.is_floating_point() and not likely.is_floating_point()
            and bool((order.long().sort(1).values == torch.arange(rows.shape[1])).all())
            and 0 <= int(likely.min()) <= int(likely.max()) < vocab
            and bool(((law >= 0) & (law <= 1.001)).all()))


def _digest(story: Tensor) -> str:
    return sha256(story.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes().hex())
