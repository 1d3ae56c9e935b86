"""The frontiers of other kinds of data and the study of judges at toy size, and the page about proteins: its example is
run on a file made on the spot.
"""

import json
import re
import runpy
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import studies.analysis.domain as domain
import studies.arms as shared
import studies.families as families
import studies.judges.claims as judges_found
import studies.judges.study as judges
import studies.potts_frontier.study as potts
import studies.prefix.study as prefix
import studies.prose_frontier.study as prose
import studies.protein_frontier.study as protein
import studies.sandwich.study as sandwich
import studies.sandwich_prompted.study as sandwich_prompted
from baselines.ancestral import Ancestral
from harness.data.control import HeldOut, Shuffled
from harness.data.residues import fasta
from harness.records.store import Store
from harness.run import runner
from harness.schedules.window import Linear
from harness.spec import ROOT
from harness.study import Checkpoint
from ssmd.sampler import SelfSpeculative
from ssmd.train.family import TRUNK
from studies.analysis.matched import headlines
from tests.test_proteins import chains
from tests.test_studies import HEAVY, LIGHT, toy, whole

STUDIES = {"protein": (protein, "judge"), "third": (potts, "exact_nll"), "subword": (prose, "judge")}
NAMES = [*(f"nfe_ratio.{{}}{order}{where}" for order in ("", ".dilated") for where in ("", ".at_8")),
         *(f"scheduling.{{}}.sandwich_minus_{control}" for control in domain.CONTROLS)]


def test_ratios_and_losses_are_claimed_where_the_store_has_them(tmp_path, capsys):
    """The three studies differ in data and metrics alone, so that one toy stands for them."""
    small = toy(prose.STUDY, nets={"heavy": HEAVY, "light": HEAVY, "hybrid_frozen": HEAVY}, n=96, batch=96)
    assert runner.run(small, tmp_path, timing=False)["failed"] == 0
    made = prose.claims(Store(tmp_path), "a command") + headlines(Store(tmp_path), "a command", shared.DILATED, 32,
                                                                  "judge", ".protein")
    rows, said = whole(made, Store(tmp_path)), capsys.readouterr().out
    for name in (*(name.format("subword") for name in NAMES),
                 *(f"headline.{name}.protein" for name in ("best.nfe_ratio", "best.flops_ratio"))):
        assert (name in rows) != (f"{name}: no claim, " in said)
    loss = rows["scheduling.subword.sandwich_minus_middle"]
    assert loss["low"] <= loss["value"] <= loss["high"] and "passes (convention C)" in loss["note"]
    runner.run(toy(prose.STUDY, nets={"heavy": HEAVY}, arms=[prose.STUDY.arms[0]]), tmp_path / "alone", timing=False)
    assert rows["dilated.subword"]["note"].startswith("window linear(delta=0.125), dilated minus uniform; passes ")
    assert prose.claims(Store(tmp_path / "alone"), "a command") == []
    assert all(f"{name.format('subword')}: " in said and "is not in the store" in said
               for said in [capsys.readouterr().out] for name in NAMES)


@pytest.mark.parametrize(
    "study, name, other",
    [
        (sandwich, "text.sandwich", "middle"),
        (sandwich_prompted, "prompted.sandwich", "middle"),
        (prefix, "text.prefix", "sandwich"),
    ],
)
def test_light_steps_are_held_against_controls_of_equal_flops_with_and_without_a_given_beginning(
    tmp_path, capsys, study, name, other
):
    """On a flattened joint as the light network: worse than the heavy one by a loss that is there to be seen."""
    arms = [replace(arm, points=[replace(arm.points[0], tokens=k) for k in (1, 2)]) if arm.name == "first_hitting"
            else arm for arm in study.STUDY.arms]
    small = toy(study.STUDY, nets={"heavy": HEAVY, "light": LIGHT}, arms=arms, n=1024, batch=256)
    assert runner.run(small, tmp_path, timing=False)["failed"] == 0
    rows, said = whole(study.claims(Store(tmp_path), "a command"), Store(tmp_path)), capsys.readouterr().out
    assert (
        rows[f"scheduling.{name}_minus_heavy"]["low"] > 0
        and "fewer FLOPs" in rows[f"scheduling.{name}_minus_heavy"]["note"]
    )
    for control in (other, "fewer_steps", "first_hitting"):
        assert (f"scheduling.{name}_minus_{control}" in rows) != (
            f"scheduling.{name}_minus_{control}: scheduled" in said
        )
    assert study.claims(Store(tmp_path / "empty"), "a command") == []


@pytest.mark.parametrize("study", [*(study for study, _ in STUDIES.values()), judges], ids=lambda m: m.__name__)
def test_the_docstring_says_what_it_costs(study):
    assert "one core" in " ".join(study.__doc__.split()) and len(study.STUDY.arms) > 5


@pytest.mark.parametrize("claimed", STUDIES)
def test_a_study_is_of_the_frozen_recipe_with_controls_and_two_judges(claimed):
    study, label = STUDIES[claimed]
    arms = {arm.name: arm for arm in study.STUDY.arms}
    assert study.STUDY.reference == TRUNK and study.STUDY.data == study.DATA
    assert {type(p) for name in ("held_out", "shuffled") for p in arms[name].points} == {HeldOut, Shuffled}
    assert {dict(arm.nets)["main"] for name, arm in arms.items()
            if name in (shared.BASELINE, shared.ARM)} == {"heavy", "hybrid_frozen"}
    assert (
        Ancestral(32) in arms["ancestral"].points and SelfSpeculative(Linear(0.125), 10) in arms["ssmd_frozen"].points
    )
    names = {metric.name for metric in study.STUDY.metrics}
    assert {label, "sample_entropy"} <= names and (label == "exact_nll"
                                                   or "ngram" in names), "a law needs no second judge"
    family = study.FAMILY
    assert (
        family["hybrid_frozen"].frozen
        and family["hybrid_frozen"].blocks == family[TRUNK].blocks + 1
        and len({member.tokens for member in family.values()}) == 1
    )
    assert {*study.STUDY.nets} == {*family} - {"judge"} and replace(family["light"], blocks=6) == family[TRUNK]


def test_the_cards_of_lattices_are_of_the_family_of_the_study():
    for name, member in potts.FAMILY.items():
        card = json.loads(Path(families.checkpoint(name, of="potts")).with_suffix(".json").read_text())
        assert card["data"] == potts.DATA.identity() and card["tokens"] > 0.99 * member.tokens


def test_a_frozen_hybrid_drafts_with_the_heavy_network():
    nets = {name: Checkpoint(families.checkpoint(name)).load("cpu") for name in ("heavy", "hybrid_frozen")}
    x = torch.where(torch.arange(64) % 2 == 0, nets["heavy"].mask, torch.arange(64) % 27)[None]
    assert torch.equal(nets["heavy"].draft(x)[0], nets["hybrid_frozen"].draft(x)[0])


def test_a_study_whose_networks_are_not_there_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(families, "SHIPPED", tmp_path)
    with pytest.raises(ValueError, match="no checkpoint"):
        families.nets("heavy", of="protein")["heavy"].load("cpu")


def test_agreement_is_claimed_of_each_two_judges_that_scored(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(judges_found, "JUDGES", ("judge", "sample_entropy", "smollm2"))
    runner.run(toy(judges.STUDY, n=64, batch=64), tmp_path, timing=False)
    rows, said = whole(judges.claims(Store(tmp_path), "a command"), Store(tmp_path)), capsys.readouterr().out
    agreement, levels = ({name: row for name, row in rows.items() if name.startswith(kind)}
                         for kind in ("agreement.", "level."))
    assert agreement.keys() == {"agreement.points.judge.sample_entropy",
                                "agreement.rows.judge.sample_entropy"} and ("agreement.points.judge.smollm2: no "
                                                                            "claim, 0 points") in said
    assert all(-1 <= row["value"] <= 1 and row["note"].startswith("12 operating points")
               for row in agreement.values()), "controls are no operating points"
    assert levels.keys() == {f"level.{arm}.{label}" for arm in ("held_out", "shuffled")
                             for label in ("judge", "sample_entropy")} and len(rows) == len(agreement) + len(levels)


def test_the_example_of_the_page_runs_on_a_small_fasta_file(tmp_path, monkeypatch, capsys):
    pytest.importorskip("pyopal")
    sequences = chains(200, 64, 90, seed=4)
    (tmp_path / "mine.fasta").write_text(fasta([f"p{k}" for k in range(200)], sequences))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "example.py").write_text(re.search("```python\n(.*?)```", (ROOT / "docs" / "proteins.md").read_text(),
                                                   re.DOTALL)[1])
    runpy.run_path("example.py")
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 4 and len(said[0]) == 64 and any(said[0] in s for s in sequences)
    assert (
        said[1].startswith("composition 0.")
        and said[2].startswith("nearest_identity 0.")
        and said[3] == "clusters 1.000"
    )
