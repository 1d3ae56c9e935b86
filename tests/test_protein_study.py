"""The study of proteins at toy size, and the page about proteins: its example is run on a file made on the spot."""

import re
import runpy

import pytest

import studies.found.protein_frontier as found
import studies.protein_frontier as study
from baselines.ancestral import Ancestral
from harness import runner
from harness.data.proteins import Proteins
from harness.data.residues import fasta
from harness.spec import ROOT
from harness.store import Store
from harness.window import Linear
from ssmd.sampler import SelfSpeculative
from tests.test_proteins import chains
from tests.test_studies import HEAVY, toy, whole


def test_the_ratio_of_passes_is_claimed_where_both_fronts_reach_it(tmp_path, capsys):
    small = toy(study.STUDY, nets={"heavy": HEAVY, "light": HEAVY, "hybrid_frozen": HEAVY}, n=96, batch=96)
    assert runner.run(small, tmp_path, timing=False)["failed"] == 0
    rows, said = whole(study.claims(Store(tmp_path), "a command"), Store(tmp_path)), capsys.readouterr().out
    for where in found.MATCHED:
        name = f"nfe_ratio.protein{where}"
        assert (name in rows) != (f"{name}: no interval, at judge" in said)
    runner.run(toy(study.STUDY, nets={"heavy": HEAVY}, arms=[study.STUDY.arms[0]]), tmp_path / "alone", timing=False)
    assert study.claims(Store(tmp_path / "alone"), "a command") == [] and "nfe_ratio.protein: ancestral at 32 steps or ssmd_frozen is not in the store" in capsys.readouterr().out


def test_the_study_is_of_the_frozen_recipe_on_proteins_with_both_controls():
    arms = {arm.name: arm for arm in study.STUDY.arms}
    assert isinstance(study.STUDY.data, Proteins) and {"held_out", "shuffled"} <= set(arms) and study.STUDY.reference == "heavy"
    assert {dict(arm.nets)["main"] for name, arm in arms.items() if name in (found.BASELINE, found.ARM)} == {"heavy", "hybrid_frozen"}
    assert arms["ancestral"].points[2] == Ancestral(32) and arms["ssmd_frozen"].points[0] == SelfSpeculative(Linear(0.125), 10)
    with pytest.raises(ValueError, match="no checkpoint"):
        study.STUDY.nets["heavy"].load("cpu")


def test_the_example_of_the_page_runs_on_a_small_fasta_file(tmp_path, monkeypatch, capsys):
    pytest.importorskip("pyopal")
    sequences = chains(200, 64, 90, seed=4)
    (tmp_path / "mine.fasta").write_text(fasta([f"p{k}" for k in range(200)], sequences))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "example.py").write_text(re.search("```python\n(.*?)```", (ROOT / "docs" / "proteins.md").read_text(), re.DOTALL)[1])
    runpy.run_path("example.py")
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 4 and len(said[0]) == 64 and any(said[0] in s for s in sequences)
    assert said[1].startswith("composition 0.") and said[2].startswith("nearest_identity 0.") and said[3] == "clusters 1.000"
