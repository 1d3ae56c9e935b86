"""Written English in subwords: capitals, digits and signs, in 8,192 tokens of a byte-level BPE trained on its own
training split. Embedded; licences in its card.

Wikipedia's lead paragraphs, Austen's novels, definitions of the Open English WordNet and Spurgeon's Treasury of David,
in shuffled pieces of about 5,000 characters: large enough a vocabulary for what a large one costs (the head, float32
draws), on text that may be shipped.

    >>> data = Prose(length=16)
    >>> data.rows("test", n=2, seed=0).shape
    torch.Size([2, 16])
"""

import json
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from harness.data.text import FILES, Text, embedded, normalise
from harness.param import Range, check, param

VOCAB = 8192
SHA256 = "560072b3420c1d7e0f82aef458e8a6e95011f8eb6a224564598b32b622ac1acf"
TOKENIZER_SHA256 = "38f45a8eef07757d739a6733e8a605c188ab528c386f9281860901971988bd34"


@dataclass(frozen=True)
class Prose(Text):
    """Written English in 8,192 subwords of an embedded byte-level BPE: rows of `length` tokens. Raises ValueError where
    the package tokenizers is missing and a text is to be read or written.
    """

    name: ClassVar[str] = "prose"
    version: ClassVar[int] = 1

    length: int = param(256, Range(1, 65536), "tokens a row")

    def __post_init__(self) -> None:
        check(self)

    def content(self) -> bytes:
        """The whole text as 16-bit token ids, low byte first."""
        return embedded(FILES / "prose.ids.xz", SHA256)

    @property
    def vocab(self) -> int:
        return VOCAB

    @property
    def mask(self) -> int:
        return VOCAB

    def ids(self) -> Tensor:
        """The whole text, (tokens,) int32: shared, not to be written to."""
        return _ids(self.content())                                                    # (tokens,) int32

    def tokens(self, split: str) -> Tensor:
        """The split's share of `ids`, (tokens,) int32: a view, not to be written to."""
        start, stop = (at // 2 for at in self._bounds(split))                          # two bytes a token
        return self.ids()[start:stop]                                                  # (tokens,)

    def names(self) -> tuple[str, ...]:
        """(V,) The tokens as the tokenizer writes them, in the order of their ids."""
        return tuple(str(tokenizer().id_to_token(k)) for k in range(VOCAB))

    def undone(self, ids: Tensor, symbols: int) -> Tensor:
        """ids (tokens,), of the first `symbols` tokens alone: merges of the tokenizer behind these are undone."""
        pieces = _pieces(symbols)[ids]                                                 # (tokens, most)
        return pieces[pieces >= 0]

    def encode(self, text: str) -> Tensor:
        """Text -> (tokens,) int64."""
        return torch.tensor(tokenizer().encode(text).ids, dtype=torch.int64)           # (tokens,)

    def decode(self, rows: Tensor) -> list[str]:
        """(n, L) token ids -> n strings; a mask reads "_", and bytes that are no character by themselves read
        U+FFFD.
        """
        return ["".join("_" * len(part) if masked else tokenizer().decode(part) for masked,
                        part in parts(row.tolist(), self.mask)) for row in rows]

    def spoken(self, rows: Tensor) -> list[str]:
        """Rows as text8 would have them, for metrics of words: lower case, digits spelled out, no signs."""
        return [normalise(text).decode() for text in self.decode(rows)]

    def words(self, split: str, seen: int = 1) -> frozenset[str]:
        """Words of the split, as `spoken` has them, that occur at least `seen` times; its first and last, which may be
        cut, are left out.
        """
        return frozenset(word for word, count in _counts(self, split).items() if count >= seen)

    def identity(self) -> dict[str, Any]:
        return super().identity() | {"tokenizer": TOKENIZER_SHA256}


def parts(ids: list[int], mask: int) -> list[tuple[bool, list[int]]]:
    """Runs of masks and of tokens, in their order."""
    return [(masked, list(run)) for masked, run in groupby(ids, mask.__eq__)]


@lru_cache(maxsize=1)
def tokenizer():
    """The tokenizer of the embedded file. Raises ValueError if the package tokenizers is missing."""
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise ValueError(
            "prose is read and written with the package tokenizers: pip install 'ssmd-bench[hub]'"
        ) from None
    return Tokenizer.from_str(embedded(FILES / "prose.tokenizer.json.xz", TOKENIZER_SHA256).decode())


@lru_cache(maxsize=2)
def _pieces(symbols: int) -> Tensor:
    """(V, most) int32: each token in the first `symbols`, -1 behind it."""
    model = json.loads(tokenizer().to_str())["model"]
    first = VOCAB - len(model["merges"])
    if not first <= symbols <= VOCAB:
        raise ValueError(f"symbols={symbols} is outside {first}..{VOCAB}: the bytes are needed, and there are no more")
    found = [[k] for k in range(symbols)]
    for pair in model["merges"][symbols - first :]:
        found.append([k for part in pair for k in found[model["vocab"][part]]])
    most = max(len(pieces) for pieces in found)
    return torch.tensor([pieces + [-1] * (most - len(pieces)) for pieces in found], dtype=torch.int32)


@lru_cache(maxsize=1)
def _ids(content: bytes) -> Tensor:
    return torch.from_numpy(np.frombuffer(content, "<u2").astype(np.int32))            # (tokens,) int32


@lru_cache(maxsize=4)
def _counts(data: Prose, split: str) -> Counter:
    return Counter(data.spoken(data.tokens(split)[None])[0].split(" ")[1:-1])
