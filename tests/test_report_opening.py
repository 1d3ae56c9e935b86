"""What stands first on the page: the question, the arm with the surest ratio, plain words where there is none, and what
rows were given.
"""

import re
from html import unescape

import pytest

from harness.__main__ import main
from harness.data.blanks import Blanks
from harness.data.scaffolds import Scaffolds
from harness.data.wikipedia_leads import WikipediaLeads
from reports import named, opening
from reports.build import TEMPLATES, build
from reports.text import brief
from tests.test_report_matched import COARSE, made_up
from tests.test_report_matched import plain as plain  # a fixture
from tests.test_report_toy import write

FAST = {"base": COARSE["base"], "slow": ((9, 2.6), (20.2, 2.35), (30, 2.25)), "fast": COARSE["fast"]}


def shown(folder) -> str:
    page = build([folder], folder.parent / "out", "base", resamples=50).read_text()
    return unescape(re.sub(r"<(?!/?(table|thead|section))[^>]*>", "", page))


def test_the_arm_with_the_largest_lower_bound_leads_and_the_page_says_so(tmp_path, plain):    # noqa: F811
    made_up(tmp_path / "run", FAST)
    page = shown(tmp_path / "run")
    head = page[: page.index("Every operating point")]
    assert "3.137 times fewer passes" in head and "fewer network passes than base: fast, at equal judge" in head
    assert "Of the 2 arms that have a ratio, this one has the largest lower bound, by judge." in head
    table = head[head.index("<table") : head.index("</table")]
    assert "at equal judge" in table and "slow" in table and "fast" not in table


def test_a_ratio_below_one_is_turned_round():
    row = {"ratio": 0.5, "low": 0.4, "high": 0.625, "at_least": True}
    found = opening.compared(row)
    assert (found["times"]["value"], found["compare"], found["than"], found["least"]) == ("2.00", "as many", "as",
                                                                                          "at most ")


@pytest.mark.parametrize(("settings", "told"), [
    ({"n": 8, "noise": 1.0, "seed": 3}, "Try more rows (`--n 512`)."), ({}, "Try settings of more passes.")])
def test_without_a_ratio_the_page_says_why_in_plain_words(tmp_path, plain, settings, told):    # noqa: F811
    worse = ((5, 2.4), (6, 2.42)) if settings else ((5, 3.2), (6, 3.0))
    made_up(tmp_path / "run", {"base": COARSE["base"], "fast": worse}, **settings)
    rows = settings.get("n", 400)
    assert f"No ratio yet: with {rows} rows no setting of fast could be shown to be as good as base. {told}" in shown(
        tmp_path / "run")


def test_the_question_stands_under_the_title_and_the_rest_is_folded(tmp_path, plain):    # noqa: F811
    store = write(tmp_path / "run", n=8, timed=0, troubles=False)
    store.append(store.of("study")[-1] | {"question": "Does `it`\nhold?\n\nDesign: of mine."})
    page = build([tmp_path / "run"], tmp_path / "out", resamples=50).read_text()
    assert re.search(r"</h1>\s*<p class=\"question\">Does <code>it</code> hold\?</p>", page)
    assert page.count("</code> hold?") == 1
    assert re.search(r"<details><summary>The study in its own words</summary><p>Design: of mine.</p>", page)


def test_no_table_is_called_as_a_section_is():
    """Readers of the screen go by these names, and two of one name cannot be told apart."""
    text = (TEMPLATES / "report.html.j2").read_text() + (TEMPLATES / "last.html.j2").read_text()
    tables, sections = (re.findall(rf'{call}"([^"]+)"', text) for call in (r"scroll\(", r"head\(c, \"\w+\", "))
    assert len(tables) > 7 and len(sections) > 7 and not {*tables} & {*sections}


def test_sections_without_content_are_not_shown(tmp_path, plain):    # noqa: F811
    made_up(tmp_path / "run", {"base": COARSE["base"]})
    page = build([tmp_path / "run"], tmp_path / "out", "base", resamples=50).read_text()
    assert not {"Acceptance", "Placements", "Tokens per forward", "Entropy", "Matched quality"} & {
        *re.findall(r'<a href="#[^"]*">([^<]*)</a>', page)}
    assert "No cell places" not in page and "No record here holds" not in page


def test_one_is_not_many():
    assert [opening.counted(k, "sampler") for k in (0, 1, 2)] == ["0 samplers", "1 sampler", "2 samplers"]


def test_data_that_gives_prompts_is_named_whatever_stands_around_it(tmp_path):
    (tmp_path / "mine.txt").write_text("the king of ____ was\n")
    data = Blanks(WikipediaLeads(length=24), str(tmp_path / "mine.txt"))
    about, said = data.identity(), {"name": "blanks", "path": str(tmp_path / "mine.txt"), "blank": "_",
                                    "data": {"name": "wikipedia_leads", "version": 1, "length": 24}}
    assert named.given({"data": about}, said) == "given prompts of mine.txt"
    assert named.given({"data": about}) == "given prompts of blanks"
    assert named.given({"data": WikipediaLeads(length=24).identity()}) == "unprompted"
    around = {"name": "recounted", "left_out": [3]}
    assert named.given({"data": around | {"data": about}}) == "given prompts of blanks"
    assert named.given({"data": around | {"data": {"name": "text8"}}}) == "unprompted"
    assert named.given({"data": {"name": Scaffolds.name, "ends": True}}) == "given prompts of scaffolds"
    assert named.given({"data": {"name": "moses", "ends": True}}) == "given lengths alone"
    assert named.given({"data": {"name": "moses", "ends": False}}) == "unprompted"
    assert named.given({"data": {}, "prompt": {"share": 0.25}}) == "prompted by 0.25 of each held-out row"
    assert hasattr(named.kind_of({"name": "blanks", "data": {"name": "moses"}}), "smiles")
    inner = named.readable(about | {"sha256": "gone"})
    assert inner == WikipediaLeads(length=24) and hasattr(inner, "words")


def test_a_prompted_run_marks_what_was_given_and_the_misspelt_words(tmp_path, plain):    # noqa: F811
    (tmp_path / "mine.txt").write_text("the king of ____ was\n")
    run = str(tmp_path / "run")
    assert main(["--quiet", "run", "demo", "--prompts", str(tmp_path / "mine.txt"), "--n", "4", "--out", run,
                 "--no-time", "--only", "ancestral"]) == 0
    page = build([tmp_path / "run"], tmp_path / "out", resamples=50).read_text()
    assert "given prompts of mine.txt." in page and '<span class="given">the king of </span>' in page
    assert "misspelt, so none" not in page


def test_a_long_list_of_a_setting_is_counted():
    assert brief("window=stairs ends=[0.125, 0.25, 0.5, 1.0]") == "window=4 stairs from 0.125"
    assert brief("delta=0.1") == "delta=0.1"
