"""README and the documents: the first screen, what they count and quote, and files that exist. Their commands are run
by tests/test_commands.py.
"""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from harness import plugins
from harness.claims import claim as claims
from harness.cli import verbs
from harness.cli.templates import STUDY
from harness.spec import ROOT
from tests import warm

README, USE, SAMPLERS = ((ROOT / page).read_text() for page in ("README.md", "docs/use.md", "docs/samplers.md"))
COMMANDS = re.findall(r"^    (\S.*?)(?:  +#.*)?$", README + USE, re.M)


def call(words: list[str], cwd: Path) -> subprocess.CompletedProcess:
    return warm.run(["-m", "harness", *words], cwd, before=warm.PLAIN if {"report", "--report"} & {*words} else "")


def test_readme_shows_commands():
    assert [c for c in COMMANDS
            if c.startswith("make ")] == ["make demo", "make test"] and sum(c.startswith("ssmd-bench ")
                                                                            for c in COMMANDS) >= 6


def test_the_first_screen_is_short_and_counts_the_samplers():
    assert README.count("\n") <= 150 and README.index("    make demo") < 2500    # characters before the first command
    assert f"runs {len(plugins.samplers())} samplers" in README
    assert README == claims.filled((ROOT / "studies/readme.md").read_text(),
                                   claims.read()), "README is older than the claims: run `make findings`"


def test_readme_shows_the_study_that_new_writes_and_names_every_command():
    (code,) = re.findall(r"^```python\n(.*?)^```$", README, flags=re.S | re.M)
    assert code == STUDY.replace("NAME", "my_study")
    table = README.partition("| command | what for |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.M) == [*verbs.find()]


def test_the_table_of_samplers_quotes_claims():
    known = {row["claim"]: row for row in claims.read()}
    table = [line.split("|")[4] for line in SAMPLERS.splitlines() if line.startswith("| ") and line.count("|") == 5
             and (".py`" in line)]
    quoted = [found for cell in table for found in re.findall(r"`(\w+)` (-?[\d.]+) \((-?[\d.]+) to (-?[\d.]+)\)", cell)]
    assert len(quoted) > 20
    for arm, *numbers in quoted:
        row = known[f"frontier.judge_at_equal_passes.{arm}.at_16"]
        assert [float(x) for x in numbers] == pytest.approx([row[end] for end in ("value", "low", "high")],
                                                            abs=0.00501), arm


@pytest.mark.parametrize("target", ["demo", "test", "gate", "lint", "types", "docs", "coverage", "bench", "findings",
                                    "prove", "prove-tenth", "test-py312", "test-py313"])
def test_make_knows_the_target(target):
    plan = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True)
    assert plan.returncode == 0 and plan.stdout


def test_the_contest_of_readme_has_its_trees_study_and_cells():
    """It is refused at the first pair of processes, which have sampled every cell by then: a whole one takes
    minutes.
    """
    (command,) = [c for c in COMMANDS if c.startswith("ssmd-bench contest ")]
    known = subprocess.run(["git", "rev-parse", "--verify", "-q", "main"], cwd=ROOT, capture_output=True).returncode
    words = ["HEAD" if word == "main" and known else word for word in shlex.split(command)[1:]]
    done = call([*words, "--rows", "1", "--minutes", "0.001"], ROOT)
    assert done.returncode == 2 and "more than --minutes 0.001" in done.stderr, done.stderr


def test_readme_counts_the_exit_codes_of_the_gate():
    table = (ROOT / "docs/gate.md").read_text().partition("| exit code |")[2].partition("\n\n")[0]
    codes = re.findall(r"^\| (\d) \|", table, re.M)
    assert codes == ["0", "1", "2", "3", "4"] and "three tiers and five exit codes" in re.sub(r"\s+", " ", USE)


def test_the_demo_runs_small_and_twice(tmp_path):
    first = call(["run", str(ROOT / "studies/demo"), "--n", "4", "--no-time", "--out", str(tmp_path / "run"),
                  "--report", str(tmp_path / "report")], tmp_path)
    assert first.returncode == 0, first.stderr[-2000:]
    again = json.loads(call(["run", str(ROOT / "studies/demo"), "--n", "4", "--no-time", "--out",
                             str(tmp_path / "run")], tmp_path).stdout.splitlines()[-1])
    assert (
        again["done"] == again["scored"] == 0 and again["cached"] == json.loads(first.stdout.splitlines()[-1])["done"]
    )
    assert (tmp_path / "report" / "index.html").stat().st_size > 10_000


@pytest.mark.parametrize("page", ["README.md", *(str(p.relative_to(ROOT)) for p in (ROOT / "docs").glob("*.md"))])
def test_documents_name_files_that_exist(page):
    text = (ROOT / page).read_text()
    named = re.findall(r"`((?:harness|baselines|ssmd|studies|reports|tests|docs)/[\w./]+)`",
                       text) + re.findall(r"\]\(([\w./]+)\)", text)
    base = (ROOT / page).parent
    missing = [n for n in named if not ((ROOT / n).exists() or (base / n).exists())]
    assert not missing


@pytest.mark.parametrize("page", ["docs/claims.md", "docs/gate.md", "docs/judges.md", "docs/metrics.md",
                                  "docs/molecules.md", "docs/peers.md", "docs/proteins.md", "docs/serving.md",
                                  "docs/speed.md"])
def test_a_page_quotes_the_claims_as_they_stand(page):
    quoted = (
        (ROOT / page).read_text().partition("<!-- claims -->")[2].partition("<!-- /claims -->")[0].strip().splitlines()
    )
    every = claims.table(claims.read()).splitlines()
    assert quoted and len(quoted) == len({*quoted}) and set(quoted) <= {*every}, ("a table is older than "
                                                                                  "the claims: run `make "
                                                                                  "findings`")
    assert page != "docs/claims.md" or quoted == every


PAGES = [path for path in sorted(ROOT.rglob("*.md")) if not {"runs", "node_modules"} & {*path.relative_to(ROOT).parts}
         and not path.relative_to(ROOT).parts[0].startswith(".venv")]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_code_on_a_page_is_fenced_and_python_can_be_read(path):
    text = path.read_text(encoding="utf-8")
    fences = re.findall(r"^```\w*$", text, flags=re.M)
    assert len(fences) == text.count("```") and len(fences) % 2 == 0
    for block in re.findall(r"^```python\n(.*?)^```$", text, flags=re.S | re.M):
        compile(block, str(path), "exec")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_lines_of_a_page_are_at_most_110_characters(path):
    """But those of tables, headings, code and commands, which cannot be broken."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.S | re.M)
    prose = [line for line in text.splitlines() if not line.startswith(("|", "#", "    ", "<!--", "!["))]
    assert [line for line in prose if len(line) > 110 and " " in line.strip()] == []
