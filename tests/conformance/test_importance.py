"""The additive bound of model scheduling, exactly, for every placement on the toy; and the estimator of its terms."""

from itertools import product

import pytest
import torch

from harness.kinds import Rows
from harness.sampling.reveal import reveal_times
from harness.schedules.placement import Sandwich, Segments
from studies.analysis.additive_bound import centres, gaps, predicted_loss
from tests.conformance.toys import MASK, ORDERS, STATES, D, hybrid, ordered_law, subset_table, table_nets


def law_tables(net):
    """Log laws of every position given every visible set, (16, 81, D, 3)."""
    seen = torch.tensor(list(product((0, 1), repeat=D)), dtype=torch.bool).flip(1)
    logits, _ = net.draft(torch.where(seen[:, None], STATES, MASK).view(-1, D))
    return logits.double().log_softmax(-1).view(16, 81, D, 3)


def kl_of_steps(heavy, light) -> list[float]:
    """Expected KL at the position revealed in each of the four steps, on the all-heavy sampler's own states, by
    enumeration.
    """
    h, q, table = law_tables(heavy), law_tables(light), subset_table(heavy)
    found = [0.0] * D
    for order in ORDERS.tolist():
        path, seen = torch.zeros(81, dtype=torch.float64), 0
        for i, place in enumerate(order):
            p = h[seen, :, place]
            kl = torch.where(p == -torch.inf, 0.0, p.exp() * (p - q[seen, :, place])).sum(-1)     # (81,)
            hidden = 3 ** (D - i)  # each visible state occurs so often among the 81
            found[i] += float((path.exp() * kl).sum()) / hidden / len(ORDERS)
            path, seen = path + table[seen, :, place], seen | 1 << place
    return found


@pytest.mark.parametrize("nets", ["consistent joints", "rough networks"])
def test_the_true_loss_of_every_placement_stays_under_the_sum_of_its_steps(nets):
    heavy, light = table_nets().values() if nets == "consistent joints" else (hybrid(0), hybrid(1))
    step, tables_ = kl_of_steps(heavy, light), (subset_table(heavy), subset_table(light))
    truth = ordered_law(lambda i: tables_[0], [1] * D)
    ratios = []
    for light_steps in product((0, 1), repeat=D):
        law = ordered_law(lambda i, on=light_steps: tables_[on[i]], [1] * D)
        true = float((truth * (truth / law).log()).sum())
        bound = sum(k for k, on in zip(step, light_steps) if on)
        assert true <= bound + 1e-12
        ratios.append(true / bound if bound else 1.0)
    assert min(ratios) < 0.9, "the path says more than the text"
    if nets == "consistent joints":
        assert abs(ratios[-1] - 1) < 1e-9, "all light: equality for consistent joints, one token a step"
    else:
        assert ratios[-1] < 0.999


def test_the_estimator_on_own_states_equals_the_enumeration():
    from baselines.first_hitting import FirstHitting
    from harness.sampling.loop import sample

    heavy, light, n = hybrid(0), hybrid(1), 6000
    x = sample(FirstHitting(), {"main": heavy}, torch.full((n, D), MASK), 0, 1000)
    rows = Rows(x, torch.zeros_like(x, dtype=torch.bool), torch.arange(n), torch.zeros(n, dtype=torch.int64), 0, {})
    ranks = reveal_times(rows).argsort(1).argsort(1).double()  # rank as time: exactly i visible at alpha = i
    found = gaps(heavy, light, x, ranks, torch.arange(D, dtype=torch.float64), batch=2000)
    share = found.kl / found.masked.clamp_min(1)  # mean over masked positions: the one revealed is uniform
    for i, exact in enumerate(kl_of_steps(heavy, light)):
        assert abs(share[:, i].mean() - exact) < 4 * share[:, i].std() / n**0.5 + 1e-9


def test_equal_networks_have_no_gap_and_sums_are_ratios_of_sums():
    net = hybrid(0)
    times = torch.rand(50, D, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = gaps(net, net, STATES[:50], times, centres(4))
    assert float(found.kl.abs().max()) < 1e-12 and float(found.gap.abs().max()) < 1e-12
    assert torch.equal(found.masked, torch.stack([(times >= a).sum(1).double() for a in centres(4)], 1))


def test_a_placement_is_charged_for_its_light_pieces_only():
    kl = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], dtype=torch.float64)
    assert predicted_loss(kl, Sandwich(0.25)) == predicted_loss(kl, Segments((0, 7), 8)) == 9 / 8
