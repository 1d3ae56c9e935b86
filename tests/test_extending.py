"""A study, a sampler, a data set, a metric, a plot and a verb are added by following docs/extending.md alone: its files
are written where it says, and its commands are run. What is wrong at one of these doors is one sentence.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from harness import plugins
from harness.__main__ import main
from harness.cli import _listing as listing
from harness.records.store import Store
from harness.spec import ROOT
from tests import pages
from tests.pages import call

PAGE = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
SECTIONS = pages.sections("docs/extending.md")


def blocks(section: str) -> dict[str, str]:
    """Path -> text of the files that a section of the page shows."""
    return pages.blocks(SECTIONS[section])


def commands(section: str) -> list[list[str]]:
    return pages.commands(SECTIONS[section])


def follow(section: str, place: Path, pictures: bool = False) -> list[SimpleNamespace]:
    """Write the files of a section, give its commands."""
    for path, text in blocks(section).items():
        (place / path).write_text(text)
    return [call(words, place, pictures) for words in commands(section)]


@pytest.fixture(scope="module")
def studied(tmp_path_factory):
    """A folder in which the first section has been followed, and what came of it."""
    place = tmp_path_factory.mktemp("stranger")
    (place / "mine").mkdir()
    (place / "mine" / "__init__.py").touch()
    return place, follow("A study", place)


@pytest.fixture
def place(studied, tmp_path):
    """The same for one test: no section needs another but the first."""
    here = tmp_path / "stranger"
    subprocess.run(["cp", "-r", str(studied[0]), str(here)], check=True)
    return here


def counted(run: Path) -> list[dict]:
    return list(Store(run).latest("counted", "key").values())


def page(report: Path) -> str:
    return (report / "index.html").read_text(encoding="utf-8")


def test_the_page_has_a_file_and_a_command_for_each_of_the_six():
    six = {"A study": "my_study.py", "A sampler": "mine/halves.py", "A data set": "mine/dice.py",
           "A metric": "mine/top_symbol.py", "A plot": "mine/pace.py", "A verb": "mine/commands.py"}
    assert {section: next(iter(blocks(section)), None) for section in six} == six and all(map(commands, six))
    assert PAGE.count("```python") == sum(len(blocks(section)) for section in SECTIONS), "a block without a path"
    assert PAGE.count("    ssmd-bench ") == sum(len(commands(section)) for section in six)


def test_a_study(studied):
    place, (ran,) = studied
    assert ran.document["done"] == ran.document["scored"] == 4
    assert sorted({r["arm"] for r in counted(place / "runs/my_study")}) == ["ancestral", "held_out"]
    assert "Does ancestral sampling come nearer to the law" in page(place / "runs/my_study/report")


def test_a_sampler(place):
    verified, ran = follow("A sampler", place)
    assert "Halves()" in verified.out and verified.document["failed"] == 0 and ran.document["done"] == 5
    (record,) = (r for r in counted(place / "runs/halves_study") if r["arm"] == "halves")
    assert record["cell"]["sampler"]["name"] == "halves" and record["cost"]["nfe_a"] == 3    # 4 places: 2, 1, 1
    assert "halves" in page(place / "runs/halves_study/report")


def test_a_data_set(place):
    (ran,) = follow("A data set", place)
    assert ran.document["done"] == 2
    for record in counted(place / "runs/dice_study"):
        samples = Store(place / "runs/dice_study").get("samples", record["key"])
        assert record["cell"]["data"]["name"] == "dice" and samples.shape == (256, 4)
        assert set(np.unique(samples)) == {*range(6)}
        (row,) = re.findall(rf"{record['key'][:8]}</span></h3>.*?<q>(.*?)</q>", page(place / "runs/dice_study/report"),
                            re.S)[:1]
        assert re.fullmatch("[1-6]{4}", row), "not decoded by the data set"


def test_a_metric(place):
    scored, _ = follow("A metric", place)
    assert scored.document["metrics"] == ["top_symbol"] and scored.document["scored"] == 4
    found = {r["key"]: r["value"] for r in Store(place / "runs/my_study").of("scored") if r["label"] == "top_symbol"}
    for record in counted(place / "runs/my_study"):
        samples = Store(place / "runs/my_study").get("samples", record["key"])
        assert found[record["key"]] == pytest.approx((samples == 2).mean())
    assert "top_symbol" in (place / "runs/my_study/report/tables/points.csv").read_text().splitlines()[0]


def test_a_plot(place):
    follow("A plot", place, pictures=True)
    report = place / "runs/my_study/report"
    own = page(report).partition("Figures of your own</h2>")[2].partition("</section>")[0]
    assert '<figure id="figure-pace">' in own and own.count("<svg") == 2 and "Means over sequences." in own
    assert all((report / "figures" / f"pace{size}.{form}").stat().st_size > 1000
               for size in ("", "-single") for form in ("png", "pdf", "svg"))
    drawn = json.loads((report / "numbers.json").read_text())["chapters"][0]["figures"]["pace"]
    assert [(mark["arm"], mark["tokens"]) for mark in drawn] == [("ancestral", 4)] * 3


def test_own_ones_are_listed(tmp_path, monkeypatch):
    (tmp_path / "listed_guest").mkdir()
    for section, path in (("A sampler", "mine/halves.py"), ("A plot", "mine/pace.py")):
        (tmp_path / "listed_guest" / Path(path).name).write_text(blocks(section)[path])
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(plugins, "_extra", [])
    plugins.add_package("listed_guest")
    try:
        assert plugins.samplers()["halves"].__module__ == "listed_guest.halves"
        found = dict(listing._plots())
        assert found["pace"]["origin"].endswith("listed_guest/pace.py:8") and "tradeoff" in found
    finally:
        plugins.find.cache_clear()


def test_a_verb(place):
    shown, said = follow("A verb", place)
    assert re.search(r"^  passes +network passes of every cell$", shown.out, re.M)
    cells = {r["key"]: [r["arm"], r["cost"]["nfe_a"]] for r in counted(place / "runs/my_study")}
    assert said.document == cells and len(cells) == 4


@pytest.fixture
def told(tmp_path, monkeypatch, capsys):
    """told(file, text, *words): what is said of a package with that file, as a command is given to it."""
    package = f"guest_{re.sub(r'[^a-z0-9]', '', tmp_path.name.lower())}"

    def answer(file: str, text: str, *words: str) -> str:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
        (tmp_path / package / file).write_text(text)
        monkeypatch.chdir(tmp_path)
        code = main(["--plugins", package, *words])
        captured = capsys.readouterr()
        assert code == 2 and captured.out == "", (code, captured)
        said = captured.err.splitlines()
        assert len(said) == 1 and said[0].startswith("ssmd-bench: ") and "Traceback" not in said[0], captured.err
        return said[0].replace(package, "mine")

    monkeypatch.setattr(plugins, "_extra", [])
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield answer
    plugins.find.cache_clear()
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        del sys.modules[name]


VERB = """
from harness.boundary.arguments import READ, Verb, no_options
VERBS = {}
"""


@pytest.mark.parametrize(("text", "says"), [
    ("1 / 0", "'mine.commands' cannot be imported: mine/commands.py, line 1: ZeroDivisionError"),
    ("import no_such_thing", "No module named 'no_such_thing'"),
    ("raise SystemExit(3)", "it calls sys.exit()"),
    ("x = 1", "mine.commands has no list of verbs: write VERBS = (Verb(...),)"),
    (VERB.format("Verb('hail', READ, 'd', 'e', no_options, print)"), "has no list of verbs: write VERBS = (Verb("),
    (VERB.format("('hail',)"), "holds 'hail', which is no verb: write Verb(name"),
    (VERB.format("(Verb('hail', READ, 'd', 'e', no_options),)"), "mine/commands.py, line 3: TypeError"),
    (VERB.format("(Verb('hail', READ, 'd', 'e', no_options, 3),)"), "'hail' of mine.commands is not whole"),
    (VERB.format("(Verb('hail all', READ, 'd', 'e', no_options, print),)"), "'hail all', which nobody can type"),
    (VERB.format("(Verb('run', READ, 'd', 'e', no_options, print),)"), "a verb 'run', and there is one already"),
    (VERB.format("(Verb('hail', READ, 'd', 'e', no_options, bool),)"), "must return a dictionary that JSON can hold"),
    (VERB.format("(Verb('hail', READ, 'd', 'e', no_options, lambda options: ({1j}, 0)),)"), "must return a dictionary"),
    (VERB.format("(Verb('hail', READ, 'd', 'e', no_options, lambda options: 1 / 0),)"), "line 3: ZeroDivisionError"),
    (VERB.format("(Verb('hail', READ, 'd', 'e', lambda parser: 1 / 0, print),)"), "line 3: ZeroDivisionError"),
])
def test_a_verb_that_is_none_is_one_sentence(told, capsys, text, says):
    said = told("commands.py", text, "hail")
    assert says in said.replace(f"{os.getcwd()}/", ""), said


CLASS = """
from dataclasses import dataclass
from typing import ClassVar

{frozen}
class Mine:
    {name}
    version: ClassVar[int] = 1
    {does}
"""
FROZEN, NAME, STEP = "@dataclass(frozen=True)", "name: ClassVar[str] = 'guest'", "def step(self, nets, rows): pass"


@pytest.mark.parametrize(("text", "words", "says"), [
    ("1 / 0", ["verify", "guest"], "mine/part.py, line 1: ZeroDivisionError"),
    (CLASS.format(frozen=FROZEN, name="", does=STEP), ["verify", "guest"], "the plug-in Mine has step() and no name: "
     "add `name: ClassVar[str] = 'mine'`, mine/part.py:5"),
    (CLASS.format(frozen=FROZEN, name="name: ClassVar[str] = 'ancestral'", does=STEP), ["verify", "guest"],
     "two plug-ins with step() are named 'ancestral'"),
    (CLASS.format(frozen="", name=NAME, does=STEP), ["verify", "guest"],
     "put @dataclass(frozen=True) before its class"),
    (CLASS.format(frozen=FROZEN, name="", does="def score(self, samples, data): pass"),
     ["rescore", "RUN", "--metric", "guest"], "the plug-in Mine has score() and no name"),
    (CLASS.format(frozen=FROZEN, name="name: ClassVar[str] = 'law_tv'", does="def score(self, samples, data): pass"),
     ["rescore", "RUN", "--metric", "law_tv"], "two plug-ins with score() are named 'law_tv'"),
    (CLASS.format(frozen=FROZEN, name="", does="def rows(self, split, n, seed): pass"), ["score", "--data", "guest"],
     "the plug-in Mine has rows() and no name"),
    (CLASS.format(frozen=FROZEN, name="name: ClassVar[str] = 'text8'", does="def rows(self, split, n, seed): pass"),
     ["score", "--data", "text8"], "two plug-ins with rows() are named 'text8'"),
])
def test_a_class_that_is_no_plug_in_is_one_sentence(told, studied, text, words, says):
    said = told("part.py", text, *(str(studied[0] / "runs/my_study") if word == "RUN" else word for word in words))
    assert says in said, said


def test_a_class_that_others_inherit_from_needs_no_name(told):
    text = CLASS.format(frozen=FROZEN, name="", does=STEP) + "class Other(Mine):\n    name = 'other'\n"
    assert "there is no sampler 'guest'" in told("part.py", text, "verify", "guest")


PLOT = {"TITLE": "TITLE = 'T'", "needs": "needs = ('nfe_a',)", "caption": "def caption(frame): return ''",
        "draw": "def draw(frame, inches): return None"}


@pytest.mark.parametrize(("file", "changes", "says"), [
    *(("part.py", {part: ""}, f"part.py has no '{part}'") for part in PLOT),
    ("part.py", {"needs": "needs = 'nfe_a'"}, "part.py has no 'needs', a tuple of the columns"),
    ("part.py", {"draw": "def draw(frame, inches): return 1 / 0"}, "part.py, line 4: ZeroDivisionError"),
    ("part.py", {"draw": "def draw(frame, inches): return frame.nobody"}, "part.py, line 4: AttributeError"),
    ("part.py", {"draw": "def draw(frame, inches): return 3"}, "gave 3: return (figure, list of numbers)"),
    ("tradeoff.py", {}, "there is a plot 'tradeoff' already, reports/plots/tradeoff.py: rename"),
])
def test_a_plot_that_is_none_is_one_sentence(told, studied, file, changes, says):
    run = str(studied[0] / "runs/my_study")
    said = told(file, "\n".join((PLOT | changes).values()), "report", run, "--out", "report")
    assert says in said, said
