"""Texts to go on from, one a line of a file: each row is given the tokens of one, and the rest is to be written.

    Prompts("questions.txt", "my_model", template="Question: {} Answer: ", answer=32)
    Recounted(Prompts(...), Hub("my_model").left_out())          # as my_model counts (harness/data/recounted.py)

Row k is given prompt k modulo their number, and empty lines are none. All rows are as long as the longest prompt and
`answer` tokens more, so that behind a shorter prompt more is written. What is given comes back unchanged and stands in
the samples. There is no held-out text: metrics that need some are refused, and Study(prompt=...) too.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from harness.boundary.there import there
from harness.data._tokens import WHAT, Tokenized, stamped, tokenizer_of
from harness.data.text_file import text_of
from harness.param import Range, check, param
from harness.spec import sha256


@dataclass(frozen=True)
class Prompts(Tokenized):
    """Prompts of a file, a line each, for a network to go on from: rows (n, L), MASK behind the prompt. Raises
    ValueError, in a sentence, for a file, a template or a tokenizer that cannot be used.
    """

    name: ClassVar[str] = "prompts"
    version: ClassVar[int] = 1

    path: str = param(note="a text in UTF-8, plain or .gz: a prompt a line")
    tokenizer: str = param(note="tokenizer.json, or a folder that holds one, such as that of a model")
    answer: int = param(64, Range(1, 65536), "tokens to write behind the longest prompt")
    template: str = param("{}", note="what stands around a prompt")

    def __post_init__(self) -> None:
        check(self)
        if self.template.count("{}") != 1:
            raise ValueError(f"the template {self.template!r} must hold {{}} once, where the prompt stands: give "
                             "\"Question: {} Answer: \", for example")

    @property
    def length(self) -> int:
        """L, tokens a row: those of the longest prompt and `answer` more."""
        return max(map(len, self._given())) + self.answer

    def prompts(self, first: int, last: int) -> Tensor:
        """Rows first..last-1, (last - first, L): the tokens given, and MASK behind them."""
        given = self._given()
        rows = torch.full((last - first, self.length), self.mask)
        for row, k in zip(rows, range(first, last)):
            tokens = given[k % len(given)]
            row[: len(tokens)] = torch.tensor(tokens)
        return rows

    def rows(self, split: str, n: int, seed: int) -> Tensor:
        """Raises ValueError: no answer is known."""
        raise ValueError(f"{self.name} has no rows of held-out text: choose a metric that needs none, and leave "
                         "Study(prompt=...) out")

    def identity(self) -> dict[str, Any]:
        return {"name": self.name, "version": self.version, "answer": self.answer, "template": self.template,
                "sha256": sha256([list(tokens) for tokens in self._given()]),
                "tokenizer_sha256": self._made().sha256}

    def _given(self) -> tuple[tuple[int, ...], ...]:
        path = there(self.path, "give the path of a text with a prompt a line")
        return _given(path, path.stat().st_mtime_ns, stamped(Path(self.tokenizer).expanduser(), WHAT), self.template)


@lru_cache(maxsize=8)
def _given(path: Path, _modified_ns: int, tokenizer: tuple, template: str) -> tuple[tuple[int, ...], ...]:
    lines = [template.replace("{}", line.strip()) for line in text_of(path).splitlines() if line.strip()]
    found = tokenizer_of(*tokenizer).tokenizer.encode_batch(lines, add_special_tokens=False)
    return tuple(tuple(one.ids) for one in found)
