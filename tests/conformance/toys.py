"""Small worlds in which a sampler's law can be listed: an exact joint, a rough hybrid, and the enumerated law of each
method.

States are numbered as in harness.data.exact: 3 symbols, 4 places, 81 sequences.
"""

import copy
from functools import lru_cache
from itertools import permutations, product

import torch
from torch import Tensor

from harness.data.exact import Exact
from harness.metrics.law import null_quantile, total_variation
from harness.nets.tabular import Tabular
from harness.sampling.loop import sample
from ssmd.likelihood import recursion, tables
from ssmd.model import Hybrid, HybridConfig

V, D, N = 3, 4, 8192
DATA = Exact(symbols=V, length=D)
STATES = DATA.states()                                                             # (81, 4)
ORDERS = torch.tensor(list(permutations(range(D))))                                # (24, 4)
MASK = V


def table_nets() -> dict:
    net = Tabular(DATA.law(), V, D)
    return {"main": net, "light": net.flat()}


@lru_cache
def hybrid(seed: int = 0) -> Hybrid:
    """Random weights, causal output projections away from zero: p and q differ, and neither comes from a joint."""
    torch.manual_seed(seed)
    net = Hybrid(HybridConfig(vocab=V, width=16, heads=2, blocks=1)).eval()
    for name, p in net.named_parameters():
        if p.dim() == 2:
            torch.nn.init.normal_(p, std=1.0 if "embed" in name or "head" in name else 0.5)
    return net.requires_grad_(False).double()


def drawn(sampler, nets: dict, n: int = N, batch: int = 1024, seed: int = 0, prompts: Tensor | None = None) -> Tensor:
    prompts = torch.full((n, D), MASK) if prompts is None else prompts
    return sample(sampler, nets, prompts, seed, batch)


def distance(sampler, nets: dict, law: Tensor, n: int = N, seed: int = 0) -> tuple[float, float]:
    """Total variation between the sampler's histogram and a law, and its 99.99 % null quantile."""
    nets = {name: single(net) for name, net in nets.items()}
    counts = torch.bincount(DATA.index(drawn(sampler, nets, n, seed=seed)), minlength=len(STATES))
    return total_variation(counts, law), null_quantile(law, n, draws=250)


@lru_cache
def single(net):
    """The same network in float32, for tests by counts of rows: a third faster, and hardly a token is another."""
    return copy.deepcopy(net).float() if isinstance(net, torch.nn.Module) else net


def ssmd_law(net, window, rounds: int, orders: Tensor = ORDERS) -> Tensor:
    """Mean of the likelihood recursion over orders, all 24 alike or some, (81,)."""
    x, order = STATES.repeat_interleave(len(orders), 0), orders.repeat(len(STATES), 1)
    logp, logq = tables(net, x, order, batch=4096)
    return recursion(logp, logq, window, rounds).exp().view(len(STATES), len(orders)).mean(1)


def subset_table(net) -> Tensor:
    """log p(x_l | x at the places in S), (2**D, 81, D); S as a bit set."""
    seen = torch.tensor(list(product((0, 1), repeat=D)), dtype=torch.bool).flip(1)  # (16, D), bit l of the row number
    x = torch.where(seen[:, None], STATES, MASK)                                           # (16, 81, D)
    logits, _ = net.draft(x.view(-1, D))
    return logits.double().log_softmax(-1).view(16, 81, D, V).gather(-1, STATES.expand(16, 81, D)[..., None])[..., 0]


def grouped_law(tables_: list[Tensor], groups: list[list[int]]) -> Tensor:
    """The law when groups of places are revealed one after another, factorised inside a group; tables_[g] is the
    network of group g.
    """
    logp, seen = torch.zeros(len(STATES), dtype=torch.float64), 0
    for table, group in zip(tables_, groups):
        logp += sum((table[seen, :, l] for l in group), torch.zeros(len(STATES), dtype=torch.float64))
        seen += sum(1 << l for l in group)
    return logp.exp()


def ordered_law(pick, sizes: list[int]) -> Tensor:
    """Uniform order, groups of `sizes`; pick(i) is the subset table used when i places are revealed."""
    starts = [sum(sizes[:k]) for k in range(len(sizes))]
    laws = [grouped_law([pick(s) for s in starts], [order[s : s + w].tolist() for s, w in zip(starts, sizes)])
            for order in ORDERS]
    return torch.stack(laws).mean(0)


def stepped_law(pick, levels: list[float]) -> Tensor:
    """Independent reveal steps with P(step <= n) = levels[n]; pick(n) is the subset table used in step n."""
    share = [b - a for a, b in zip([0.0, *levels], levels)]
    law = torch.zeros(len(STATES), dtype=torch.float64)
    for steps in product(range(len(levels)), repeat=D):
        groups = [[l for l in range(D) if steps[l] == n] for n in range(len(levels))]
        weight = torch.tensor([share[n] for n in steps]).prod().item()
        law += weight * grouped_law([pick(n) for n in range(len(levels))], groups)
    return law
