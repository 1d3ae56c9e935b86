"""The opening paragraphs of Wikipedia's 10,033 vital articles: the default corpus, embedded. CC BY-SA 4.0, see its
card.

4,941,097 characters of text8's alphabet; documents shuffled once, then split in contiguous shares. Not text8: numbers
on it do not stand beside published text8 numbers.

    >>> data = WikipediaLeads(length=16)
    >>> data.rows("test", n=2, seed=0).shape
    torch.Size([2, 16])
"""

from dataclasses import dataclass
from typing import ClassVar

from harness.data.text import FILES, Text, embedded
from harness.param import Range, check, param

SHA256 = "cc48aeeffb741d31c7933dbe1927d96641ec0aca2be49320d21ec60e6a762e80"
TITLES_SHA256 = "9b458c86527a71fa00a2cff7f013eb148591526df42aeabe8f808437ad4216fb"


@dataclass(frozen=True)
class WikipediaLeads(Text):
    """The opening paragraphs of Wikipedia's vital articles, embedded: rows of `length` characters in text8's 27
    symbols.
    """

    name: ClassVar[str] = "wikipedia_leads"
    version: ClassVar[int] = 1

    length: int = param(128, Range(1, 65536), "characters a row")

    def __post_init__(self) -> None:
        check(self)

    def content(self) -> bytes:
        """The whole text, 4,941,097 bytes of a to z and spaces. Raises ValueError if the file is not the one of its
        card.
        """
        return embedded(FILES / "wikipedia_leads.txt.xz", SHA256)

    def titles(self) -> list[str]:
        """The articles' titles in the order of the text: the attribution that the licence asks for."""
        return embedded(FILES / "wikipedia_leads.titles.txt.xz", TITLES_SHA256).decode().splitlines()
