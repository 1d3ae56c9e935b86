"""Cost at equal quality, realised: the cost of the cheapest setting that was run and is not worse than a goal.

not worse   on every side of quality, the one-sided 97.5 % bound of (setting minus goal), paired by row, is at most a
            margin
choice      on one set of rows: the few cheapest settings that seem no worse there, with half of the margin left for
            noise
report      on other rows, which chose nothing: the chosen are tested one after the other, the surest first. The first
            that fails ends it, so that the error of the whole is that of one test (a fixed sequence). The cheapest that
            passed counts.
ratio       cost of the baseline over cost of that setting, both measured on the reporting rows. The interval runs from
            the lower end of that ratio to the upper end of the ratio of the cheapest setting which is not shown to be
            worse: what a finer look could still find. Intervals of costs are 95 % bootstrap intervals.

Nothing is read between two settings. Two sides of quality, such as a likelihood and a diversity, are both to be met:
each is tested at the full level, since a setting that fails either is refused.

    >>> n = np.arange(400) % 2
    >>> def cell(cost, nats):
    ...     return Setting(str(cost), np.full(400, float(cost)), {"judge": Scores(nats, nats + n, n * 0 + 1.0)})
    >>> fronts = cell(32, 2.0), [cell(8, 2.4), cell(12, 2.0), cell(16, 1.9)]
    >>> found = matched(*fronts, [Side("judge", "lower", 0.01)])
    >>> found.setting, round(found.ratio.value, 2)
    ('12', 2.67)
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from harness.kinds import Scores
from harness.stats.intervals import Interval, interval, ratio_interval, resampled_sums

CANDIDATES = 3    # settings that are tested on the reporting rows
LEFT = 0.5        # of the margin, for the noise of the reporting rows
RESAMPLES = 4000
EVEN, ODD = slice(0, None, 2), slice(1, None, 2)


class Side(NamedTuple):
    """One side of quality, such as a likelihood or a diversity."""

    label: str       # of the metric
    better: str      # lower or higher
    margin: float    # in units of the metric: worse by less counts as not worse


class Setting(NamedTuple):
    """One operating point on n rows: what it cost, and its scores, by row."""

    name: str
    costs: np.ndarray              # (n,)
    scores: Mapping[str, Scores]   # by label, one of n rows each

    def part(self, rows: slice) -> "Setting":
        """The setting on some of its rows, with the scores of those rows."""
        def cut(x: Sequence[float] | np.ndarray) -> np.ndarray:
            return np.asarray(x, np.float64)[rows]

        scores = {label: Scores(float(cut(s.numerator).sum() / cut(s.denominator).sum()), cut(s.numerator),
                                cut(s.denominator))
                  for label, s in self.scores.items()}
        return Setting(self.name, cut(self.costs), scores)

    @property
    def cost(self) -> float:
        """The mean over rows, in the unit of `costs`."""
        return float(np.mean(self.costs))


class Realised(NamedTuple):
    """What a setting that was run saves, at a quality that is not worse than the goal."""

    setting: str                      # its name, "" if there is none
    ratio: Interval | None
    excess: dict[str, Interval]       # by side: how much worse than the goal, below zero better
    cheaper: str  # the cheapest setting that is not shown to be worse: the upper end of the interval
    reason: str = ""                  # why there is no ratio


def excess(setting: Setting, goal: Setting, side: Side) -> Interval:
    """How much worse a setting is than the goal, in units of the metric; below zero it is better."""
    return excesses([setting], goal, side)[0]


def excesses(settings: Sequence[Setting], goal: Setting, side: Side) -> list[Interval]:
    """`excess` of each, all rows resampled at once: those of harness.stats.intervals.paired_difference."""
    scores = [s.scores[side.label] for s in (goal, *settings)]
    # (n, 2 + 2 K)
    columns = np.stack([np.asarray(x, np.float64) for s in scores for x in (s.numerator, s.denominator)], 1)
    if not np.isfinite(columns).all() or not (columns[:, 1::2].sum(0) > 0).all():
        raise ValueError(f"{side.label} has rows that are not finite, or none that hold what it counts: the metric "
                         "has failed")
    sums = resampled_sums(columns, RESAMPLES, seed=0)                              # (1 + RESAMPLES, 2 + 2 K)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = (1 if _lower(side) else -1) * sums[:, ::2] / sums[:, 1::2]
    return [interval(value, found, len(columns), 0.95) for value, *found in (values[:, 1:] - values[:, :1]).T]


def behind(setting: Setting, goal: Setting, sides: Sequence[Side]) -> float:
    """How much worse a setting is on these rows, in margins, on the side where it is most so. No test."""
    def value(side: Side, s: Scores) -> float:
        return (1 if _lower(side) else -1) * float(np.sum(s.numerator) / np.sum(s.denominator))

    return max((value(side, setting.scores[side.label]) - value(side, goal.scores[side.label])) / side.margin
               for side in sides)


def _lower(side: Side) -> bool:
    if side.better not in ("lower", "higher"):
        raise ValueError(f"{side.label} is better {side.better}: a setting is held against a goal by metrics that are "
                         "better lower or higher")
    return side.better == "lower"


def not_worse(found: Sequence[Interval], sides: Sequence[Side]) -> bool:
    """Whether no interval reaches above its margin. Of what `excess` found on each side."""
    return all(e.high <= side.margin for e, side in zip(found, sides, strict=True))


def shown_worse(found: Sequence[Interval], sides: Sequence[Side]) -> bool:
    """Whether an interval of `excess` lies wholly above its margin, on any side."""
    return any(e.low > side.margin for e, side in zip(found, sides, strict=True))


def choose(goal: Setting, settings: Sequence[Setting], sides: Sequence[Side]) -> list[str]:
    """The cheapest settings that seem no worse on these rows, by name, the surest first: the order in which to test
    them on others.

    Here nothing is tested. A choice that was too hopeful fails on the other rows.
    """
    worst = {s.name: behind(s, goal, sides) for s in settings}
    cheapest = sorted((s for s in settings if worst[s.name] <= LEFT), key=lambda s: s.cost)[:CANDIDATES]
    return sorted((s.name for s in cheapest), key=lambda name: worst[name])


def report(baseline: Setting, settings: Sequence[Setting], order: Sequence[str], sides: Sequence[Side],
           goal: Setting | None = None) -> Realised:
    """The ratio on rows that chose nothing. `order` is what `choose` gave on others; `goal` is the baseline itself
    unless said.
    """
    goal, known = goal or baseline, {s.name: s for s in settings}
    first = min((known[name].cost for name in order), default=0.0)
    tested = [s for s in settings if s.name in order or s.cost <= first]
    held = dict(zip((s.name for s in tested), zip(*(excesses(tested, goal, side) for side in sides)), strict=True))
    passed: list[Setting] = []
    for name in order:
        if not not_worse(held[name], sides):
            break
        passed.append(known[name])
    by_side = {name: dict(zip((side.label for side in sides), found, strict=True)) for name, found in held.items()}
    if not passed:
        if not order:
            return Realised("", None, {}, "", "no setting seems no worse on the rows that choose")
        return Realised("", None, by_side[order[0]], "",
                        f"{order[0]}, the surest, is not shown to be no worse on rows that did not choose it")
    best = min(passed, key=lambda s: s.cost)
    perhaps = [known[name] for name in held if known[name].cost <= best.cost and not shown_worse(held[name], sides)]
    cheapest = min(perhaps, key=lambda s: s.cost, default=best)
    return Realised(best.name, saved(baseline.costs, best.costs, cheapest.costs), by_side[best.name], cheapest.name)


def saved(baseline: np.ndarray, best: np.ndarray, cheapest: np.ndarray) -> Interval:
    """The ratio of costs (n,) at the best setting that passed; its upper end is that at the cheapest which is not shown
    to be worse.
    """
    here, there = (ratio_interval(baseline.tolist(), costs.tolist()) for costs in (best, cheapest))
    return Interval(here.value, here.low, max(here.high, there.high), here.n, here.level)


def matched(baseline: Setting, settings: Sequence[Setting], sides: Sequence[Side],
            goal: Setting | None = None) -> Realised:
    """The ratio from one set of rows: settings are chosen on the even rows and reported on the odd ones."""
    goal = goal or baseline
    order = choose(goal.part(EVEN), [s.part(EVEN) for s in settings], sides)
    return report(baseline.part(ODD), [s.part(ODD) for s in settings], order, sides, goal.part(ODD))


def over_seeds(first: Interval, others: Sequence[Interval]) -> Interval:
    """The interval of one seed of training, widened to hold those of the others. n stays that of the first."""
    return Interval(first.value, min(i.low for i in (first, *others)), max(i.high for i in (first, *others)), first.n,
                    first.level)
