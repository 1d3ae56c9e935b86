"""Which tests a run takes: all files that are quick, and of the slow ones a quarter, another one with each commit, and
those that recent changes reach (tests/reached.py).

    python -m pytest --turn commit     what `make test` runs: in four commits every test
    python -m pytest --turn quick      the quick files alone, `make test-fast`
    python -m tests.turns JUNIT.xml    writes tests/seconds.json anew, from `make test-all ARGS=--junitxml=JUNIT.xml`
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).parent
FILE = HERE / "seconds.json"
PARTS, SLOW = 4, 3    # a file that takes more seconds than SLOW waits for its turn


def seconds() -> dict[str, float]:
    """Of each slow file, by its path in the repository, what its tests took when they were last measured."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def parts(slow: Mapping[str, float]) -> dict[str, int]:
    """File -> its part of PARTS, so that each takes about as long: the longest file first, to the part with the least.
    """
    loads, found = [0.0] * PARTS, {}
    for file in sorted(slow, key=lambda name: (-slow[name], name)):
        found[file] = loads.index(min(loads))
        loads[found[file]] += slow[file]
    return found


def commits() -> int | None:
    """How many the checkout has; None where there is no git, and then every test runs."""
    try:
        told = subprocess.run(["git", "-C", str(HERE), "rev-list", "--count", "HEAD"], capture_output=True, text=True)
    except OSError:
        return None
    return int(told.stdout) if not told.returncode else None


def runs(file: str, turn: str, number: int | None, part: Mapping[str, int]) -> bool:
    """Whether a file's tests run in this turn, "all", "quick" or "commit"."""
    if turn == "all" or file not in part:
        return True
    return turn == "commit" and (number is None or part[file] == number % PARTS)


def measured(junit: Path) -> dict[str, float]:
    took: Counter[str] = Counter()
    for case in ElementTree.parse(junit).iter("testcase"):
        took[case.get("classname", "").replace(".", "/") + ".py"] += float(case.get("time", 0))
    return {file: round(total, 1) for file, total in sorted(took.items()) if total > SLOW}


if __name__ == "__main__":
    found = measured(Path(sys.argv[1]))
    FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"{len(found)} slow files of {sum(found.values()):.0f} s in {FILE}")
