"""Sweeps: the space is the fields, values are read from records, and no kill loses a record, repeats one or changes
where the search goes.
"""

import json
import os
import signal
import time
from collections import Counter
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import optuna
import pytest

from baselines.ancestral import Ancestral
from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from baselines.scheduled import Scheduled
from harness.__main__ import main
from harness.data.control import HeldOut
from harness.data.exact import Exact
from harness.kinds import Scores
from harness.metrics.distinct import Distinct
from harness.metrics.entropy import SampleEntropy
from harness.metrics.exact_nll import ExactNll
from harness.param import Choice, Range
from harness.records.folder import FolderPlace
from harness.records.journal import Journal
from harness.records.store import Store
from harness.schedules.noise import Knots, Linear, Polynomial
from harness.schedules.order import Blocks, Uniform
from harness.schedules.placement import Middle, Sandwich, Segments
from harness.schedules.window import Cosine, Fixed, Open
from harness.search import worker as sweep_work
from harness.search.front import tally
from harness.search.space import Subset, checked, places, suggest
from harness.search.storage import Locks, open_storage
from harness.search.sweep import Band, Sweep, load_sweep
from harness.search.worker import Worker, sweep
from harness.spec import ROOT
from harness.stats.paired import difference
from harness.study import Arm, Study, Table, Timing
from reports import sweeps
from reports.frame import chapters
from reports.records import read
from ssmd.sampler import SelfSpeculative
from tests.compared import by

DATA = Exact()
STUDY = Study(
    name="toy", question="?", data=DATA, nets={"heavy": Table(DATA)}, reference="heavy",
    metrics=[ExactNll(), SampleEntropy()], n=96, batch=48,
    arms=[Arm("ancestral", [Ancestral(4)], {"main": "heavy"}), Arm("ssmd", [SelfSpeculative()], {"main": "heavy"}),
          Arm("held_out", [HeldOut()])])
SMALL = Sweep(STUDY, arm="ancestral", objectives=("exact_nll", "nfe_a"), trials=12, space={"steps": Range(1, 8)})
HOST = {"host": Choice(FirstHitting()), "host.first_hitting.tokens": Choice(1),
        "host.first_hitting.order": Choice(Uniform())}
FORK = get_context("fork")    # a worker that need not import everything anew


def ask(**params):
    return optuna.trial.FixedTrial({k.replace("__", "."): v for k, v in params.items()})


def keys(folder: Path) -> list[str]:
    return [r["key"] for r in Store(folder).of("counted")]


def front(found: dict) -> list[tuple]:
    return [(f["key"], f["settings"], f["exact_nll"]) for f in found["front"]]


# ---- the space


def test_the_space_is_the_fields_of_the_sampler_and_of_what_it_nests():
    paths = {place.path for place in places(SelfSpeculative(), {}, 64)}
    assert paths == {"window", "window.cosine.delta", "window.linear.delta", "window.fixed.tokens", "rounds", "order",
                     "order.blocks.tokens"}
    assert {"steps", "schedule", "schedule.polynomial.exponent"} == {place.path
                                                                     for place in places(Ancestral(), {}, 64)}
    scheduled = {place.path for place in places(Scheduled(FirstHitting()), {}, 64)}
    assert {"host", "placement", "by", "host.ancestral.schedule.polynomial.exponent", "placement.sandwich.share",
            "placement.interleaved.teeth"} <= scheduled


def test_suggestions_become_settings_and_whole_numbers_stay_whole():
    assert suggest(ask(window="fixed", window__fixed__tokens=3, rounds=5, order="uniform"), SelfSpeculative(), {},
                   64) == SelfSpeculative(Fixed(3), 5)
    found = suggest(ask(window="open", rounds=1, order="blocks", order__blocks__tokens=16), SelfSpeculative(), {}, 64)
    assert found == SelfSpeculative(Open(), 1, Blocks(16))
    found = suggest(ask(steps=7, schedule="polynomial", schedule__polynomial__exponent=0.5), Ancestral(), {}, 64)
    assert found.steps == 7 and found.schedule.exponent == 0.5


def test_a_space_is_all_that_is_searched():
    """`rounds` and `order` stay as the sampler has them, and so does the window's kind where only its inside is
    named.
    """
    for space, paths in (({"window": Choice(Cosine(), Fixed())}, ["window"]), ({"rounds": Range(1, 4)}, ["rounds"]),
                         ({"window.cosine.delta": Range(0.1, 0.5)}, ["window", "window.cosine.delta"]),
                         ({"temperature": Range(0.5, 1.0)}, [])):
        assert [place.path for place in checked(SelfSpeculative(), space, 64)] == paths
    assert suggest(ask(window__cosine__delta=0.3), SelfSpeculative(Cosine(), 7),
                   {"window.cosine.delta": Range(0.1, 0.5)}, 64) == SelfSpeculative(Cosine(0.3), 7)
    assert suggest(ask(window="fixed"), SelfSpeculative(Cosine(), 7), {"window": Choice(Cosine(), Fixed(5))},
                   64) == SelfSpeculative(Fixed(5), 7)


def test_what_counts_parts_of_a_text_is_not_searched_beyond_its_length():
    spaces = {place.path: place.space for place in places(SelfSpeculative(), {}, 64)}
    assert spaces["window.fixed.tokens"] == spaces["order.blocks.tokens"] == Range(1, 64, log=True)
    assert spaces["rounds"] == Range(1, 64, log=True) and spaces["window.cosine.delta"] == Range(0.001, 1.0, log=True)
    given = places(FixedCount(), {"window": Choice(Fixed()), "window.fixed.tokens": Range(2, 500)}, 64)
    assert [place.space for place in given][1] == Range(2, 64)
    assert {place.path: place.space for place in places(Scheduled(FirstHitting()), {}, 4)}[
        "placement.interleaved.teeth"
    ] == Range(1, 4, log=True)


def test_a_sweep_tries_no_setting_beyond_its_space_and_its_text(tmp_path):
    study = replace(STUDY, arms=[Arm("fixed", [FixedCount(Fixed())], {"main": "heavy"})], n=8)
    sweep(Sweep(study, "fixed", ("nfe_a",), trials=16, search="random"), tmp_path / "all")
    tried = [r["cell"]["sampler"] for r in Store(tmp_path / "all").of("counted")]
    orders = [s.get("order", {"name": "uniform"}) for s in tried]
    assert max(part.get("tokens", 0) for part in [*orders, *(s["window"] for s in tried)]) <= DATA.length
    assert len({order["name"] for order in orders}) > 1
    sweep(Sweep(study, "fixed", ("nfe_a",), {"window.fixed.tokens": Range(1, 99)}, trials=8, search="random"),
          tmp_path / "one")
    tried = [r["cell"]["sampler"] for r in Store(tmp_path / "one").of("counted")]
    assert 1 < len({s["window"]["tokens"]
                    for s in tried}) <= DATA.length and {s["order"]["name"] for s in tried} == {"uniform"}


def test_a_choice_of_one_is_fixed_and_two_of_one_class_are_told_apart():
    fixed = {"rounds": Range(1, 4), "window": Choice(Fixed(4)), "window.fixed.tokens": Choice(4)}
    assert suggest(ask(rounds=2), SelfSpeculative(), fixed, 64) == SelfSpeculative(Fixed(4), 2)
    two = {"window": Choice(Fixed(2), Fixed(4), Open()), "rounds": Range(1, 4)}
    assert {p.path for p in places(SelfSpeculative(), two, 64)} == {"window", "rounds"}
    assert suggest(ask(window="fixed(tokens=4)", rounds=1), SelfSpeculative(), two, 64) == SelfSpeculative(Fixed(4), 1)
    assert suggest(ask(placement="middle", placement__middle__share=0.5), Scheduled(), {
        **HOST, "placement": Choice(Sandwich(), Middle()), "placement.middle.share": Range(0, 1),
        "by": Choice("count")}, 64) == Scheduled(
FirstHitting(), Middle(0.5), "count")


@pytest.mark.parametrize(("space", "says"), [
    ({"tokens": Range(1, 2)}, "has no 'tokens' to search; it has window"), ({"rounds": Range(0, 3)},
                                                                            "rounds cannot be 0; search within 1..64"),
    ({"window": Choice(3)}, "window cannot be 3"), ({"rounds": Choice()}, "is empty"),
    ({"rounds": Range(3, 1)}, "is empty"),
    ({"window": Choice(Open()), "window.cosine.delta": Range(0.1, 0.2)},
     "inside a choice that the space does not make"),
    ({"window.fixed.tokens": Range(2, 4)}, "name the choice in the space too"), ({"rounds": [1, 2]}, "give a Range"),
    ({"window": Choice(Fixed()), "window.fixed.tokens": Range(65, 99)}, "begins at 65, and the text has 64 places"),
])
def test_a_space_that_the_fields_refuse_is_refused(space, says):
    with pytest.raises(ValueError, match=says):
        checked(SelfSpeculative(), space, 64)


def test_a_grid_is_a_choice_only_where_a_space_names_it():
    choice = {place.path: place.space for place in places(Ancestral(), {}, 64)}["schedule"]
    assert [v.name for v in choice.values] == ["linear", "cosine", "polynomial"]
    assert Knots in map(type, {p.path: p.space for p in places(Ancestral(4, Knots((0.0, 0.3, 1.0))), {},
                                                               64)}["schedule"].values), "the field's own value stays"
    given = places(Ancestral(), {"schedule": Choice(Linear(), Knots((0.0, 0.3, 1.0)))}, 64)
    assert [v.name for v in {place.path: place.space for place in given}["schedule"].values] == ["linear", "knots"]


def test_segments_of_a_model_schedule_are_searched_each_by_itself():
    # pieces alone could not hold the segments chosen
    assert not any(place.path.startswith("placement.segments.") for place in places(Scheduled(), {}, 64))
    space = HOST | {"placement": Choice(Segments()), "placement.segments.chosen": Subset(8), "by": Choice("count")}
    inside = [p for p in checked(Scheduled(), space, 64) if p.path.startswith("placement.segments.")]
    assert [p.path for p in inside] == ["placement.segments.chosen"]
    answers = {f"placement__segments__chosen__{k}": k in (1, 4) for k in range(8)}
    assert suggest(ask(**answers), Scheduled(), space, 64) == Scheduled(FirstHitting(), Segments((1, 4), 8), "count")
    for path, given, says in (("placement.segments.chosen", Subset(9), "cannot be .0, 1, 2, 3, 4, 5, 6, 7, 8."),
    ("placement.segments.chosen", Range(0, 1), "searched by a Subset"),
                              ("by", Subset(2), "a Subset searches a tuple")):
        with pytest.raises(ValueError, match=says):
            checked(Scheduled(), space | {path: given}, 64)


@pytest.mark.parametrize(("changes", "says"), [
    ({"arm": "nobody"}, "no arm 'nobody'"), ({"arm": "held_out"}, "no sampler to start from"),
    ({"search": "luck"}, "choose tpe, nsga2, gp, random"),
    ({"objectives": ()}, "at least one"), ({"objectives": ("beauty",)}, "'beauty' is no metric"),
    ({"objectives": ("sample_entropy",)}, "make it the constraint"),
    ({"objectives": ("seconds",)}, "timing=Timing"), ({"trials": 0}, "at least 1"), ({"early": (8, 4)}, "rising"),
    ({"constraint": Band("beauty", 1)}, "'beauty', which is no metric"),
    ({"constraint": Band("exact_nll", 1, "ssmd")}, "no control arm 'ssmd'"),
    ({"trials": 2.0}, "trials must be a whole number"), ({"early": (8.0,)}, "early holds 8.0"),
    ({"doubt": float("nan")}, "doubt must be a number"),
    ({"seed": 2**32}, "seed must be a whole number"),
    ({"space": {"steps": Range(1, float("inf"))}}, "two finite numbers"), ({"space": {"steps": Range("a", "b")}},
                                                                           "two finite numbers"),
    ({"space": {"placement": Subset(0)}}, "Subset of 1 to 64 parts"),
    ({"space": {"temperature": Range(0, 1)}}, "finite numbers above 0"), ({"space": {"temperature": Choice("x")}},
                                                                          "finite numbers above 0"),
    ({"space": {"temperature": Subset(3)}}, "finite numbers above 0"),
])
def test_a_sweep_that_could_not_run_is_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        replace(SMALL, **changes)


@pytest.mark.parametrize(("fields", "says"), [((None, 1), "metric must be a text"),
                                              (("exact_nll", float("nan")), "width must be a number"),
                                              (("exact_nll", -1), "width must be"),
(("exact_nll", "1"), "width must be"),
                                              (("exact_nll", 1, 3), "control must be a text")])
def test_a_band_that_holds_nothing_is_refused(fields, says):
    with pytest.raises(ValueError, match=f"the constraint of a sweep: {says}"):
        Band(*fields)


# ---- one worker


def test_values_are_those_of_the_records_and_the_front_is_not_dominated(tmp_path):
    found, store = sweep(SMALL, tmp_path), Store(tmp_path)
    counted = store.latest("counted", "key")
    scored = {r["key"]: r["value"] for r in store.of("scored") if r["label"] == "exact_nll"}
    assert (
        found["trials"] == 12
        and found["failed"] == 0
        and len(keys(tmp_path)) == len(set(keys(tmp_path))) == found["points"]
    )
    for f in found["front"]:
        assert f["nfe_a"] == counted[(f["key"],)]["cost"]["nfe_a"] and f["exact_nll"] == scored[f["key"]]
        points = {(scored[k], r["cost"]["nfe_a"]) for (k,), r in counted.items()} - {(f["exact_nll"], f["nfe_a"])}
        assert not any(nll <= f["exact_nll"] and nfe <= f["nfe_a"] for nll, nfe in points)
    assert len({f["nfe_a"] for f in found["front"]}) > 1
    assert len(store.of("study")) == len(store.of("machine")) == len(store.of("network")) == 1


@pytest.mark.parametrize("search", ["tpe", "nsga2", "gp"])
def test_a_sweep_whose_storage_is_lost_is_rebuilt_from_the_store(tmp_path, search, monkeypatch):
    asked = replace(SMALL, search=search, trials=18 if search == "nsga2" else 12,
                    constraint=Band("sample_entropy", 0.1), early=(24,))
    first, before = sweep(asked, tmp_path), (tmp_path / "records.jsonl").read_bytes()
    (tmp_path / "sweep.journal").unlink()
    monkeypatch.setattr("harness.run.runner.count", lambda *words, **more: pytest.fail("sampled again"))
    assert sweep(asked, tmp_path) == first and first["front"]
    assert (tmp_path / "records.jsonl").read_bytes() == before


BESIDE = replace(SMALL, study=replace(STUDY, arms=[*STUDY.arms, Arm("fixed", [Ancestral(1), Ancestral(9), Ancestral(2)],
                                                                    {"main": "heavy"})]), beside=("fixed",))


def test_fixed_points_are_counted_beside_the_search_and_leave_it_as_it_is(tmp_path):
    alone, beside = sweep(SMALL, tmp_path / "alone"), sweep(BESIDE, tmp_path / "beside")
    assert alone == beside
    counted = {r["key"]: r for r in Store(tmp_path / "beside").of("counted")}
    extra = [counted[key] for key in keys(tmp_path / "beside") if key not in keys(tmp_path / "alone")]
    assert {r["arm"] for r in extra} == {"fixed"} and 9 in {r["cell"]["sampler"]["steps"] for r in extra}
    assert {1, 2, 9} <= {r["cell"]["sampler"]["steps"]
                         for r in counted.values()} and {r["cell"]["n"] for r in counted.values()} == {96}
    assert sweep(replace(BESIDE, early=(24,)), tmp_path / "early")["failed"] == 0
    assert sum(r["arm"] == "fixed" for r in Store(tmp_path / "early").of("counted") if r["cell"]["n"]
               == 24) == 0, "at the last look alone"
    with pytest.raises(ValueError, match="no other arm 'nobody'"):
        replace(SMALL, beside=("nobody",))


def test_a_fixed_point_that_fails_is_told(tmp_path):
    asked = replace(BESIDE, study=replace(BESIDE.study, arms=[*STUDY.arms, Arm("fixed", [SelfSpeculative()], {})]),
                    trials=2)
    found = sweep(asked, tmp_path)
    assert found["trials"] == 2 and found["failed"] == 1
    assert [r["status"] for r in Store(tmp_path).of("counted") if r["arm"] == "fixed"] == ["skipped"]


def test_two_workers_share_the_fixed_points(tmp_path):
    found = [p for p in started(tmp_path, replace(BESIDE, trials=4), 2) if not p.join(300)]
    assert [p.exitcode for p in found] == [0, 0]
    assert max(Counter(keys(tmp_path)).values()) == 1 and {1, 2, 9} <= {r["cell"]["sampler"]["steps"]
                                                                        for r in Store(tmp_path).of("counted")
                                                                        if not r["control"]}


def test_a_point_asked_twice_costs_nothing(tmp_path):
    few = replace(SMALL, space={"steps": Range(1, 2), "schedule": Choice(Linear())}, trials=8)
    found = sweep(few, tmp_path)
    assert found["trials"] == 8 and found["points"] == len(keys(tmp_path)) == 2


def test_more_trials_go_on_where_fewer_ended(tmp_path):
    whole = sweep(SMALL, tmp_path / "whole")
    sweep(replace(SMALL, trials=5), tmp_path / "parts")
    assert len(keys(tmp_path / "parts")) <= 5
    assert sweep(SMALL, tmp_path / "parts") == whole and keys(tmp_path / "parts") == keys(tmp_path / "whole")


def test_resumed_trials_are_counted_and_the_estimate_is_of_those_done_now(tmp_path, capsys):
    sweep(replace(SMALL, trials=5), tmp_path)
    capsys.readouterr()
    with Worker(SMALL, tmp_path) as worker:
        assert worker.progress.done == 5 and worker.progress.left() == ""
        worker.progress.begun -= 100    # as if a hundred seconds had gone by
        worker.try_(worker.take())
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("[sweep")]
    assert len(said) == 1 and said[0].startswith("[sweep 6/12]") and said[0].endswith("10 min left"), (
        "six are left, a hundred seconds each"
    )


def test_trials_of_other_workers_are_counted(tmp_path, capsys):
    with Worker(replace(SMALL, trials=3), tmp_path) as worker:
        trial = worker.take()
        [other] = started(tmp_path, replace(SMALL, trials=2), 1)
        while worker.ended() < 1:
            time.sleep(0.02)
        other.kill()    # it waits for our trial
        other.join()
        worker.try_(trial)
    assert "[sweep 2/3]" in capsys.readouterr().err


def test_the_storage_names_its_objectives_and_so_does_a_report(tmp_path):
    for url in ("", f"sqlite:///{tmp_path}/trials.db"):
        folder = tmp_path / ("journal" if not url else "sqlite")
        sweep(replace(SMALL, trials=3), folder, url)
        study = optuna.load_study(study_name=None, storage=open_storage(url, folder))
        assert study.metric_names == ["exact_nll", "nfe_a"]
        assert ("values", "nfe_a") in study.trials_dataframe(multi_index=True).columns
        (chapter,) = chapters(read([folder]))
        assert {"exact_nll", "nfe_a"} <= set(sweeps.history(chapter, None).objective)
    lines = (folder / "sweep.journal").read_text().splitlines(True)
    assert sum("metric_names" in line for line in lines) == 1, "said once, by the first worker"
    (folder / "sweep.journal").write_text("".join(line for line in lines if "metric_names" not in line))
    assert {"exact_nll", "nfe_a"} <= set(sweeps.history(chapter, None).objective), "older journals have no names"


@pytest.mark.parametrize("name", ["window_sweep", "noise_schedule"])
def test_a_kept_sweep_searches_what_its_kept_trials_searched(name):
    asked = load_sweep(str(ROOT / "studies" / name))
    searched = {place.path: place.space for place in asked.places() if not (isinstance(place.space, Choice)
                                                                            and len(place.space.values) == 1)}
    with Store(ROOT / "studies" / name / "kept.zip").place.on_disk() as folder:
        storage = open_storage("", folder)
        (study,) = storage.get_all_studies()
        tried = {path: d for t in storage.get_all_trials(study._study_id) for path, d in t.distributions.items()}
    assert set(tried) == set(searched)
    for path, space in searched.items():
        assert list(tried[path].choices) == [v.name for v in space.values] if isinstance(space, Choice) else (
            tried[path].low, tried[path].high, tried[path].log) == (space.low, space.high, space.log)


def test_other_settings_are_another_sweep(tmp_path):
    with Worker(SMALL, tmp_path) as worker:
        name = worker.study.study_name
    for changes in ({"seed": 1}, {"objectives": ("nfe_a",)}, {"space": {}}, {"early": (8,)},
                    {"constraint": Band("sample_entropy", 1)}, {"doubt": 1.0},
                    {"study": replace(STUDY, seed=5)}):
        with Worker(replace(SMALL, **changes), tmp_path) as worker:
            assert worker.study.study_name != name, changes
    with Worker(replace(SMALL, trials=99), tmp_path) as worker:
        assert worker.study.study_name == name


def test_what_is_beaten_beyond_doubt_is_given_up_early(tmp_path):
    """Steps of 1 .. 8 at one pass each more: many steps with a bad temperature are beaten by few with a good one."""
    asked = replace(SMALL, study=replace(STUDY, n=512, batch=512), trials=16, early=(128,), search="random", space={
        "steps": Range(1, 8), "schedule": Choice(Linear()), "temperature": Range(0.3, 6.0, log=True)})
    found = sweep(asked, tmp_path)
    assert found["given_up_early"] >= 3 and found["points"] + found["given_up_early"] == found["trials"] == 16
    rows = Counter(r["cell"]["n"] for r in Store(tmp_path).of("counted"))
    assert rows[128] == 16 and rows[512] == found["points"]
    whole = sweep(replace(asked, early=()), tmp_path)
    best = min(f["exact_nll"] for f in whole["front"])
    assert min(f["exact_nll"] for f in found["front"]) < best + 0.02


def test_a_sweep_reads_the_records_once_and_looks_at_each_trial_once(tmp_path, monkeypatch):
    """So that its own work grows as its trials do (sweep.overhead_1000_trials)."""
    read, looked = [], Counter()
    monkeypatch.setattr(FolderPlace, "texts", lambda self, texts=FolderPlace.texts: read.append(1) or texts(self))
    monkeypatch.setattr(Sweep, "read", lambda self, store, key, name, as_ever=Sweep.read:
                        looked.update([(key, name)]) or as_ever(self, store, key, name))
    space = {"steps": Range(1, 64), "schedule": Choice(Polynomial(1.5)),
             "schedule.polynomial.exponent": Range(0.5, 4.0)}
    asked = replace(SMALL, trials=24, early=(8,), search="random", space=space,
                    study=replace(STUDY, arms=[Arm("ancestral", [Ancestral(4, Polynomial(1.5))], {"main": "heavy"})]))
    found = sweep(asked, tmp_path)
    assert found["trials"] == 24 and len({key for key, _ in looked}) > 24
    assert len(read) == 1 and max(looked.values()) <= 3    # by itself, beside others, for the front


def test_doubt_is_a_standard_error_over_paired_rows():
    values = [Scores(1.0, [1.2, 0.8, 1.1, 0.9], [1.0] * 4), Scores(0.9, [1.1, 0.7, 1.0, 0.8], [1.0] * 4),
              Scores(0.9, [0.2, 1.6, 0.9, 0.9], [1.0] * 4)]
    gap, error = difference(values[0], values[1])
    assert gap == pytest.approx(0.1) and error == pytest.approx(0, abs=1e-12)    # the same shift in every row
    assert difference(values[0], values[2])[1] > 0.1
    # a metric of the whole set gives nothing up
    assert difference(Scores(2.0), Scores(1.0)) == (1.0, float("inf"))


def test_the_band_keeps_what_is_too_cold_off_the_front(tmp_path):
    asked = replace(SMALL, study=replace(STUDY, n=512, batch=512, metrics=[ExactNll(), Distinct("chars", 4)]),
                    objectives=("exact_nll",), trials=12, space={
"steps": Choice(64), "schedule": Choice(Linear()), "temperature": Range(0.05, 1.5)})
    cold = sweep(asked, tmp_path)["front"][0]
    kept = sweep(replace(asked, constraint=Band("distinct", 0.03)), tmp_path)
    assert kept["outside_band"] >= 1 and len(kept["front"]) == 1
    assert (
        kept["front"][0]["params"]["temperature"] > cold["params"]["temperature"] + 0.1
        and kept["front"][0]["exact_nll"] > cold["exact_nll"]
    )
    assert sum(r["control"] for r in Store(tmp_path).of("counted")) == 1


def test_a_cell_that_fails_ends_its_trial_and_no_other(tmp_path):
    found = sweep(replace(SMALL, study=replace(STUDY, limit_seconds=1e-9), trials=3), tmp_path)
    assert found["failed"] == 3 and found["trials"] == 0 and found["front"] == [] and found["requeued"] == 0
    assert {r["status"] for r in Store(tmp_path).of("counted")} == {"timeout"}


def test_seconds_are_read_from_timed_records(tmp_path):
    timed = replace(SMALL, study=replace(STUDY, timing=Timing(processes=1, rows=4, repeats=1)),
                    objectives=("exact_nll", "seconds"))
    sweep(replace(SMALL, trials=1), tmp_path)
    store, key = Store(tmp_path), keys(tmp_path)[0]
    with pytest.raises(LookupError, match="could not be timed"):
        timed.read(store, key, "seconds")
    sha = store.latest("counted", "key")[(key,)]["samples_sha256"]
    for seconds in ([0.4, 0.8], [0.2], [0.6]):
        store.append({"type": "timed", "key": key, "process": 0, "seconds": seconds, "rows": 4, "same_output": True,
                      "machine": "m0", "made": by(), "samples_sha256": sha})
    assert timed.read(store, key, "seconds").value == pytest.approx(0.15)
    assert timed.at(96, Ancestral(2)).timing and SMALL.at(96, Ancestral(2)).timing is None
    with pytest.raises(ValueError, match="leave early out"):
        replace(timed, early=(8,))
    with pytest.raises(ValueError, match="one worker alone"), sweep_work.alongside(timed, [], 2):
        pass


def test_a_storage_belongs_to_one_folder(tmp_path):
    url = f"sqlite:///{tmp_path}/trials.db"
    first = sweep(replace(SMALL, trials=3), tmp_path / "a", url)
    with pytest.raises(ValueError, match="one of another folder"):
        sweep(replace(SMALL, trials=3), tmp_path / "b", url)
    assert sweep(replace(SMALL, trials=3), tmp_path / "a", url) == first
    (tmp_path / "a" / "records.jsonl").unlink()
    assert sweep(replace(SMALL, trials=3), tmp_path / "a", url) == first, "what the records lack is computed again"


def test_a_data_base_leaves_its_trials_in_the_folder_for_reports(tmp_path):
    url, settings = f"sqlite:///{tmp_path}/trials.db", {}
    for trials in (3, 5):
        sweep(replace(SMALL, trials=trials), tmp_path / "run", url)
        for storage in (url, ""):
            (study,) = open_storage(storage, tmp_path / "run").get_all_studies()
            settings[storage] = [(t.user_attrs, t.values)
                                 for t in open_storage(storage, tmp_path / "run").get_all_trials(study._study_id)]
        assert settings[url] == settings[""] and len(settings[url]) == trials
    (chapter,) = chapters(read([tmp_path / "run"]))
    assert len(sweeps.history(chapter, None).query("objective == 'nfe_a'")) == 5


# ---- several workers, and kills


def work(folder: str, asked: Sweep) -> None:
    sweep(asked, Path(folder))


def started(folder: Path, asked: Sweep, workers: int):
    made = [FORK.Process(target=work, args=(str(folder), asked)) for _ in range(workers)]
    for process in made:
        process.start()
    return made


def slowed(monkeypatch, seconds: float) -> None:
    """Every look at a trial takes longer, so that workers meet and kills fall in the middle of things."""
    real = sweep_work.run
    monkeypatch.setattr(sweep_work, "run", lambda study, *words,
                        **more: (time.sleep(seconds * bool(study.arms[0].points)), real(study, *words, **more))[1])


def test_the_trial_of_a_dead_worker_is_tried_again_and_that_of_a_live_one_is_left_alone(tmp_path, monkeypatch):
    slowed(monkeypatch, 600)
    [busy] = started(tmp_path, replace(SMALL, trials=1), 1)
    monkeypatch.undo()
    with Worker(replace(SMALL, trials=1), tmp_path) as worker:
        while not any("settings" in t.user_attrs for t in worker.study.get_trials()):
            time.sleep(0.02)
        assert worker._close_stale() == [0] and tally(worker)["requeued"] == 0 and not keys(tmp_path)
        os.kill(busy.pid, signal.SIGKILL)
        busy.join()
        trial = worker.take()
        assert trial.number == 1 and trial.user_attrs["slot"] == 0 and tally(worker)["requeued"] == 1
        assert trial.params == worker.study.get_trials()[0].params
        worker.try_(trial)
        worker.locks.release(worker.place + 1)
        assert worker.take() is None and tally(worker)["trials"] == 1


def test_a_trial_that_is_told_while_another_worker_looks_for_the_dead_is_left_alone(tmp_path, monkeypatch):
    with Worker(replace(SMALL, trials=1), tmp_path) as worker:
        trial = worker.take()
        # it ends after the list of running trials was read, and its lock is gone
        monkeypatch.setattr(worker.locks, "free", lambda place: worker.try_(trial) or True)
        assert worker._close_stale() == [] and tally(worker)["trials"] == 1 and tally(worker)["requeued"] == 0


def test_a_worker_that_is_killed_again_and_again_ends_at_the_front_of_one_that_was_not(tmp_path, monkeypatch):
    asked = replace(SMALL, early=(24,), constraint=Band("sample_entropy", 0.1))
    whole = sweep(asked, tmp_path / "whole")
    slowed(monkeypatch, 0.05)
    for wait in (0.15, 0.6, 1.0):
        [process] = started(tmp_path / "killed", asked, 1)
        process.join(wait)
        process.kill()
        process.join()
    found = sweep(asked, tmp_path / "killed")
    assert front(found) == front(whole) and keys(tmp_path / "killed") == keys(tmp_path / "whole")
    assert {k: v for k, v in found.items() if k != "requeued"} == {k: v for k, v in whole.items() if k != "requeued"}


def test_two_workers_share_a_sweep_and_a_kill_loses_nothing_and_repeats_nothing(tmp_path, monkeypatch):
    # few points: both often want the same
    asked = replace(SMALL, search="random", trials=14, space={"steps": Range(1, 4), "schedule": Choice(Linear())})
    whole = sweep(asked, tmp_path / "whole")
    slowed(monkeypatch, 0.2)
    first, second = started(tmp_path / "two", asked, 2)
    while len(kept := keys(tmp_path / "two")) < 2:
        time.sleep(0.02)
    first.kill()
    second.join(300)
    assert second.exitcode == 0 and first.exitcode != 0
    found = sweep(asked, tmp_path / "two")
    assert keys(tmp_path / "two")[: len(kept)] == kept and max(Counter(keys(tmp_path / "two")).values()) == 1
    assert (
        front(found) == front(whole)
        and found["trials"] == 14
        and set(keys(tmp_path / "two")) == set(keys(tmp_path / "whole"))
    )
    scored = [(r["key"], r["label"]) for r in Store(tmp_path / "two").of("scored")]
    assert max(Counter(scored).values()) == 1 and Store(tmp_path / "two").torn == 0
    assert [len(Store(tmp_path / "two").of(kind)) for kind in ("study", "network", "machine")] == [1, 1, 1]


def test_a_torn_journal_is_read_and_written_on(tmp_path):
    path, log = tmp_path / "journal", [{"op_code": 1, "worker_id": "w", "study_id": k} for k in range(6)]
    journal, other = Journal(path), Journal(path)
    journal.append_logs(log[1:3])
    assert list(other.read_logs(0)) == log[1:3] and list(other.read_logs(1)) == log[2:3]
    with open(path, "ab") as file:
        file.write(b'{"op_code": 1, "worker_id"')
    assert list(other.read_logs(2)) == []
    journal.append_logs(log[4:5])
    assert list(other.read_logs(2)) == log[4:5] == list(Journal(path).read_logs(2)) and list(journal.read_logs(0)) == [
        log[1],
        log[2],
        log[4],
    ]
    journal.append_logs(log[5:])
    assert list(other.read_logs(3)) == log[5:]


def _hold(path: str, told) -> None:
    locks = Locks(Path(path))
    locks.take(7)
    told.send(locks.name())
    time.sleep(60)


def test_a_lock_is_free_as_soon_as_its_holder_is_killed(tmp_path):
    here, there = FORK.Pipe()
    holder = FORK.Process(target=_hold, args=(str(tmp_path / "lock"), there))
    holder.start()
    name, locks = here.recv(), Locks(tmp_path / "lock")
    assert not locks.free(7) and locks.free(8) and locks.name() == name
    holder.kill()
    holder.join()
    assert locks.free(7)


# ---- the command line


def test_the_verb_sweeps_with_two_workers_and_ends_in_json(tmp_path, capfd):
    words = ["sweep", str(ROOT / "studies/sweep_smoke"), "--out", str(tmp_path / "run"), "--n", "128", "--trials",
             "8", "--jobs", "2", "--seed", "3"]
    assert main(words) == 0
    out = capfd.readouterr().out.splitlines()
    document = json.loads(out[-1])
    assert (
        document["trials"] == 8
        and document["front"]
        and document["failed"] == 0
        and out[0].startswith("| settings | exact_nll | nfe_a | key |")
    )
    assert max(Counter(keys(tmp_path / "run")).values()) == 1
    assert main(words) == 0 and json.loads(capfd.readouterr().out.splitlines()[-1]) == document


@pytest.mark.parametrize(("words", "says"), [
    ([str(ROOT / "studies/smoke")], "defines no SWEEP"), (["nowhere.py"], "there is no study file"),
    ([str(ROOT / "studies/sweep_smoke"), "--trials", "0"], "at least 1"),
    ([str(ROOT / "studies/sweep_smoke"), "--jobs", "0"], "at least 1"),
    ([str(ROOT / "studies/sweep_smoke"), "--n", "0"], "at least 1"),
    ([str(ROOT / "studies/sweep_smoke"), "--storage", "carrier-pigeon://x"],
     "is no address: give sqlite:///FILE, postgresql://USER@HOST/NAME or grpc://HOST:PORT"),
    ([str(ROOT / "studies/sweep_smoke"), "--storage", "mysql+nothing://me:secret@x/y"],
     "mysql+nothing://me:***@x/y cannot be opened"),
])
def test_wrong_words_are_refused_in_one_sentence(capsys, tmp_path, words, says):
    assert main(["sweep", *words, "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1 and "secret" not in said


def test_windows_that_are_searched_are_those_of_the_sampler(tmp_path):
    asked = Sweep(replace(STUDY, arms=[Arm("fixed", [FixedCount()], {"main": "heavy"})]), "fixed", ("nfe_a",),
                  {"window": Choice(Cosine(), Open()), "order": Choice(Uniform())}, trials=4, search="random")
    assert sweep(asked, tmp_path)["front"][0]["settings"] == "fixed_count(open)"
