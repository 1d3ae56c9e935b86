"""Training on the exact likelihood: its tables and its recursion against the ones that report it, its gradient against
differences, and the study at toy size.
"""

from dataclasses import replace

import pytest
import torch

import studies.exact_bound.claims as found
import studies.exact_bound.study as study
from harness.nets import checkpoint
from harness.random import Stream, permutation
from harness.records.store import Store
from harness.run import runner
from harness.schedules.window import Open
from harness.study import Checkpoint
from reports.gallery import shown
from ssmd import likelihood
from tests.test_model import CONFIG, rough
from tests.test_studies import whole

D = 6


def made(n=5):
    """Tables of a network in float32, from either side."""
    net, rows = rough(CONFIG), torch.arange(n)
    x = torch.arange(n * D).view(n, D) * 7 % CONFIG.vocab
    order = permutation(0, rows, Stream.ORDER, D)
    return net, x, order


def test_tables_and_recursion_are_those_that_report_the_likelihood(monkeypatch):
    monkeypatch.setattr(found, "autocast", lambda device: torch.autocast(device, enabled=False))
    net, x, order = made()
    mine, theirs = found.tables(net, x, order), likelihood.tables(net, x, order)
    for a, b in zip(mine, theirs):
        assert torch.allclose(a, b, atol=1e-5)    # equal infinities are close
    assert torch.allclose(found.exact(*theirs), likelihood.recursion(*theirs, Open(), 1), atol=1e-12)
    assert torch.allclose(found.by_loss(*theirs), sum(-theirs[1][:, i, i:].sum(1) / (D - i) for i in range(D)))


def test_the_gradient_is_that_of_differences():
    g = torch.Generator().manual_seed(3)
    late = torch.ones(D, D, dtype=torch.bool).triu()
    p, q = (torch.where(late, torch.rand(2, D, D, generator=g, dtype=torch.float64).log(), likelihood.NEVER)
            for _ in range(2))
    q = torch.where(torch.rand(q.shape, generator=g) < 0.3, p - 0.5, q)    # places where nothing is redrawn
    free = torch.zeros_like(q).requires_grad_()
    assert torch.autograd.gradcheck(lambda shift: found.exact(p, q + shift), (free,))
    (gradient,) = torch.autograd.grad(found.exact(p, q + free).sum(), free)
    assert gradient.isfinite().all() and gradient.abs().sum() > 0


@pytest.fixture
def small(tmp_path, monkeypatch):
    monkeypatch.setattr(found, "STEPS", 20)
    monkeypatch.setattr(found, "SEEDS", (1, 2))
    data = replace(study.STUDY.data, length=8)
    checkpoint.save(rough(replace(CONFIG, vocab=data.vocab)), tmp_path / "net.safetensors", {"name": "net"})
    net = Checkpoint(str(tmp_path / "net.safetensors"))
    return replace(study.STUDY, n=32, data=data, nets={"heavy": net, "hybrid": net})


def test_each_objective_improves_by_its_own_measure_and_leaves_the_draft_alone(small):
    x = small.data.rows("train", 64, 9)
    order = permutation(9, torch.arange(64), Stream.ORDER, 8)
    start = small.nets["hybrid"].load("cpu")
    before = likelihood.tables(start, x, order)
    for objective, value in found.OBJECTIVES.items():
        after = likelihood.tables(found.trained(small.nets["hybrid"].load("cpu"), small.data, objective, 1), x, order)
        assert torch.equal(before[0], after[0]) and value(*after).mean() < value(*before).mean() - 0.05


def test_the_study_at_toy_size_makes_its_claims_and_its_figure(small, tmp_path):
    assert study.claims(Store(tmp_path / "run"), "a command") == []
    assert found.measure(small, Store(tmp_path / "run")) == []
    runner.run(small, tmp_path / "run", timing=False)
    store = Store(tmp_path / "run")
    (record,) = study.measure(small, store)
    rows = whole(study.claims(store, "a command"), store)
    assert rows.keys() == {f"exact_bound.{name}" for name in ("nats", "nats.N10", "passes", "passes.N10",
                                                              "loss_minus_start")}
    assert study.measure(small, store) == [record] and rows["exact_bound.loss_minus_start"]["high"] < 0
    means = {(o, s, r): nats for o, s, r, nats, *_ in record["rows"]}
    assert rows["exact_bound.nats"]["value"] == pytest.approx(sum(means["bound", s, 1] - means["loss", s, 1]
                                                                  for s in (1, 2)) / 2)
    ((_, _, _, caption),) = shown(tmp_path / "run", ["exact_bound"])
    assert "n = 32 held-out rows" in caption
