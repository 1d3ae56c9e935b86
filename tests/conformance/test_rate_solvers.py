"""Euler, tau-leaping and the theta-trapezoidal method: their identities, their order in the step, their laws and what
they cost.
"""

import doctest
from math import exp

import pytest
import torch
from numpy.polynomial.legendre import leggauss

import baselines._ahead
from baselines._ahead import hazards, next_step
from baselines._rates import leap, rate
from baselines.ancestral import Ancestral
from baselines.euler import Euler
from baselines.tau_leaping import TauLeaping
from baselines.theta_trapezoidal import ThetaTrapezoidal
from harness.kinds import Rows
from harness.metrics.law import null_quantile, total_variation
from harness.nets.tabular import Tabular
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.schedules.noise import Cosine, Knots, Linear, Polynomial
from tests.conformance.chains import apart, empty, kernel, moves, slope, texts, world
from tests.conformance.test_invariance import nets, prompts
from tests.conformance.toys import DATA, MASK, D, N, distance, drawn, hybrid, stepped_law, subset_table, table_nets

SAMPLERS = [Euler(4), Euler(8, Cosine()), TauLeaping(4), TauLeaping(8, Polynomial(0.5)), ThetaTrapezoidal(4),
            ThetaTrapezoidal(8, 0.3, Cosine())]
SPANS = [2.0**-k for k in range(4, 10)]
# two places that depend on each other
PAIR = Tabular(torch.tensor([0.20, 0.10, 0.05, 0.05, 0.10, 0.20, 0.10, 0.05, 0.15], dtype=torch.float64), 3, 2)
MILD = Tabular(PAIR.law**0.3, 3, 2)                                                # so little that no rate is negative


def due(sampler, rows: int = 256, length: int = 512) -> torch.Tensor:
    x = torch.full((rows, length), MASK)
    return sampler.start({}, Rows(x, x != MASK, torch.arange(rows), torch.zeros(rows, dtype=torch.int64), 3, {}))["due"]


# identities

@pytest.mark.parametrize("steps", [1, 2, 7, 64, 1000, 4096])
def test_euler_with_the_linear_schedule_is_ancestral_sampling_bit_for_bit(steps):
    assert torch.equal(due(Euler(steps)), due(Ancestral(steps)))
    assert torch.equal(drawn(Euler(steps), {"main": hybrid()}, 512), drawn(Ancestral(steps), {"main": hybrid()}, 512))


def test_so_it_is_with_any_straight_piece_a_step_and_not_with_a_curve():
    # a fifth is no binary number: 1 - 0.8 falls short of it
    for alphas in ((0.0, 0.1, 0.4, 0.9, 1.0), (0.0, 0.1, 0.2, 0.5, 0.9, 1.0)):
        steps = len(alphas) - 1
        assert torch.equal(due(Euler(steps, Knots(alphas))), due(Ancestral(steps, Knots(alphas))))
    assert not torch.equal(due(Euler(4, Cosine())), due(Ancestral(4, Cosine())))


def test_tau_leaping_reveals_a_place_never_before_euler_does():
    early, late = due(Euler(16)), due(TauLeaping(16))
    assert bool((late >= early).all()) and bool((late > early).any())


@pytest.mark.parametrize("steps, share", [(16, 0.03), (64, 0.009), (1000, 0.0006)])
def test_tau_leaping_leaves_exp_of_minus_the_harmonic_number_for_a_last_pass(steps, share):
    sampler, n = TauLeaping(steps), 256 * 512
    left = 1 - float(sampler.levels("cpu")[-1])
    assert abs(left - exp(-sum(1 / k for k in range(1, steps + 1)))) < 1e-12 and float(f"{left:.1g}") == share
    assert abs((due(sampler) == steps).double().mean() - left) < 4 * (left / n) ** 0.5
    assert abs(due(Euler(steps)).max() - steps) == 1, "Euler leaves nothing"


def test_one_uniform_gives_each_step_its_chance_also_behind_a_step_that_is_certain():
    chances = torch.tensor([0.3, 0.0, 1.0, 0.25, 0.5], dtype=torch.float64)
    u = ((torch.arange(10_000) + 0.5) / 10_000).double()
    for start in range(6):
        found = torch.bincount(next_step(hazards(chances), torch.full((10_000,), start), u), minlength=6) / 10_000
        survive = torch.cat((torch.ones(1), (1 - chances[start:]).cumprod(0)))
        expected = torch.cat((torch.zeros(start), survive[:-1] * chances[start:], survive[-1:]))
        assert torch.allclose(found.double(), expected, atol=2e-4, rtol=0)
    least, most = torch.tensor([2.0**-53], dtype=torch.float64), torch.tensor([1 - 2.0**-53], dtype=torch.float64)
    assert all(next_step(hazards(chances), torch.tensor([start]), u).item() == 2 for start in (1, 2)
               for u in (least, most))
    late = torch.tensor([1.0] * 100 + [0.0, 0.5], dtype=torch.float64)
    assert next_step(hazards(late), torch.tensor([100]),
                     least).item() == 101, ("not before it starts, though the least uniform adds nothing to such a "
                                            "hazard")
    assert doctest.testmod(baselines._ahead).failed == 0


# order in the step: one place whose token law moves with time, then two places that depend on each other

def moving(t: torch.Tensor) -> torch.Tensor:
    """p(v; t), (..., 3)."""
    return (torch.tensor([0.0, 0.5, -1.0], dtype=torch.float64)
            + t[..., None] * torch.tensor([1.0, -1.5, 0.5], dtype=torch.float64)).softmax(-1)


def one_place(sampler, t: torch.Tensor, span: float) -> torch.Tensor:
    """What a masked place holds after a step from t: tokens, MASK, (4,). The step is the sampler's own."""
    if not isinstance(sampler, ThetaTrapezoidal):
        reveal = sampler.reveal(t, span)
        return torch.cat((reveal * moving(t), (1 - reveal)[None]))
    first = sampler.most(t, span)[0]
    rates = sampler.rates(moving(t), moving(t - sampler.theta * span), t, span)
    second = leap(rates.sum(), (1 - sampler.theta) * span)
    return torch.cat((first * moving(t) + (1 - first) * second * rates / rates.sum(),
                      ((1 - first) * (1 - second))[None]))


def one_place_exactly(schedule, t: torch.Tensor, span: float) -> torch.Tensor:
    """The integral of p(v; r) against the time r at which the place falls."""
    nodes, weights = (torch.tensor(v) for v in leggauss(20))
    r = t - span / 2 * (nodes + 1)                                                 # (20,)
    falls = -schedule.dalpha(r) / (1 - schedule.alpha(t)) * weights * span / 2
    return torch.cat(((falls[:, None] * moving(r)).sum(0),
                      ((1 - schedule.alpha(t - span)) / (1 - schedule.alpha(t)))[None]))


@pytest.mark.parametrize("sampler, order", [(Euler(), 1), (Euler(schedule=Cosine()), 1), (TauLeaping(), 1),
                                            (TauLeaping(schedule=Cosine()), 1), (ThetaTrapezoidal(), 2),
                                            (ThetaTrapezoidal(theta=0.3), 2), (ThetaTrapezoidal(theta=0.7), 2),
                                            (ThetaTrapezoidal(schedule=Cosine()), 2)], ids=str)
def test_the_error_of_one_step_on_one_place_falls_by_2_to_the_order_plus_1_a_halving(sampler, order):
    t = torch.tensor(0.6, dtype=torch.float64)
    errors = [apart(one_place(sampler, t, span), one_place_exactly(sampler.schedule, t, span)) for span in SPANS]
    assert abs(slope(SPANS, errors) - (order + 1)) < 0.15


@pytest.mark.parametrize("sampler, order", [(Euler(schedule=Cosine()), 1), (TauLeaping(), 1), (ThetaTrapezoidal(), 2),
                                            (ThetaTrapezoidal(theta=0.3), 2)], ids=str)
def test_the_reveal_time_of_a_place_has_the_same_order_over_many_steps(sampler, order):
    """The chance to be masked at t = 1/4, after three quarters of the steps."""
    errors, counts = [], [16, 32, 64, 128, 256]
    for steps in counts:
        t = 1 - torch.arange(steps * 3 // 4, dtype=torch.float64) / steps
        masked = torch.stack([one_place(sampler, each, 1 / steps)[-1] for each in t]).prod()
        errors.append(abs(float(masked) - float(1 - sampler.schedule.alpha(torch.tensor(0.25, dtype=torch.float64)))))
    assert abs(slope(counts, errors) + order) < 0.15


def step_kernel(w, sampler, t: float, span: float) -> torch.Tensor:
    """Of one step from t, (S, S): the leaps are the sampler's own functions."""
    t = torch.tensor(t, dtype=torch.float64)
    if not isinstance(sampler, ThetaTrapezoidal):
        return kernel(w, moves(w, sampler.reveal(t, span)))
    rates = sampler.rates(w.p[:, None], w.p, t, span)                              # (S, S, L, V) by x and x'
    total = rates.sum(-1, keepdim=True)
    second = kernel(w, moves(w, leap(total, (1 - sampler.theta) * span), p=(rates / total).nan_to_num(0)))  # (S, S, S)
    return torch.einsum("ab,abc->ac", kernel(w, moves(w, sampler.most(t, span)[0])), second)


def exact_kernel(w, schedule, t: float, span: float) -> torch.Tensor:
    """The reverse process itself: one place at a time falls at rate lambda, so its generator is constant in the time
    ln(1 - alpha).
    """
    stay, fall, generator = moves(w, 0.0), moves(w, 1.0), torch.zeros(len(w.states), len(w.states), dtype=torch.float64)
    for l in range(w.states.shape[1]):
        one = torch.where(torch.arange(w.states.shape[1])[:, None] == l, fall, stay)
        generator += kernel(w, one) - torch.eye(len(w.states))
    now, then = (1 - schedule.alpha(torch.tensor(u, dtype=torch.float64)) for u in (t, t - span))
    return torch.matrix_exp(generator * (now / then).log())


@pytest.mark.parametrize("net, sampler, order", [
    (MILD, TauLeaping(), 1), (MILD, ThetaTrapezoidal(), 2), (MILD, ThetaTrapezoidal(theta=0.3), 2),
    (MILD, ThetaTrapezoidal(schedule=Cosine()), 2), (PAIR, TauLeaping(), 1),
    (PAIR, ThetaTrapezoidal(theta=0.7), 1)], ids=lambda v: {id(MILD): "mild", id(PAIR): "strong"}.get(id(v), str(v)))
def test_on_two_places_the_theta_method_has_order_2_unless_a_rate_is_clipped(net, sampler, order):
    """Also of the factorisation: what one place says of the other enters in the second look."""
    w = world(net, 2)
    errors = [apart(step_kernel(w, sampler, 0.6, span)[-1], exact_kernel(w, sampler.schedule, 0.6, span)[-1])
              for span in SPANS]
    assert abs(slope(SPANS, errors) - (order + 1)) < 0.15
    if isinstance(sampler, ThetaTrapezoidal):
        a1, a2 = sampler.weights()
        place = (w.states == 3) & ((w.states == 3).sum(1, keepdim=True) == 1)      # (S, L) the one that is masked yet
        assert bool((a1 * w.p[place] < a2 * w.p[-1].expand_as(w.p)[place]).any()) == (order == 1)


def whole_law(w, sampler) -> torch.Tensor:
    """Of the texts, after all steps and the last pass for what is left."""
    law = empty(w)
    for n in range(sampler.steps):
        law = law @ step_kernel(w, sampler, 1 - n / sampler.steps, 1 / sampler.steps)
    return texts(w, law @ kernel(w, moves(w, 1.0)))


def test_over_a_whole_run_too():
    w, counts = world(MILD, 2), [32, 64, 128, 256]
    found = {sampler: slope(counts, [apart(whole_law(w, sampler(steps)), MILD.law) for steps in counts])
             for sampler in (Euler, TauLeaping, ThetaTrapezoidal)}
    assert abs(found[Euler] + 1) < 0.1 and abs(found[TauLeaping] + 1) < 0.1 and found[ThetaTrapezoidal] < -1.7
    assert apart(whole_law(w, ThetaTrapezoidal(32)), MILD.law) < apart(whole_law(w, TauLeaping(64)),
                                                                       MILD.law), "at equal passes"


# laws

@pytest.mark.parametrize("sampler", [Euler(3, Cosine()), Euler(3, Polynomial(2.0)), Euler(3, Polynomial(0.5)),
                                     TauLeaping(1), TauLeaping(3), TauLeaping(2, Cosine())], ids=str)
def test_steps_drawn_ahead_follow_the_law_of_the_steps_and_of_a_last_pass(sampler):
    net, levels = hybrid(), sampler.levels("cpu").tolist()
    table = subset_table(net)
    law = stepped_law(lambda n: table, [*levels, 1.0])
    ancestral = stepped_law(lambda n: table, Ancestral(sampler.steps, sampler.schedule).levels("cpu").tolist())
    counts, quantile = torch.bincount(DATA.index(drawn(sampler, {"main": net}))), null_quantile(law, N, draws=100)
    assert total_variation(counts, law) < quantile < total_variation(counts, ancestral)


@pytest.mark.parametrize("sampler", [ThetaTrapezoidal(1), ThetaTrapezoidal(2), ThetaTrapezoidal(3, 0.3),
                                     ThetaTrapezoidal(4, 0.8, Cosine())], ids=str)
@pytest.mark.parametrize("net", [PAIR, hybrid()], ids=["ideal", "inexact"])
def test_the_theta_method_without_its_empty_passes_follows_the_law_of_its_box(sampler, net):
    n = 2 * N
    law = whole_law(world(net, 2), sampler)
    x = sample(sampler, {"main": net}, torch.full((n, 2), MASK), 0, 4096)
    tv = total_variation(torch.bincount(x[:, 0] * 3 + x[:, 1], minlength=9), law)
    assert tv < null_quantile(law, n, draws=100)


@pytest.mark.parametrize("sampler", [lambda steps: Euler(steps, Cosine()), TauLeaping, ThetaTrapezoidal],
                         ids=["euler", "tau_leaping", "theta_trapezoidal"])
def test_rate_solvers_miss_the_law_in_few_steps_and_approach_it(sampler):
    distances = [distance(sampler(steps), table_nets(), DATA.law())[0] for steps in (1, 2, 4, 8)]
    assert all(a > b for a, b in zip(distances, distances[1:])) and distances[1] > 0.1
    tv, quantile = distance(sampler(1024), table_nets(), DATA.law())
    assert tv < quantile < distances[1]


# what they ask of the network

class Flat:
    """One law for every place, whatever stands elsewhere; keeps what it was asked."""

    vocab, mask = 3, 3

    def __init__(self):
        self.asked = []

    def draft(self, x, at=None, alive=None, clock=None):
        self.asked.append((x.clone(), at.clone(), clock.clone()))
        return torch.tensor([0.0, 1.0, -1.0]).expand(*at.shape, 3), x

    def flops(self, kind, length, heads, tracks=0, begin=0):
        return heads

    def blocks(self, kind):
        return 1


def metered(sampler, n: int = 400, length: int = 16):
    ledger, net = Ledger(n, length, MASK), Flat()
    sample(sampler, {"main": net}, torch.full((n, length), MASK), 0, 100, ledger=ledger)
    return ledger, net


def near(found: torch.Tensor, expected: float) -> bool:
    found = found.double()
    return bool(abs(found.mean() - expected) < 4 * found.std() / len(found) ** 0.5 + 1e-9)


@pytest.mark.parametrize("sampler", [Euler(16), Euler(8, Cosine()), TauLeaping(4), TauLeaping(64)], ids=str)
def test_a_pass_for_each_step_that_reveals_something_and_one_for_what_is_left(sampler, length=16):
    ledger, _ = metered(sampler, length=length)
    levels = torch.cat((torch.zeros(1), sampler.levels("cpu"), torch.ones(1)))
    assert near(ledger.calls["main.draft"], float((1 - (1 - levels.diff()) ** length).sum()))
    assert ledger.flops.tolist() == [length] * 400, "logits where a token is drawn"


@pytest.mark.parametrize("sampler", [ThetaTrapezoidal(4), ThetaTrapezoidal(64), ThetaTrapezoidal(16, 0.3, Cosine())],
                         ids=str)
def test_the_theta_method_passes_once_or_twice_where_something_may_fall(sampler, length=16):
    """For a network that answers every question alike the chance to be masked is a product."""
    t, span = 1 - torch.arange(sampler.steps, dtype=torch.float64) / sampler.steps, 1 / sampler.steps
    a1, a2 = sampler.weights()
    first, most = sampler.most(t, span)
    falls = leap(a1 * rate(sampler.schedule, t - sampler.theta * span) - a2 * rate(sampler.schedule, t),
                 (1 - sampler.theta) * span)
    masked = torch.cat((torch.ones(1), ((1 - first) * (1 - falls)).cumprod(0)))
    once, twice = first + (1 - first) * most, (1 - first) * most
    expected = sum(float((1 - (1 - masked[:-1] * chance) ** length).sum())
                   for chance in (once, twice)) + float(1 - (1 - masked[-1]) ** length)
    ledger, _ = metered(sampler, length=length)
    assert near(ledger.calls["main.draft"], expected) and int(ledger.calls["main.draft"].max()) <= 2 * sampler.steps + 1
    assert near(ledger.flops,
                length * float((masked[:-1] * (once + twice)).sum() + masked[-1])), "logits where a token may fall"


def test_clocks_are_those_of_the_looks():
    """Of the step for Euler and tau-leaping, of both looks for the theta method."""
    sampler = ThetaTrapezoidal(8, 0.3, Cosine())
    t = 1 - torch.arange(9, dtype=torch.float64) / 8                               # and 0, of what is left
    first, second = sampler.schedule.alpha(t), sampler.schedule.alpha(t - 0.3 / 8)
    _, net = metered(sampler)
    clocks = torch.cat([clock for _, _, clock in net.asked])
    assert bool((clocks[:, None] - torch.cat((first, second))).abs().amin(1).lt(1e-12).all())
    assert all(bool((clocks[:, None] - look).abs().amin(1).lt(1e-12).any()) for look in (first[1:], second))
    _, net = metered(TauLeaping(4))
    levels = torch.cat((torch.zeros(1), TauLeaping(4).levels("cpu")))
    assert torch.equal(torch.cat([clock for _, _, clock in net.asked]).unique(), levels)


# rows

@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_rows_are_the_same_in_batches_of_1_7_and_64_with_and_without_the_queue(sampler):
    runs = [sample(sampler, nets(), prompts(15), 3, batch, queue=queue) for batch,
            queue in ((1, True), (7, True), (64, True), (64, False))]
    assert all(torch.equal(runs[0], other) for other in runs[1:])
    assert torch.equal(runs[0][::3, :5], prompts(15)[::3, :5])


@pytest.mark.parametrize("sampler", [*SAMPLERS, Euler(3, Polynomial(4.0)), Euler(3, Polynomial(0.25)), TauLeaping(1),
                                     ThetaTrapezoidal(1, 0.9),
                                     ThetaTrapezoidal(2, 0.1, Polynomial(4.0)),
                                     ThetaTrapezoidal(3, 0.5, Knots((0.0, 0.5, 0.6, 1.0)))], ids=str)
@pytest.mark.parametrize("length", [1, 3])
def test_every_row_is_finished_in_any_schedule_also_with_a_prompt(sampler, length):
    x = torch.full((50, length + 1), MASK)
    x[::2, 0] = 1
    out = sample(sampler, {"main": Flat()}, x, 0, 16)
    assert bool((out != MASK).all()) and bool((out[::2, 0] == 1).all())


def test_given_tokens_condition_the_rest():
    given = torch.tensor([2, MASK, 0, MASK]).expand(N, D)
    for sampler in (Euler(256), TauLeaping(256), ThetaTrapezoidal(256)):
        x = drawn(sampler, table_nets(), prompts=given)
        states = DATA.states()
        law = torch.where((states[:, 0] == 2) & (states[:, 2] == 0), DATA.law(), 0.0)
        assert total_variation(torch.bincount(DATA.index(x), minlength=81), law / law.sum()) < 0.03


def test_linear_is_the_default_schedule():
    assert all(kind().schedule == Linear() for kind in (Euler, TauLeaping, ThetaTrapezoidal))
