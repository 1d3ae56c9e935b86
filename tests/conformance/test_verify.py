"""`verify` passes every shipped sampler in all its choices, and fails one that lies."""

from dataclasses import dataclass, replace

import pytest
import torch

from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from harness.checks.conformance import table, variants, verify
from harness.plugins import samplers
from harness.schedules.window import Fixed

STEPS = 16    # of all but the first choice of a sampler, whose default is 64


def short(sampler):
    return replace(sampler, steps=STEPS) if getattr(sampler, "steps", 0) > STEPS else sampler


SHIPPED = [v if k == 0 else short(v) for _, cls in sorted(samplers().items()) for k, v in enumerate(variants(cls()))]


@pytest.mark.parametrize("sampler", SHIPPED, ids=str)
def test_every_shipped_sampler_in_every_choice_conforms(sampler):
    assert verify(sampler, n=2048).passed


@dataclass(frozen=True)
class Boastful(FixedCount):
    """Two tokens a pass, and claims to be exact."""

    def exact(self):
        return self


@dataclass(frozen=True)
class Forgetful(FirstHitting):
    """Rewrites what was given."""

    def step(self, nets, rows):
        after = super().step(nets, rows)
        return after._replace(x=torch.where(rows.given, 0, after.x))


def test_a_sampler_that_claims_too_much_fails():
    verdict = verify(Boastful(Fixed(2)))
    assert not verdict.passed and verdict.limit > verdict.quantile
    assert "FAIL" in table([verdict])


def test_a_sampler_that_overwrites_prompts_is_caught():
    with pytest.raises(AssertionError, match="changed given tokens"):
        verify(Forgetful())
