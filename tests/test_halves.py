"""A front is judged on rows that had no say in its choice: noise alone gains nothing, and what is better is found to be
so.
"""

import numpy as np
import pytest
import torch

from harness.kinds import Scores
from harness.random import Stream, uniform
from harness.stats.frontier import Point, hypervolume, hypervolume_gain
from harness.stats.sample_splitting import contest, part


def noise(rows: int, stream: int) -> np.ndarray:
    return uniform(3, torch.arange(rows), Stream.DATA, torch.tensor([stream]))[:, 0].numpy() - 0.5


def points(count: int, shift: float = 0.0, n: int = 200, first: int = 0, slope: float = 0.2) -> list[Point]:
    """Nats fall with ln cost; each point has noise of its own."""
    made = []
    for k in range(count):
        cost = 4 * 2 ** (5 * (k + 0.5) / count)
        nats = 3 - slope * np.log(cost) - shift + 2 * noise(n, first + k)
        made.append(Point(cost, Scores(float(nats.mean()), nats, np.ones(n)), np.full(n, cost)))
    return made


def test_noise_alone_seems_to_gain_where_it_is_chosen_and_not_where_it_is_judged():
    """60 points that differ by luck alone against 6 of their kind, 20 times."""
    chosen, judged = [], []
    for k in range(20):
        many, six = (points(count, n=60, first=1000 * k + 500 * (count == 6), slope=0.0) for count in (60, 6))
        found = contest(many, six, "lower", resamples=50)
        judged.append(found.ahead.value)
        even = [[part(p, slice(0, None, 2)) for p in side] for side in (many, six)]
        picks = [min((q for q in even[0] if q.cost <= p.cost), key=lambda q: q.scores.value) for p in even[1]
                 if any(q.cost <= p.cost for q in even[0])]
        chosen.append(np.mean([a.scores.value for a in picks]) - np.mean([p.scores.value
                                                                          for p in even[1][-len(picks):]]))
    assert np.mean(chosen) < -0.1 and abs(np.mean(judged)) < 0.04, (np.mean(chosen), np.mean(judged))


def test_a_better_front_is_seen_with_its_size():
    found = contest(points(12, shift=0.3), points(6, first=100), "lower")
    assert found.gain.low > 0 and found.ahead.high < 0 and found.ahead.low < -0.2 and found.compared == 6
    assert found.cost <= 1 and set(found.front) <= set(range(12))


def test_a_worse_front_is_behind_and_one_that_is_dearer_is_compared_with_none():
    found = contest(points(12, shift=-0.3), points(6, first=100), "lower")
    assert found.ahead.low > 0 and found.gain.value < 0
    dear = [Point(1000.0, p.scores, np.full(200, 1000.0)) for p in points(2)]
    lonely = contest(dear, points(6, first=100), "lower")
    assert lonely.ahead is None and lonely.compared == 0 and lonely.gain.value == pytest.approx(-lonely.baseline)


def test_metrics_that_are_better_higher_are_turned_about():
    def up(side):
        return [p._replace(scores=Scores(-p.scores.value, -p.scores.numerator, p.scores.denominator)) for p in side]

    a, b = contest(points(12, shift=0.3), points(6, first=100),
                   "lower"), contest(up(points(12, shift=0.3)), up(points(6, first=100)), "higher")
    assert (
        a.front == b.front
        and a.gain.value == pytest.approx(b.gain.value)
        and a.ahead.value == pytest.approx(-b.ahead.value)
    )


def test_the_gain_is_the_difference_of_two_hypervolumes():
    many, six = points(8, shift=0.1), points(6, first=100)
    v = [hypervolume([p.cost for p in side], [p.scores.value for p in side], (150.0, 4.0), "lower")
         for side in (many, six)]
    found = hypervolume_gain(many, six, (150.0, 4.0), "lower", resamples=200)
    assert found.value == pytest.approx(v[0] - v[1]) and found.low < found.value < found.high and found.n == 200
    same = hypervolume_gain(six, six, (150.0, 4.0), "lower", resamples=50)
    assert (same.value, same.low, same.high) == (0, 0, 0)
