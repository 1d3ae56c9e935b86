"""One text file of the user's as tokens of a tokenizer.json: the text of a network that has such a tokenizer.

    TextFile("corpus.txt", "my_model/tokenizer.json", length=64).rows("test", n=8, seed=0)        # (8, 64)
    Recounted(TextFile("corpus.txt", "my_model"), Hub("my_model").left_out())                     # as my_model counts

The vocabulary is all ids of the tokenizer, its special ones too. The file is cut into tokens line by line, each with
its line end, and no special token is added. A split is a contiguous share of all tokens, a row one of its blocks that
do not overlap (harness/data/text.py). The sha256 of the text and of the tokenizer are the identity; no path is.
"""

import gzip
import hashlib
import zlib
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.data._tokens import WHAT, Tokenized, stamped, tokenizer_of
from harness.data.text import Text
from harness.param import Range, check, param

AT_ONCE = 1000    # lines that are cut into tokens together


class Read(NamedTuple):
    """A file that was read: its tokens, and the hash of its text."""

    ids: bytes        # all tokens, four bytes each, low byte first
    sha256: str       # of the text


@dataclass(frozen=True)
class TextFile(Tokenized, Text):
    """One text file in tokens of a tokenizer.json: rows (n, length). Raises ValueError, in a sentence, for a file or a
    tokenizer that is missing or cannot be read.
    """

    name: ClassVar[str] = "text_file"
    version: ClassVar[int] = 1

    path: str = param(note="a text in UTF-8, plain or .gz")
    tokenizer: str = param(note="tokenizer.json, or a folder that holds one, such as that of a model")
    length: int = param(128, Range(1, 65536), "tokens a row")

    def __post_init__(self) -> None:
        check(self)

    def content(self) -> bytes:
        """All tokens, four bytes each, low byte first."""
        return self._read().ids

    def tokens(self, split: str) -> Tensor:
        """The split's share of the text: a view, not to be written to."""
        start, stop = (at // 4 for at in self._bounds(split))                          # four bytes a token
        return _ids(self.content())[start:stop]                                        # (tokens,) int32

    def words(self, split: str, seen: int = 1) -> frozenset[str]:
        """What stands between white space at least `seen` times in the split, but for its first and last."""
        counts = Counter(self.decode(self.tokens(split)[None])[0].split()[1:-1])
        return frozenset(word for word, count in counts.items() if count >= seen)

    def identity(self) -> dict[str, Any]:
        return super().identity() | {"sha256": self._read().sha256, "tokenizer_sha256": self._made().sha256}

    def _read(self) -> Read:
        path = Path(self.path).expanduser()
        if not path.is_file():
            raise ValueError(f"there is no file {self.path!r}: give the path of a text in UTF-8, plain or .gz")
        return _read(path, path.stat().st_mtime_ns, stamped(Path(self.tokenizer).expanduser(), WHAT))


@lru_cache(maxsize=4)
def _read(path: Path, _modified_ns: int, tokenizer: tuple) -> Read:
    text = text_of(path)
    lines, parts, made = iter(text.splitlines(keepends=True)), [np.empty(0, "<i4")], tokenizer_of(*tokenizer).tokenizer
    while batch := list(islice(lines, AT_ONCE)):
        parts += [np.array(found.ids, "<i4") for found in made.encode_batch(batch, add_special_tokens=False)]
    return Read(np.concatenate(parts).tobytes(), hashlib.sha256(text.encode()).hexdigest())


@lru_cache(maxsize=4)
def _ids(content: bytes) -> Tensor:
    return torch.from_numpy(np.frombuffer(content, "<i4").astype(np.int32))            # (tokens,) int32


def text_of(path: Path) -> str:
    """The text of a file, plain or .gz. Raises ValueError for one that cannot be read or is empty."""
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read as text ({error}): save it in UTF-8, or name another") from None
    if not text.strip():
        raise ValueError(f"{path} holds no text: name another file")
    return text
