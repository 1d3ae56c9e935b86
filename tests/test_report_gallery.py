"""docs/gallery.md and its committed figures: one command redraws them, nothing is shown that is not there, and they
stay small.
"""

import re

import pytest
from matplotlib.image import imread

from harness.spec import ROOT
from reports import gallery
from tests.test_report_toy import write

DOCS = ROOT / "docs"
MIB = 2**20


def shown(page) -> set[str]:
    return set(re.findall(r"\(figures/(\w+\.png)\)", page.read_text(encoding="utf-8")))


def test_committed_figures_are_those_that_the_pages_show_and_small_and_not_blank():
    committed = {path.name: path for path in (DOCS / "figures").glob("*.png")}
    assert "headline.png" in committed and set(committed) == shown(DOCS / "gallery.md") | {"headline.png"}
    assert sum(path.stat().st_size for path in committed.values()) < 1.25 * MIB
    for name, path in committed.items():
        assert imread(path)[..., :3].std() > 0.02, name


def test_every_committed_figure_has_its_caption_with_n_and_its_run():
    section = (DOCS / "gallery.md").read_text(encoding="utf-8").partition(gallery.BEGIN)[2].partition(gallery.END)[0]
    assert "    python -m reports.gallery " in section
    for study in section.split("### ")[1:]:
        words = " ".join(study.split())
        assert re.match(r"\w+ `ssmd-bench (run|sweep) [^`]*`.* at [0-9a-f]{7}", words)
        assert re.search(r"Cells: \d+ done", words)
        assert study.count("![") == study.count("\n**") > 0
        assert re.search(r"n = [\d,]+", words)


@pytest.fixture
def docs(tmp_path):
    (tmp_path / "docs" / "figures").mkdir(parents=True)
    (tmp_path / "docs" / "gallery.md").write_text(f"before\n{gallery.BEGIN}\nformer text\n{gallery.END}\nafter\n")
    (tmp_path / "docs" / "figures" / "old_headline.png").write_bytes(b"stale")
    write(tmp_path / "run", n=12, timed=0, troubles=False)
    return tmp_path


def test_the_command_redraws_figures_and_text_and_deletes_what_is_no_longer_shown(docs, capsys):
    run, page = docs / "run", docs / "docs" / "gallery.md"
    assert gallery.main([f"{run}:matched,stack", "--headline", str(run), "--arms", "ancestral", "ssmd", "--docs",
                         str(docs / "docs")]) == 0
    assert {path.name
            for path in (docs / "docs" / "figures").iterdir()} == {"headline.png", "made_up_matched.png",
                                                                   "made_up_stack.png"}
    text = page.read_text()
    assert (
        text.startswith("before\n")
        and text.endswith("after\n")
        and "former text" not in text
        and shown(page) == {"made_up_matched.png", "made_up_stack.png"}
    )
    assert f"    python -m reports.gallery {run}:matched,stack --headline {run} --arms ancestral ssmd\n" in text
    assert (
        "Cells: 20 done." in " ".join(text.split())
        and "c0ffeec with changes" in text
        and capsys.readouterr().out.rstrip().endswith("MiB in all")
    )
    assert gallery.main(["--docs", str(docs / "docs")]) == 0 and page.read_text() == text, ("without words it repeats "
                                                                                            "the command of the page")


@pytest.mark.parametrize(("words", "told"), [
    (["RUN:acceptence"], "has no figure 'acceptence'"),
    (["RUN", "--headline", "RUN", "--arms", "nobody"], "have no arm 'nobody'"),
    (["NOWHERE"], "is not a run folder"),
    ([], "shows no command to repeat"),
])
def test_what_cannot_be_drawn_is_refused_in_a_sentence(docs, capsys, words, told):
    words = [word.replace("RUN", str(docs / "run")).replace("NOWHERE", str(docs)) for word in words]
    assert gallery.main([*words, "--docs", str(docs / "docs")]) == 2
    error = capsys.readouterr().err
    assert told in error and error.count("\n") == 1
