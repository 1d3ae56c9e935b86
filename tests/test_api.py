"""`import ssmd_bench`: studies, runs and comparisons as objects."""

import pandas as pd
import pytest

import ssmd_bench as sb
from harness.records.pack import pack
from harness.records.store import Store
from harness.stats.intervals import ratio_interval
from harness.study import Study
from studies.families import checkpoint


def study(**changes) -> Study:
    return sb.Study(**{"name": "mine", "question": "Which is better?", "data": sb.data("wikipedia_leads", length=32),
                       "nets": {"heavy": sb.shipped("heavy")}, "reference": "heavy", "n": 4,
                       "arms": [sb.Arm("ancestral", sb.grid(sb.sampler("ancestral"), steps=[4, 8]), {"main": "heavy"}),
                                sb.Arm("held_out", [sb.sampler("held_out")()])],
                       "metrics": [sb.metric("spelling")(), sb.metric("corpus_entropy")()]} | changes)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("api") / "run"
    assert sb.run(study(), folder, timing=False) == folder
    return folder


def test_a_run_is_a_table_with_a_row_a_point(run):
    points = sb.load(run)
    assert isinstance(points, pd.DataFrame) and len(points) == 3
    each = points[points["arm"] == "ancestral"].set_index("sampler.steps")
    assert each.loc[8, "cost.nfe_a"] == 8 and set(each.index) == {4, 8}
    rows = sb.load(run, rows=True)
    mine = rows[rows["key"] == each.loc[8, "key"]]
    v = ratio_interval(mine["score.spelling.numerator"], mine["score.spelling.denominator"])
    assert each.loc[8, ["score.spelling", "score.spelling.low", "score.spelling.high"]].tolist() == [*v[:3]]
    assert each["score.corpus_entropy"].notna().all() and each["score.corpus_entropy.low"].isna().all()


def test_a_kept_run_is_read_alike(run, tmp_path):
    pack(Store(run), tmp_path / "kept.zip")
    pd.testing.assert_frame_equal(sb.load(tmp_path / "kept.zip"), sb.load(run))


def test_runs_are_compared(run, tmp_path):
    sb.run(study(), tmp_path / "again", only=["ancestral"], timing=False)
    found = sb.compare(run, tmp_path / "again")
    assert found.compared == 2 and found.only_base == 1 and found.code in (0, 4)


def test_names_of_a_study_are_run_and_unknown_ones_are_one_sentence(tmp_path):
    assert sb.run("smoke", tmp_path / "smoke", only=["held_out"], timing=False) == tmp_path / "smoke"
    for call, says in ((lambda: sb.sampler("ancestrl"), "did you mean 'ancestral'"),
                       (lambda: sb.metric("x"), "there is no metric 'x'; choose "),
                       (lambda: sb.data("wikipedia"), "there is no data set 'wikipedia'"),
                       (lambda: sb.shipped("hevy"), "no network 'hevy' ships; did you mean 'heavy'"),
                       (lambda: sb.shipped("heavy", "proteins"), "no network 'proteins/heavy' ships"),
                       (lambda: sb.load(tmp_path), "is not a run folder"),
                       (lambda: sb.run("smoke", only=["x"]), "has no arm 'x'")):
        with pytest.raises(ValueError, match=says):
            call()


def test_what_ships_is_what_the_studies_use():
    assert sb.shipped("heavy").path == checkpoint("heavy")
    assert sb.shipped("heavy", "protein").path == checkpoint("heavy", "protein")
