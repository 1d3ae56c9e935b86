"""The studies of the mission at toy size: an exact joint as the network, the same arms, hooks and claims as at full
size.
"""

import json
import re
from dataclasses import dataclass, fields, replace
from typing import ClassVar

import numpy as np
import pytest
import torch

import studies.ablations.claims as ablations_found
import studies.ablations.study as ablations
import studies.batch.claims as batch_found
import studies.batch.study as batch
import studies.causal_part.study as causal_part
import studies.frontier.claims as frontier_found
import studies.frontier.study as frontier
import studies.lawkeeping.claims as lawkeeping_found
import studies.lawkeeping.study as lawkeeping
import studies.model_scheduling.claims as model_scheduling_found
import studies.model_scheduling.study as model_scheduling
import studies.noise_schedule.claims as noise_found
import studies.noise_schedule.study as noise_schedule
import studies.schedule.study as schedule
import studies.window.study as window
import studies.window_sweep.study as window_sweep
from harness import plugins
from harness.__main__ import main
from harness.cli.run import present
from harness.data.control import HeldOut
from harness.data.exact import Exact
from harness.data.markov import Markov
from harness.metrics.entropy import SampleEntropy
from harness.metrics.exact_nll import ExactNll
from harness.nets import checkpoint
from harness.records.measured import column
from harness.records.points import done
from harness.records.store import Store
from harness.run import runner
from harness.run.cell import cells_of
from harness.schedules.certainty import Random
from harness.schedules.noise import Cosine, Linear, Polynomial
from harness.schedules.placement import Segments
from harness.schedules.window import Fixed
from harness.search.worker import sweep
from harness.stats.equal_entropy import at, gap
from harness.study import Arm, Table
from reports import placed
from reports.frame import chapters
from reports.records import read
from ssmd.adaptive import UNLIMITED, Adaptive
from ssmd.sampler import SelfSpeculative
from ssmd.train.settings import Training
from studies.analysis.additive_bound import as_revealed, gaps, predicted_loss
from studies.analysis.swept_front import sides

DATA = Exact()
HEAVY, LIGHT = Table(DATA), Table(DATA, power=0.5)
NETS = {"heavy": HEAVY, "light": LIGHT, "hybrid": HEAVY, "hybrid_frozen": HEAVY}


@dataclass(frozen=True)
class Nll(ExactNll):
    """The likelihood under the law itself, where the studies have a judge."""

    name: ClassVar[str] = "judge"


def toy(study, **changes):
    nets = {name: NETS[name] for name in study.nets if name in NETS}
    return replace(study, **{"data": DATA, "nets": nets, "metrics": [Nll(), SampleEntropy()], "n": 64, "batch": 16,
                             "timing": None} | changes)


def whole(rows: list[dict], store: Store) -> dict[str, dict]:
    """Claims by name, each with an interval that holds it, keys of its records and a unit."""
    known = {r["key"] for r in store.records if "key" in r}
    for row in rows:
        assert row["low"] <= row["value"] <= row["high"] and row["unit"] and row["keys"] and {*row["keys"]} <= known, (
            row
        )
        json.dumps(row, allow_nan=False)
    return {row["claim"]: row for row in rows}


@pytest.mark.parametrize("study", [ablations, batch, frontier, lawkeeping, model_scheduling, noise_schedule, schedule,
                                   window, window_sweep], ids=lambda m: m.__name__)
def test_every_point_of_the_study_as_it_stands_can_run(study):
    cells = cells_of(present(study.STUDY)[0])
    assert cells and not any(cell.missing() for cell in cells) and len({cell.key() for cell in cells}) == len(cells)
    assert "two cores" in study.__doc__ or "one core" in study.__doc__, "the docstring says what it costs"


# ---- model scheduling


@pytest.fixture(scope="module")
def scheduled(tmp_path_factory):
    study, folder = toy(model_scheduling.STUDY, n=200, batch=100), tmp_path_factory.mktemp("scheduled")
    runner.run(study, folder, timing=False)
    return study, folder, {r["name"]: r for r in model_scheduling.measure(study, Store(folder))}


def test_all_28_placements_are_predicted_by_the_additive_bound(scheduled):
    study, folder, found = scheduled
    store, table = Store(folder), found["placements"]
    assert len(done(store, "placed")) == 28 and len(table["rows"]) == 56
    for states, arm in (("own states", "heavy"), ("validation text", "held_out")):
        x = torch.from_numpy(store.get("samples", done(store, arm)[0]["key"])).long()
        measured = gaps(HEAVY.load("cpu"), LIGHT.load("cpu"), x, as_revealed(x, study.seed), torch.arange(16) / 16)
        kl = measured.kl.sum(0) / measured.masked.sum(0)
        for chosen in ((0, 7), (3, 4), (2, 6)):
            name = " ".join(map(str, ("segments", *chosen)))
            assert column(table, "loss", states=states,
                          placement=name) == [pytest.approx(predicted_loss(kl, Segments(chosen, 8)))]
            assert kl[[2 * chosen[0], 2 * chosen[0] + 1, 2 * chosen[1],
                       2 * chosen[1] + 1]].sum() / 16 == pytest.approx(predicted_loss(kl, Segments(chosen, 8)))


def test_placements_are_measured_against_the_heavy_network(scheduled):
    _, folder, found = scheduled
    store, nll = Store(folder), {r["key"]: r["value"] for r in Store(folder).of("scored") if r["label"] == "judge"}
    heavy = nll[next(r["key"] for r in done(store, "heavy"))]
    for r in done(store, "placed"):
        name = " ".join(map(str, ("segments", *r["cell"]["sampler"]["placement"]["chosen"])))
        assert column(found["placements"], "measured", placement=name,
                      states="own states") == [pytest.approx(nll[r["key"]] - heavy)]


def test_scheduling_claims_and_the_report_are_made_of_it(scheduled, monkeypatch):
    study, folder, found = scheduled
    monkeypatch.setattr(model_scheduling_found, "gaps", lambda *a: pytest.fail("computed again"))
    assert {r["name"]: r for r in model_scheduling.measure(study, Store(folder))} == found
    rows = whole(model_scheduling.claims(Store(folder), "a command"), Store(folder))
    nll = {r["key"]: r["value"] for r in Store(folder).of("scored") if r["label"] == "judge"}
    for name in ("middle", "prefix", "suffix", "fewer_steps"):
        row = rows[f"scheduling.sandwich_minus_{name}"]
        assert row["value"] == pytest.approx(nll[row["keys"][0]] - nll[row["keys"][1]]) and row["n"] == 200
    rho = rows["scheduling.spearman"]
    assert (
        -1 <= rho["low"] and rho["high"] <= 1 and "whole design, not a sample" in rho["note"] and len(rho["keys"]) == 30
    )
    assert rho["value"] == column(found["agreement"], "value", states="validation text", quantity="spearman")[0]
    (chapter,) = chapters(read([folder]))
    marks = placed.measured(chapter, "heavy")
    assert marks.predicted.notna().sum() >= 28 and {"placement", "control"} <= {*marks.role}


def test_there_is_no_correlation_before_all_placements_are_there(tmp_path, capsys):
    study = toy(model_scheduling.STUDY)
    study = replace(study, arms=[replace(arm, points=list(arm.points)[:5]) for arm in study.arms])
    runner.run(study, tmp_path, timing=False)
    assert (
        model_scheduling.measure(study, Store(tmp_path)) == [] and model_scheduling.claims(Store(tmp_path), "x") == []
    )
    assert "not all placements" in capsys.readouterr().out
    with pytest.raises(ValueError, match="leave its prompt at 0"):
        model_scheduling.measure(replace(study, prompt=0.5), Store(tmp_path))


# ---- searches beside fixed points


@pytest.mark.parametrize(("module", "fixed", "prefix"), [(window_sweep, "published", "window"),
                                                         (noise_schedule, "linear", "noise_schedule")])
def test_a_search_is_compared_with_fixed_points_at_the_same_rows(module, fixed, prefix, tmp_path, monkeypatch, capsys):
    asked = replace(module.SWEEP, study=toy(module.STUDY), trials=8,
                    constraint=replace(module.SWEEP.constraint, width=10.0))
    monkeypatch.setattr(module, "SWEEP", asked)
    found, store = sweep(asked, tmp_path), Store(tmp_path)
    points = next(arm for arm in module.STUDY.arms if arm.name == fixed).points
    assert found["trials"] == 8 and found["failed"] == 0 and {r["cell"]["n"] for r in store.of("counted")} == {64}
    assert (
        len(done(store, fixed)) + sum(r["arm"] == asked.arm for r in store.of("counted"))
        == len({r["key"] for r in store.of("counted")}) - 1
        >= len(points)
    )
    rows = whole(module.claims(store, "a command"), store)
    gain = rows[f"{prefix}.front_hypervolume_gain"]
    assert "judged on the odd" in gain["note"] and gain["n"] == 32 and f"the {len(points)} of {fixed}" in gain["note"]
    before = (tmp_path / "records.jsonl").read_bytes()
    assert sweep(asked, tmp_path) == found and (tmp_path / "records.jsonl").read_bytes() == before
    (tmp_path / "records.jsonl").write_bytes(b"".join(line + b"\n" for line in before.splitlines()
                                                      if f'"arm":"{fixed}"'.encode() not in line))
    assert not [r for r in module.claims(Store(tmp_path), "x")
                if "front" in r["claim"]] and "no claim, " in capsys.readouterr().out


def test_points_outside_the_band_do_not_compete(tmp_path):
    asked = replace(window_sweep.SWEEP, study=toy(window_sweep.STUDY), trials=4)
    sweep(asked, tmp_path)
    inside, ours = sides(Store(tmp_path), replace(asked, constraint=replace(asked.constraint, width=10.0)), "published")
    none, same = sides(Store(tmp_path), replace(asked, constraint=replace(asked.constraint, width=0.0)), "published")
    assert inside and not none and ours == same and len(ours) == 6


# ---- training side of the noise schedules


class Corpus(Markov):
    def tokens(self, split):
        return self.rows(split, 400, 0).flatten()


def test_training_laws_are_compared_by_seed(tmp_path, monkeypatch):
    monkeypatch.setattr(noise_found, "SMALLEST", replace(noise_found.SMALLEST, width=8, heads=2, blocks=1, batch=4,
                                                         tokens=5 * 4 * 16, warmup=2))
    monkeypatch.setattr(noise_found, "LAWS", {"linear": Linear(), "cosine": Cosine(), "polynomial": Polynomial(2.0)})
    monkeypatch.setattr(noise_found, "SEEDS", (1, 2))
    data = Corpus(symbols=3, length=16)
    study = toy(noise_schedule.STUDY, data=data, arms=[Arm("held_out", [HeldOut()])], n=8, batch=8)
    runner.run(study, tmp_path, timing=False)
    (record,) = noise_schedule.measure(study, Store(tmp_path))
    assert len(record["rows"]) == 6 and {*column(record, "tokens")} == {320}
    for law, seed, _, nats in record["rows"]:
        card = checkpoint.load(tmp_path / "training" / f"{law}_{seed}" / f"{law}.safetensors").card
        assert card["validation_nats_per_token"]["draft"] == nats and card["training"]["seed"] == seed
    assert len({tuple(column(record, "nats", law=law)) for law in noise_found.LAWS}) == 3, "the law matters"
    monkeypatch.setattr(noise_found, "train", lambda *a, **k: pytest.fail("trained again"))
    assert noise_schedule.measure(study, Store(tmp_path)) == [record]
    rows = whole(noise_schedule.claims(Store(tmp_path), "a command"), Store(tmp_path))
    difference = [a - b for a, b in zip(column(record, "nats", law="cosine"), column(record, "nats", law="linear"))]
    cosine = rows["noise_schedule.training_cosine_minus_linear"]
    assert cosine["value"] == pytest.approx(sum(difference) / 2) and cosine["n"] == 2
    assert cosine["high"] - cosine["value"] == pytest.approx(12.7062 * abs(difference[0] - difference[1]) / 2,
                                                             rel=1e-4), "Student's interval of two"


def test_data_that_are_no_text_train_nothing(tmp_path):
    study = toy(noise_schedule.STUDY, arms=[Arm("held_out", [HeldOut()])])
    runner.run(study, tmp_path, timing=False)
    assert noise_schedule.measure(study, Store(tmp_path)) == []


# ---- ablations, batch, frontier


def test_an_ablated_network_is_compared_at_the_same_settings(tmp_path):
    arms = [*(Arm(name, ablations.SETTINGS, {"main": name}) for name in ("hybrid", "hybrid_two")),
            Arm("held_out", [HeldOut()])]
    study = toy(ablations.STUDY, nets={"heavy": HEAVY, "hybrid": HEAVY, "hybrid_two": LIGHT}, arms=arms, n=400,
                batch=200)
    runner.run(study, tmp_path, timing=False)
    rows = whole(ablations.claims(Store(tmp_path), "a command"), Store(tmp_path))
    worse = rows["ablations.hybrid_two_minus_hybrid"]
    assert worse["low"] > 0 and len(worse["keys"]) == 2, "the flattened joint is a worse network"
    assert "0 M tokens (hybrid_two) and 0 M tokens (hybrid)" in worse["note"]
    assert ablations_found.budget({"tokens": 24e6, "earlier_cycle": {"tokens": 12e6, "earlier_cycle": None}}) == 36


def test_each_hybrid_of_the_causal_part_differs_from_the_base_in_one_thing(tmp_path):
    base = causal_part.FAMILY["base"]
    for name, training in causal_part.FAMILY.items():
        changed = {f.name for f in fields(Training) if getattr(training, f.name) != getattr(base, f.name)}
        assert (
            len(changed - {"blocks"}) == (name != "base")
            and training.build(27).config.blocks == base.build(27).config.blocks == 6
        )
    arms = [Arm(name, causal_part.STUDY.arms[0].points, {"main": name})
            for name in ("base", "gated")] + [Arm("seed", causal_part.STUDY.arms[0].points[:1], {"main": "seed"})]
    study = toy(causal_part.STUDY, nets={"heavy": HEAVY, "base": HEAVY, "gated": LIGHT, "seed": Table(DATA, power=0.7)},
                arms=arms, n=200, batch=200)
    runner.run(study, tmp_path, timing=False)
    rows = whole(causal_part.claims(Store(tmp_path), "a command"), Store(tmp_path))
    assert rows["causal_part.gated_minus_base"]["low"] > 0 and not any("seed" in name for name in rows), (
        "it did not run at the setting of the claims"
    )
    (table,) = causal_part.measure(study, Store(tmp_path))
    assert column(table, "network") == ["gated"] and column(table, "nats") == [
        rows["causal_part.gated_minus_base"]["value"]
    ]
    assert causal_part.measure(study, Store(tmp_path)) == [table], "it was measured before"


def test_stragglers_cost_more_in_larger_batches_and_less_with_the_queue(tmp_path, monkeypatch):
    monkeypatch.setattr(batch_found, "BATCHES", (1, 4, 16))
    monkeypatch.setattr(batch_found, "RESAMPLES", 40)
    data = Exact(length=6)
    study = toy(batch.STUDY, data=data, nets={"heavy": Table(data), "hybrid": Table(data)},
                arms=[Arm("ssmd", [SelfSpeculative(Fixed(3), 1)], {"main": "hybrid"})], n=48)
    runner.run(study, tmp_path, timing=False)
    (record,) = batch.measure(study, Store(tmp_path))
    ratio = {(b, q): column(record, "ratio", batch=b, queue=q)[0] for b in (1, 4, 16) for q in (True, False)}
    assert (
        ratio[1, True] == ratio[1, False] == 1
        and 1 < ratio[4, True] <= ratio[4, False] < ratio[16, False]
        and ratio[16, True] < ratio[16, False]
    )
    assert column(record, "needed") == pytest.approx([done(Store(tmp_path), "ssmd")[0]["cost"]["nfe_a"]] * 6) and {
        *column(record, "same_rows")
    } == {1.0}
    rows = whole(batch.claims(Store(tmp_path), "a command"), Store(tmp_path))
    assert rows.keys() == {f"batch.executed_over_needed.N1.B{b}.{word}" for b in (4, 16)
                           for word in ("queue", "waiting")}
    monkeypatch.setattr(batch_found, "watched", lambda *a: pytest.fail("watched again"))
    assert batch.measure(study, Store(tmp_path)) == [record]


def test_the_frontier_of_all_samplers_runs_and_claims_what_was_run_at_equal_passes(tmp_path, capsys):
    study = toy(frontier.STUDY, n=96, batch=96)
    ours = {name for name, cls in plugins.samplers().items() if cls.__module__.split(".")[0] in ("baselines", "ssmd")}
    assert {type(p).name for arm in study.arms for p in arm.points} == ours | {"held_out", "shuffled"}
    assert runner.run(study, tmp_path, timing=False)["failed"] == 0
    rows = whole(frontier.claims(Store(tmp_path), "a command"), Store(tmp_path))
    said = capsys.readouterr().out
    others = [arm.name for arm in study.arms if arm.name not in (frontier_found.BASELINE, "held_out", "shuffled")]
    names = [f"frontier.judge_at_equal_passes.{arm}.at_{steps}" for arm in others
             for steps in frontier_found.MATCHED_AT]
    assert rows and all((name in rows) != (f"{name}: no claim" in said) for name in names)
    for name in rows.keys() & {*names}:
        mine, base = (float(x) for x in re.search(r"passes ([\d.]+) against ([\d.]+)", rows[name]["note"]).groups())
        assert abs(mine / base - 1) <= frontier_found.NEAR + 0.01, "both settings were run, at nearly the same passes"


def test_between_settings_far_apart_nothing_is_read():
    rows = {8.0: np.array([[2.7, 2.75]]), 15.5: np.array([[2.5, 2.75]]), 16.9: np.array([[2.4, 2.75]]),
            32.0: np.array([[2.3, 2.75]])}
    read = {str(cost): x for cost, x in rows.items()}.get
    assert at([(8.0, "8.0"), (32.0, "32.0")], read, 16.0) is None
    assert at([(15.5, "15.5"), (16.9, "16.9")], read, 16.0) == pytest.approx(np.array([[2.463, 2.75]]), abs=1e-3)


def test_what_entropy_buys_is_taken_off_by_the_baselines_own_temperature():
    """On the line between the two temperatures nothing is left; off it, the distance in nats."""
    base, cool = (2.5, 2.75), (2.3, 2.65)
    for share, off in ((0.0, 0.0), (0.5, 0.0), (1.7, 0.0), (0.5, -0.04), (-0.3, 0.02)):
        arm = [b + share * (c - b) for b, c in zip(base, cool)]
        assert gap(np.array([[arm[0] + off, arm[1], *base, *cool]])) == pytest.approx([off])


def test_a_front_is_held_against_that_of_the_plain_sampler(tmp_path, monkeypatch, capsys):
    data = Exact(length=6)
    nets = {"heavy": Table(data), "hybrid_frozen": Table(data), "worse": Table(data, power=0.5)}
    plain, adaptive, corrected, held_out = lawkeeping.STUDY.arms
    points, alike = ([make(Fixed(k), 2) for k in (6, 3, 1)]
                     for make in (SelfSpeculative, lambda window,
                                  rounds: Adaptive(window, rounds, Random(), UNLIMITED)))
    arms = [replace(plain, points=points, nets={"main": "worse"}),
            replace(adaptive, points=alike, nets={"main": "worse"}), replace(corrected, points=points), held_out]
    study = toy(lawkeeping.STUDY, data=data, nets=nets, arms=arms, n=400, batch=200)
    runner.run(study, tmp_path, timing=False)
    rows = whole(lawkeeping.claims(Store(tmp_path), "a command"), Store(tmp_path))
    assert rows["lawkeeping.adaptive.hypervolume_gain"]["value"] == 0, "without a budget it is the plain sampler"
    assert rows["best_lawkeeping.hypervolume_gain"]["low"] > 0, "a better network gains"
    monkeypatch.setitem(lawkeeping_found.NAMES, "absent", "lawkeeping.absent")
    lawkeeping.claims(Store(tmp_path), "a command")
    assert "lawkeeping.absent: plain or absent is not in the store" in capsys.readouterr().out
    assert {type(p).name for p in (*adaptive.points, *corrected.points)} == {"ssmd_adaptive", "ssmd_corrected"}


def test_an_arm_that_is_run_alone_needs_its_own_networks_alone(tmp_path, capsys):
    """The checkpoint of another arm may be still in training."""
    lines = (
        "from baselines.ancestral import Ancestral", "from harness.data.exact import Exact",
        "from harness.metrics.entropy import SampleEntropy", "from harness.study import Arm, Checkpoint, Study, Table",
        "STUDY = Study(name='half', question='?', data=Exact(), reference='table', n=4, metrics=[SampleEntropy()],",
        "              nets={'table': Table(Exact()), 'later': Checkpoint('nowhere.safetensors')},",
        "              arms=[Arm('now', [Ancestral(2)], {'main': 'table'}),",
        "                    Arm('then', [Ancestral(2)], {'main': 'later'})])",
    )
    (tmp_path / "half.py").write_text("\n".join(lines))
    given = ["run", str(tmp_path / "half.py"), "--out", str(tmp_path / "out"), "--no-time"]
    assert main([*given]) == 2 and "there is no checkpoint at nowhere.safetensors" in capsys.readouterr().err
    assert main([*given, "--only", "now"]) == 0
