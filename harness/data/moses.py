"""Molecules of the MOSES benchmark (arXiv 1811.12823) as SMILES, a character a token, from a file that `ssmd-bench data
moses` builds; MIT, see its card.

    Moses("runs/moses.npz").rows("test", n=8, seed=0)                              # (8, 58)

27 tokens: the 26 characters by their codes, then END. A row is a molecule and ENDs up to 58 places; the longest has 57
characters. Splits are those of the benchmark, test and scaffolds as they are; of its training molecules 10 % are the
judge's and 1 % validation, drawn once.

How long a molecule is does not come from the network: a prompt draws the length of a training molecule and gives the
ENDs, as GenMol does (arXiv 2501.06158), and training always shows them. `ends=False` is the ablation: nothing is given,
and the network writes its ENDs itself.
"""

import hashlib
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.boundary.there import there
from harness.param import check, param
from harness.random import Stream, integers, permutation

SYMBOLS = "#()-123456=BCFHNOS[]clnors"    # by their codes
END = len(SYMBOLS)
SPLITS = ("train", "judge", "validation", "test", "scaffolds")
BUILT, LENGTH = "runs/moses.npz", 58
REMEDY = "build it with `ssmd-bench data moses --out FILE` and give its path"
MEMBER, SIZE = (1 << 41) + 3, (1 << 40) + 1              # places of draws: of a training row, of a prompt's length


class Content(NamedTuple):
    """M molecules, those of a split next to each other."""

    symbols: np.ndarray    # (S,) uint8, all characters
    starts: np.ndarray     # (M + 1,) int64, where each molecule begins
    first: np.ndarray      # (5 + 1,) int64, the first molecule of each split
    sha256: str


@dataclass(frozen=True)
class Moses:
    """Molecules of the MOSES benchmark as SMILES (arXiv 1811.12823): rows (n, 58), one character a token, END behind
    the molecule. Prompts give the ENDs, so that lengths are those of training molecules. Raises ValueError for a file
    that is not there or not whole.
    """

    name: ClassVar[str] = "moses"
    version: ClassVar[int] = 1
    vocab: ClassVar[int] = END + 1
    mask: ClassVar[int] = END + 1
    length: ClassVar[int] = LENGTH
    letters: ClassVar[str] = SYMBOLS + " "    # END reads as a space
    eos: ClassVar[int] = END

    path: str = param(BUILT, note="file that `ssmd-bench data moses` wrote")
    ends: bool = True    # prompts give the ENDs, and training shows them

    def __post_init__(self) -> None:
        check(self)

    @property
    def shown(self) -> int:
        """The token that is never masked in training. AttributeError where there is none."""
        if not self.ends:
            raise AttributeError("shown")
        return END

    @property
    def prompts(self) -> Callable[[int, int], Tensor]:
        """Rows first..last-1 -> (last - first, L): MASK, and END behind a length that a training molecule has."""
        if not self.ends:
            raise AttributeError("prompts")

        def given(first: int, last: int) -> Tensor:
            begin, end = self._places("train")
            drawn = integers(0, torch.arange(first, last), Stream.DATA, torch.tensor([SIZE]), end - begin)[:, 0]
            size = np.diff(self.content().starts)[begin + drawn.numpy()]           # (B,)
            places = torch.arange(LENGTH).expand(last - first, -1)
            return torch.where(places < torch.from_numpy(size)[:, None], self.mask, END)
        return given

    def rows(self, split: str, n: int, seed: int) -> Tensor:
        """n molecules (n, L), none twice; the first rows do not depend on n."""
        begin, end = self._places(split)
        if not 0 <= n <= end - begin:
            raise ValueError(f"{self.name} has {end - begin:,} molecules in {split!r}, not {n:,}: ask for fewer rows")
        order = permutation(seed, torch.tensor([SPLITS.index(split)]), Stream.DATA, end - begin)[0, :n].numpy()
        return self._padded(begin + order)

    def crops(self, split: str, rows: Tensor, seed: int) -> Tensor:
        """Training molecules for row numbers (B,) -> (B, L) on their device, each drawn uniformly."""
        begin, end = self._places(split)
        drawn = integers(seed, rows.cpu(), Stream.TRAIN, torch.tensor([MEMBER]), end - begin)[:, 0].numpy()
        return self._padded(begin + drawn).to(rows.device)

    def smiles(self, split: str) -> list[str]:
        """Every molecule of a split, in the order of the benchmark."""
        content, table, places = self.content(), np.frombuffer(SYMBOLS.encode(), np.uint8), self._places(split)
        text = table[content.symbols].tobytes().decode()
        return [text[content.starts[k] : content.starts[k + 1]] for k in range(*places)]

    def encode(self, text: str) -> Tensor:
        """SMILES -> (len(text),) int64. Raises ValueError for a character that is none of the 26."""
        return torch.from_numpy(encode(text.encode())).long()

    def decode(self, rows: Tensor) -> list[str]:
        """(n, L) -> n strings up to the first END; what stands behind it other than END is shown, behind a bar."""
        table = np.frombuffer((SYMBOLS + " _").encode(), np.uint8)
        found = [table[row].tobytes().decode() for row in rows.cpu().numpy()]
        return [text.rstrip() if " " not in text.rstrip() else "|".join(text.rstrip().split(" ", 1)) for text in found]

    def names(self) -> tuple[str, ...]:
        return (*SYMBOLS, "END")

    def identity(self) -> dict[str, Any]:
        return {"name": self.name, "version": self.version, "ends": self.ends, "sha256": self.content().sha256}

    def content(self) -> Content:
        """All molecules of the file, read once. Raises ValueError for a file that is not there or not whole."""
        path = there(self.path, REMEDY)
        return _load(path, path.stat().st_mtime_ns)

    def _places(self, split: str) -> tuple[int, int]:
        """Of the molecules of a split in the file: the first, and that behind the last."""
        if split not in SPLITS:
            raise ValueError(f"{self.name} has no split {split!r}; choose {' | '.join(SPLITS)}")
        begin, end = self.content().first[SPLITS.index(split) :][:2].tolist()
        return begin, end

    def _padded(self, chosen: np.ndarray) -> Tensor:
        """chosen (B,) molecules -> (B, L) int64."""
        content, places = self.content(), np.arange(LENGTH)
        start, size = content.starts[chosen], content.starts[chosen + 1] - content.starts[chosen]
        at = np.minimum(start[:, None] + places, len(content.symbols) - 1)
        return torch.from_numpy(np.where(places < size[:, None], content.symbols[at], END).astype(np.int64))


_CODES = np.full(256, 255, np.uint8)
_CODES[np.frombuffer(SYMBOLS.encode(), np.uint8)] = np.arange(END)


def encode(text: bytes) -> np.ndarray:
    """Characters -> (len,) uint8. Raises ValueError for what is none of the 26."""
    codes = _CODES[np.frombuffer(text, np.uint8)]
    if (codes == 255).any():
        odd = bytes(sorted(set(text) - set(SYMBOLS.encode())))[:5].decode(errors="replace")
        raise ValueError(f"cannot encode {odd!r}: the tokens are the {END} characters {SYMBOLS}")
    return codes


def digest(symbols: np.ndarray, starts: np.ndarray, first: np.ndarray) -> str:
    """sha256 of the three arrays, 64 hexadecimal digits."""
    found = hashlib.sha256()
    for array in (symbols, starts, first):
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


@lru_cache(maxsize=2)
def _load(path: Path, _modified_ns: int) -> Content:
    try:
        with np.load(path, allow_pickle=False) as file:
            symbols, starts, first = (file[name] for name in ("symbols", "starts", "first"))
            sha = file["sha256"].tobytes().decode("ascii")
        whole = (symbols.dtype, starts.dtype, first.dtype) == (np.uint8, np.int64, np.int64) and digest(
            symbols, starts, first) == sha
    except (OSError, EOFError, KeyError, ValueError, zlib.error, zipfile.BadZipFile) as error:
        raise ValueError(f"{path.name!r} cannot be read ({error}): {REMEDY}") from error
    if not whole:
        raise ValueError(f"{path.name!r} does not hold the molecules that it says it holds, the sha256 differs: "
                         f"{REMEDY}")
    return Content(symbols, starts, first, sha)
