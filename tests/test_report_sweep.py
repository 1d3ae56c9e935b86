"""The figures of a search and of the history over commits, recomputed from the lines of the store and of the journal
with code of its own.
"""

import json
import shutil
from math import log
from pathlib import Path

import numpy as np
import pytest

from reports import style, sweeps
from reports.build import build
from reports.frame import chapters
from reports.records import read
from tests.test_report_toy import count_again, write, write_sweep

N = 24


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Run folder, page, numbers of the chapter with all rows."""
    folder = tmp_path_factory.mktemp("sweep")
    write_sweep(folder / "run", n=N)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style, "save", lambda figure, folder, name: '<svg viewBox="0 0 1 1"></svg>')
        patch.setattr(sweeps, "RESAMPLES", 10)
        page = build([folder / "run"], folder / "out", resamples=100).read_text(encoding="utf-8")
    numbers = json.loads((folder / "out" / "numbers.json").read_text())["chapters"][0]
    return folder / "run", page, numbers | {"figures": {name.removeprefix("1-hunt-n-24-"): marks for name,
                                                        marks in numbers["figures"].items()}}


def journal(run) -> list[dict]:
    """Trials as the journal has them, by slot."""
    trials: list[dict] = []
    for line in map(json.loads, (run / "sweep.journal").read_text().splitlines()):
        match line["op_code"]:
            case 4:
                trials.append({"params": {}, "attrs": dict(line["user_attrs"]), "excess": [], "values": None})
            case 5:
                trials[line["trial_id"]]["params"][line["param_name"]] = line["param_value_internal"]
            case 6 if line.get("values") is not None:
                trials[line["trial_id"]]["values"] = line["values"]
            case 8:
                trials[line["trial_id"]]["attrs"] |= line["user_attr"]
        for trial in [trials[line["trial_id"]]] if "trial_id" in line else []:
            trial["excess"] += [value for name, found in line.items() if "attr" in name for value in _numbers(found)
                                if "constraint" in json.dumps(found)]
    return sorted(trials, key=lambda trial: trial["attrs"]["slot"])


def _numbers(value) -> list[float]:
    if isinstance(value, dict):
        return [x for inner in value.values() for x in _numbers(inner)]
    if isinstance(value, list):
        return [x for inner in value for x in _numbers(inner)]
    return [value] if isinstance(value, float) else []


def state(trial) -> str:
    if trial["values"] is None:
        return "failed"
    if f"look {N}" not in trial["attrs"]:
        return "early"
    return "outside" if any(x > 0 for x in trial["excess"]) else "whole"


def test_every_trial_is_drawn_with_its_values_and_what_became_of_it(made):
    run, _, numbers = made
    trials = journal(run)
    states = [state(trial) for trial in trials]
    assert {"whole", "outside", "early", "failed"} == set(states)
    for k, name in enumerate(("judge", "nfe_a")):
        marks = [m for m in numbers["figures"]["sweep_history"] if m["objective"] == name]
        assert [m["state"] for m in marks] == states
        assert [m["value"] for m in marks] == [trial["values"] and pytest.approx(trial["values"][k])
                                               for trial in trials]
        best = np.inf
        for mark, trial in zip(marks, trials):
            best = min(best, trial["values"][k]) if state(trial) == "whole" else best
            assert mark["best"] == (pytest.approx(best) if np.isfinite(best) else None)


def test_values_of_trials_are_those_of_the_records(made):
    run, _, numbers = made
    lines = [json.loads(line) for line in (run / "records.jsonl").read_text().splitlines()]
    nfe = {r["key"]: r["cost"]["nfe_a"] for r in lines if r["type"] == "counted"}
    judge = {r["key"]: r["value"] for r in lines if r["type"] == "scored" and r["label"] == "judge"}
    marks = [m for m in numbers["figures"]["sweep_history"] if m["value"] is not None]
    assert marks and all(m["value"] == pytest.approx((judge if m["objective"] == "judge" else nfe)[m["key"]], rel=1e-12)
                         for m in marks)


def test_front_is_what_no_other_whole_point_beats_and_its_area_grows_to_one(made):
    run, _, numbers = made
    trials = journal(run)
    whole = {t["attrs"][f"look {N}"]: t["values"] for t in trials if state(t) == "whole"}
    best = {key for key, (y, x) in whole.items() if not any(b <= y and a <= x and (a, b) != (x, y) for b,
                                                            a in whole.values())}
    marks = numbers["figures"]["sweep_front"]
    assert {m["key"] for m in marks if m["on_front"]} == best and {m["key"] for m in marks if m["state"]
                                                                   == "whole"} == set(whole)
    assert {m["arm"] for m in marks if m["state"]
            == "beside"} == {"ancestral"} and "outside" in {m["state"] for m in marks}
    worst, dearest = max(y for y, _ in whole.values()), max(x for _, x in whole.values())

    def area(points):
        total, floor = 0.0, worst
        steps = sorted((x, y) for y, x in points)
        for (x, y), (after, _) in zip(steps, [*steps[1:], (dearest, 0)]):
            floor = min(floor, y)
            total += (worst - floor) * (log(after) - log(x))
        return total

    marks = [m for m in numbers["figures"]["sweep_history"] if m["objective"] == "front"]
    for k, mark in enumerate(marks):
        points = [t["values"] for t in trials[: k + 1] if state(t) == "whole"]
        assert mark["best"] == pytest.approx(area(points) / area(whole.values()), abs=1e-9)
    assert marks[-1]["best"] == 1


def test_importance_finds_the_setting_that_a_cost_hangs_on(made):
    """Passes are 2 / delta with little noise, whatever the rounds are."""
    marks = [m for m in made[2]["figures"]["sweep_importance"]]
    shares = {m["parameter"]: m["share"] for m in marks if m["target"] == "nfe_a"}
    assert shares["delta"] > 0.7 and sum(shares.values()) == pytest.approx(1)
    assert {m["target"] for m in marks} == {"judge", "nfe_a", "front"} and all(
        0 <= m["low"] <= m["high"] <= 1 for m in marks
    )


def test_page_has_the_search_and_names_its_chapters_by_their_rows(made):
    page = made[1]
    assert 'id="1-hunt-n-24-search"' in page and "hunt, n = 24" in page and "hunt, n = 12" in page
    assert ("20 trials: 13 all sequences, within the band, 3 outside the band, 3 given up after fewer sequences, 1 "
            "failed") in page


def test_trials_of_a_journal_of_an_older_schema_name_the_cells_by_the_keys_that_they_have_now(made, tmp_path):
    run = Path(shutil.copytree(made[0], tmp_path / "run"))
    looked = {key for trial in journal(run) for name, key in trial["attrs"].items() if name.startswith("look ")}
    older = {f"older{k}": key for k, key in enumerate(sorted(looked))}
    text = (run / "sweep.journal").read_text()
    for before, now in older.items():
        text = text.replace(now, before)
    (run / "sweep.journal").write_text(text)
    chapter = next(chapter for chapter in chapters(read([run])) if chapter.name.endswith(f"n = {N}"))
    assert not sweeps.of(chapter)    # nobody says which cells the older keys are
    (store,) = chapter.stores()
    store.renamed = older
    (sweep,) = sweeps.of(chapter)
    finished = {trial.user_attrs.get(f"look {sweep.rows}") for trial in sweep.trials} - {None}
    assert len(finished) > 10 and finished <= chapter.cells.keys()


def test_a_folder_without_a_journal_has_no_search(tmp_path):
    write(tmp_path / "run", n=12, timed=0, troubles=False)
    chapter = chapters(read([tmp_path / "run"]))[0]
    assert (
        sweeps.history(chapter, None).empty
        and sweeps.front(chapter, None).empty
        and sweeps.importance(chapter, None).empty
    )


COMMITS = ("1111111aaaaaaaa", "2222222bbbbbbbb")


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    folder = tmp_path_factory.mktemp("history")
    store = write(folder / "run", n=N, timed=0, troubles=False)
    for k, commit in enumerate(COMMITS):
        count_again(store, commit, f"299{k}-01-01T00:00:00+00:00")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style, "save", lambda figure, folder, name: '<svg viewBox="0 0 1 1"></svg>')
        page = build([folder / "run"], folder / "out", resamples=100).read_text(encoding="utf-8")
    return folder / "run", page, json.loads((folder / "out" / "numbers.json").read_text())["history"]


def test_history_has_every_counting_of_a_cell_under_its_commit(history):
    run, page, marks = history
    assert '<h2 id="history">' in page and 'href="#history"' in page
    first = "c0ffeec+"    # the machine of the first counting was dirty
    assert list(dict.fromkeys(m["commit"] for m in marks)) == [first, "1111111", "2222222"]
    known, commit = {}, None
    for line in map(json.loads, (run / "records.jsonl").read_text().splitlines()):
        commit = line["commit"][:7] + ("+" if line["dirty"] else "") if line["type"] == "machine" else commit
        if line["type"] == "counted" and line["status"] == "done":
            known[line["key"], "nfe_a", commit] = line["cost"]["nfe_a"]
        elif line["type"] == "scored":
            known[line["key"], line["label"], commit] = line["value"]
    assert {m["metric"] for m in marks} == {"spelling", "nfe_a"}    # the judge was asked once
    for mark in marks:
        assert mark["value"] == known[mark["key"], mark["metric"], mark["commit"]]
    spelling = {arm: [m["value"] for m in marks if m["metric"] == "spelling" and m["arm"] == arm]
                for arm in ("ancestral", "scheduled", "self-speculative")}
    assert all(len(values) == 3 and values[0] > values[1] for values in spelling.values())


def test_history_draws_of_each_arm_the_settings_nearest_to_32_passes(history):
    run, _, marks = history
    lines = [json.loads(line) for line in (run / "records.jsonl").read_text().splitlines()]
    last = {r["key"]: r for r in lines if r["type"] == "counted" and r["status"] == "done" and not r["control"]}
    for arm, called in (("ancestral",) * 2, ("scheduled",) * 2, ("ssmd", "self-speculative")):
        mine = [r for r in last.values() if r["arm"] == arm]
        nearest = min(mine, key=lambda r: abs(log(r["cost"]["nfe_a"] / 32)))["key"]
        assert {m["key"] for m in marks if m["arm"] == called} == {nearest}


def test_an_interval_stands_only_where_its_rows_are_still_stored(history):
    passes = [m for m in history[2] if m["metric"] == "nfe_a"]    # the array of costs is that of the last counting
    assert {m["commit"] for m in passes if m["low"] is not None} == {"2222222"}
    assert all(m["low"] is not None and m["low"] <= m["value"] <= m["high"] for m in history[2] if m["metric"]
               == "spelling")


def test_one_commit_makes_no_history(made):
    assert 'id="history"' not in made[1]
