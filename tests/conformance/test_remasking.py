"""Samplers that mask tokens again: their marginals, their joint laws, the steps they draw ahead, their identities and
what they cost.
"""

from dataclasses import fields
from itertools import product

import pytest
import torch
from torch.nn.functional import one_hot

from baselines._remask import ends, revealing, sigma_max
from baselines.ancestral import Ancestral
from baselines.dfm import DFM, grid
from baselines.forward_backward import ForwardBackward
from baselines.psi import Psi
from baselines.remdm import Cap, Loop, ReMDM, Rescale
from baselines.remdm_conf import ReMDMConf
from harness.metrics.law import null_quantile, total_variation
from harness.nets.tabular import Tabular
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.schedules.noise import Cosine, Knots, Linear, Polynomial
from tests.conformance.chains import apart, empty, kernel, moves, slope, texts, world
from tests.conformance.test_invariance import nets, prompts
from tests.conformance.test_rate_solvers import PAIR, Flat, near
from tests.conformance.toys import DATA, MASK, D, N, distance, drawn, hybrid, table_nets

SCHEDULES = [Linear(), Cosine(), Polynomial(3.0), Knots((0.0, 0.3, 0.8, 0.82, 1.0))]
STRONG = [ReMDM(6, Cap(0.3)), ReMDM(6, Rescale(0.8), Cosine()), ReMDM(10, Loop(0.4)), ForwardBackward(6, SCHEDULES[3]),
          Psi(6, 0.3), DFM(2)]
SAMPLERS = [*STRONG, ReMDMConf(8)]
HOSTS = [lambda n, a: ReMDM(n, Cap(0.2), a), lambda n, a: ReMDM(n, Rescale(0.7), a), lambda n,
         a: ReMDM(n, Loop(0.5), a), ForwardBackward, lambda n, a: Psi(n, 0.4, a)]


# the chances of a step

@pytest.mark.parametrize("host", [*HOSTS, lambda n, a: DFM(n), lambda n, a: DFM(n, 100.0)],
                         ids=["cap", "rescale", "loop", "forward_backward", "psi", "dfm", "dfm at 100"])
def test_what_is_revealed_makes_up_for_what_is_forgotten(host):
    """P(l masked at s) = 1 - alpha_s at every step, and no mask is left."""
    for steps, schedule in product((1, 2, 7, 64), SCHEDULES):
        reveal, forget, alpha = host(steps, schedule).chances("cpu")
        assert all(bool(((0 <= chance) & (chance <= 1)).all())
                   for chance in (reveal, forget)) and reveal[-1] == 1 and forget[-1] * alpha[-1] == 0
        masked = 1 - alpha
        after = (1 - reveal) * masked + forget * alpha
        assert torch.allclose(after, torch.cat((masked[1:], torch.zeros(1))), atol=1e-12)
        assert masked[0] == 1 and bool((masked.diff() <= 1e-15).all())


def test_without_its_bound_forward_backward_asks_for_a_negative_probability_in_the_last_step():
    alpha = 1 - ends(16, "cpu")
    now, then = alpha[:-1], alpha[1:]
    unbounded = revealing((then - now) / now, now, then)[1:]  # nothing is there to forget in the first step
    assert abs(unbounded[-1] - 2) < 1e-12 and bool((unbounded[:-1] <= 1 + 1e-12).all())
    reveal, forget, _ = ForwardBackward(16).chances("cpu")
    assert torch.allclose(reveal[1:-1], unbounded[:-1]) and reveal[-1] == 1 and forget[-1] == 0
    assert torch.allclose(forget[1:-1], ((then - now) / now)[1:-1])


def test_the_most_that_may_be_forgotten_leaves_nothing_masked_that_need_not_be():
    now, then = torch.tensor([0.0, 0.3, 0.6, 0.9]), torch.tensor([0.2, 0.5, 0.7, 1.0])
    most = sigma_max(now, then)
    assert torch.allclose(most, torch.tensor([1.0, 1.0, 0.5, 0.0]))
    assert torch.allclose(revealing(most, now, then)[2:],
                          torch.ones(2)) and bool((revealing(most + 0.1, now, then)[2:] > 1).all())


@pytest.mark.parametrize("steps, taken", [(128, 146), (1024, 1032)])
def test_the_steps_of_dfm_are_more_than_n(steps, taken):
    found = grid(steps, 10.0)
    assert len(found) == taken + 1, "and one for what is left"
    t = 1 - torch.tensor([alpha for _, _, alpha in found], dtype=torch.float64)
    assert bool((-t.diff() <= 1 / steps + 1e-12).all()) and t[0] == 1 and 0 < t[-1] < 1e-5 < t[-2]


def test_loop_lets_alpha_stand_and_refuses_an_interval_that_ends_before_it_begins():
    sampler = ReMDM(40, Loop(0.02, on=0.55, off=0.05, held=0.1))
    reveal, forget, alpha = sampler.chances("cpu")
    t = ends(40, "cpu")[:-1]
    stands = (t > 0.05) & (t <= 0.55)
    assert (
        torch.allclose(alpha[stands], torch.full_like(alpha[stands], 0.9))
        and bool((forget[stands] == 0.02).all())
        and bool((forget[~stands] == 0).all())
    )
    assert torch.allclose(reveal[stands], torch.full_like(reveal[stands], 0.18)), "eta 0.9/0.1"
    assert torch.allclose(alpha[t > 0.56], (0.9 * (1 - t) / 0.45)[t > 0.56])
    with pytest.raises(ValueError, match="choose a smaller one"):
        Loop(on=0.2, off=0.3)


# identities

def test_psi_is_remdm_that_forgets_with_1_minus_kappa_times_1_minus_alpha():
    class Other(Psi):
        def chances(self, device):
            alpha = self.schedule.alpha(ends(self.steps, device))
            sigma = (1 - self.kappa) * (1 - alpha[1:])
            return revealing(sigma, alpha[:-1], alpha[1:]), sigma, alpha[:-1]

    for kappa, schedule in product((0.0, 0.3, 0.99, 1.0), SCHEDULES):
        a, b = (kind(16, kappa, schedule) for kind in (Psi, Other))
        assert all(torch.allclose(x, y, atol=1e-12, rtol=0) for x, y in zip(a.chances("cpu"), b.chances("cpu")))
    for kappa in (0.0, 0.3):
        assert torch.equal(drawn(Psi(16, kappa), table_nets(), 512), drawn(Other(16, kappa), table_nets(), 512))


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_without_forgetting_it_is_ancestral_sampling_bit_for_bit(schedule):
    for steps in (6, 64):
        host = drawn(Ancestral(steps, schedule), {"main": hybrid()}, 512)
        for sampler in (ReMDM(steps, Cap(0.0), schedule), ReMDM(steps, Rescale(0.0), schedule),
                        Psi(steps, 1.0, schedule)):
            assert torch.equal(drawn(sampler, {"main": hybrid()}, 512), host)
        assert not torch.equal(drawn(Psi(steps, 0.5, schedule), {"main": hybrid()}, 512), host)


def test_dfm_without_its_corrector_is_ancestral_sampling():
    for steps in (1, 10, 16):
        assert torch.equal(drawn(DFM(steps, 0.0), table_nets(), 1024), drawn(Ancestral(steps), table_nets(), 1024))


# laws

def chain_law(w, reveal: torch.Tensor, forget: torch.Tensor) -> torch.Tensor:
    law = empty(w)
    for chances in zip(reveal, forget):
        law = law @ kernel(w, moves(w, *chances))
    return texts(w, law)


@pytest.mark.parametrize("sampler", STRONG, ids=str)
def test_steps_drawn_ahead_follow_the_law_of_the_steps(sampler):
    """On a network whose answers come from no joint; the same alphas without forgetting give another law."""
    net, (reveal, forget, alpha) = hybrid(), sampler.chances("cpu")
    w, then = world(net, D), torch.cat((alpha[1:], torch.ones(1)))
    law, without = chain_law(w, reveal, forget), chain_law(w, revealing(0, alpha, then), 0 * forget)
    counts, quantile = torch.bincount(DATA.index(drawn(sampler, {"main": net})),
                                      minlength=81), null_quantile(law, N, draws=100)
    assert total_variation(counts, law) < quantile < total_variation(counts, without)


def pair_law(sampler) -> torch.Tensor:
    return chain_law(world(PAIR, 2), *sampler.chances("cpu")[:2])


@pytest.mark.parametrize("sampler, power", [
    (ForwardBackward, -1), (DFM, -1), (lambda n: ReMDM(n, Cap(0.3)), -0.5), (lambda n: ReMDM(n, Rescale(0.5)), -0.5),
    (lambda n: Psi(n, 0.3), -0.5)],
    ids=["forward_backward", "dfm", "cap", "rescale", "psi"])
def test_the_joint_law_is_missed_and_approached_with_this_power_of_the_steps(sampler, power):
    counts = [128, 256, 512]
    found = [apart(pair_law(sampler(steps)), PAIR.law) for steps in counts]
    assert found[-1] > 1e-4 and abs(slope(counts, found) - power) < 0.1


def test_loop_stays_at_its_distance():
    farther, far = (apart(pair_law(ReMDM(steps, Loop(0.2))), PAIR.law) for steps in (256, 1024))
    assert 0.9 * farther < far < farther and far > 20 * apart(pair_law(Psi(1024, 1.0)), PAIR.law)


@pytest.mark.parametrize("sampler", [ReMDM(4, Cap(0.3)), ReMDM(4, Rescale(0.5)), ReMDM(10, Loop(0.4)),
                                     ForwardBackward(4), Psi(4, 0.3), DFM(1), *map(ReMDMConf, (4, 64))], ids=str)
def test_in_few_steps_the_joint_law_is_missed(sampler):
    tv, quantile = distance(sampler, table_nets(), DATA.law())
    assert tv > quantile


@pytest.mark.parametrize("sampler", [ReMDM(1024, Cap()), ReMDM(1024, Rescale()), ForwardBackward(256), Psi(512),
                                     DFM(256)], ids=str)
def test_in_many_it_is_hit(sampler):
    tv, quantile = distance(sampler, table_nets(), DATA.law(), n=N // 2)
    assert tv < quantile


# conf, which chooses by what was written

def conf_chain(net, steps: int) -> tuple[torch.Tensor, list[float]]:
    """The law of two places, and the share masked after each step. A place holds MASK, or a token and what the other
    place showed when it was written.
    """
    V, w = net.vocab, world(net, 2)
    held = torch.tensor([(V, V), *product(range(V), range(V + 1))])                # (H, 2)
    at = torch.cartesian_prod(*[torch.arange(len(held))] * 2)                      # (S, 2)
    x, seen = held[at].unbind(-1)                                                  # (S, 2) each
    # (S, 2) the texts in which they were written
    when = torch.stack((V * (V + 1) + seen[:, 0], seen[:, 1] * (V + 1) + V), 1)
    psi = w.p[when, torch.arange(2)].gather(-1, x[..., None].clamp_max(V - 1))[..., 0]
    masked = x == V
    doubt = (-psi).masked_fill(masked, -torch.inf).softmax(1).nan_to_num(0)        # (S, 2)
    p = w.p[x[:, 0] * (V + 1) + x[:, 1]].gather(-1, held[:, 0].clamp_max(V - 1).expand(len(x), 2, -1))
    writes = p * ((held[:, 0] < V) & (held[:, 1] == x.flip(1)[..., None]))         # (S, 2, H)
    stays, none = one_hot(at, len(held)), one_hot(torch.tensor(0), len(held))
    law, share, alpha = one_hot(torch.tensor(0), len(x)).double(), [], 1 - ends(steps, "cpu")
    for now, then in zip(alpha, alpha[1:]):
        reveal, forget = (then - now) / (1 - now), (sigma_max(now, then) * doubt)[..., None]
        # (S, 2, H)
        each = torch.where(masked[..., None], reveal * writes + (1 - reveal) * none, (1 - forget) * stays + forget
                           * none)
        law = law @ (each[:, 0, :, None] * each[:, 1, None]).flatten(1)
        share.append(float((law @ masked.double()).mean()))
    return torch.bincount((x[:, 0] * (V + 1) + x[:, 1]), law, (V + 1) ** 2).view(V + 1, V + 1)[:V, :V].flatten(), share


SKEWED = Tabular(torch.tensor([0.60, 0.10, 0.03, 0.03, 0.10, 0.02, 0.02, 0.05, 0.05], dtype=torch.float64), 3, 2)


@pytest.mark.parametrize("steps", [3, 8])
@pytest.mark.parametrize("net", [SKEWED, hybrid()], ids=["ideal", "inexact"])
def test_conf_forgets_by_the_probability_of_what_was_written(net, steps):
    law, _ = conf_chain(net, steps)
    x = sample(ReMDMConf(steps), {"main": net}, torch.full((2 * N, 2), MASK), 0, 4096)
    assert total_variation(torch.bincount(x[:, 0] * 3 + x[:, 1], minlength=9),
                           law) < null_quantile(law, 2 * N, draws=100)


def test_conf_misses_even_independent_places_for_ever_and_prefers_probable_tokens():
    one = torch.tensor([0.9, 0.08, 0.02], dtype=torch.float64)
    net = Tabular(torch.outer(one, one).flatten(), 3, 2)
    laws = [conf_chain(net, steps)[0] for steps in (4, 64, 256)]
    found = [apart(law, net.law) for law in laws]
    assert 0.002 < found[0] < found[1] < found[2] < 0.01 and all(float(law.view(3, 3).sum(1)[0]) > 0.9 for law in laws)
    assert apart(chain_law(world(net, 2), *ReMDM(16, Cap(0.3)).chances("cpu")[:2]),
                 net.law) < 1e-12, "nothing to factorise: the others hit it"


def test_conf_keeps_more_masked_than_the_schedule_says_until_the_last_step():
    _, share = conf_chain(SKEWED, 16)
    assert all(found > 1 - n / 16 + 0.05 for n, found in enumerate(share[2:-2], 3)) and share[-1] == 0


# the steps drawn ahead, as rows live them

def watched(sampler, see):
    """The sampler with a view on the rows before and after each of its rounds."""
    class Watched(type(sampler)):
        def step(self, nets, rows):
            after = super().step(nets, rows)
            see(rows, after)
            return after

    return Watched(*(getattr(sampler, f.name) for f in fields(sampler)))


@pytest.mark.parametrize("sampler", [s for s in STRONG if s.steps > 3] + [DFM(16)], ids=str)
def test_a_place_is_masked_with_probability_1_minus_alpha_at_every_step(sampler, rows=2000, length=8):
    alpha = sampler.chances("cpu")[2]
    changes = torch.zeros(len(alpha) + 2, dtype=torch.int64)

    def see(before, after):
        wrote = after.memo["times"] > before.memo["times"]
        changes.add_(torch.bincount(before.memo["due"][wrote] + 1, minlength=len(changes)))
        changes.sub_(torch.bincount(after.memo["gone"][wrote] + 1, minlength=len(changes)))

    sample(watched(sampler, see), {"main": Flat()}, torch.full((rows, length), MASK), 0, 500)
    n, held = rows * length, changes.cumsum(0)[: len(alpha)]
    assert bool(((held / n - alpha).abs() <= 4.5 * (alpha * (1 - alpha) / n).sqrt() + 1e-12).all())


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_given_tokens_are_never_masked_and_no_row_is_done_too_early(sampler):
    """A row whose steps are drawn ahead shows a mask while something is to come; with conf a full row may lose a token
    yet.
    """
    x, full, again = torch.full((200, 4), MASK), [], []
    x[:, 1] = torch.arange(200) % 3

    def see(before, after):
        assert torch.equal(after.x[:, 1], after.id % 3)
        full.append(int((before.x != MASK).all(1).sum()))
        again.append(int(((before.x != MASK) & (after.x == MASK)).sum()))
        if "due" in after.memo:
            assert torch.equal((after.x != MASK).all(1), (after.memo["due"] == len(sampler.chances("cpu")[0])).all(1))

    out = sample(watched(sampler, see), {"main": Flat()}, x, 0, 64)
    assert bool((out != MASK).all()) and sum(again) > 0 and (sum(full) > 0) == isinstance(sampler, ReMDMConf)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_rows_are_the_same_in_batches_of_1_7_and_64_with_and_without_the_queue(sampler):
    runs = [sample(sampler, nets(), prompts(15), 3, batch, queue=queue) for batch,
            queue in ((1, True), (7, True), (64, True), (64, False))]
    assert all(torch.equal(runs[0], other) for other in runs[1:])


@pytest.mark.parametrize("host", [*HOSTS, lambda n, a: DFM(n), ReMDMConf],
                         ids=["cap", "rescale", "loop", "forward_backward", "psi", "dfm", "conf"])
def test_every_row_is_finished_in_any_schedule(host):
    for steps, schedule in product((1, 2, 5), SCHEDULES):
        assert bool((sample(host(steps, schedule), {"main": Flat()}, torch.full((40, 3), MASK), 0, 16) != MASK).all())


def test_given_tokens_condition_the_rest():
    given = torch.tensor([2, MASK, 0, MASK]).expand(N, D)
    states = DATA.states()
    law = torch.where((states[:, 0] == 2) & (states[:, 2] == 0), DATA.law(), 0.0)
    for sampler in (ReMDM(128, Cap(0.1)), ForwardBackward(128), DFM(128)):
        assert total_variation(torch.bincount(DATA.index(drawn(sampler, table_nets(), prompts=given)), minlength=81),
                               law / law.sum()) < 0.03


# what they ask of the network

def metered(sampler, n: int, length: int, x: torch.Tensor | None = None):
    ledger, net = Ledger(n, length, MASK), Flat()
    sample(sampler, {"main": net}, torch.full((n, length), MASK) if x is None else x, 0, 100, ledger=ledger)
    return ledger, net


@pytest.mark.parametrize("sampler", STRONG, ids=str)
def test_a_pass_for_each_step_that_reveals_something_and_logits_where_it_does(sampler, length=6):
    reveal, _, alpha = sampler.chances("cpu")
    falls = (1 - alpha) * reveal                                                   # (K,)
    ledger, net = metered(sampler, 500, length)
    assert near(ledger.calls["main.draft"],
                float((1 - (1 - falls) ** length).sum())) and near(ledger.flops, length * float(falls.sum()))
    assert all(bool((at >= 0).any(1).all()) and bool((x.gather(1, at.clamp_min(0))[at >= 0] == MASK).all()) for x, at,
               _ in net.asked), "masked places of rows that reveal"
    assert ledger.tokens.tolist() == [length] * 500


@pytest.mark.parametrize("given", [0, 3])
def test_conf_asks_only_where_and_when_it_reveals(given, steps=12):
    """One place is its own softmax, whatever is given besides: it is masked again with probability sigma_max."""
    alpha = 1 - ends(steps, "cpu")
    masked, passes = 1.0, 0.0
    for now, then in zip(alpha, alpha[1:]):
        reveal = float(revealing(0, now, then))
        passes, masked = passes + masked * reveal, masked * (1 - reveal) + (1 - masked) * float(sigma_max(now, then))
    x = torch.full((1000, given + 1), MASK)
    x[:, 1:] = 1
    ledger, net = metered(ReMDMConf(steps), 1000, given + 1, x)
    assert near(ledger.calls["main.draft"], passes) and torch.equal(ledger.flops, ledger.calls["main.draft"])
    assert all(bool((at >= 0).any(1).all()) for _, at, _ in net.asked)


def test_clocks_are_those_of_the_steps():
    for sampler in (ReMDM(8, Cap(0.3), Cosine()), ReMDM(8, Loop(0.4)), Psi(8, 0.3), DFM(4)):
        _, net = metered(sampler, 200, 6)
        alpha = sampler.chances("cpu")[2]
        assert set(torch.cat([clock for _, _, clock in net.asked]).tolist()) <= set(alpha.tolist())
        assert min(clock.min() for _, _, clock in net.asked) == 0
    _, net = metered(ReMDMConf(8, Cosine()), 200, 6)
    assert set(torch.cat([clock for _, _,
                          clock in net.asked]).tolist()) == set(Cosine().alpha(ends(8, "cpu")[:-1]).tolist())


def test_samplers_say_which_limit_they_have():
    assert all(sampler.exact() is not None for sampler in (ReMDM(), ReMDM(8, Rescale()), ForwardBackward(), Psi(),
                                                           DFM()))
    assert ReMDM(8, Loop()).exact() is None and ReMDMConf().exact() is None


@pytest.mark.parametrize("strategy", [Cap(0.5), Cap(1.0), Rescale(1.0)], ids=str)
def test_forgetting_as_much_as_may_be_is_no_chance_above_one(strategy):
    """At 32 steps (alpha_s - (1 - sigma) alpha_t)/(1 - alpha_t) rounds to 1 + 2**-52 in the middle of the text."""
    reveal, forget, _ = ReMDM(32, strategy).chances("cpu")
    assert 0 <= reveal.min() and reveal.max() == 1 and 0 <= forget.min() and forget.max() <= 1
    x = drawn(ReMDM(32, strategy), table_nets(), 64)
    assert not bool((x == MASK).any())
