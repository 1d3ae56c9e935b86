"""Samplers that decide for each row how many tokens a pass may write: EB, threshold, KLASS. Their rules are followed
state by state, their bounds and limits hold.
"""

from functools import partial

import pytest
import torch

from baselines.ancestral import Ancestral
from baselines.entropy_bounded import EntropyBounded
from baselines.klass import KLASS
from baselines.ordered import Ordered
from baselines.threshold import Threshold
from harness.kinds import Rows
from harness.metrics.law import total_variation
from harness.random import Stream, uniform
from harness.sampling.loop import sample
from harness.schedules.certainty import Confidence, Entropy, Margin
from tests.conformance.paths import Rough, Same, entropy, group_law, named, same, surest
from tests.conformance.test_guards import Given
from tests.conformance.test_invariance import MASK as SYMBOLS
from tests.conformance.test_invariance import L, nets, prompts
from tests.conformance.test_ledger import metered
from tests.conformance.toys import DATA, MASK, STATES, D, N, V, distance, drawn, table_nets

PROXIES = (Entropy(), Confidence(), Margin())
SAMPLERS = [EntropyBounded(2.0), Threshold(0.4), Threshold(0.4, "drawn"),
            KLASS(10, confidence=0.4, kl=0.03, tokens="drawn")]


def bounded(masked, seen, by: str, gamma: float) -> list[int]:
    order, h = surest(masked, seen[-1], by), [entropy(p) for p in seen[-1]]
    sizes = [k for k in range(1, len(order) + 1)
             if sum(h[l] for l in order[:k]) - max(h[l] for l in order[:k]) <= gamma]
    return order[: max(sizes)]


def above(masked, seen, tau: float) -> list[int]:
    return [l for l in masked if max(seen[-1][l]) >= tau] or surest(masked, seen[-1], "confidence")[:1]


def settled(masked, seen, history: int, k: int = 1, confidence: float = 0.5, kl: float = 0.4) -> list[int]:
    # KL(now || before)
    moves = [[(b[l] * (b[l] / a[l]).log()).sum() for l in range(D)] for a, b in zip(seen, seen[1:])]
    ready = [l for l in masked if max(seen[-1][l]) > confidence and len(moves) >= history
             and all(m[l] < kl for m in moves[-history:])]
    return ready or surest(masked, seen[-1], "confidence")[:k]


def klass(history: int, steps: int = D) -> KLASS:
    return KLASS(steps, confidence=0.5, kl=0.4, history=history, tokens="drawn")


ROUGH = Rough(spread=3.0)
RULES = [*((EntropyBounded(g, by), partial(bounded, by=by.name, gamma=g)) for by,
           g in ((Entropy(), 0.7), (Entropy(), 1.0), (Confidence(), 0.7), (Margin(), 1.0))),
         *((Threshold(t, "drawn"), partial(above, tau=t)) for t in (0.6, 0.8)), (klass(1), partial(settled, history=1)),
         (klass(2), partial(settled, history=2)),
         (klass(1, 2), partial(settled, history=1, k=2))]


@pytest.mark.parametrize("sampler, rule", RULES, ids=named)
def test_drawn_tokens_follow_the_law_of_the_rule(sampler, rule):
    """Under a network without a joint, where every other choice of positions is another law."""
    tv, quantile = distance(sampler, {"main": ROUGH}, group_law(ROUGH, rule), N // 2)
    assert tv < quantile


def test_the_rules_can_be_told_apart():
    laws = [group_law(ROUGH, rule) for _, rule in RULES]
    assert min(total_variation(a, b) for k, a in enumerate(laws) for b in laws[:k]) > 0.05


@pytest.mark.parametrize("sampler, rule, least", [(EntropyBounded(3.0), partial(bounded, by="entropy", gamma=3.0),
                                                   0.15), (Threshold(0.4, "drawn"), partial(above, tau=0.4), 0.15),
                                                  (klass(1), partial(settled, history=1), 0.05)], ids=named)
def test_several_tokens_a_pass_miss_the_joint_by_what_the_rule_says(sampler, rule, least):
    law = group_law(table_nets()["main"], rule)
    tv, quantile = distance(sampler, table_nets(), law)
    assert tv < quantile and total_variation(law, DATA.law()) > least


def test_greedy_tokens_miss_it_entirely():
    for sampler in (Threshold(), Threshold(1.0), KLASS(D), KLASS(1)):
        assert distance(sampler, table_nets(), DATA.law(), 512)[0] > 0.9 and sampler.exact() is None


def test_the_smaller_gamma_the_nearer_to_the_joint():
    far = [total_variation(group_law(table_nets()["main"], partial(bounded, by="entropy", gamma=g)), DATA.law())
           for g in (0.0, 0.7, 1.0, 3.0)]
    assert far[0] < 1e-12 and all(a < b for a, b in zip(far, far[1:]))


@pytest.mark.parametrize("sampler", [*(EntropyBounded(0.0, by) for by in PROXIES), Threshold(1.0, "drawn"),
                                     KLASS(tokens="drawn").exact()], ids=str)
def test_exact_limits_hit_the_noise_floor_also_behind_a_prompt(sampler):
    assert sampler.exact() == sampler
    tv, quantile = distance(sampler, table_nets(), DATA.law(), 2 * N)
    assert tv < quantile
    x = drawn(sampler, table_nets(), prompts=torch.tensor([2, MASK, 0, MASK]).expand(N, D))
    assert bool((x[:, 0] == 2).all() and (x[:, 2] == 0).all())
    fits = (STATES[:, 0] == 2) & (STATES[:, 2] == 0)
    law = torch.where(fits, DATA.law(), 0.0) / DATA.law()[fits].sum()
    # 9 outcomes: the 99.99 % quantile is about 0.022
    assert 0.5 * (torch.bincount(DATA.index(x), minlength=81) / N - law).abs().sum() < 0.03


def test_limits_are_other_samplers_bit_for_bit():
    surest_first = {by: Ordered(D, by=by) for by in PROXIES}
    pairs = [*((EntropyBounded(0.0, by), one) for by, one in surest_first.items()),
             (Threshold(1.0, "drawn"), surest_first[Confidence()]), (EntropyBounded(10.0), Ancestral(1)),
             (Threshold(0.0, "drawn"), Ancestral(1)), (Threshold(1.0), Ordered(D, tokens="greedy")),
             *((KLASS(n, confidence=1.0, tokens=how), Ordered(n, tokens=how)) for n in (1, 2, D)
               for how in ("drawn", "greedy"))]
    for one, other in pairs:
        assert torch.equal(drawn(one, table_nets(), 1024), drawn(other, table_nets(), 1024)), (one, other)


class Joints:
    """A joint of its own for each row, (n, 81)."""

    vocab, mask = V, MASK

    def __init__(self, law):
        self.law = law

    def weights(self, x):
        fits = ((x[:, None] == STATES) | (x[:, None] == MASK)).all(-1)             # (n, 81)
        return self.law * fits / (self.law * fits).sum(1, keepdim=True)

    def draft(self, x, at=None, alive=None, clock=None):
        p = torch.einsum("ns,slv->nlv", self.weights(x), torch.nn.functional.one_hot(STATES, V).double())
        return p.log().gather(1, at.clamp_min(0)[..., None].expand(-1, -1, V)), x


def total_correlation(net, x, revealed):
    """sum_U H - H(U) of the revealed set of each row, (n,): the factorisation KL of the step."""
    weights, codes = net.weights(x), (revealed[:, None] * STATES * V ** torch.arange(D)).sum(-1)    # (n, 81)
    joint = torch.zeros_like(weights).scatter_add(1, codes, weights)
    alone = torch.einsum("ns,slv->nlv", weights, torch.nn.functional.one_hot(STATES, V).double())   # (n, D, V)
    return (torch.special.entr(alone).sum(-1) * revealed).sum(1) - torch.special.entr(joint).sum(1)


@pytest.mark.parametrize("by", PROXIES, ids=str)
def test_no_step_of_2000_random_joints_loses_more_than_gamma(by):
    n = 2000
    power = 1 + 30 * uniform(1, torch.arange(n), Stream.DATA, torch.tensor([0]))   # (n, 1) from even to nearly certain
    law = uniform(0, torch.arange(n), Stream.DATA, torch.arange(len(STATES))) ** power
    for gamma in (0.0, 0.03, 0.1, 0.3, 1.0):
        x, net, ids, lost, several = torch.full((n, D), MASK), Joints(law), torch.arange(n), [], 0
        for round_ in range(D):
            rows = Rows(x, torch.zeros_like(x, dtype=torch.bool), ids, torch.full_like(ids, round_), 0, {})
            after = EntropyBounded(gamma, by).step({"main": net}, rows).x
            revealed = (after != x) & (x == MASK)
            assert bool(revealed.any(1).all()) and torch.equal(after[x != MASK], x[x != MASK])
            lost.append(total_correlation(net, x, revealed))
            several += int((revealed.sum(1) > 1).sum())
            left = (after == MASK).any(1)
            x, net, ids = after[left], Joints(net.law[left]), ids[left]
            if not len(ids):
                break
        worst = torch.cat(lost).max().item()
        assert worst <= gamma + 1e-12
        assert (several > 100 and worst > 0.85 * gamma) == (gamma > 0), "the bound is met closely, so it was tested"


class Sure(Given):
    def flops(self, kind, length, heads, tracks=0, begin=0):
        return heads

    def blocks(self, kind):
        return 1


def test_what_is_certain_comes_along_for_nothing():
    """Two pairs of equal tokens at gamma = 0: one, then its twin and another, then the last. The law stays exact."""
    twins = torch.where((STATES[:, 0] == STATES[:, 1]) & (STATES[:, 2] == STATES[:, 3]), DATA.law(), 0.0)
    twins = twins / twins.sum()
    net = {"main": type(table_nets()["main"])(twins, V, D)}
    _, ledger = metered(EntropyBounded(0.0), net, n=64)
    assert ledger.calls["main.draft"].tolist() == [3] * 64
    tv, quantile = distance(EntropyBounded(0.0), net, twins)
    assert tv < quantile
    for sampler in (EntropyBounded(0.0), Threshold(1.0)):
        x, ledger = metered(sampler, {"main": Sure(5, 0.0, sure=True)}, n=8, length=9, mask=5)
        assert ledger.calls["main.draft"].tolist() == [1] * 8 and torch.equal(x, (torch.arange(9) % 5).expand(8, 9))


@pytest.mark.parametrize("sampler, law, passes", [
    (Threshold(0.9), (0.95, 0.05), 1), (Threshold(0.96), (0.95, 0.05), 20), (Threshold(0.5), (0.5, 0.5), 1),
    (KLASS(20), (0.95, 0.05), 3), (KLASS(20, history=3), (0.95, 0.05), 4), (KLASS(20, history=1), (0.95, 0.05), 2),
    (KLASS(20), (0.85, 0.15), 20),
    (KLASS(20, confidence=0.5), (0.5, 0.5), 20), (KLASS(5), (0.85, 0.15), 5), (KLASS(2), (0.95, 0.05), 2),
    (EntropyBounded(0.7), (0.5, 0.5), 10), (EntropyBounded(0.69), (0.5, 0.5), 20),
], ids=str)
def test_passes_where_every_position_says_the_same_for_ever(sampler, law, passes):
    """KLASS has seen nothing before the first step, so two small steps are known in the third. Thresholds include their
    edge; KLASS is strict. H = .693 of a fair coin.
    """
    _, ledger = metered(sampler, same(*law), n=6, length=20, mask=2, batch=4)
    assert ledger.calls["main.draft"].tolist() == [passes] * 6
    if passes == 20:
        assert ledger.flops.tolist() == [20 * 21 // 2] * 6, "a head at every masked position"


class Jumps(Same):
    """What every position says changes once, when two tokens are written."""

    def draft(self, x, at=None, alive=None, clock=None):
        early = (x != self.mask).sum(1) < 2
        return torch.where(early[:, None, None], super().draft(x, at)[0], torch.tensor([0.99, 0.01]).double().log()), x


def test_klass_wants_the_small_steps_one_after_another():
    """KL of the steps: infinite, 0, .02, 0, 0. All is revealed in the fifth, and with one small step wanted in the
    second.
    """
    for history, passes in ((1, 2), (2, 5), (3, 6)):
        _, ledger = metered(KLASS(20, history=history), {"main": Jumps(torch.tensor([0.95, 0.05]).double())}, n=4,
                            length=20, mask=2)
        assert ledger.calls["main.draft"].tolist() == [passes] * 4


def test_klass_waits_for_the_steps_of_a_row_and_not_of_its_batch():
    """Rows that join a batch late have no history, whatever the others have."""
    _, ledger = metered(KLASS(20), same(0.95, 0.05), n=30, length=20, mask=2, batch=7)
    assert ledger.calls["main.draft"].tolist() == [3] * 30


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_rows_and_their_passes_are_the_same_in_batches_of_1_7_and_64_and_prompts_are_kept(sampler):
    runs = [sample(sampler, nets(), prompts(rows), 3, batch) for batch, rows in ((1, 16), (7, 36), (64, 66))]
    assert all(torch.equal(run, runs[2][: len(run)]) for run in runs)
    assert torch.equal(runs[2][::3, :5], torch.arange(5).expand(22, 5))
    passes = [metered(sampler, nets(), n=16, batch=batch, length=L, mask=SYMBOLS)[1].calls["main.draft"]
              for batch in (3, 16)]
    assert torch.equal(*passes) and len(passes[0].unique()) > 1, "rows differ in what they need"
