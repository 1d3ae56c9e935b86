"""n-grams of samples and of splits: of tokens ("chars") or of whole words ("words").

A row's n-grams lie within the row. Words are what is between spaces once the first and last fragment, which may be cut,
are dropped (harness/metrics/words.py); a split is one long row. A data set of written text gives its words in `spoken`,
lower case and without signs. Token n-grams are numbers in base V, word n-grams strings.

    >>> numbers(np.array([[1, 0, 1]]), vocab=2, order=2).tolist()
    [[2, 1]]
"""

from collections import Counter
from collections.abc import Collection, Hashable, Sequence
from functools import lru_cache
from typing import Protocol, TypeGuard

import numpy as np
from torch import Tensor

from harness.kinds import Dataset
from harness.metrics.form import tokens

KINDS = ("chars", "words")


def numbers(rows: np.ndarray, vocab: int, order: int) -> np.ndarray:
    """The n-grams of rows (n, L), each a number in base `vocab` with its first token the most significant -> (n, L -
    order + 1).
    """
    if vocab**order >= 2**63:
        raise ValueError(f"{order}-grams of {vocab} tokens do not fit 64 bits: choose a lower order")
    length = rows.shape[1] - order + 1
    found = np.zeros((len(rows), max(length, 0)), np.int64)
    for place in range(order if length > 0 else 0):
        found = found * vocab + rows[:, place : place + length]
    return found


class Text(Dataset, Protocol):
    """A data set of text: rows as they are read, and the words that a split holds so often or oftener."""

    def decode(self, rows: Tensor) -> list[str]: ...
    def words(self, split: str, seen: int) -> Collection[str]: ...


def _of_text(data: Dataset) -> TypeGuard[Text]:
    return hasattr(data, "decode") and hasattr(data, "words")


def text(data: Dataset) -> Text:
    """The data set. Raises ValueError if it is not text."""
    if not _of_text(data):
        raise ValueError(f"{data.name} is not text and has no words: choose a metric of tokens, or a corpus")
    return data


def row_words(samples: Tensor, data: Dataset) -> list[list[str]]:
    """The whole words of each row. Raises ValueError if the data set is not text."""
    data = text(data)
    return [[word for word in row.split(" ")[1:-1] if word]
            for row in getattr(data, "spoken", data.decode)(tokens(samples, data))]


def of_rows(samples: Tensor, data: Dataset, kind: str, order: int) -> Sequence[Sequence[Hashable]]:
    """The n-grams of each row, in their order."""
    if kind == "words":
        return [_joined(words, order) for words in row_words(samples, data)]
    if samples.shape[-1] < order:
        raise ValueError(f"rows of {samples.shape[-1]} tokens hold no {order}-gram: choose a lower order or longer "
                         "rows")
    return numbers(tokens(samples, data).numpy(), data.vocab, order).tolist()


@lru_cache(maxsize=8)
def of_split(data: Dataset, split: str, kind: str, order: int) -> Counter:
    """How often each n-gram occurs in a split: shared, not to be written to."""
    if not hasattr(data, "tokens"):
        raise ValueError(f"{data.name} has no text to compare with: choose a metric that needs none, or a corpus")
    row = data.tokens(split)[None]                                                 # (1, characters)
    if kind == "words":
        return Counter(_joined(row_words(row, data)[0], order))
    found, counts = np.unique(numbers(row.numpy(), data.vocab, order), return_counts=True)
    return Counter(dict(zip(found.tolist(), counts.tolist(), strict=True)))


def _joined(words: list[str], order: int) -> list[str]:
    return [" ".join(words[i : i + order]) for i in range(len(words) - order + 1)]
