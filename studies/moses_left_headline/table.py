"""The published table of MOSES with our rows in it, as Markdown.

    python -m studies.moses_left_headline.table --write docs/molecules.md
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.boundary.atomic import write_text
from harness.boundary.ending import guarded
from harness.boundary.incoming import read_text
from harness.claims.claim import read
from studies.moses_left_headline.published import COLUMNS, PUBLISHED

OURS = {"one": "ours, one character a pass", "four": "ours, four characters a pass",
        "ssmd": "ours, self-speculative, a hybrid", "itself": "ours, self-speculative, the network verifies itself"}
BEGIN, END = "<!-- table of the benchmark -->\n", "<!-- /table of the benchmark -->\n"


def lines(rows: Sequence[dict]) -> list[str]:
    """rows: claims. A column that a row lacks is a dash; published rows have their source's digits, ours three."""
    known = {row["claim"]: row["value"] for row in rows}
    own = [(label, [known.get(f"moses.table.{name}.{column.replace(' ', '_')}") for column in COLUMNS])
           for name, label in OURS.items()]
    shown = [(f"{name} (code)", [f"{value:g}" for value in values]) for name, values in PUBLISHED.items()]
    shown += [(label, ["-" if value is None else f"{value:.3f}" for value in values]) for label, values in own]
    return ["| network | " + " | ".join(COLUMNS) + " |", "| --- |" + " --- |" * len(COLUMNS),
            *(f"| {name} | " + " | ".join(values) + " |" for name, values in shown)]


def placed(page: str, rows: Sequence[dict]) -> str:
    """The page with its table made anew. Raises ValueError for a page without the two marks."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN.strip()} and {END.strip()} around a table: add both")
    return head + BEGIN + "\n".join(lines(rows)) + "\n" + END + tail


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m studies.moses_left_headline.table")
    parser.add_argument("--write", type=Path, required=True, help="the page")
    path = parser.parse_args().write
    write_text(path, placed(read_text(path, "give a Markdown file saved as UTF-8"), read()))
    return 0


if __name__ == "__main__":
    sys.exit(guarded("studies.moses_left_headline.table", main))
