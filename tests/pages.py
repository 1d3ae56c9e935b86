"""Pages whose files are written and whose commands are run: `### path` with a block of Python is a file, and a line
that is indented by four is a command.
"""

import json
import os
import re
import shlex
from pathlib import Path
from types import SimpleNamespace

from harness.spec import ROOT
from tests import warm

PROGRAMS = {"ssmd-bench": ["-P", "-m", "harness"], "python": []}    # and how python starts them


def sections(page: str) -> dict[str, str]:
    """Heading -> text of its section."""
    return dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", (ROOT / page).read_text(encoding="utf-8"), re.M | re.S))


def blocks(section: str) -> dict[str, str]:
    """Path -> text of the files that a section shows."""
    return dict(re.findall(r"^### (\S+\.py)\n\n```python\n(.*?)^```$", section, re.M | re.S))


def lines(section: str) -> list[str]:
    """What it says to type, whatever program it is."""
    text = re.sub(r"^```.*?^```$", "", section, flags=re.M | re.S)
    return [line.partition("    #")[0].rstrip() for line in re.findall(r"^    (\S.*)$", text, re.M)]


def commands(section: str, *programs: str) -> list[list[str]]:
    """Those of the programs, by default of ssmd-bench, in words."""
    return [words for words in map(shlex.split, lines(section)) if words[0] in (programs or ("ssmd-bench",))]


def call(words: list[str], place: Path, pictures: bool = False) -> SimpleNamespace:
    """A command as a user's shell runs it. The program `ssmd-bench` has not the folder on its path. A report's pictures
    are not written, unless the test looks at them.
    """
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    before = warm.PLAIN if not pictures and {"report", "--report"} & {*words} else ""
    done = warm.run([*PROGRAMS[words[0]], *words[1:]], place, environment, before=before)
    assert done.returncode == 0, (words, done.stderr[-2000:])
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""
    return SimpleNamespace(out=done.stdout, document=json.loads(last) if last.startswith("{") else {})
