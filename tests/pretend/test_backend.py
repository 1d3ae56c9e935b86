"""The pretended device does what CUDA does: refuses, waits, starts kernels."""

import pytest
import torch

from tests.pretend.away import DEVICE, Away
from tests.pretend.device import pretended

X = torch.arange(6.0).view(2, 3)


@pytest.mark.parametrize("mix", [
    lambda x, y: x + y, lambda x, y: torch.cat((x, y)), lambda x, y: torch.where(x > 0, x, y), lambda x, y: x.add_(y),
    lambda x, y: y.add_(x), lambda x, y: x @ y.T, lambda x, y: y[(x > 0).any(1)], lambda x, y: x.gather(1, y.long())],
    ids=["add", "cat", "where", "into the device", "into the cpu", "matmul", "index", "gather"])
def test_devices_are_not_mixed(mix):
    with pretended(), pytest.raises(RuntimeError, match="device|cpu"):
        mix(X.to(DEVICE), X.clone())


def test_one_number_of_the_host_may_take_part_and_indices_are_copied():
    with pretended() as tally:
        x = X.to(DEVICE)
        first = sum(tally.waits.values())
        assert torch.equal((x * torch.tensor(2.0)).inner, X * 2)
        assert sum(tally.waits.values()) == first    # an argument of the kernel
        assert torch.equal(x[torch.tensor([1])].inner, X[1:])
        assert sum(tally.waits.values()) == first + 1


@pytest.mark.parametrize("ask", [
    lambda x: bool((x > 0).all()), lambda x: int(x.max()), lambda x: x.sum().item(), lambda x: x.tolist(),
    lambda x: x.cpu(), lambda x: x.nonzero(), lambda x: x[x > 1], lambda x: torch.equal(x, x),
    lambda x: x.max() > 3 or x, lambda x: torch.tensor([1, 2], device=x.device), lambda x: torch.ones(2).to(x.device)],
    ids=["bool", "int", "item", "tolist", "cpu", "nonzero", "mask", "equal", "or", "tensor", "to"])
def test_the_host_waits(ask):
    with pretended() as tally:
        x = X.to(DEVICE)
        before = tally.waits.copy()
        ask(x)
    more = tally.waits - before
    assert [*more.values()] == [1] and next(iter(more)).startswith("tests/pretend/test_backend.py:")


@pytest.mark.parametrize("work, kernels", [
    (lambda x: x.view(3, 2).T[:1].unsqueeze(0), 0), (lambda x: x[0].expand(4, 3), 0), (lambda x: x + 1, 1),
    (lambda x: x.masked_fill(x > 1, 0.0).sum(1), 3), (lambda x: torch.arange(3, device=x.device), 1),
    (lambda x: x.new_empty(3), 0), (lambda x: torch.ones(2).to(x.device, non_blocking=True), 1)])
def test_kernels_are_counted_and_nobody_waits(work, kernels):
    with torch.inference_mode(), pretended() as tally:
        x = X.to(DEVICE)
        waits, before = tally.waits.copy(), sum(tally.kernels.values())
        assert isinstance(work(x), Away)
    assert tally.waits == waits and sum(tally.kernels.values()) - before == kernels


def test_gradients_are_those_of_the_cpu():
    def slope(device: str):
        w = X.to(device).requires_grad_()
        (w.softmax(1) @ w.T).square().sum().backward()
        return w.grad

    with pretended():
        there = slope(DEVICE)
        assert torch.equal(there.inner, slope("cpu"))
