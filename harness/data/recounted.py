"""Rows of a data set in the tokens of a network that counts otherwise: the ids that are left out are no tokens, and the
others are numbered anew, ascending (harness/nets/own.py).

    Recounted(TextFile(path, tokenizer), Hub("my_model").left_out())

A tokenizer counts its padding and its MASK among its ids. A network of the harness writes neither, so that both must
leave out the same.

    >>> from harness.data.exact import Exact
    >>> data = Recounted(Exact(symbols=4, length=2), (1, 9))
    >>> data.vocab, data.mask, data.counted(torch.tensor([[0, 3]])).tolist()
    (3, 3, [[0, 2]])
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from harness.data.names import names_of
from harness.kinds import Dataset


@dataclass(frozen=True)
class Recounted:
    """A data set in the token ids of a network that leaves some out: the ids `left_out` are no tokens, the others are
    numbered anew, ascending. Raises ValueError when a row holds a token that is left out.
    """

    data: Dataset
    left_out: tuple[int, ...]

    name: ClassVar[str] = "recounted"
    version: ClassVar[int] = 1

    @property
    def length(self) -> int:
        """L, tokens a row: that of the data set."""
        return self.data.length

    @property
    def vocab(self) -> int:
        return len(self._kept())

    @property
    def mask(self) -> int:
        return self.vocab

    def _kept(self) -> list[int]:
        """(V,) The ids that remain."""
        return [k for k in range(self.data.vocab) if k not in {*self.left_out}]

    def counted(self, rows: Tensor) -> Tensor:
        """Rows of the data set, any shape, in the numbers of this one. Raises ValueError for a token that is left
        out.
        """
        place = torch.full((self.data.vocab,), -1)
        place[self._kept()] = torch.arange(self.vocab)
        found = place[rows.long()]
        if bool((found < 0).any()):
            token = int(rows[found < 0].flatten()[0])
            raise ValueError(f"a row of {self.data.name} holds the token {token}, which the network never writes: "
                             "leave such texts out, or let the network draw it (`also` of Hub)")
        return found

    def rows(self, split: str, n: int, seed: int) -> Tensor:
        return self.counted(self.data.rows(split, n, seed))                        # (n, L)

    # what only some data sets have is asked for when it is looked up, so that it is lacking here where it is there

    @property
    def tokens(self) -> Callable[[str], Tensor]:
        """Split -> its tokens (tokens,), numbered anew. AttributeError where the data set has none."""
        inner: Any = self.data
        of_data = inner.tokens
        return lambda split: self.counted(of_data(split))

    @property
    def prompts(self) -> Callable[[int, int], Tensor]:
        """Rows first..last-1 -> (last - first, L), numbered anew, MASK where a token is to be written. AttributeError
        where the data set has none.
        """
        inner: Any = self.data
        of_data = inner.prompts

        def counted(first: int, last: int) -> Tensor:
            rows = of_data(first, last)
            open_places = rows == inner.mask
            return self.counted(rows.masked_fill(open_places, self._kept()[0])).masked_fill(open_places, self.mask)
        return counted

    @property
    def encode(self) -> Callable[[str], Tensor]:
        """Text -> (tokens,), numbered anew. AttributeError where the data set cannot read text."""
        inner: Any = self.data
        of_data = inner.encode
        return lambda text: self.counted(of_data(text))

    @property
    def decode(self) -> Callable[[Tensor], list[str]]:
        """(n, L) -> n strings; the mask is that of the data set."""
        inner: Any = self.data
        of_data, ids = inner.decode, torch.tensor([*self._kept(), inner.mask])
        return lambda rows: of_data(ids[rows.long()])

    def names(self) -> tuple[str, ...]:
        every = names_of(self.data)
        return tuple(every[k] for k in self._kept()) if every else ()

    def identity(self) -> dict[str, Any]:
        return {"name": self.name, "version": self.version, "data": self.data.identity(),
                "left_out": [k for k in sorted(self.left_out) if k < self.data.vocab]}
