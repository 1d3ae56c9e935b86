"""Rows that a network wrote, as data: what a block is trained on where the network's own training data are gone
(`ssmd-bench attach MODEL --data self`, ssmd/own_rows.py, writes the file).

The file is safetensors: `rows` (N, L) token ids, and beside it the vocabulary, the tokens in words, and who wrote the
rows. Its law is that of the sampler that it names, and never that of any text. Rows are whole: 80 % train, 10 %
validation, 10 % test, in the order in which they were written.

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
from harness.param import param
from harness.random import Stream, integers, permutation

SHARES = {"train": (0, 80), "validation": (80, 90), "test": (90, 100)}    # per cent
AGAIN = "draw the rows again with `ssmd-bench attach MODEL --data self`"
PLACE = 1 << 41    # of the draws of training rows in stream TRAIN


class Content(NamedTuple):
    rows: Tensor               # (N, L) int64
    vocab: int
    names: tuple[str, ...]     # of the tokens; none where the network knows none
    about: dict[str, Any]      # network, sampler, seed


@dataclass(frozen=True)
class Drawn:
    name: ClassVar[str] = "drawn"
    version: ClassVar[int] = 1

    path: str = param(note="safetensors file of rows that a network wrote")

    @property
    def content(self) -> Content:
        path = Path(self.path).expanduser()
        if not path.is_file():
            raise ValueError(f"there is no file {self.path!r}: {AGAIN}")
        return read_rows(path, path.stat().st_mtime_ns)

    @property
    def length(self) -> int:
        return self.content.rows.shape[1]

    @property
    def vocab(self) -> int:
        return self.content.vocab

    @property
    def mask(self) -> int:
        return self.vocab

    def names(self) -> tuple[str, ...]:
        return self.content.names

    def _part(self, split: str) -> Tensor:
        if split not in SHARES:
            raise ValueError(f"rows that were drawn have no split {split!r}; choose {', '.join(SHARES)}")
        rows = self.content.rows
        first, last = (len(rows) * share // 100 for share in SHARES[split])
        return rows[first:last]                                                    # (n, L)

    def rows(self, split: str, n: int, seed: int) -> Tensor:
        """(n, L), each row at most once. Raises ValueError if there are fewer."""
        part = self._part(split)
        if n > len(part):
            raise ValueError(f"{self.path} holds {len(part)} {split} rows and {n} are wanted: draw more, or ask for "
                             "fewer")
        return part[permutation(seed, torch.tensor([0]), Stream.DATA, len(part))[0, :n]]

    def crops(self, split: str, rows: Tensor, seed: int) -> Tensor:
        """Whole rows for row numbers (B,) of a training -> (B, L)."""
        part = self._part(split).to(rows.device)
        if not len(part):
            raise ValueError(f"{self.path} holds no {split} rows: draw more")
        return part[integers(seed, rows, Stream.TRAIN, torch.tensor([PLACE], device=rows.device), len(part))[:, 0]]

    def identity(self) -> dict[str, Any]:
        return {"name": self.name, "version": self.version, **self.content.about}


@lru_cache(maxsize=4)
def read_rows(path: Path, _modified_ns: int) -> Content:
    """Raises ValueError, in a sentence, for a file that holds no such rows."""
    from safetensors import SafetensorError, safe_open

    from harness.spec import sha256

    try:
        with safe_open(path, framework="pt") as file:
            told = file.metadata() or {}
            rows = file.get_tensor("rows").long()
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} holds no rows ({error}): {AGAIN}") from None
    about = decoded(told.get("about", "").encode(), dict[str, Any], f"what stands beside the rows of {path}", AGAIN)
    vocab = decoded(told.get("vocab", "").encode(), int, f"the vocabulary of {path}", AGAIN)
    names = decoded(told.get("names", "").encode(), tuple[str, ...], f"the tokens of {path}", AGAIN)
    if rows.dim() != 2 or not rows.numel() or vocab < 2 or not 0 <= int(rows.min()) <= int(rows.max()) < vocab:
        raise ValueError(f"{path} holds no rows of {vocab} tokens: {AGAIN}")
    return Content(rows, vocab, names, about | {"rows": sha256([tuple(rows.shape), json.dumps(rows.tolist())])})
