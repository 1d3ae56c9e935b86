"""The tokens of a tokenizer file, as every data set that reads one has them: all its ids, MASK behind them."""

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from harness.data import _texts

WHAT = "a tokenizer.json, or the folder of vocab.json and merges.txt"


class Made(NamedTuple):
    tokenizer: Any
    sha256: str              # of its files
    names: tuple[str, ...]   # (V,) its tokens as it writes them, in the order of their ids


class Tokenized:
    """What such data sets share. One is a frozen dataclass with a field `tokenizer`, the path of its file or folder.

    Raises ValueError, in a sentence, for a tokenizer that is missing or cannot be read.
    """

    tokenizer: str

    @property
    def vocab(self) -> int:
        return len(self._made().names)

    @property
    def mask(self) -> int:
        return self.vocab

    def names(self) -> tuple[str, ...]:
        """(V,) The tokens as the tokenizer writes them, in the order of their ids."""
        return self._made().names

    def encode(self, text: str) -> Tensor:
        return torch.tensor(self._made().tokenizer.encode(text, add_special_tokens=False).ids, dtype=torch.int64)

    def decode(self, rows: Tensor) -> list[str]:
        """(n, L) token ids -> n strings; the mask reads "_", a special token stands as it is written."""
        tokenizer, mask = self._made().tokenizer, self.mask
        return ["_".join(tokenizer.decode(part, skip_special_tokens=False) for part in _parts(row, mask))
                for row in rows.tolist()]

    def _made(self) -> Made:
        return tokenizer_of(*stamped(Path(self.tokenizer).expanduser(), WHAT))


def _parts(row: list[int], mask: int) -> Iterator[list[int]]:
    """The stretches between masks."""
    begin = 0
    for place in [*(k for k, token in enumerate(row) if token == mask), len(row)]:
        yield row[begin:place]
        begin = place + 1


def stamped(path: Path, what: str) -> tuple[Path, tuple]:
    """A file, or a folder of files, with their times of change. Raises ValueError if it is not there."""
    if not path.exists():
        raise ValueError(f"there is no {str(path)!r}: give the path of {what}")
    return path, tuple((p.name, p.stat().st_mtime_ns) for p in (sorted(path.iterdir()) if path.is_dir() else [path])
                       if p.is_file())


@lru_cache(maxsize=4)
def tokenizer_of(path: Path, _stamps: tuple) -> Made:
    """That of a tokenizer.json, or GPT-2's from vocab.json and merges.txt (also encoder.json and vocab.bpe)."""
    try:
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    except ImportError:
        raise ValueError(
            f"a tokenizer needs the package tokenizers, which is not installed: {_texts.INSTALL}"
        ) from None
    files = (
        [path]
        if path.is_file()
        else next(
            (
                [path / name for name in names]
                for names in (("tokenizer.json",), ("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe"))
                if all((path / name).is_file() for name in names)
            ),
            [],
        )
    )
    if not files:
        raise ValueError(f"the folder {path} has no tokenizer.json and no vocab.json with merges.txt: give the path "
                         "of a tokenizer")
    try:
        if len(files) == 1:
            found = Tokenizer.from_file(str(files[0]))
            found.no_padding()
            found.no_truncation()
        else:
            found = Tokenizer(models.BPE.from_file(*map(str, files)))
            found.pre_tokenizer, found.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    except Exception as error:    # tokenizers raises nothing narrower
        raise ValueError(f"{files[0]} is not a tokenizer that can be read ({str(error).strip().splitlines()[0]}): "
                         "copy it again") from None
    if not (known := found.get_vocab()):
        raise ValueError(f"the tokenizer {files[0]} has no token: copy it again")
    names = tuple(str(found.id_to_token(k)) for k in range(1 + max(known.values())))
    return Made(found, hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest(), names)
