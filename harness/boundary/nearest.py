"""The nearest known name to one that is not known: what was probably meant.

    >>> meant("mian", ["main", "light"]), meant("x", ["main"])
    ("; did you mean 'main'?", '')
"""

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str:
    """A known name that differs by a slip, or nothing."""
    return next(iter(difflib.get_close_matches(str(word), [str(name) for name in known], n=1, cutoff=0.6)), "")


def meant(word: str, known: Iterable[str]) -> str:
    """The end of a sentence that refuses the word."""
    found = nearest(word, known)
    return f"; did you mean {found!r}?" if found else ""
