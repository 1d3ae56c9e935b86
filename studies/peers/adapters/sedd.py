"""SEDD (arXiv 2310.16834), the repository louaaron/Score-Entropy-Discrete-Diffusion: the loop of `get_pc_sampler` of
sampling.py with the predictor `analytic` (Tweedie tau-leaping) on the absorbing graph, log-linear noise.

Its network tells log scores: log p(v) - log(exp(sigma) - 1) of a masked position, 0 of the token that stands there
(arXiv 2406.03736). Ours of the same kind is ancestral sampling; what is left at t = 1e-5 is drawn in both.
"""

from pathlib import Path

from torch import Tensor

from baselines.ancestral import Ancestral
from harness.kinds import Denoiser
from studies.peers.laws import Rates, uniform_levels
from studies.peers.load import member, modules
from studies.peers.peer import Passes, Peer, Way, with_mask


class Score:
    """What the loop takes for its network."""

    def __init__(self, passes: Passes):
        self.passes = passes

    def eval(self) -> "Score":
        return self

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
        return self.passes(x, sigma)


def scores(net: Denoiser):
    """(x (B, L), sigma (B,)) -> log scores (B, L, V + 1) float32."""
    def network(x: Tensor, sigma: Tensor) -> Tensor:
        p = net.draft(x)[0].float().log_softmax(-1)                                # (B, L, V)
        return with_mask(p - sigma.expm1().log()[:, None, None]).scatter(-1, x[..., None], 0.0)

    return network


def way(steps: int) -> Way:
    return Way("analytic", steps, Rates(uniform_levels(steps)), Ancestral(steps))


def load(folder: Path, name: str = "sedd") -> Peer:
    (sampling, graphs, noise), digest = modules(folder, ("sampling", "graph_lib", "noise_lib"), (), ("model",))
    sampler, absorbing = member(sampling, "get_pc_sampler"), member(graphs, "Absorbing")
    loglinear = member(noise, "LogLinearNoise")()

    def run(passes: Passes, mask: int, n: int, length: int, way: Way) -> Tensor:
        return sampler(graph=absorbing(mask), noise=loglinear, batch_dims=(n, length), predictor=way.name,
                       steps=way.steps)(Score(passes))

    return Peer(name, digest, scores, run, (way(2), way(8)), way(1000), lambda length, steps: way(steps))
