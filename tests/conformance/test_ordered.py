"""Ordered unmasking, MaskGIT and the moment sampler: each follows the law that walking the states gives it, and hits or
misses the joint as it must.
"""

from collections import Counter
from math import cos, floor, pi

import pytest
import torch

from baselines.ancestral import Ancestral
from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from baselines.maskgit import MaskGIT
from baselines.moment import Moment
from baselines.ordered import Ordered
from harness.kinds import Rows
from harness.metrics.law import null_quantile, total_variation
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.schedules.certainty import Confidence, Entropy, Margin, Random, TokenConfidence
from harness.schedules.noise import Cosine, Knots, Linear
from harness.schedules.window import Fixed
from tests.conformance.paths import (
    Rough,
    by_score,
    event_law,
    greedy,
    group_law,
    in_any_order,
    named,
    of_drawn,
    of_moments,
    same,
    surest,
)
from tests.conformance.test_guards import Given
from tests.conformance.test_invariance import MASK as SYMBOLS
from tests.conformance.test_invariance import L, nets, prompts
from tests.conformance.toys import DATA, MASK, STATES, D, N, distance, drawn, table_nets

ONE = Linear()    # with D steps: a token a step
SCORES = (Confidence(), Margin(), Entropy(), Random())
FOLLOWED = [*((Ordered(D, by=by), by_score(by.name)) for by in SCORES[:3]), (Ordered(D, by=Random()), in_any_order),
            (Ordered(D, by=TokenConfidence()), of_drawn(0.0)),
            *((MaskGIT(D, ONE, t), of_drawn(t)) for t in (0.3, 1.0)), *((Moment(D, ONE, t), of_moments(t))
                                                                        for t in (0.3, 1.0))]
BIASED = [(Ordered(D, tokens="greedy"), greedy, 0.9), (Ordered(D, by=TokenConfidence()), of_drawn(0.0), 0.35),
          (MaskGIT(D, ONE), of_drawn(1.0), 0.1),
          (Moment(D, ONE), of_moments(1.0), 0.3)]
SAMPLERS = [Ordered(6, by=Margin(), tokens="greedy"), Ordered(6, Cosine(), Entropy()), Ordered(6, by=TokenConfidence()),
            MaskGIT(6), Moment(6)]


@pytest.mark.parametrize("sampler, event", FOLLOWED, ids=named)
def test_one_token_a_step_follows_the_law_of_its_own_order(sampler, event):
    """Under a network without a joint, where the laws of two orders lie .2 apart: a score with the wrong sign is seen
    here, and nowhere else.
    """
    tv, quantile = distance(sampler, {"main": Rough()}, event_law(Rough(), event), N // 2)
    assert tv < quantile


def test_the_orders_can_be_told_apart():
    laws = [event_law(Rough(), event) for _, event in FOLLOWED]
    assert min(total_variation(a, b) for k, a in enumerate(laws) for b in laws[:k]) > 0.1


@pytest.mark.parametrize("by", SCORES, ids=str)
def test_drawn_tokens_in_an_order_made_of_p_alone_hit_the_noise_floor(by):
    tv, quantile = distance(Ordered(D, by=by), table_nets(), DATA.law(), 2 * N)
    assert tv < quantile
    assert Ordered(D, by=by).exact().exact() == Ordered(D, by=by).exact() != Ordered(2, by=by)


@pytest.mark.parametrize("sampler, event, least", BIASED, ids=named)
def test_greedy_tokens_and_scores_of_drawn_tokens_miss_the_joint_by_what_their_law_says(sampler, event, least):
    law = event_law(table_nets()["main"], event)
    tv, quantile = distance(sampler, table_nets(), law)
    assert tv <= quantile and total_variation(law, DATA.law()) > max(least, 2 * null_quantile(DATA.law(), N, draws=250))
    assert sampler.exact() is None


def test_noise_takes_maskgit_and_moment_towards_random_order():
    """Lists, no draws. Less noise means a larger bias, and at every finite T there is some."""
    for family in (of_drawn, of_moments):
        far = [total_variation(event_law(table_nets()["main"], family(t)), DATA.law()) for t in (0.3, 1.0, 4.5, 20.0)]
        assert all(a > 1.5 * b for a, b in zip(far, far[1:])) and far[-1] > 0.005


@pytest.mark.parametrize("by", SCORES[:3], ids=str)
def test_two_tokens_a_step_are_the_two_best_of_their_order(by):
    law = group_law(Rough(), lambda masked, seen: surest(masked, seen[-1], by.name)[:2])
    tv, quantile = distance(Ordered(2, by=by), {"main": Rough()}, law, N // 2)
    assert tv < quantile


def test_more_steps_come_nearer_to_the_joint():
    far = [distance(Ordered(steps), table_nets(), DATA.law())[0] for steps in (1, 2, 4)]
    assert far[0] > 1.5 * far[1] > 3 * far[2]
    assert min(distance(s, table_nets(), DATA.law())[0] for s in (Ordered(2, by=Margin()), MaskGIT(2),
                                                                  Moment(2))) > 0.15


def test_random_scores_are_first_hitting_and_fixed_counts_bit_for_bit():
    assert torch.equal(drawn(Ordered(D, by=Random()), table_nets(), 2048), drawn(FirstHitting(), table_nets(), 2048))
    for tokens in (2, 4, 10):
        a, b = (sample(s, nets(), torch.full((64, L), SYMBOLS), 3, 32)
                for s in (Ordered(L // tokens, by=Random()), FixedCount(Fixed(tokens))))
        assert torch.equal(a, b)


def test_one_step_is_ancestral_sampling_in_one_step_whatever_the_score():
    for by in SCORES:
        assert torch.equal(drawn(Ordered(1, by=by), table_nets(), 512), drawn(Ancestral(1), table_nets(), 512))


def test_maskgit_without_noise_orders_by_the_drawn_token_bit_for_bit():
    assert torch.equal(drawn(MaskGIT(D, ONE, 0.0), table_nets(), 2048),
                       drawn(Ordered(D, by=TokenConfidence()), table_nets(), 2048))
    a, b = (drawn(Ordered(2, by=by, tokens="greedy"), table_nets(), 512) for by in (Confidence(), TokenConfidence()))
    assert torch.equal(a, b), "the greedy token has the largest probability"


@pytest.mark.parametrize("by", SCORES, ids=str)
def test_ties_are_broken_by_the_row_and_not_by_the_place(by):
    """Every position says the same, up to the last bits of float32: the first to be revealed is any of them."""
    class Noisy(type(same(0.5, 0.3, 0.2)["main"])):
        def draft(self, x, at=None, alive=None, clock=None):
            return super().draft(x, at)[0] + 1e-7 * torch.sin(at.double())[..., None] * torch.arange(3), x

    net, x = Noisy(torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)), torch.full((6000, 6), 3)
    for each in (net, same(0.5, 0.3, 0.2)["main"]):
        after = Ordered(6, by=by).step({"main": each}, Rows(x, x != 3, torch.arange(6000),
                                                            torch.zeros(6000, dtype=torch.int64), 0, {}))
        first = torch.bincount((after.x != 3).int().argmax(1), minlength=6).double()
        assert ((first - 1000) ** 2 / 1000).sum() < 25.7  # chi-square with 5 degrees of freedom, 99.99 %


def revealed(sampler, length, given=0) -> tuple[Counter, Ledger]:
    """How many passes revealed how many tokens, of one row."""
    x, ledger = torch.full((3, length), 2), Ledger(3, length, 2)
    x[:, :given] = 0
    sample(sampler, same(0.6, 0.4), x, 0, 2, ledger=ledger)
    return Counter({k: int(c) // 3 for k, c in enumerate(ledger.revealed.sum(0)) if c}), ledger


@pytest.mark.parametrize("kind", [Ordered, MaskGIT, Moment])
@pytest.mark.parametrize("steps, length, given", [(4, 20, 0), (6, 20, 0), (3, 20, 8), (64, 12, 0), (20, 20, 3)])
def test_counts_split_evenly_or_follow_the_cosine_and_empty_steps_cost_nothing(kind, steps, length, given):
    m = length - given
    left = [floor(m * cos(pi / 2 * n / steps) + 1e-9) for n in range(steps + 1)]
    even = Counter({m // steps: steps - m % steps, m // steps + 1: m % steps})
    for schedule, counts in ((Linear(), even), (Cosine(), Counter(a - b for a, b in zip(left, left[1:])))):
        wanted = +Counter({k: c for k, c in counts.items() if k})
        found, ledger = revealed(kind(steps, schedule), length, given)
        assert found == wanted and ledger.calls["main.draft"].tolist() == [wanted.total()] * 3


def test_every_masked_position_is_charged_a_head():
    _, ledger = revealed(Ordered(5), 20, 5)
    assert ledger.flops.tolist() == [15 + 12 + 9 + 6 + 3] * 3
    assert revealed(Ordered(2, Knots((0.0, 0.25, 1.0))), 20)[1].flops.tolist() == [20 + 15] * 3


@pytest.mark.parametrize("by", [*SCORES, TokenConfidence()], ids=str)
def test_given_tokens_are_kept_and_the_rest_follows_the_conditional_law(by):
    x = drawn(Ordered(D, by=by), table_nets(), prompts=torch.tensor([2, MASK, 0, MASK]).expand(N, D))
    assert bool((x[:, 0] == 2).all() and (x[:, 2] == 0).all())
    fits = (STATES[:, 0] == 2) & (STATES[:, 2] == 0)
    law = torch.where(fits, DATA.law(), 0.0) / DATA.law()[fits].sum()
    tv = 0.5 * (torch.bincount(DATA.index(x), minlength=81) / N - law).abs().sum()
    assert (tv < 0.03) == (not by.of_token)  # 9 outcomes: the 99.99 % quantile is about 0.022


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_rows_are_the_same_in_batches_of_1_7_and_64_and_prompts_are_kept(sampler):
    runs = [sample(sampler, nets(), prompts(rows), 3, batch) for batch, rows in ((1, 16), (7, 36), (64, 66))]
    assert all(torch.equal(run, runs[2][: len(run)]) for run in runs)
    assert torch.equal(runs[2][::3, :5], torch.arange(5).expand(22, 5))


@pytest.mark.parametrize("sampler", [Ordered(3), Ordered(9, by=Entropy()), Ordered(3, by=TokenConfidence()),
                                     MaskGIT(3, temperature=0.0), Moment(3, temperature=0.01)], ids=str)
def test_certain_tokens_are_written_in_every_precision(sampler):
    for dtype in (torch.float32, torch.bfloat16):
        x = torch.full((4, 7), 5)
        x[::2, 3] = 1
        out = sample(sampler, {"main": Given(5, 0.0, sure=True, dtype=dtype)}, x, 0, 3)
        assert torch.equal(out, torch.where(x == 5, torch.arange(7) % 5, x))


class Pairs:
    """Places with two laws in turn: one sure, one not."""

    vocab = mask = 2
    p = torch.tensor([[0.8, 0.2], [0.6, 0.4]], dtype=torch.float64)

    def draft(self, x, at=None, alive=None, clock=None):
        return self.p.log()[at.clamp_min(0) % 2], x


def first_of(sampler, m: int, n: int = N) -> torch.Tensor:
    """Of the first of m tokens: which kind of place and which token, shares of (4,)."""
    x = torch.full((n, m), 2)
    after = sampler.step({"main": Pairs()}, Rows(x, x != 2, torch.arange(n), torch.zeros(n, dtype=torch.int64), 0,
                                                 {})).x
    place = (after != 2).int().argmax(1)
    assert bool(((after != 2).sum(1) == 1).all())
    return torch.bincount(place % 2 * 2 + after.gather(1, place[:, None])[:, 0], minlength=4).double() / n


def test_maskgit_tends_to_the_moment_sampler_as_masks_grow_many():
    """The moment sampler's first token has one law, whatever m, and MaskGIT's, listed or drawn, tends to it about as
    1/m.
    """
    law, far = of_moments(0.5)(Pairs.p, 0).flatten(), []                           # (4,)
    quantile = null_quantile(law, N, draws=250)
    for m in (2, 4, 8):
        listed = of_drawn(0.5)(Pairs.p.repeat(m // 2, 1), 0).view(-1, 4).sum(0)    # (4,)
        far.append(total_variation(listed, law))
        assert total_variation(first_of(MaskGIT(m, ONE, 0.5), m), listed) < null_quantile(listed, N, draws=250)
    assert all(2 * b < a for a, b in zip(far, far[1:])) and far[0] > 3 * quantile
    assert total_variation(first_of(MaskGIT(64, ONE, 0.5), 64), law) < quantile
    assert max(total_variation(first_of(Moment(m, ONE, 0.5), m), law) for m in (2, 8, 64)) < quantile
