"""Likelihood at equal passes and entropy, as a report reads it off made-up rows."""

import doctest
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from harness.stats import equal_entropy as statistic
from reports.equal_entropy import gaps
from reports.plots import equal_entropy

N = 200
POINTS = {    # arm -> steps -> passes, nats, entropy, temperature
    "ancestral": {16: (16.0, 2.6, 2.75, 1.0), 32: (31.0, 2.4, 2.75, 1.0)},
    "cool": {16: (16.0, 2.3, 2.65, 0.8), 32: (31.0, 2.1, 2.65, 0.8)},
    "alike": {16: (16.0, 2.45, 2.70, 1.0)},
    "better": {15: (15.5, 2.6, 2.75, 1.0), 17: (16.516, 2.4, 2.75, 1.0), 32: (31.0, 2.3, 2.75, 1.0)},
    "apart": {8: (8.0, 2.7, 2.75, 1.0), 33: (32.0, 2.3, 2.75, 1.0)},
    "few": {8: (8.0, 2.7, 2.7, 1.0)},
}


class Cell(SimpleNamespace):
    def rows(self, label):
        """Numerator and denominator, (2, N); rows share their noise."""
        return np.stack([(getattr(self, label) + np.random.default_rng(0).normal(0, 0.02, N)) * 128, np.full(N, 128.0)])


def chapter(points=POINTS, **metrics):
    rows, cells = [], {}
    for arm, settings in points.items():
        for steps, (passes, nats, entropy, temperature) in settings.items():
            key = f"{arm}{steps}"
            cells[key] = Cell(judge=nats, sample_entropy=entropy,
                              record={"cell": {"data": {"name": "made_up", "length": 128}}})
            rows.append({"arm": arm, "setting": f"steps={steps}", "key": key, "sampler": f'{{"steps": {steps}}}',
                         "n": N, "nfe_a": passes, "judge": nats, "sample_entropy": entropy,
                         "temperature": temperature, "nucleus": 1.0, "nucleus_keep": 1})
    frame = pd.DataFrame(rows)
    known = {"judge": {"name": "judge", "unit": "nats per token", "per": "row"},
             "sample_entropy": {"name": "sample_entropy", "unit": "nats", "per": "row"}}
    return SimpleNamespace(done=lambda: frame, metrics=known | metrics, cells=cells, palette=list(points))


def test_the_example_of_the_statistic_holds():
    found = doctest.testmod(statistic)
    assert found.attempted and not found.failed


def test_the_gap_is_what_entropy_at_the_baselines_exchange_does_not_explain():
    found = gaps(chapter(), "ancestral").set_index(["arm", "setting"]).sort_index()
    near = [("alike", "steps=16"), ("better", "steps=16"), ("better", "steps=32")]
    assert found.index.tolist() == near, ("few has no two points around these passes, and those of apart lie too far "
                                          "from one another")
    assert found.value["alike", "steps=16"] == pytest.approx(0) and found.entropy["alike", "steps=16"] == pytest.approx(
        -0.05
    )
    # half way in ln(passes), 0.2 below
    assert (
        found.value["better", "steps=16"] == pytest.approx(-0.1, abs=0.01) and found.high["better", "steps=16"] < -0.08
    )
    figure, numbers = equal_entropy.draw(found.reset_index())
    assert (
        len(figure.axes) == 2
        and len(numbers) == 3
        and "1 of 2 arms at 16.0 passes" in equal_entropy.caption(found.reset_index())
    )


@pytest.mark.parametrize("cut", ["baseline", "cool", "judge", "warm"])
def test_without_a_cooler_baseline_or_a_judge_nothing_is_drawn(cut):
    points = {arm: settings for arm, settings in POINTS.items() if arm != cut}
    if cut == "warm":    # no lower entropy, so no exchange
        points |= {"cool": {16: (16.0, 2.3, 2.75, 0.8)}}
    more = {"judge": {"name": "judge", "unit": "nats per LM token", "per": "row"}} if cut == "judge" else {}
    assert gaps(chapter(points, **more), None if cut == "baseline" else "ancestral").empty
