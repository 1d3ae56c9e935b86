"""A report of proteins names the family that each of its samples looks most like."""

from dataclasses import dataclass

import pytest
import torch

from baselines.first_hitting import FirstHitting
from harness.data.control import HeldOut
from harness.nets.own import Made, Own
from harness.run import runner
from harness.study import Arm, Study
from reports.build import build
from reports.families import families
from tests.test_protein_metrics import data  # noqa: F401    # a fixture
from tests.test_report_matched import plain  # noqa: F401    # a fixture

pytest.importorskip("pyhmmer", reason="pyhmmer is not installed: pip install ssmd-bench[proteins]")
STRANGER = "of no known family"


@dataclass(frozen=True)
class Chance(Made):
    """Any residue anywhere."""

    def make(self, device):
        return Own(lambda x: torch.zeros(*x.shape, 20), 20, flops_per_token=8, identity="chance")


def test_a_relative_has_its_family_and_a_stranger_none(data):    # noqa: F811
    known = data.decode(data.rows("train", 40, 0))
    told = families(data, [*known, "ACDEFGHIKLMNPQRSTVWY" * 3])
    named = [text for text in told if text != STRANGER]
    assert named and all(text.startswith("family F") and text.endswith(" bits") for text in named)
    assert told[-1] == STRANGER and families(object(), known) == [] == families(data, [])


def test_a_page_of_proteins_has_the_families(data, tmp_path, plain):    # noqa: F811
    study = Study(name="kin", question="?", data=data, nets={"net": Chance()}, reference="net", metrics=[], n=8,
                  batch=8, arms=[Arm("first_hitting", [FirstHitting()], {"main": "net"}), Arm("held_out", [HeldOut()])])
    runner.run(study, tmp_path / "run", timing=False)
    section = build([tmp_path / "run"], tmp_path / "out", resamples=100).read_text().partition("samples\">Samples<")[2]
    assert "the family of known ones" in section and section.count(STRANGER) >= 3 and "misspelt" not in section
