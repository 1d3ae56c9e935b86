"""The float32 race: its law against the published table, against the arm itself, and positions-first as the remedy."""

import pytest
import torch

import baselines.fused_float32 as fused
from baselines.ancestral import Ancestral
from harness.sampling.loop import sample

V = 50_257
ZIPF = 1 / torch.arange(1, V + 1, dtype=torch.float64)
ZIPF = ZIPF / ZIPF.sum()
TABLE = {    # entropy of revealed tokens, reveal probability relative to exact, at t = .9 / .5 / .1 (computed)
    32: ((7.38, 0.96), (7.46, 0.98), (7.55, 1.00)), 128: ((6.90, 0.88), (7.16, 0.92), (7.48, 0.98)),
    512: ((6.10, 0.76), (6.45, 0.81), (7.24, 0.94)),
    1000: ((5.71, 0.70), (6.06, 0.75), (6.97, 0.89)), 4096: ((4.85, 0.58), (5.21, 0.63), (6.17, 0.77)),
}


def entropy(p: torch.Tensor) -> float:
    p = p / p.sum()
    return float(-(p * p.clamp_min(1e-300).log()).sum())


@pytest.mark.parametrize("steps", TABLE)
def test_the_race_loses_the_entropy_of_the_table(steps):
    for t, (nats, relative) in zip((0.9, 0.5, 0.1), TABLE[steps]):
        law = fused.race_law(ZIPF, t, t - 1 / steps)
        assert abs(entropy(law) - nats) < 0.015 and abs(float(law.sum()) * steps * t - relative) < 0.011


class Zipf:
    """Every position has the same law, whatever is revealed."""

    vocab = mask = 40

    def draft(self, x, at=None, alive=None, clock=None):
        return (-torch.arange(1.0, 41).log() * 1.5).expand(*at.shape, 40), x


def test_the_arm_follows_the_law_of_its_race_on_a_coarse_grid(monkeypatch):
    """A grid of 2**-9 shows at 40 tokens what 2**-24 shows at 50,257."""
    monkeypatch.setattr(fused, "GRID", 2.0**-9)
    steps, n = 8, 20_000
    p = torch.softmax(-torch.arange(1.0, 41).double().log() * 1.5, 0)
    x = sample(fused.FusedFloat32(steps), {"main": Zipf()}, torch.full((n, 1), 40), 0, 4096)
    left, expected = 1.0, torch.zeros(40, dtype=torch.float64)
    for k in range(steps):
        law = p if k == steps - 1 else fused.race_law(p, 1 - k / steps, 1 - (k + 1) / steps)
        expected += left * law
        left *= 1 - float(law.sum())
    share = torch.bincount(x[:, 0], minlength=40).double() / n
    drift = 0.5 * (share - expected / expected.sum()).abs().sum()
    assert drift < 0.03 < 0.5 * (share - p).abs().sum(), "the arm is near its race and away from the true law"


def test_positions_first_loses_nothing():
    x = sample(Ancestral(8), {"main": Zipf()}, torch.full((20_000, 1), 40), 0, 4096)
    p = torch.softmax(-torch.arange(1.0, 41).double().log() * 1.5, 0)
    assert 0.5 * (torch.bincount(x[:, 0], minlength=40) / 20_000 - p).abs().sum() < 0.02
