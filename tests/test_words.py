"""Figures and tables call arms by words: no legend, axis or title of a kept run shows an identifier."""

import json
import shutil
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from harness.records.pack import pack
from harness.records.store import Store
from harness.spec import ROOT
from reports import costs, front, measured, style
from reports.drawing import drawable
from reports.frame import Chapter, chapters
from reports.names import arm_names, in_words
from reports.page import points
from reports.records import read

RUNS = ("headline", "text_frontier", "time_grids")


@pytest.fixture(scope="module", params=RUNS)
def chapter(request) -> Chapter:
    return chapters(read([ROOT / f"studies/{request.param}/kept.zip"]))[0]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text)]


def test_no_label_of_a_figure_has_an_underscore(chapter):
    base, legends = front.baseline_of(chapter, "ancestral"), []
    for plot, frame in drawable([make(chapter, base) for make in (front.tradeoff, front.acceptance, costs.stack)]):
        for inches in style.DOUBLE, style.SINGLE:
            with style.paper():
                made = plot.draw(frame, inches)
            if made:
                assert not [text for text in texts(made[0]) if "_" in text], plot.__name__
                legends += [text.get_text() for legend in made[0].legends for text in legend.get_texts()]
    assert len(legends) > 6 and {*chapter.arms} & {*legends}


def test_no_row_or_head_of_the_table_has_one(chapter):
    table = points(chapter, front.baseline_of(chapter, "ancestral"))
    words = [head["name"] for head in table["heads"]] + [row[part] for group in table["rows"] for row in group
                                                         for part in ("arm", "setting")]
    assert len(words) > 20 and not [word for word in words if "_" in word]


@pytest.mark.parametrize(("arm", "sampler", "words"), [
    ("ssmd_dilated", "ssmd dilated", "self-speculative, dilated order"),
    ("ssmd_dilated_long", "ssmd dilated", "self-speculative, dilated order, long"),
    ("fixed_dilated", "first_hitting dilated", "fixed number, dilated order"),
    ("ssmd_frozen_long", "ssmd", "self-speculative, frozen long"), ("remdm_cap", "remdm", "ReMDM, cap"),
    ("confidence_greedy", "ordered", "confidence greedy"), ("two_blocks", "of_mine", "of mine, two blocks"),
    ("held_out", "held_out", "held-out data"), ("ssmd", "ssmd", "self-speculative"),
    ("My_Arm $x$", "ssmd", "My_Arm $x$"), ("mine", "ssmd", "mine"),
])
def test_an_identifier_is_put_in_words_and_another_name_is_left(arm, sampler, words):
    name, _, order = sampler.partition(" ")
    assert in_words(arm, {"name": name, "order": {"name": order or "uniform"}}) == words


def test_arms_that_read_alike_stay_apart():
    for name in RUNS:
        cells = read([ROOT / f"studies/{name}/kept.zip"]).cells
        assert len({*arm_names(cells).values()}) == len({cell.record["arm"] for cell in cells})


def by_cell(run: Path) -> tuple[Chapter, list]:
    """The chapter of a run, and its measured tables whose rows are of one cell each."""
    (chapter,) = chapters(read([run]))
    tables = measured.frames(chapter, front.baseline_of(chapter, "ancestral"))
    return chapter, [frame for frame in tables if "key" in frame]


@pytest.mark.parametrize("name", ["acceptance", "batch"])
def test_tables_by_cell_are_drawn_with_the_arms_of_their_cells(name):
    chapter, tables = by_cell(ROOT / f"studies/{name}/kept.zip")
    assert tables and all(len(frame) and {*frame.arm} <= {*chapter.palette} and frame.colour.notna().all()
                          for frame in tables)


def test_a_kept_table_whose_rows_hold_keys_of_an_older_schema_is_drawn_too(tmp_path):
    """The order of its sampler was left out of its key then."""
    shutil.unpack_archive(ROOT / "tests/older/schema1.zip", tmp_path / "run")
    pack(Store(tmp_path / "run"), tmp_path / "kept.zip")
    (before,) = [line for line in map(json.loads, (tmp_path / "run/records.jsonl").read_text().splitlines())
                 if line["type"] == "measured"]
    for run in "run", "kept.zip":
        chapter, (frame,) = by_cell(tmp_path / run)
        (key,) = frame.key
        assert key in chapter.cells and before["rows"] != [[key, 12]] and [*frame.rows] == [12]
        assert [*frame.arm] == ["fixed"] and frame.colour.notna().all()
