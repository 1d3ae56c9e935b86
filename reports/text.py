"""Text of a user on its way into a medium: one escape for each, and nothing reaches a medium by another way.

    all      plain   no control characters, line breaks or halves of letters; never empty
    HTML     jinja2's autoescape, in <bdi> so that a name written from right to left moves nothing beside it;
             `coded` for prose with code in it
    figures  plain text is drawn as it stands: mathematics is switched off (reports/style.py); `short` cuts it to fit
    LaTeX    tex     a name is not a command, a comment, an option or a ligature
    files    slug    a-z, 0-9 and dashes

>>> plain("a\\n b\\x00"), plain("  "), tex("--50% $x$"), slug("../Ä x")
('a b', '(no name)', '-{}-50\\\\% \\\\$x\\\\$', 'x')
"""

import re
import unicodedata
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

from markupsafe import Markup, escape

NO_NAME = "(no name)"
TURNING = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # the direction of writing
LIST = re.compile(r"\[([^\[\],]*)(?:,[^\[\],]*){2,}\]")    # of three values or more, none of them a list
LONGEST = 60  # letters of a file name's part
TEX = {
    "\\": r"\textbackslash{}",
    "_": r"\_",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "$": r"\$",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "[": "{[}",  # after a \\ it would begin an option
    "]": "{]}",
    "*": "{*}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': '{"}',
    "'": "{}'{}",  # two would be one sign, as would ! or ? before the other
    "`": "{}`{}",
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
    "…": r"\ldots{}",
    "×": r"$\times$",
    "−": "$-$",
    "→": r"$\rightarrow$",
}
Key = TypeVar("Key", bound=Hashable)


class Tex(str):
    """LaTeX that we have written ourselves."""


def coded(text: str) -> Markup:
    """Prose of a docstring as HTML: what stands in backticks is code, and all of it is escaped.

    >>> print(coded("See `make demo` & <b>."))
    See <code>make demo</code> &amp; &lt;b&gt;.
    """
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def plain(text: object) -> str:
    """One line without what no medium can show, and without signs that turn the text behind them round."""
    return " ".join("".join(map(_shown, str(text))).split()) or NO_NAME


def _shown(c: str) -> str:
    if c.isspace():
        return " "
    category = unicodedata.category(c)
    return "\ufffd" if category == "Cs" else "" if category == "Cc" or c in TURNING else c


def apart(names: Mapping[Key, str]) -> dict[Key, str]:
    """Plain names, and those that only then are alike told apart by a number."""
    taken: dict[str, str] = {}  # plain -> the name that it stands for
    found: dict[str, str] = {}
    for name in dict.fromkeys(names.values()):
        text = candidate = plain(name)
        k = 1
        while candidate in taken:
            k += 1
            candidate = f"{text} #{k}"
        taken[candidate] = found[name] = candidate
    return {key: found[name] for key, name in names.items()}


def short(text: str, most: int) -> str:
    """The text, with its middle left out where it is longer."""
    return text if len(text) <= most else f"{text[: most // 2]}…{text[len(text) - (most - most // 2) + 1 :]}"


def brief(text: str) -> str:
    """A setting with the values of a long list counted.

    >>> brief("window=stairs ends=[0.125, 0.25, 0.5, 1] rounds=2"), brief("at=[1, 2, 3]"), brief("pair=[1, 2]")
    ('window=4 stairs from 0.125 rounds=2', 'at=3 values from 1', 'pair=[1, 2]')
    """
    text = LIST.sub(lambda found: f"{found[0].count(',') + 1} values from {found[1].strip()}", text)
    return re.sub(r"stairs ends=(\d+) values", r"\1 stairs", text)


def spaced(text: str) -> str:
    """An identifier within the text as words."""
    return re.sub(r"(?<=[a-z0-9])_(?=[a-z0-9])", " ", text)


def tex(text: str) -> str:
    """LaTeX that shows the text: letters that a font may lack by their number."""
    return text if isinstance(text, Tex) else re.sub(r"(?<=-)-", "{}-", "".join(map(_letter, plain(text))))


def _letter(c: str) -> str:
    accented = ord(c) < 0x180 and unicodedata.decomposition(c) and c.isalpha()
    return TEX.get(c, c if ord(c) < 0x7F or accented else f"{{[}}U+{ord(c):04X}{{]}}")


def slug(text: str, most: int = LONGEST) -> str:
    """A part of a file name or of an anchor."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:most].strip("-") or "report"


def named(texts: Iterable[str], most: int = 12) -> str:
    """The texts in a row, of many the first."""
    texts = list(texts)
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")
