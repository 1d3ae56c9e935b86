"""Texts of one place: every sampler writes them by their law."""

import pytest
import torch

from harness import plugins
from harness.checks.conformance import variants
from harness.data.exact import Exact
from harness.metrics.law import null_quantile, total_variation
from harness.run.cell import cells_of
from harness.run.runner import count
from harness.study import Arm, Study, Table

DATA = Exact(length=1)
N = 512


def counted(sampler):
    roles = {need.partition(".")[0] for need in sampler.needs}
    nets = {"heavy": Table(DATA), "light": Table(DATA, 0.5)}
    arm = Arm("one", [sampler], {role: "light" if role == "light" else "heavy" for role in roles})
    study = Study(name="one", question="?", data=DATA, nets=nets, reference="heavy", arms=[arm], metrics=[], n=N,
                  batch=100)
    return count(cells_of(study)[0])


@pytest.mark.parametrize("name", sorted(plugins.samplers()))
def test_a_sampler_writes_texts_of_one_place_by_their_law(name):
    for sampler in variants(plugins.samplers()[name]()):
        found = counted(sampler)
        assert found.record["status"] == "done", (sampler, found.record["reason"])
        rows = torch.from_numpy(found.arrays["samples"].astype("int64"))
        assert rows.shape == (N, 1) and int(rows.max()) < DATA.vocab and found.record["cost"]["tokens"] >= N
        if sampler.exact() == sampler:
            distance = total_variation(torch.bincount(DATA.index(rows), minlength=DATA.vocab), DATA.law())
            assert distance < null_quantile(DATA.law(), N), sampler
