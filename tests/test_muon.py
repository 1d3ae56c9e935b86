"""Muon with its iteration in float32 and in bfloat16 against torch's own, which iterates in bfloat16."""

import pytest
import torch

from ssmd.train.muon import Muon, orthogonal


def test_singular_values_become_alike():
    for shape in ((3, 24, 24), (2, 96, 24), (2, 24, 96)):
        values = torch.linalg.svdvals(orthogonal(torch.randn(shape, generator=torch.Generator().manual_seed(0),
                                                             dtype=torch.float64), steps=10))
        assert values.min() > 0.5 and values.max() < 1.5


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_the_rule_is_that_of_torch(dtype):
    start = [torch.randn(shape, generator=torch.Generator().manual_seed(k)) for k,
             shape in enumerate([(24, 24), (96, 24), (24, 96), (24, 24)])]
    gradients = [[torch.randn(p.shape, generator=torch.Generator().manual_seed(10 * t + k)) for k,
                  p in enumerate(start)] for t in range(4)]
    ends = []
    for build in (lambda p: Muon(p, lr=0.02, weight_decay=0.1, dtype=dtype),
                  lambda p: torch.optim.Muon(p, lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")):
        params = [torch.nn.Parameter(p.clone()) for p in start]
        optimiser = build(params)
        for step in gradients:
            for p, g in zip(params, step):
                p.grad = g.clone()
            optimiser.step()
        ends.append(params)
    for mine, theirs, begun in zip(*ends, start):
        assert (mine - theirs).norm() < 0.03 * (theirs - begun).norm()      # bfloat16 has 8 bits
    if dtype == torch.float32:
        assert (ends[0][0] - ends[1][0]).abs().max() > 0                    # and is not what runs here
