"""Claims: what a study found, kept as studies/NAME/claims.json and written by code only. Documents quote claims and
nothing else.

A row is {"claim", "value", "low", "high", "unit", "n", "command", "keys", "note"}: a 95 % interval, the command that
rebuilds it, and the keys of the records it came from. It carries no code. It is current if it comes out again, to the
last digit, from the records that are kept (harness/claims/rebuild.py; the test suite does so), and if these records are
proven to be of the code that ships (harness/claims/standing.py).
"""

import json
import math
import re
from collections.abc import Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from msgspec import Struct

from harness.boundary.atomic import write_text
from harness.boundary.incoming import Count, Number, Wrong, fitted, read_plain, read_text
from harness.spec import INSTALLED, ROOT

RESULTS, FILE = ROOT / "studies", "claims.json"
AGAIN = "rebuild it with the command in its study"
PARTS: dict[str, Any] = {"name": str, "value": Real, "low": Real, "high": Real, "unit": str, "n": Integral,
                         "command": str, "keys": Sequence, "note": str}
WORDS: dict[Any, str] = {str: "a text", Real: "a number", Integral: "a whole number", Sequence: "a list"}


class Claim(Struct):
    """A row as it must be read; what is not declared stands beside it."""

    claim: str
    value: Number
    low: Number
    high: Number
    unit: str
    n: Count
    command: str
    keys: list[str]
    note: str = ""


def claim(name: str, value: float, low: float, high: float, unit: str, n: int, command: str, keys: Sequence[str],
          note: str = "") -> dict:
    """One row. Raises ValueError for what is no claim."""
    given = {"name": name, "value": value, "low": low, "high": high, "unit": unit, "n": n, "command": command,
             "keys": keys, "note": note}
    for field, kind in PARTS.items():
        if not isinstance(given[field], kind) or isinstance(given[field], str) and kind is Sequence:
            raise ValueError(f"{field} of the claim {name!r:.60} is {given[field]!r:.60} and must be {WORDS[kind]}: "
                             "correct the study that makes it")
    if not (math.isfinite(value) and low <= value <= high):
        raise ValueError(f"the claim {name} does not lie in its interval: {low} <= {value} <= {high} does not hold; "
                         "correct the study that makes it")
    return {"claim": name, "value": value, "low": low, "high": high, "unit": unit, "n": n, "command": command,
            "keys": list(keys), "note": note}


def write(name: str, rows: Sequence[dict]) -> Path:
    """Replace studies/NAME/claims.json, whole or not at all: in the clone, or, where we are installed, in the folder
    where we stand.
    """
    path = _file(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(list(rows), indent=1, allow_nan=False) + "\n")
    return path


def renew(name: str, rows: Sequence[dict]) -> Path:
    """The same, of some of its claims: the others stay as they stand. Raises ValueError for a damaged file."""
    path, new = _file(name), {row["claim"]: row for row in rows}
    kept = [new.pop(row["claim"], row) for row in (rows_of(path) if path.is_file() else [])]
    return write(name, [*kept, *new.values()])


def _file(name: str) -> Path:
    return (Path("studies") if INSTALLED else RESULTS) / name / FILE


def read(folder: Path = RESULTS) -> list[dict]:
    """Every claim, with `folder`, the name of the one that it lies in. Raises ValueError for a damaged file."""
    return [row | {"folder": path.parent.name} for path in files(folder) for row in rows_of(path)]


def files(folder: Path = RESULTS) -> list[Path]:
    return sorted(folder.glob(f"*/{FILE}"))


def rows_of(path: Path) -> list[dict]:
    """The claims of one file. Raises ValueError, with row and field, for a damaged one."""
    rows = read_plain(path, AGAIN)
    try:
        fitted(rows, list[Claim])
    except Wrong as error:
        raise ValueError(f"{path} is not a list of claims ({error}): {AGAIN}") from None
    return rows


def table(rows: Sequence[dict]) -> str:
    """Claims as a Markdown table, the form in which documents quote them."""
    head = ("claim", "value", "95 % interval", "unit", "n", "note")
    lines = [(f"`{r['claim']}`", f"{r['value']:.3g}", f"{r['low']:.3g} to {r['high']:.3g}", r["unit"], str(r["n"]),
              r.get("note", "")) for r in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, ("---",) * len(head), *lines))


def again(path: Path, rows: Sequence[dict]) -> list[dict]:
    """The claims that the table of a Markdown file quotes, in its order, as they stand now. Raises ValueError for a
    file that is not there, or a name that is no claim any more.
    """
    if not path.is_file():
        raise ValueError(f"there is no {path} whose table could be written again: correct the path")
    known, page = {row["claim"]: row for row in rows}, read_text(path, "give a Markdown file saved as UTF-8")
    text = page.partition("<!-- claims -->")[2].partition("<!-- /claims -->")[0]
    names = re.findall(r"^\| `([a-z][\w.]*)` \|", text, re.M)
    if gone := [name for name in names if name not in known]:
        raise ValueError(f"{path} quotes {gone[0]}, which is no claim any more: write its table with `ssmd-bench "
                         f"claims NAMES --write {path}`")
    return [known[name] for name in names]


def quoted(row: dict) -> str:
    """A claim in a sentence: value and interval, with as many digits as the interval leaves."""
    width = row["high"] - row["low"]
    digits = min(3, max(2, 1 - math.floor(math.log10(width)))) if width > 0 else 2
    return f"{row['value']:.{digits}f} ({row['low']:.{digits}f} to {row['high']:.{digits}f})"


def filled(text: str, rows: Sequence[dict]) -> str:
    """The text with {NAME} of each claim replaced by its value and interval. Raises ValueError for a name that is no
    claim.
    """
    known = {row["claim"]: row for row in rows}

    def quote(found: re.Match) -> str:
        row = known.get(found[1])
        if row is None:
            raise ValueError(f"{found[1]} is no claim: `ssmd-bench claims` lists them all")
        return quoted(row)

    return re.sub(r"\{([a-z][\w.]*)\}", quote, text)
