"""Windows and schedules against a table computed by hand and their own definitions."""

import pytest
import torch

from harness.schedules import noise as schedule
from harness.schedules import window


def rounds(kind, length: int) -> int:
    i, count = 0, 0
    while i < length:
        i += int(kind.width(torch.tensor([i]), length)[0])
        count += 1
    return count


@pytest.mark.parametrize("length, counts", [(128, (128, 122, 71, 40, 22, 12)), (256, (256, 141, 80, 44, 24, 12)),
                                            (1024, (373, 174, 92, 49, 25, 12))])
def test_cosine_windows_take_the_rounds_of_the_table(length, counts):
    assert tuple(rounds(window.Cosine(d), length) for d in (0.002, 0.005, 0.01, 0.02, 0.04, 0.083)) == counts


@pytest.mark.parametrize("length, counts", [(256, (256, 128, 86, 43, 24, 12)), (1024, (342, 171, 94, 49, 25, 13))])
def test_linear_windows_take_the_rounds_of_the_table(length, counts):
    assert tuple(rounds(window.Linear(d), length) for d in (0.002, 0.005, 0.01, 0.02, 0.04, 0.083)) == counts


def test_stairs_end_at_their_shares_of_the_text_and_must_rise():
    stairs = window.Stairs((0.1, 0.35, 1.0))
    assert stairs.width(torch.tensor([0, 5, 10, 12, 34, 35, 99]), 100).tolist() == [10, 5, 25, 23, 1, 65, 1]
    assert torch.equal(window.Stairs((1.0,)).width(torch.arange(9), 9), window.Open().width(torch.arange(9), 9))
    for ends in ((), (0.5,), (0.6, 0.5, 1.0), (0.0, 1.0)):
        with pytest.raises(ValueError, match="must rise"):
            window.Stairs(ends)


@pytest.mark.parametrize("delta, length, first", [(0.083, 256, (3, 8, 12, 16, 20, 23)), (0.083, 1024, (9, 27, 44, 60)),
                                                  (0.01, 256, (1,) * 8)])
def test_first_windows_are_those_of_the_table(delta, length, first):
    i, found = 0, []
    for _ in first:
        found.append(int(window.Cosine(delta).width(torch.tensor([i]), length)[0]))
        i += found[-1]
    assert tuple(found) == first


@pytest.mark.parametrize("kind", [window.Cosine(0.05), window.Linear(0.05), window.Fixed(7), window.Open(),
                                  window.Stairs((0.1, 0.35, 1.0))])
@pytest.mark.parametrize("length", [1, 2, 37, 128])
def test_a_width_lies_between_one_and_what_is_left_and_depends_on_the_row_alone(kind, length):
    i = torch.arange(length)
    width = kind.width(i, length)
    assert bool(((width >= 1) & (width <= length - i)).all())
    assert all(int(kind.width(i[k : k + 1], length)[0]) == int(width[k]) for k in range(length))


@pytest.mark.parametrize("kind", [schedule.Linear(), schedule.Cosine(), schedule.Polynomial(0.5),
                                  schedule.Polynomial(3.0), schedule.Knots((0.0, 0.1, 0.5, 1.0))])
def test_schedules_fall_from_one_to_zero_with_the_stated_slope_and_inverse(kind):
    t = torch.linspace(0, 1, 101, dtype=torch.float64)
    alpha = kind.alpha(t)
    assert alpha[0] == 1 and alpha[-1] == 0 and bool((alpha.diff() < 0).all())
    assert torch.allclose(kind.inverse(alpha), t, atol=1e-6)
    inner = t[10:-10].requires_grad_()
    slope = (
        torch.autograd.grad(kind.alpha(inner).sum(), inner)[0]
        if not isinstance(kind, schedule.Linear)
        else -torch.ones_like(inner)
    )
    assert torch.allclose(kind.dalpha(inner.detach()), slope, atol=1e-9)


def test_the_slope_at_time_zero_is_its_limit_there():
    zero = torch.zeros(1, dtype=torch.float64)
    assert [schedule.Polynomial(k).dalpha(zero).item() for k in (0.5, 1.0, 3.0)] == [-torch.inf, -1.0, 0.0]


def test_step_shares_of_the_cosine_grid_are_not_token_shares():
    c = schedule.Cosine()
    assert round(float(c.alpha(torch.tensor(0.875))), 3) == 0.019
    assert round(float(1 - c.alpha(torch.tensor(0.125))), 3) == 0.195


def test_a_value_outside_its_range_is_refused_with_the_range():
    with pytest.raises(ValueError, match="0.001..1"):
        window.Cosine(2.0)
