"""A report of molecules draws its samples, and marks what is none."""

from dataclasses import dataclass

import pytest
import torch

from baselines.first_hitting import FirstHitting
from harness.data.control import HeldOut
from harness.data.moses import Moses
from harness.nets.own import Made, Own
from harness.records.store import Store
from harness.run import runner
from harness.study import Arm, Study
from reports import molecules, samples
from reports.build import build
from tests.test_moses_metrics import GOLDEN, wheels  # noqa: F401    # a fixture
from tests.test_moses_metrics import reference as files  # noqa: F401    # a fixture

pytest.importorskip("rdkit", reason="rdkit is not installed: pip install ssmd-bench[molecules]")


@dataclass(frozen=True)
class Chance(Made):
    """Any character anywhere, so that nothing is a molecule."""

    def make(self, device):
        return Own(lambda x: torch.zeros(*x.shape, Moses.vocab), Moses.vocab, flops_per_token=8, identity="chance")


def test_samples_are_drawn_and_what_is_no_molecule_is_marked(files, tmp_path):    # noqa: F811
    study = Study(name="drawn", question="?", data=files[0], nets={"net": Chance()}, reference="net", metrics=[], n=20,
                  batch=20, arms=[Arm("first_hitting", [FirstHitting()], {"main": "net"}),
                                  Arm("held_out", [HeldOut()])])
    runner.run(study, tmp_path / "run", timing=False)
    page = build([tmp_path / "run"], tmp_path / "out", resamples=100).read_text()
    section = page.partition('id="samples"')[2] or page
    assert section.count("<svg") >= samples.DRAWN and section.count("no molecule</p>") == samples.DRAWN
    assert "Molecules are drawn by RDKit" in page and "misspelt" not in section.partition("</section>")[0]
    assert len(Store(tmp_path / "run").of("counted")) == 2


def test_without_its_file_a_row_still_reads_as_molecules():
    about = {"name": "moses", "version": 1, "ends": True, "sha256": "0"}
    data, text = Moses("nowhere"), GOLDEN["test"][0]
    row = torch.full((58,), Moses.vocab - 1)
    row[: len(text)] = data.encode(text)
    assert samples.reader(about)(row.numpy()).rstrip() == text


@pytest.mark.parametrize("text, drawn", [("CCO", True), ("CCO   ", True), ("CC O", False), ("C1CC", False),
                                         ("", False)])
def test_a_text_with_an_end_inside_is_not_drawn(text, drawn):
    assert molecules.drawing(text).startswith("<svg") == drawn
