"""Character text in the manner of text8: the alphabet, the normalisation, the splits, and what every corpus shares.

Convention: 27 symbols, a..z = 0..25 and space = 26; 27 is the mask. Normalisation follows Matt Mahoney's text8 (lower
case, digits spelled out one by one, everything else one space), after Unicode NFKD with the combining marks dropped, so
that "Café, 1984" reads "cafe one nine eight four" and not "caf one nine eight four".

A split is a contiguous share of the text, in the order of `splits`; a row is one of the non-overlapping blocks of a
split.

    >>> normalise("Café, 1984").decode()
    'cafe one nine eight four'
"""

import hashlib
import lzma
import re
import unicodedata
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from harness.random import Stream, permutation

ALPHABET = "abcdefghijklmnopqrstuvwxyz "
WRITES = "small letters a to z and space"    # the same in words
FILES = Path(__file__).parent / "files"
SPLITS = (("train", 700), ("judge", 150), ("validation", 75), ("test", 75))   # thousandths of the text, in its order
REMEDY = "restore the file from the repository, or rebuild it as docs/data.md says"
_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DIGITS = {str(i): f" {word} " for i, word in enumerate(_NAMES)}


def normalise(raw: str) -> bytes:
    """Any text -> a-z and single spaces, none at the ends."""
    letters = "".join(c for c in unicodedata.normalize("NFKD", raw) if not unicodedata.combining(c)).lower()
    spelled = re.sub("[0-9]", lambda digit: _DIGITS[digit[0]], letters)
    return re.sub("[^a-z]+", " ", spelled).strip().encode()


class Foreign(ValueError):
    """Characters that an alphabet does not have."""

    def __init__(self, characters: set[str], alphabet: str, writes: str, remedy: str) -> None:
        super().__init__(f"cannot encode {''.join(sorted(characters)[:5])!r}: {remedy}")
        self.alphabet, self.writes = alphabet, writes    # as characters, and in words


class Text:
    """What every character corpus shares. A corpus is a frozen dataclass with a field `length` and a method
    `content`.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    splits: ClassVar[tuple[tuple[str, int], ...]] = SPLITS
    length: int

    def content(self) -> bytes:
        """The whole normalised text. Load it through a cache."""
        raise NotImplementedError

    @property
    def vocab(self) -> int:
        return len(ALPHABET)

    @property
    def mask(self) -> int:
        return len(ALPHABET)

    def encode(self, text: str) -> Tensor:
        """a to z and spaces -> (len(text),) int64. Raises ValueError for any other character."""
        if foreign := set(text) - set(ALPHABET):
            raise Foreign(foreign, ALPHABET, WRITES, "pass the text through harness.data.text.normalise first")
        return _ids(text.encode()).long()                                     # (len(text),)

    def decode(self, rows: Tensor) -> list[str]:
        """(n, L) token ids -> n strings; the mask reads "_"."""
        table = np.frombuffer((ALPHABET + "_").encode(), np.uint8)
        return [table[row].tobytes().decode() for row in rows.cpu().numpy()]

    def tokens(self, split: str) -> Tensor:
        """The split as one uint8 tensor: a view of the shared text, not to be written to."""
        start, stop = self._bounds(split)
        return _ids(self.content())[start:stop]                               # (characters,)

    def rows(self, split: str, n: int, seed: int) -> Tensor:
        """n of the split's non-overlapping blocks, without replacement; the first rows do not depend on n."""
        tokens = self.tokens(split)
        blocks = len(tokens) // self.length
        if not 0 <= n <= blocks:
            raise ValueError(f"{self.name} has {blocks} rows of length {self.length} in {split!r}, not {n}: ask for "
                             "fewer or shorten them")
        place = torch.tensor([[name for name, _ in self.splits].index(split)])
        chosen = permutation(seed, place, Stream.DATA, blocks)[0, :n]         # (n,)
        return tokens[: blocks * self.length].view(blocks, self.length)[chosen].long()   # (n, L)

    def words(self, split: str, seen: int = 1) -> frozenset[str]:
        """Words that occur at least `seen` times in the split; its first and last word may be cut and are left out."""
        return _words(self.content(), *self._bounds(split), seen)

    def identity(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "version": self.version,
            "length": self.length,
            "sha256": _sha256(self.content()),
            "splits": {name: share / 1000 for name, share in self.splits},
        }

    def _bounds(self, split: str) -> tuple[int, int]:
        names = [name for name, _ in self.splits]
        if split not in names:
            raise ValueError(f"{self.name} has no split {split!r}; choose {' | '.join(names)}")
        before = sum(share for _, share in self.splits[: names.index(split)])
        size = len(self.content())
        return size * before // 1000, size * (before + dict(self.splits)[split]) // 1000


@lru_cache(maxsize=8)
def embedded(path: Path, sha256: str) -> bytes:
    """The text of an embedded xz file, refused unless it is byte for byte the one its card describes."""
    try:
        content = lzma.decompress(path.read_bytes())
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise ValueError(f"{path.name} cannot be read ({error}): {REMEDY}") from error
    if _sha256(content) != sha256:
        raise ValueError(f"{path.name} does not hold the text of its card, the sha256 differs: {REMEDY}")
    return content


@lru_cache(maxsize=8)
def _ids(content: bytes) -> Tensor:
    table = np.full(256, len(ALPHABET), np.uint8)
    table[np.frombuffer(ALPHABET.encode(), np.uint8)] = np.arange(len(ALPHABET))
    return torch.from_numpy(table[np.frombuffer(content, np.uint8)])          # (characters,) uint8


@lru_cache(maxsize=16)
def _words(content: bytes, start: int, stop: int, seen: int) -> frozenset[str]:
    counts = Counter(content[start:stop].decode().split(" ")[1:-1])
    return frozenset(word for word, count in counts.items() if word and count >= seen)


@lru_cache(maxsize=8)
def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
