"""Jane Austen's six novels, the second embedded corpus. Public domain, see its card.

3,873,110 characters of text8's alphabet. Pieces of about 5,000 characters are shuffled across the novels, so that every
split holds every novel; within a piece the text runs on.

    >>> Austen(length=16).rows("test", n=2, seed=0).shape
    torch.Size([2, 16])
"""

from dataclasses import dataclass
from typing import ClassVar

from harness.data.text import FILES, Text, embedded
from harness.param import Range, check, param

SHA256 = "253df905c44e3416df1ba129c4a25583e42e05e280ecef5d4f2e248a5fe3a28d"


@dataclass(frozen=True)
class Austen(Text):
    """Jane Austen's six novels, embedded: rows of `length` characters in text8's 27 symbols."""

    name: ClassVar[str] = "austen"
    version: ClassVar[int] = 1

    length: int = param(128, Range(1, 65536), "characters a row")

    def __post_init__(self) -> None:
        check(self)

    def content(self) -> bytes:
        """The whole text, 3,873,110 bytes of a to z and spaces. Raises ValueError if the file is not the one of its
        card.
        """
        return embedded(FILES / "austen.txt.xz", SHA256)
