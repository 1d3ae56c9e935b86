"""The recursion: it sums to one, equals a slow reference and a forward recursion, and its bounds are bounds."""

import pytest
import torch

from harness.schedules.window import Cosine, Fixed, Open
from ssmd.likelihood import accepted_and_replaced, masked_bound, over_orders, recursion, tables
from tests.conformance.toys import ORDERS, STATES, hybrid, ordered_law, ssmd_law, subset_table


def random_tables(n: int, D: int, V: int, seed: int = 0):
    """Consistent tables for every sequence: p and q of each (i, k) are laws over V; q depends on the tokens at
    i..k-1.
    """
    g = torch.Generator().manual_seed(seed)
    states = torch.cartesian_prod(*[torch.arange(V)] * D)
    logp, logq = (torch.full((len(states), D, D), float("-inf"), dtype=torch.float64) for _ in range(2))
    laws: dict = {}
    for s, x in enumerate(states.tolist()):
        for i in range(D):
            for k in range(i, D):
                p = laws.setdefault(("p", i, k, tuple(x[:i])), torch.rand(V, generator=g, dtype=torch.float64) ** 2)
                q = laws.setdefault(("q", i, k, tuple(x[:k])), torch.rand(V, generator=g, dtype=torch.float64) ** 2)
                logp[s, i, k], logq[s, i, k] = (p / p.sum())[x[k]].log(), (q / q.sum())[x[k]].log()
    return logp, logq


def slow(logp, logq, window, rounds: int) -> float:
    """The sampler's paths, one at a time, in linear space."""
    D = len(logp)
    p, q = logp.exp(), logq.exp()

    def outer(i: int) -> float:
        return 1.0 if i == D else inner(i, i, 1)

    def inner(i: int, j: int, n: int) -> float:
        e = i + int(window.width(torch.tensor([i]), D)[0])
        total, kept = 0.0, 1.0
        for k in range(j, e):
            a, r = min(p[i, k], q[i, k]).item(), max(0.0, (q[i, k] - p[i, k]).item())
            total += kept * r * (inner(i, k + 1, n + 1) if n < rounds and k + 1 < e else outer(k + 1))
            kept *= a
        return total + kept * outer(e)

    return outer(0)


CASES = [(w, r) for w in (Open(), Cosine(0.3), Fixed(2), Fixed(1)) for r in (1, 2, 3, 10)]


@pytest.mark.parametrize("window, rounds", CASES, ids=str)
def test_the_recursion_sums_to_one_over_all_sequences_of_five_tokens(window, rounds):
    logp, logq = random_tables(243, 5, 3)
    assert abs(recursion(logp, logq, window, rounds).exp().sum() - 1) < 1e-9


@pytest.mark.parametrize("window, rounds", CASES, ids=str)
def test_log_space_equals_linear_space(window, rounds):
    logp, logq = random_tables(16, 4, 2)
    fast = recursion(logp, logq, window, rounds).exp()
    assert torch.allclose(fast, torch.tensor([slow(a, b, window, rounds) for a, b in zip(logp, logq)],
                                             dtype=torch.float64), atol=1e-12)


def test_forward_equals_backward():
    """R_k = sum_{i<k} R_i (prod a) r;  p(x) = R_D + sum_i R_i prod a: the basic form, N = 1 and an open window."""
    logp, logq = random_tables(243, 5, 3)
    a, r = (t.exp() for t in accepted_and_replaced(logp, logq))
    D = 5
    R = torch.zeros(243, D + 1, dtype=torch.float64)
    R[:, 0] = 1
    for k in range(1, D + 1):
        R[:, k] = sum(R[:, i] * a[:, i, i : k - 1].prod(-1) * r[:, i, k - 1] for i in range(k))
    forward = R[:, D] + sum(R[:, i] * a[:, i, i:].prod(-1) for i in range(D))
    assert torch.allclose(forward, recursion(logp, logq, Open(), 1).exp(), atol=1e-12)


def test_enough_rounds_give_the_product_of_the_targets():
    logp, logq = random_tables(243, 5, 3)
    assert torch.allclose(recursion(logp, logq, Open(), 5), logq[:, 0].sum(-1), atol=1e-9)


def test_a_window_of_one_gives_the_product_of_the_next_targets():
    logp, logq = random_tables(243, 5, 3)
    assert torch.allclose(recursion(logp, logq, Fixed(1), 1), logq.diagonal(dim1=1, dim2=2).sum(-1), atol=1e-9)


def test_probabilities_of_zero_make_no_nan():
    logp, logq = random_tables(243, 5, 3)
    logp[::2, 1, 2], logq[::3, 1, 2], logq[::5, 0, 0] = float("-inf"), float("-inf"), float("-inf")
    assert not bool(recursion(logp, logq, Open(), 3).isnan().any())


def test_three_hundred_nats_do_not_underflow():
    logp = torch.full((1, 256, 256), -30.0, dtype=torch.float64).triu() + torch.full((256, 256), float("-inf")).tril(-1)
    assert abs(recursion(logp, logp.clone(), Open(), 1).item() + 30 * 256) < 1e-6


def test_the_masked_bound_is_below_the_likelihood_of_first_hitting():
    net = hybrid()
    table = subset_table(net)
    truth = ordered_law(lambda i: table, [1] * 4).log()                            # (81,)
    x, order = STATES.repeat_interleave(24, 0), ORDERS.repeat(81, 1)
    bound = masked_bound(tables(net, x, order, causal=False)[0]).view(81, 24).mean(1)
    assert bool((bound <= truth + 1e-12).all()) and float((truth - bound).max()) > 1e-3


def test_more_orders_tighten_the_bound_up_to_the_likelihood():
    net = hybrid()
    x, order = STATES.repeat_interleave(24, 0), ORDERS.repeat(81, 1)
    each = recursion(*tables(net, x, order), Open(), 2).view(81, 24).T             # (24, 81)
    whole = over_orders(each)
    assert torch.allclose(whole, ssmd_law(net, Open(), 2).log(), atol=1e-9)
    assert bool((each.mean(0) <= whole + 1e-12).all())
