"""MDLM (arXiv 2406.07524), the repository kuleshov-group/mdlm: `Diffusion._sample` of diffusion.py with the predictor
`ddpm_cache`, its default, over the log-linear noise. The class is loaded with stand-ins for its framework and for its
networks; an object of it is made without its __init__, and given what the loop reads.

Ours of the same kind is ancestral sampling: the chance of a reveal is (t - s) / t in both. Its steps end at t = 1e-5
and what is left, one token in 100,000, gets its likeliest symbol; ours draws it.
"""

from pathlib import Path
from types import SimpleNamespace

import torch
from torch import Tensor

from baselines.ancestral import Ancestral
from studies.peers.laws import Rates, uniform_levels
from studies.peers.load import member, modules
from studies.peers.peer import Passes, Peer, Way, with_mask

STANDINS = ("hydra", "lightning", "torchmetrics", "transformers", "dataloader", "models", "utils")


def way(steps: int) -> Way:
    return Way("ddpm_cache", steps, Rates(uniform_levels(steps)), Ancestral(steps))


def load(folder: Path, name: str = "mdlm") -> Peer:
    (diffusion, noise), digest = modules(folder, ("diffusion", "noise_schedule"), STANDINS)
    kind = member(diffusion, "Diffusion")
    for method in ("_sample", "_ddpm_caching_update", "_subs_parameterization", "forward"):
        member(diffusion, f"Diffusion.{method}")
    loglinear = member(noise, "LogLinearNoise")()

    def run(passes: Passes, mask: int, n: int, length: int, way: Way) -> Tensor:
        model = kind.__new__(kind)
        model.config = SimpleNamespace(
            loader=SimpleNamespace(eval_batch_size=n), model=SimpleNamespace(length=length),
            sampling=SimpleNamespace(steps=way.steps, predictor=way.name, noise_removal=True),
            noise=SimpleNamespace(type="loglinear"))
        model.parameterization, model.sampler, model.neg_infinity = "subs", way.name, -1000000.0
        model.mask_index, model.vocab_size, model.device = mask, mask + 1, torch.device("cpu")
        model.noise, model.backbone, model.time_conditioning = loglinear, passes, False
        return model._sample(way.steps).long()

    return Peer(name, digest, lambda net: lambda x, sigma: with_mask(net.draft(x.long())[0]), run,
                (way(2), way(8)), way(1000), lambda length, steps: way(steps))
