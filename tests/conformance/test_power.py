"""The sharp law test sees a total variation of .003, and the float32 race; exact samplers pass it."""

import pytest
import torch

import baselines.fused_float32 as fused
from baselines.first_hitting import FirstHitting
from baselines.fused_float32 import FusedFloat32
from baselines.light_heavy import LightHeavy
from baselines.speculative import Speculative
from harness.__main__ import main
from harness.checks import power
from harness.metrics.law import null_quantile
from harness.random import Stream, categorical, uniform
from harness.schedules.window import Fixed, Open
from ssmd.sampler import SelfSpeculative
from ssmd.unverified import Unverified

LAW = power.SMALL.law()


def drawn(law: torch.Tensor, n: int, seed: int = 0) -> torch.Tensor:
    return torch.bincount(categorical(law, uniform(seed, torch.tensor([1]), Stream.TOKEN, torch.arange(n))[0]),
                          minlength=len(law))


@pytest.mark.parametrize("sampler", [FirstHitting(), SelfSpeculative(Open(), 2), SelfSpeculative(Fixed(2), 1),
                                     LightHeavy(3), Speculative(2), Unverified(Fixed(3))], ids=str)
def test_exact_samplers_pass(sampler):
    verdict = power.sharp(sampler, 1 << 16)
    assert verdict is not None and verdict.passed and verdict.claim == "exact"


@pytest.mark.parametrize("seed", range(5))
def test_a_bias_of_three_in_a_thousand_is_seen_and_was_not(seed):
    """Moved from one common state to another, the direction that a fair chi-square sees least."""
    n = power.ROWS
    assert power.smallest_seen(len(LAW), n) < 0.003
    wrong = LAW.clone()
    wrong[[7, 1]] += torch.tensor([0.003, -0.003], dtype=torch.float64)
    assert power.pearson(drawn(wrong, n, seed), LAW)[1] < power.LEVEL
    assert power.pearson(drawn(LAW, n, seed), LAW)[1] > power.LEVEL
    assert null_quantile(LAW, 8192) > 0.01    # the test of 8,192 rows lets it pass


def test_the_p_value_is_uniform_under_the_law():
    found = torch.tensor([power.pearson(drawn(LAW, 1 << 16, seed), LAW)[1] for seed in range(200)])
    assert 0.35 < found.mean() < 0.65 and 0.1 < (found < 0.25).float().mean() < 0.4


def test_the_race_in_float32_is_seen(monkeypatch):
    """A grid of 2**-13 shows in 8 steps what 2**-24 shows in 16,384."""
    race = FusedFloat32(8)
    assert power.rare(race.exact()) > power.LEVEL and power.rare(race) > power.LEVEL
    monkeypatch.setattr(fused, "GRID", 2.0**-13)
    assert power.rare(race) < power.LEVEL


def test_from_the_command_line(capsys):
    assert main(["verify", "first_hitting", "--sharp", "--rows", "4096"]) == 0
    assert "total variation seen" in capsys.readouterr().out
