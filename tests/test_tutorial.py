"""docs/tutorial.md is followed from the first line to the last, with few rows: what it says comes out."""

import re
import shlex
import subprocess

import pytest

from harness.records.store import Store
from harness.spec import ROOT
from tests.pages import blocks, call, commands, lines, sections

PAGE = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
SECTIONS = sections("docs/tutorial.md")
SMALLER = {"run": ["--n", "8"]}    # what a command is given on top, so that a test can afford it
STEPS = ("Run it", "Change a setting", "Compare two runs")


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """The folder in which the page has been followed, and what each command of a section said."""
    place = tmp_path_factory.mktemp("tutorial")
    for path, text in blocks(SECTIONS["Ask a question"]).items():
        (place / path).write_text(text)
    return place, {title: [call([*words, *SMALLER.get(words[1], [])], place) for words in commands(SECTIONS[title])]
                   for title in STEPS}


def test_the_page_has_one_file_and_every_line_to_type_is_run_here():
    files = [blocks(text) for text in SECTIONS.values()]
    assert PAGE.count("```python") == sum(map(len, files)) == 1
    typed = [line for text in SECTIONS.values() for line in lines(text)]
    run = [shlex.join(words) for title in (*STEPS, "Install", "What there is") for words in commands(SECTIONS[title])]
    assert {*typed} == {*run, "make .venv/.ready", ". .venv/bin/activate"}


def test_make_knows_the_environment_of_the_page():
    plan = subprocess.run(["make", "-nB", ".venv/.ready"], cwd=ROOT, capture_output=True, text=True)
    assert plan.returncode == 0 and "-m venv .venv" in plan.stdout


@pytest.mark.parametrize("title", ["Install", "What there is"])
def test_what_is_looked_at_is_there(title, tmp_path):
    (words,) = commands(SECTIONS[title])
    said = call(words, ROOT)
    assert title == "Install" or {"ancestral", "ssmd"} <= {*re.findall(r"\w+", said.out)}


def test_the_study_runs_and_has_a_report(followed):
    place, said = followed
    (ran,) = said["Run it"]
    assert ran.document["done"] == 7 and ran.document["failed"] == 0
    page = (place / "runs/words/report/index.html").read_text(encoding="utf-8")
    assert "Does self-speculation spell as well" in page and "<svg" in page
    assert (place / "runs/words/report/tables/points.csv").is_file()


def test_a_changed_setting_is_one_more_cell_further_right(followed):
    place, said = followed
    assert said["Change a setting"][0].document["done"] == 1
    cells = [r for r in Store(place / "runs/words").of("counted") if r["arm"] == "ssmd"]
    cost = {r["cell"]["sampler"]["window"]["delta"]: r["cost"]["nfe_a"] for r in cells}
    assert len(cost) == 3 and cost[0.0625] > cost[0.125] > cost[0.25]


def test_the_same_study_again_is_equal(followed):
    _, (again, compared) = followed[0], followed[1]["Compare two runs"]
    assert again.document["done"] == 7 and compared.document["compared"] == 7
    assert compared.document["end"].startswith("no regression") and compared.document["only_base"] == 0
