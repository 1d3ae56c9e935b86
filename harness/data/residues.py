"""Protein sequences as tokens: the 20 amino acids in the order of their letters, and what every protein data set
shares.

Convention: ACDEFGHIKLMNPQRSTVWY = 0..19, 20 is the mask. Sequences with any other letter (X, B, Z, U, O, J) are left
out where a file is read, and counted. A row is a crop: `length` neighbouring residues of one protein, which has at
least so many; there is no token for a protein's end and nothing is padded.

    >>> sequences, left_out = read_fasta(">one\\nMKV\\nLA*\\n>two\\nMXK\\n")
    >>> sequences, left_out
    ({'one': b'MKVLA'}, 1)
    >>> decode(encode(b"MKVLA")[None])
    ['MKVLA']
"""

import gzip
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.random import Stream, integers, permutation

AMINO = "ACDEFGHIKLMNPQRSTVWY"
SPLITS = ("train", "judge", "validation", "test")
CROP, MEMBER, START = ((1 << 41) + k for k in range(3))    # places of the draws of a training crop in stream TRAIN
PLACE = 1 << 40                                            # and of a held-out crop in stream DATA
_CODES = np.full(256, 255, np.uint8)
_CODES[np.frombuffer(AMINO.encode(), np.uint8)] = np.arange(len(AMINO))


def encode(sequence: bytes) -> Tensor:
    """Letters -> (len,) uint8. Raises ValueError for what is none of the 20 amino acids."""
    codes = _CODES[np.frombuffer(sequence, np.uint8)]
    if (codes == 255).any():
        raise ValueError("cannot encode "
                         f"{bytes(sorted(set(sequence) - set(AMINO.encode())))[:5].decode(errors='replace')!r}: the "
                         "tokens are the 20 amino acids, in capitals")
    return torch.from_numpy(codes)


def decode(rows: Tensor) -> list[str]:
    """(n, L) token ids -> n strings; the mask reads "_"."""
    table = np.frombuffer((AMINO + "_").encode(), np.uint8)
    return [table[row].tobytes().decode() for row in rows.cpu().numpy()]


def standard(sequence: bytes) -> bool:
    """Whether a sequence is made of the 20 amino acids alone, and not empty."""
    return bool(sequence) and not sequence.translate(None, AMINO.encode())


def read_fasta(text: str) -> tuple[dict[str, bytes], int]:
    """FASTA -> {first word of the header: sequence}, and how many records were left out: those with other letters, and
    empty ones.

    White space, `-` and a closing `*` are dropped, lower case is raised. Raises ValueError if it is not FASTA or names
    two records alike.
    """
    if not text.lstrip().startswith(">"):
        raise ValueError("this is not FASTA, which begins with >: give a FASTA file, plain or .gz")
    found, left_out = {}, 0
    for record in text.lstrip()[1:].split("\n>"):
        head, _, body = record.partition("\n")
        name, sequence = (
            (head.split() or [""])[0],
            "".join(body.split()).replace("-", "").removesuffix("*").upper().encode(),
        )
        if name in found:
            raise ValueError(f"two records of the FASTA file are named {name!r}: give each a name of its own")
        if standard(sequence):
            found[name] = sequence
        left_out += not standard(sequence)
    return found, left_out


def read_fasta_file(path: Path) -> tuple[dict[str, bytes], int]:
    """Sequences by name and the number left out, the same of a file, plain or .gz. Raises ValueError for one that
    cannot be read.
    """
    try:
        content = path.read_bytes()
        return read_fasta((gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8"))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name!r} cannot be read ({error}): give a FASTA file, plain or .gz") from error
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None


def fasta(names: list[str], sequences: list[str]) -> str:
    """Names and sequences as the text of a FASTA file: records of 60 letters a line."""
    lines = (line for name, s in zip(names, sequences, strict=True)
             for line in (f">{name}", *(s[i : i + 60] for i in range(0, len(s), 60))))
    return "".join(f"{line}\n" for line in lines)


class Content(NamedTuple):
    """N proteins of C clusters, those of a cluster next to each other, its representative first."""

    residues: np.ndarray    # (R,) uint8
    starts: np.ndarray      # (N + 1,) int64, where each protein begins
    cluster: np.ndarray     # (N,) int64, ascending
    split: np.ndarray       # (C,) uint8, number of the split in `splits`
    sha256: str             # of all of them


class Pool(NamedTuple):
    """The proteins of one split that a row may be cut from."""

    first: np.ndarray     # (K,) of each cluster its first such protein, in `members`
    number: np.ndarray    # (K,) and how many there are
    members: np.ndarray   # (M,) proteins


class Sequences:
    """What every protein data set shares. One is a frozen dataclass with fields `length`, `shortest`, `longest` and a
    method `content`.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    letters: ClassVar[str] = AMINO
    splits: ClassVar[tuple[str, ...]] = SPLITS
    length: int
    shortest: int
    longest: int

    def content(self) -> Content:
        """All proteins. Load them through a cache."""
        raise NotImplementedError

    @property
    def vocab(self) -> int:
        return len(AMINO)

    @property
    def mask(self) -> int:
        return len(AMINO)

    def encode(self, sequence: str) -> Tensor:
        """Letters -> (len(sequence),) int64. Raises ValueError for what is none of the 20 amino acids."""
        return encode(sequence.encode()).long()

    def decode(self, rows: Tensor) -> list[str]:
        """(n, L) token ids -> n strings; the mask reads "_"."""
        return decode(rows)

    def proteins(self, split: str) -> list[np.ndarray]:
        """Every protein of a split, each (len,) uint8: views, not to be written to. Whole proteins, whatever the bucket
        of lengths.
        """
        content = self.content()
        chosen = np.flatnonzero(content.split[content.cluster] == self._number(split))
        return [content.residues[content.starts[k] : content.starts[k + 1]] for k in chosen]

    def tokens(self, split: str) -> Tensor:
        """The first protein of each cluster of the split's pool, one after another without a sign between them,
        (residues,) uint8: for judges and n-grams.
        """
        content, pool = self.content(), self._pool(split)
        firsts = pool.members[pool.first]
        return torch.from_numpy(np.concatenate([np.empty(0, np.uint8),
                                                *(content.residues[content.starts[k] : content.starts[k + 1]]
                                                  for k in firsts)]))

    def rows(self, split: str, n: int, seed: int) -> Tensor:
        """n crops (n, L), each of another cluster: of its first protein that is in the bucket; the first rows do not
        depend on n.
        """
        content, pool = self.content(), self._pool(split)
        if not 0 <= n <= len(pool.first):
            raise ValueError(f"{self.name} has {len(pool.first)} clusters with a protein of {self._bucket()} in "
                             f"{split!r}, not {n}: ask for fewer rows or shorter ones")
        # (n,)
        order = permutation(seed, torch.tensor([self._number(split)]), Stream.DATA, len(pool.first))[0, :n].numpy()
        chosen = pool.members[pool.first[order]]                                        # (n,)
        u = integers(seed, torch.from_numpy(content.cluster[chosen]), Stream.DATA, torch.tensor([PLACE]),
                     1 << 31)[:, 0].numpy()
        return self._crop(content, chosen, u / 2**31)

    def crops(self, split: str, rows: Tensor, seed: int) -> Tensor:
        """Training crops for row numbers (B,) -> (B, L) on their device: a cluster, one of its proteins, a place in it,
        each drawn uniformly.
        """
        content, pool = self.content(), self._pool(split)
        if not len(pool.first):
            raise ValueError(f"{self.name} has no protein of {self._bucket()} in {split!r}: choose shorter rows or "
                             "another file")
        # (B, 3) in [0, 1)
        u = integers(seed, rows.cpu(), Stream.TRAIN, torch.tensor([CROP, MEMBER, START]), 1 << 31).numpy() / 2**31
        which = (u[:, 0] * len(pool.first)).astype(np.int64)
        chosen = pool.members[pool.first[which] + (u[:, 1] * pool.number[which]).astype(np.int64)]
        return self._crop(content, chosen, u[:, 2]).to(rows.device)

    def identity(self) -> dict[str, Any]:
        return {"name": self.name, "version": self.version, "length": self.length, "shortest": self.shortest,
                "longest": self.longest, "sha256": self.content().sha256}

    def _crop(self, content: Content, chosen: np.ndarray, u: np.ndarray) -> Tensor:
        """chosen (B,) proteins, u (B,) in [0, 1) -> (B, L) int64."""
        room = content.starts[chosen + 1] - content.starts[chosen] - self.length + 1
        start = content.starts[chosen] + (u * room).astype(np.int64)
        return torch.from_numpy(content.residues[start[:, None] + np.arange(self.length)].astype(np.int64))

    def _bucket(self) -> str:
        return f"{max(self.length, self.shortest)} to {self.longest} residues"

    def _number(self, split: str) -> int:
        if split not in self.splits:
            raise ValueError(f"{self.name} has no split {split!r}; choose {' | '.join(self.splits)}")
        return self.splits.index(split)

    def _pool(self, split: str) -> Pool:
        return _pool(self.content(), self._number(split), max(self.length, self.shortest), self.longest)


class _Pools:
    """Pools by the sha256 of their content, which itself cannot be hashed."""

    def __init__(self, content: Content):
        self.content = content

    def __hash__(self) -> int:
        return hash(self.content.sha256)

    def __eq__(self, other) -> bool:
        return self.content.sha256 == other.content.sha256


def _pool(content: Content, split: int, shortest: int, longest: int) -> Pool:
    return _pooled(_Pools(content), split, shortest, longest)


@lru_cache(maxsize=16)
def _pooled(held: _Pools, split: int, shortest: int, longest: int) -> Pool:
    content, size = held.content, np.diff(held.content.starts)
    members = np.flatnonzero((content.split[content.cluster] == split) & (size >= shortest) & (size <= longest))
    _, first, count = np.unique(content.cluster[members], return_index=True, return_counts=True)
    return Pool(first, count, members)
