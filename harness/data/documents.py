"""Corpora of documents that come by path or by `datasets` name, as tokens of a tokenizer file: what openwebtext and
lm1b share.

Documents are read in the order of the sorted files, or of the data set. Splits are contiguous shares of the documents,
so that none lies in two of them. A row is

    wrapped      one of the non-overlapping blocks of the split's documents laid end to end, each with the end-of-text
                 token behind it
    unwrapped    a document: its first `length` tokens, filled up with end-of-text tokens; a document that is empty is
                 left out

Both stand in the identity, with the sha256 of all tokens and of the tokenizer; neither path does. The papers' rows
differ: MDLM wraps OpenWebText and fills up LM1B.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.data import _texts
from harness.data._tokens import WHAT, Tokenized, stamped, tokenizer_of
from harness.kinds import Metric
from harness.param import Range, check, param
from harness.random import Stream, permutation

AT_ONCE = 1000    # documents that are cut into tokens together
COUNTING = ("sample_entropy", "corpus_entropy", "distinct")    # metrics that take every token of a row for text


class Corpus(NamedTuple):
    """The documents of a corpus as token ids, with the hash of all of them."""

    tokens: np.ndarray    # (T,) uint16 or int32, documents end to end, without end-of-text tokens
    ends: np.ndarray      # (D,) int64, where each document ends
    sha256: str


@dataclass(frozen=True)
class Documents(Tokenized):
    """What such a corpus shares; each has its own length and way of laying rows."""

    name: ClassVar[str]
    version: ClassVar[int]
    # thousandths of the documents, in their order
    splits: ClassVar[tuple[tuple[str, int], ...]] = (("train", 880), ("judge", 100), ("validation", 10), ("test", 10))
    each: ClassVar[str]                              # what is a document of a .txt file: "line" or "file"

    path: str = param(note="file, folder, or name of a data set of `datasets`")
    tokenizer: str = param(note="tokenizer.json, or a folder with vocab.json and merges.txt")
    length: int = param(1024, Range(1, 65536), "tokens a row")
    wrapped: bool = param(True, note="blocks of documents end to end, or a document a row")
    column: str = param("text", note="of .jsonl and .parquet")
    config: str = param("", note="of a data set of `datasets`")
    most: int = param(0, Range(0, 2**40), "documents that are read; 0: all")
    end: str = param("<|endoftext|>", note="token behind a document")

    def __post_init__(self) -> None:
        check(self)

    def tokens(self, split: str) -> Tensor:
        """The split with an end of text behind each document, int32."""
        first, last = self._bounds(split)
        return torch.from_numpy(_joined(self._corpus(), first, last, self._end_id()))

    def rows(self, split: str, n: int, seed: int) -> Tensor:
        """n of the split's rows, without replacement; the first rows do not depend on n."""
        first, last = self._bounds(split)
        if self.wrapped:
            tokens = self.tokens(split)
            there, table = len(tokens) // self.length, tokens.view(-1)
        else:
            corpus = self._corpus()
            starts = np.concatenate(([0], corpus.ends))[first:last]
            kept = np.flatnonzero(corpus.ends[first:last] > starts) + first
            there = len(kept)
        if not 0 <= n <= there:
            raise ValueError(f"{self.name} has {there} rows of length {self.length} in {split!r}, not {n}: ask for "
                             "fewer, or give more documents")
        place = torch.tensor([[name for name, _ in self.splits].index(split)])
        chosen = permutation(seed, place, Stream.DATA, there)[0, :n]               # (n,)
        if self.wrapped:
            return table[: there * self.length].view(there, self.length)[chosen].long()              # (n, L)
        return (
            torch.stack([self._row(int(kept[k])) for k in chosen.tolist()])
            if n
            else torch.empty(0, self.length, dtype=torch.int64)
        )

    def words(self, split: str, seen: int = 1) -> frozenset[str]:
        """What stands between white space at least `seen` times in the split."""
        return _words(self, split, seen)

    def unfit(self, metric: Metric) -> str:
        """Why a metric must not be used on these rows, or nothing: what fills a document up to a row is no text, and by
        its share alone an entropy would rise or fall.
        """
        if self.wrapped or metric.name not in COUNTING:
            return ""
        return (f"{metric.name} would count the {self.end} tokens that fill up the rows of {self.name} as text: take "
                "them wrapped=True, or leave that metric out")

    def identity(self) -> dict[str, Any]:
        return {"name": self.name, "version": self.version, "length": self.length, "wrapped": self.wrapped,
                "documents": len(self._corpus().ends),
                "sha256": self._corpus().sha256, "tokenizer_sha256": self._made().sha256, "end": self._end_id(),
                "splits": {name: share / 1000 for name, share in self.splits}}

    @property
    def eos(self) -> int | None:
        """The token that ends a row's text; none where rows are blocks of several."""
        return None if self.wrapped else self._end_id()

    def _row(self, k: int) -> Tensor:
        corpus, row = self._corpus(), torch.full((self.length,), self._end_id())
        first = int(corpus.ends[k - 1]) if k else 0
        document = corpus.tokens[first : min(int(corpus.ends[k]), first + self.length)].astype(np.int64)
        row[: len(document)] = torch.from_numpy(document)
        return row

    def _bounds(self, split: str) -> tuple[int, int]:
        """The first document of a split, and that behind its last."""
        names = [name for name, _ in self.splits]
        if split not in names:
            raise ValueError(f"{self.name} has no split {split!r}; choose {' | '.join(names)}")
        before, size = sum(share for _, share in self.splits[: names.index(split)]), len(self._corpus().ends)
        return size * before // 1000, size * (before + dict(self.splits)[split]) // 1000

    def _end_id(self) -> int:
        found = self._made().tokenizer.token_to_id(self.end)
        if found is None:
            raise ValueError(f"the tokenizer {self.tokenizer} has no token {self.end!r}: name its end of text with "
                             "`end`")
        return found

    def _corpus(self) -> Corpus:
        path = Path(self.path).expanduser()
        stamps = tuple((str(p), p.stat().st_mtime_ns) for p in _files(path)) if path.exists() else ((self.path, 0),)
        tokenizer = stamped(Path(self.tokenizer).expanduser(), WHAT)
        return _read(stamps, path.exists(), self.config, self.column, self.each, self.most, tokenizer, self.name)


def _joined(corpus: Corpus, first: int, last: int, end: int) -> np.ndarray:
    ends = corpus.ends[first:last]
    begin = int(corpus.ends[first - 1]) if first else 0
    joined = np.full(int(ends[-1]) - begin + len(ends) if len(ends) else 0, end, np.int32)
    if len(ends):
        places = np.ones(len(joined), bool)
        places[ends - begin + np.arange(len(ends))] = False
        joined[places] = corpus.tokens[begin : int(ends[-1])]
    return joined


@lru_cache(maxsize=8)
def _words(data: Documents, split: str, seen: int) -> frozenset[str]:
    words, counts = np.unique(np.array(" ".join(data.decode(data.tokens(split)[None])).replace(data.end, " ").split()
                                       or [""]), return_counts=True)
    return frozenset(str(word) for word in words[counts >= seen] if word)


def _files(path: Path) -> list[Path]:
    return (
        [path]
        if path.is_file()
        else sorted(p for p in path.rglob("*") if p.is_file() and p.name.endswith(_texts.SUFFIXES))
    )


@lru_cache(maxsize=2)
def _read(stamps: tuple, local: bool, config: str, column: str, each: str, most: int, tokenizer: tuple,
          name: str) -> Corpus:
    made = tokenizer_of(*tokenizer).tokenizer
    texts = (_texts.local([Path(path) for path, _ in stamps], column, each) if local
             else _texts.named(stamps[0][0], config, column))
    texts, parts, lengths, digest = islice(texts, most or None), [], [], hashlib.sha256()
    kind = np.uint16 if made.get_vocab_size() < 2**16 else np.int32
    while batch := list(islice(texts, AT_ONCE)):
        for found in made.encode_batch(batch, add_special_tokens=False):
            parts.append(np.array(found.ids, kind))
            lengths.append(len(found.ids))
            digest.update(len(found.ids).to_bytes(8, "little") + parts[-1].astype("<i4").tobytes())
    if not sum(lengths):
        raise ValueError(f"{name} finds no text: give a file or a folder of {', '.join(_texts.SUFFIXES)}, or the name "
                         "of a "
                         "data set of `datasets`")
    return Corpus(np.concatenate(parts), np.cumsum(lengths), digest.hexdigest())
