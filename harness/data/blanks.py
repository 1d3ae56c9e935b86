"""Prompts of one's own with blanks to fill, in the tokens of any data set that can encode text: sentences, proteins,
molecules.

    Blanks(WikipediaLeads(length=128), "mine.txt")       a text a line:     the_cat_____on the mat
    Blanks(Fasta("all.fasta"), "mine.fasta")             FASTA records:     >one / MKT____LLA
    Blanks(Moses("moses.npz"), "mine.smi")               a molecule a line: CCc1ccc(____)cc1

`blank` stands for one token that is to be written. Row k is given text k modulo their number, and empty lines are none.
A text may be shorter than a row: where networks are always shown the end symbol (MOSES), it stands behind the text,
else what is behind is to be written too. What is given comes back unchanged and stands in the samples. Held-out rows
are those of the data set, and prompts that it has itself are left out.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from harness.boundary.there import there
from harness.data.fasta import unmarked
from harness.data.names import names_of
from harness.data.text import Foreign
from harness.data.text_file import text_of
from harness.kinds import Dataset
from harness.param import check, param
from harness.spec import canonical, sha256


@dataclass(frozen=True)
class Blanks:
    """Texts of a file with blanks to fill, as prompts (n, L) over the tokens of `data`: MASK where a blank stands.
    Raises ValueError, in a sentence with the line, for a file that cannot be used.
    """

    data: Dataset
    path: str = param(note="a text in UTF-8, plain or .gz: a prompt a line, or FASTA")
    blank: str = param("_", note="the sign of a token that is to be written")

    name: ClassVar[str] = "blanks"
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check(self)
        if not hasattr(self.data, "encode"):
            raise ValueError(f"{getattr(self.data, 'name', self.data)} cannot read text: choose data of letters or of "
                             "a tokenizer")
        if len(self.blank) != 1 or self.blank.isspace():
            raise ValueError(f"blank={self.blank!r} is no single sign: give \"_\", for example")

    @property
    def length(self) -> int:
        """L, tokens a row: that of the data set."""
        return self.data.length

    @property
    def vocab(self) -> int:
        return self.data.vocab

    @property
    def mask(self) -> int:
        return self.data.mask

    def rows(self, split: str, n: int, seed: int) -> Tensor:
        return self.data.rows(split, n, seed)                                      # (n, L)

    def prompts(self, first: int, last: int) -> Tensor:
        """Rows first..last-1, (last - first, L): the tokens given, and MASK where there are blanks."""
        given = self._given()                                                      # (texts, L)
        return given[torch.arange(first, last) % len(given)]

    def names(self) -> tuple[str, ...]:
        return names_of(self.data)

    def identity(self) -> dict[str, Any]:
        return {"name": self.name, "version": self.version, "data": self.data.identity(), "blank": self.blank,
                "sha256": sha256(self._given().tolist())}

    def __getattr__(self, name: str) -> Any:
        """What only some data sets have, such as words or an end symbol, is that of the data set."""
        if name.startswith("_") or name == "data":
            raise AttributeError(name)
        return getattr(self.data, name)

    def _given(self) -> Tensor:
        path = there(self.path, "give the path of a text with a prompt a line, or of a FASTA file")
        return _given(self, path, path.stat().st_mtime_ns, canonical(self.data.identity()))


@lru_cache(maxsize=8)
def _given(blanks: Blanks, path: Path, _modified_ns: int, _identity: str) -> Tensor:
    data: Any = blanks.data
    end, rows = getattr(data, "shown", data.mask), []
    whole = text_of(unmarked(path))
    try:
        found = texts(whole)
    except ValueError as error:
        raise ValueError(f"{path.name}, {error}") from None
    for line, text in found:
        where, pieces = f"{path.name}, line {line}", text.split(blanks.blank)
        try:
            coded = [data.encode(piece).tolist() if piece else [] for piece in pieces]
        except Foreign as error:
            odd = "".join(sorted({*text} - {*error.alphabet, blanks.blank}))
            raise ValueError(f"{where}: cannot encode {odd!r}: what can be written is {error.writes}, with "
                             f"{blanks.blank} for a blank") from None
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        row = [token for piece in coded for token in (data.mask, *piece)][1:]
        free = data.length - len(row)
        if free < 0:
            raise ValueError(f"{where}: {len(row)} tokens are more than a row has ({data.length}): shorten the text, "
                             "or give the data set longer rows")
        if data.mask not in row and (end != data.mask or not free):
            raise ValueError(f"{where}: there is nothing to write: put {blanks.blank} where a token is to be written")
        rows.append(row + [end] * free)
    return torch.tensor(rows)                                                      # (texts, L) int64


def texts(whole: str) -> list[tuple[int, str]]:
    """The texts of a file and the lines where they begin, from 1: lines, or the records of a FASTA file."""
    lines = [(k, line.strip()) for k, line in enumerate(whole.splitlines(), 1) if line.strip()]
    if not lines[0][1].startswith(">"):
        return lines
    found: list[tuple[int, str]] = []
    for k, line in lines:
        if line.startswith(">"):
            found.append((k, ""))
        else:
            found[-1] = (found[-1][0], found[-1][1] + line)
    if empty := [k for k, text in found if not text]:
        raise ValueError(f"line {empty[0]}: the record has no sequence: give it one, with blanks, or take it out")
    return found
