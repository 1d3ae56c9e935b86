"""The headlines at toy size: of settings that were run, chosen by another run, with both sides of quality and the
second seed named.
"""

from dataclasses import replace

import pytest

import studies.dilated.study as search
import studies.headline.claims as found
import studies.headline.study as study
from harness.nets import checkpoint
from harness.records.points import done
from harness.records.store import Store
from harness.run import runner
from harness.run.cell import cells_of
from harness.stats.realised import Side
from harness.study import Checkpoint
from tests.test_model import CONFIG, rough
from tests.test_studies import whole

DATA = replace(study.STUDY.data, length=32)


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """The search, the fresh rows and the second seed, of one rough network."""
    folder = tmp_path_factory.mktemp("headline")
    checkpoint.save(rough(replace(CONFIG, vocab=DATA.vocab)), folder / "net.safetensors", {"name": "net"})
    net = Checkpoint(str(folder / "net.safetensors"))
    few = {"ancestral", "ssmd_dilated", "ssmd_frozen_long", "fixed_dilated", "fixed", "held_out"}
    for name, whole_study, seed in (("search", search.STUDY, 1), ("fresh", study.STUDY, 2),
                                    ("second", search.STUDY, 3)):
        arms = [replace(arm, points=arm.points[:4]) for arm in whole_study.arms if arm.name in few]
        metrics = [m for m in study.STUDY.metrics if m.name in ("judge", "ngram_kl")]
        small = replace(whole_study, n=24, seed=seed, data=DATA, arms=arms, nets=dict.fromkeys(whole_study.nets, net),
                        metrics=metrics)
        assert runner.run(small, folder / name, timing=False)["failed"] == 0
    return folder


def test_headlines_are_of_settings_that_were_run(stores, monkeypatch, capsys):
    monkeypatch.setattr(found, "SECOND", stores / "second")
    monkeypatch.setattr(found, "SIDES", [Side(side.label, side.better, 9.0) for side in found.SIDES])    # all are alike
    store = Store(stores / "fresh")
    rows = whole(found.claims(store, "a command", stores / "search"), store)
    ratios = {f"headline.{name}.nfe_ratio{end}" for name in found.SPEAKING for end in found.GOALS if name != "baseline"
              or not end}
    beside = {f"headline.{name}.{what}" for name in ("ssmd", "best")
              for what in ("nfe_ratio.best_baseline", "first_drafts_rejected")}
    forward = {f"tpf.{who}{end}" for who in ("ancestral", "ssmd", "ssmd_dilated") for end in ("", ".all")}
    assert rows.keys() == ratios | beside | forward | {"headline.best.flops_ratio"}
    for name in forward:
        (record,) = [r for r in store.of("counted") if [r["key"]] == rows[name]["keys"]]
        calls = record["cost"]["calls"]
        passes = sum(calls.values()) if name.endswith(".all") else record["cost"]["nfe_b"]
        assert rows[name]["value"] == pytest.approx(record["cost"]["tokens"] / record["cell"]["n"] / passes), name
    costs = {r["key"]: r["cost"]["nfe_a"] for r in store.of("counted") if r["status"] == "done"}
    base = {r["cell"]["sampler"]["steps"]: costs[r["key"]] for r in done(store, "ancestral")}
    for name in ratios:
        steps = found.GOALS[f".at_{name.rpartition('.at_')[2]}" if ".at_" in name else ""]
        assert any(rows[name]["value"] == pytest.approx(base[steps] / cost) for cost in costs.values()
                   if cost), "the ratio of two costs that were measured"
        assert all(word in rows[name]["note"] for word in ("judge", "ngram_kl(direction=forward",
                                                           "ngram_kl(direction=reverse", "margin", "24 fresh rows"))
    assert "second seed of training" in rows["headline.best.nfe_ratio"]["note"]
    assert rows["headline.best.first_drafts_rejected"]["value"] > 0, "draft and target of a rough hybrid are two laws"


def test_a_setting_that_was_not_run_on_fresh_rows_is_not_chosen(stores, monkeypatch, capsys):
    monkeypatch.setattr(found, "SECOND", stores / "second")
    monkeypatch.setattr(found, "SIDES", [Side(side.label, side.better, 9.0) for side in found.SIDES])
    assert found.claims(Store(stores / "none"), "a command", stores / "search") == []
    assert ("headline.best.nfe_ratio: no claim, ancestral in 32 steps, or ssmd_dilated and ssmd_frozen_long, is not "
            "in both runs") in capsys.readouterr().out


def test_the_fresh_rows_are_of_another_seed_and_every_setting_can_run():
    assert study.STUDY.seed != search.STUDY.seed and study.STUDY.n >= 2048
    assert not any(cell.missing() for cell in cells_of(study.STUDY)) and "one core" in study.__doc__
