"""Which share of the lines the tests reach, as the claim coverage.lines: `make coverage` counts, `python -m
tests.covered FILE` reads its count (coverage.py's JSON).
"""

import json
import sys
from collections import Counter
from pathlib import Path

from harness.boundary.ending import guarded, working
from harness.claims import claim as claims

ROOMS = ("harness", "ssmd", "baselines", "reports", "studies")


def rows(counted: dict) -> list[dict]:
    """The claim: a count of all lines, so its interval is the value. Raises KeyError if a room was not counted."""
    reached, lines = Counter(), Counter()    # type: ignore[var-annotated]
    for path, about in counted["files"].items():
        room = Path(path).parts[0]
        reached[room] += about["summary"]["covered_lines"]
        lines[room] += about["summary"]["num_statements"]
    if missing := [room for room in ROOMS if not lines[room]]:
        raise KeyError(f"no line of {missing[0]} was counted")
    share, each = reached.total() / lines.total(), ", ".join(f"{room} {reached[room] / lines[room]:.3f}"
                                                             for room in ROOMS)
    note = f"a count, not a sample; {each}"
    return [claims.claim("coverage.lines", share, share, share, "share of lines that the tests run", lines.total(),
                         "make coverage", list(ROOMS), note)]


def main() -> int:
    working()
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_file():
        raise ValueError("name the file that coverage.py wrote, as `make coverage` does")
    print(claims.write("coverage", rows(json.loads(Path(sys.argv[1]).read_text()))))
    return 0


if __name__ == "__main__":
    sys.exit(guarded("tests.covered", main))
