"""The study of dilated orders: its reading of a network's own law against an exact joint, and the study at toy size."""

import json
from dataclasses import asdict, replace

import pytest
import torch

import studies.dilated.claims as found
import studies.dilated.study as study
import studies.second_seed.study as second_seed
from harness.metrics.words import Spelling
from harness.nets import checkpoint
from harness.records.store import Store
from harness.run import runner
from harness.schedules.order import Dilated, LeftToRight, Uniform
from harness.study import Checkpoint
from reports.gallery import shown
from ssmd.train.family import SHIPPED
from tests.conformance.toys import DATA, table_nets
from tests.test_model import CONFIG, rough
from tests.test_studies import whole


@pytest.mark.parametrize("law", [Dilated(), Uniform(), LeftToRight()], ids=lambda law: law.name)
def test_under_an_ideal_network_every_order_reads_the_joint(law):
    x = DATA.rows("test", 40, 0)
    assert torch.tensor(found.nats(table_nets()["main"], DATA, law, 40,
                                   0)) == pytest.approx(-DATA.law()[DATA.index(x)].log())


def test_under_a_rough_network_orders_differ():
    data = replace(study.STUDY.data, length=16)
    a, b = (found.nats(rough(replace(CONFIG, vocab=data.vocab)), data, law, 8, 0) for law in (Dilated(), Uniform()))
    assert (a != b).all()


def test_the_study_at_toy_size_makes_its_claims_and_its_figure(tmp_path, monkeypatch, capsys):
    data = replace(study.STUDY.data, length=32)
    for seed, name in enumerate(("net", "long")):
        checkpoint.save(rough(replace(CONFIG, vocab=data.vocab), seed), tmp_path / f"{name}.safetensors",
                        {"name": name})
    net, long = (Checkpoint(str(tmp_path / f"{name}.safetensors")) for name in ("net", "long"))
    small = replace(study.STUDY, n=16, data=data, nets=dict.fromkeys(study.STUDY.nets, net)
                    | {"hybrid_frozen_long": long},
                    metrics=[Spelling(), *(m for m in study.STUDY.metrics
                                           if m.name in ("judge", "ngram", "sample_entropy"))])
    monkeypatch.setattr(found, "LOOKED_AT", 8)
    assert study.claims(Store(tmp_path / "run"), "a command") == []
    assert found.measure(small, Store(tmp_path / "run")) == []
    runner.run(small, tmp_path / "run", timing=False)
    store = Store(tmp_path / "run")
    (record,) = study.measure(small, store)
    capsys.readouterr()
    rows = whole(study.claims(store, "a command"), store)
    said = capsys.readouterr().out
    wanted = {f"dilated.{label}.{pair}" for label in ("judge", "ngram", "spelling", "sample_entropy")
              for pair in found.PAIRS}
    wanted |= {"dilated.law_minus_uniform", "dilated.longer.uniform", "dilated.longer.dilated"}
    ratios = {f"nfe_ratio.dilated.{label}{end}{where}" for label in ("judge", "ngram", "spelling") for end in found.ARMS
              for where in found.MATCHED}
    assert wanted <= rows.keys() <= wanted | ratios and all(f"{name}: no claim" in said for name in ratios
                                                            - rows.keys())
    assert all("Linear(0.125)" in rows[f"dilated.{label}.ssmd"]["note"] for label in ("judge", "spelling"))
    seed2 = {row["claim"] for row in second_seed.claims(store, "a command")}
    longer = {"seed2.longer.uniform", "seed2.longer.dilated"}
    assert longer <= seed2 <= longer | {f"seed2.nfe_ratio.{label}{end}" for label in ("judge", "spelling")
                                        for end in ("", ".long", ".dilated", ".dilated.long", ".dilated.fixed")}
    ((_, _, _, caption),) = shown(tmp_path / "run", ["tradeoff"])
    assert "n = 16" in caption
    by = {name: value for name, value, *_ in record["rows"]}
    assert by["dilated minus uniform"] == pytest.approx(by["dilated"] - by["uniform"])


def test_the_second_seed_is_trained_as_the_first_was():
    """By its cards: the same settings but for the seed, in as many cycles."""
    for name in ("heavy", "hybrid_frozen"):
        card = checkpoint.load(SHIPPED / f"{name}.safetensors").card
        cycles = [card["training"]] + ([card["earlier_cycle"]["training"]] if name == "heavy" else [])
        for told, member in zip(cycles, (name, "first")):
            mine = json.loads(
                json.dumps(asdict(second_seed.FAMILY[member]) | {"schedule": second_seed.FAMILY[member].schedule.name})
            )
            assert {k for k, v in told.items() if mine[k] != v} == {"seed"}
