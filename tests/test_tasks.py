"""docs/tasks.md is followed in its order, in one folder: each file is written where it says, each command is run."""

import subprocess
from pathlib import Path

import pytest

from harness.data.residues import fasta
from harness.records.store import Store
from harness.spec import ROOT
from tests.pages import blocks, call, commands, lines, sections
from tests.test_proteins import chains

PAGE = (ROOT / "docs/tasks.md").read_text(encoding="utf-8")
SECTIONS = sections("docs/tasks.md")
SMALLER = {"train": ["--set", "width=16", "--set", "heads=2", "--tokens", "8192"]}    # a test can afford that
SHELL = {"mkdir mine", "touch mine/__init__.py"}


def typed(section: str) -> list[list[str]]:
    return commands(section, "ssmd-bench", "python")


@pytest.fixture(scope="module")
def followed(tmp_path_factory) -> tuple[Path, dict[str, list]]:
    """The folder, and what each command of a task said; the demo aside, which tests/test_readme.py runs."""
    place, said = tmp_path_factory.mktemp("tasks"), {}
    (place / "mine").mkdir()
    (place / "mine/__init__.py").touch()
    (place / "mine.fasta").write_text(fasta([f"p{k}" for k in range(200)], chains(200, 64, 90, seed=4)))
    for title, section in SECTIONS.items():
        for path, text in blocks(section).items():
            (place / path).write_text(text)
        said[title[:2].strip(".")] = [call([*words, *SMALLER.get(words[1], [])], place) for words in typed(section)]
    return place, said


def test_there_are_ten_and_nothing_to_type_is_left_out():
    assert [title.partition(".")[0] for title in SECTIONS] == [str(k) for k in range(1, 11)]
    assert PAGE.count("```python") == sum(len(blocks(section)) for section in SECTIONS.values())
    assert {*lines(PAGE)} - SHELL - {" ".join(words) for section in SECTIONS.values() for words in typed(section)} == {
        "make demo"}
    assert subprocess.run(["make", "-n", "demo"], cwd=ROOT, capture_output=True).returncode == 0
    assert all("](" in section for section in SECTIONS.values()), "a task links to the page with more"


def test_the_study_is_that_of_the_page_on_extending():
    assert {*blocks(SECTIONS["2. Run a study of your own"]).values(),
            *blocks(SECTIONS["4. Add a metric"]).values()} <= {
        text for section in sections("docs/extending.md").values() for text in blocks(section).values()}


def test_a_sampler_keeps_its_law_and_a_metric_scores(followed):
    place, said = followed
    assert "OneByOne()" in said["3"][0].out and said["3"][0].document["failed"] == 0
    assert said["4"][0].document["scored"] == 4


def test_a_network_and_data_of_ones_own(followed):
    place, said = followed
    assert said["5"][0].document["done"] == 2
    looked, _, scored = said["6"]
    assert len(looked.out.strip()) == 64 and scored.document


def test_a_sweep_has_a_front_and_a_report(followed):
    place, said = followed
    assert said["7"][0].document["trials"] and (place / "runs/my_sweep/report/index.html").is_file()


def test_two_runs_are_equal_and_expectations_too(followed):
    place, said = followed
    assert [found.document["compared"] for found in said["8"] if "compared" in found.document] == [4, 4]
    assert (place / "gate.xml").is_file() and (place / "gate.md").is_file()


def test_an_export_is_drawn(followed):
    place, _ = followed
    assert (place / "figure.png").stat().st_size > 1000


def test_jobs_and_shards_change_no_sample(followed):
    place, _ = followed
    found = [{r["key"]: r["samples_sha256"] for r in Store(place / "runs" / name).of("counted")}
             for name in ("my_study", "jobs", "shards")]
    assert found[0] == found[1] == found[2] and len(found[0]) == 4
