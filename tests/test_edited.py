"""An edited sampler never answers with old numbers: wherever its code stands, the same command samples again, with the
stamp of the finished run in place.
"""

import json
import os
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import pytest

from baselines.ancestral import Ancestral
from harness.__main__ import main
from harness.data.exact import Exact
from harness.records import provenance, sources
from harness.records.store import Store
from harness.run import finished
from harness.run.cell import cells_of
from harness.spec import ROOT
from harness.study import Arm, Study, Table

SAMPLER = """
from dataclasses import dataclass

{imports}

@dataclass(frozen=True)
class Own:
    name = "own"
    version = 1
    needs = ("main",)

    def step(self, nets, rows):    # all at once, always the same symbol
        {lazily}
        return rows._replace(x=rows.x.clamp_max(SYMBOL))

    def exact(self):
        return None
"""
STUDY = """
from harness.data.exact import Exact
from harness.study import Arm, Study, Table
{imports}

DATA = Exact()
STUDY = Study(name="own", question="?", data=DATA, nets={{"heavy": Table(DATA)}},
              reference="heavy", metrics=[], n=4, batch=4,
              arms=[Arm("own", [Own()], {{"main": "heavy"}})])
"""
PLACES = {    # where the sampler stands, and where the number that is edited does; the study stands in home/
    "in a package beside the study": ("home/planner/halves.py", "home/planner/halves.py"),
    "in a module elsewhere on the path": ("lib/halves.py", "lib/halves.py"),
    "in a module that the sampler imports from elsewhere": ("home/planner/halves.py", "lib/helper.py"),
    "in a package that the sampler imports when it is called": ("home/planner/halves.py", "lib/tables/deep/helper.py"),
    "in a flat file that the study's own sampler imports": ("", "home/helper.py"),
    "in the package above the sampler": ("home/planner/halves.py", "home/planner/__init__.py"),
}


def name_of(path: str) -> str:
    return path.split("/", 1)[1].removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def lay(folder: Path, sampler: str, number: str, symbol: int) -> None:
    """The study, its sampler and the number, each where it should stand; an empty sampler is one of the study file."""
    line = f"SYMBOL = {symbol}\n"
    elsewhere = f"from {name_of(number)} import SYMBOL" if number != sampler else line
    lazy = "tables" in number
    text = SAMPLER.format(imports="" if lazy else elsewhere, lazily=elsewhere if lazy else "")
    files = {number: line} | ({sampler: text} if sampler else {})
    files["home/s.py"] = STUDY.format(imports=f"from {name_of(sampler)} import Own" if sampler else text)
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        for above in file.relative_to(folder).parents[:-2]:
            if f"{above}/__init__.py" not in files:
                (folder / above / "__init__.py").touch()
        file.write_text(content)


def run(folder: Path, *words: str, path: str = "lib", **environment: str) -> dict:
    """The answer of `run s.py` in a process of its own, forked so that the network library is loaded once, which stands
    beside the study as `python -m harness` would.
    """

    def answer() -> None:
        os.chdir(folder / "home")
        sys.path[:0] = [str(folder / "home"), str(folder / path)]
        os.environ.update(environment)
        with open(folder / "said", "w") as said, redirect_stdout(said):
            sys.exit(main(["run", "s.py", "--out", "run", *words]))

    child = get_context("fork").Process(target=answer)
    child.start()
    child.join()
    assert child.exitcode == 0
    return json.loads((folder / "said").read_text().splitlines()[-1])


def symbols(folder: Path) -> set[int]:
    """Those of the latest samples."""
    store = Store(folder / "home" / "run")
    return {*store.get("samples", store.of("counted")[-1]["key"]).flatten().tolist()}


@pytest.mark.parametrize("place", PLACES)
def test_a_sampler_that_was_edited_is_sampled_again(tmp_path, place):
    sampler, number = PLACES[place]
    lay(tmp_path, sampler, number, 1)
    assert run(tmp_path)["done"] == 1 and (tmp_path / "home/run" / finished.STAMP).exists() and symbols(tmp_path) == {1}
    lay(tmp_path, sampler, number, 2)
    again = run(tmp_path)
    assert (again["cached"], again["refuted"], again["done"]) == (0, 1, 1) and symbols(tmp_path) == {2}


def test_a_plugin_package_that_was_edited_is_sampled_again_also_where_it_imports_from_elsewhere(tmp_path):
    for symbol in (1, 2):
        lay(tmp_path, "home/planner/halves.py", "lib/helper.py", symbol)
        answer = run(tmp_path, "--plugins", "planner")
        assert (answer["done"], answer["refuted"]) == (1, symbol - 1) and symbols(tmp_path) == {symbol}


def test_another_environment_or_another_path_is_asked_for_anew(tmp_path):
    """A study may read its settings from variables, and PYTHONPATH says which of two versions of a module is meant."""
    lay(tmp_path, "lib/halves.py", "lib/halves.py", 1)
    study = tmp_path / "home/s.py"
    study.write_text(study.read_text().replace("n=4", 'n=int(__import__("os").environ["ROWS"])'))
    assert run(tmp_path, ROWS="3")["done"] == 1
    assert run(tmp_path, ROWS="5")["done"] == 1
    (tmp_path / "other").mkdir()
    (tmp_path / "other/halves.py").write_text(
        (tmp_path / "lib/halves.py").read_text().replace("SYMBOL = 1", "SYMBOL = 0")
    )
    answer = run(tmp_path, path="other", ROWS="5", PYTHONPATH="../other")
    assert (answer["done"], answer["refuted"]) == (1, 1) and symbols(tmp_path) == {0}


def test_a_finished_run_of_a_foreign_sampler_still_answers_from_its_stamp(tmp_path):
    lay(tmp_path, "home/planner/halves.py", "lib/helper.py", 1)
    first, stamp = run(tmp_path), tmp_path / "home/run" / finished.STAMP
    written = stamp.stat().st_mtime_ns
    assert run(tmp_path) == first | {"cached": 1, "done": 0} and stamp.stat().st_mtime_ns == written


def test_what_is_installed_is_no_first_party_source_and_what_is_edited_in_place_is():
    assert sources.installed(Path(json.__file__)) and sources.installed(Path(pytest.__file__))
    assert not sources.installed(ROOT / "harness" / "spec.py")
    assert (
        sources.found("harness.spec") == ROOT / "harness" / "spec.py"
        and sources.found("harness.spec.canonical") is None
        and sources.found("no_such_module.x") is None
    )
    assert ROOT / "harness" / "spec.py" in sources.loaded() and not any(sources.installed(path)
                                                                        for path in sources.loaded())


@dataclass(frozen=True)
class Around:
    """A sampler of one's own with a part whose class it does not import."""

    part: object
    name = "around"
    needs = ("main",)

    def step(self, nets, rows):
        raise NotImplementedError


def test_a_part_of_a_sampler_is_code_of_the_user_s_own_whoever_imports_it(tmp_path, monkeypatch):
    (tmp_path / "ownpart.py").write_text("from dataclasses import dataclass\n\n\n@dataclass(frozen=True)\nclass "
                                         "Part:\n    name = 'part'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import ownpart

    data = Exact()
    study = Study(name="x", question="?", data=data, nets={"main": Table(data)}, reference="main", metrics=[], n=4,
                  arms=[Arm("a", [Around((ownpart.Part(),))]), Arm("b", [Ancestral(2)])])
    own, ours = cells_of(study)
    assert own.own() and not ours.own()
    about = provenance.made(own.own())
    assert "ownpart" in about["modules"] and "modules" not in provenance.made(ours.own()) and provenance.surely(about)
    assert not provenance.surely(about | {"modules": {"ownpart": "of another file"}}) and not provenance.surely(
        about | {"modules": {"gone_since": "x"}}
    )


