"""Every figure at print size: no words on other words, none cut off at the edge, none too small to read in a single
column, nothing empty.
"""

import importlib
import itertools
import pkgutil

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from reports import build, front, history, judges, plots, style
from reports.forwards import AXES
from reports.frame import chapters
from reports.marks import quality_label
from reports.records import read
from tests.test_judges_agree import write_judges
from tests.test_report_toy import count_again, write, write_grid, write_sweep

SMALLEST = 6.0  # points
NAMES = sorted(module.name for module in pkgutil.iter_modules(plots.__path__))


def _measured() -> list[pd.DataFrame]:
    """Tables that studies of their own make, with made-up numbers."""
    rng, about = np.random.default_rng(0), {"n": 1024, "subject": "made_up_text, L = 128"}

    def spans(frame, name=""):
        value = frame[name or "value"]
        low, high = (f"{name}_low", f"{name}_high") if name else ("low", "high")
        return frame.assign(**{low: value * 0.95, high: value * 1.05})

    alphas = (np.arange(8) + 0.5) / 8
    importance = spans(pd.DataFrame([{"states": s, "quantity": q, "alpha": a,
                                      "value": 0.6 - 0.5 * a + 0.1 * (q == "gap")} | about
                                     for s in ("own states", "held-out text") for q in ("kl", "gap") for a in alphas]))
    names = ["sandwich", "prefix", "suffix", "middle", "interleaved", *(f"segments {a} {b}" for a in range(8)
                                                                        for b in range(a))]
    loss = pd.DataFrame([{"placement": p, "named": k < 5, "loss": 0.05 + 0.1 * rng.random()} | about for k,
                         p in enumerate(names)])
    placements = spans(loss, "loss").assign(beyond_sandwich=0.0, beyond_low=-0.01, beyond_high=0.01)
    steps = [16, 64, 256, 1024, 4096]
    race = itertools.product(("ancestral", "fused_float32"), ("entropy", "entropy drawn"), ("closed form", "measured"),
                             enumerate(steps))
    float32 = spans(pd.DataFrame([{"arm": arm, "quantity": q, "kind": kind, "steps": s, "tokens": 20000,
                                   "value": 7.5 - 0.2 * k * (arm != "ancestral")} | about
                                  for arm, q, kind, (k, s) in race]))
    predicted = spans(spans(pd.DataFrame([{"states": s, "placement": p, "loss": 0.05 + 0.1 * rng.random(),
                                           "measured": 0.03 + 0.1 * rng.random()} | about
                                          for s in ("own states", "validation text") for p in names[5:]]), "loss"),
                      "measured")
    batches = pd.DataFrame([{"key": "k0", "arm": "ssmd", "setting": "delta=0.16 rounds=10", "batch": b, "queue": q,
                             "needed": 14.0, "ratio": 1 + 0.1 * k * (3 - 2 * q)} | about
                            for q in (False, True) for k, b in enumerate((1, 4, 16, 64, 256))])
    stragglers = spans(batches, "ratio").rename(columns={"ratio_low": "low", "ratio_high": "high"})
    laws = pd.DataFrame([{"law": law, "seed": s, "tokens": 1.5e6, "nats": 2.4 + 0.01 * rng.random()} | about
                         for law in ("linear", "cosine", "polynomial") for s in (1, 2, 3)])
    axes = {"length": (64, 128, 256, 512, 1024), "vocabulary": (27, 512, 4096, 50257), "batch": (4, 16, 64),
            "rows": (16, 64, 256)}
    growth = spans(pd.DataFrame([{"sampler": s, "axis": axis, "at": at, "quantity": q,
                                  "value": (1 + k) * len(s) * at**0.9 / 100, "exponent": 0.9} | about
                                 for s in ("ancestral", "ssmd") for axis, sizes in axes.items() for k,
                                 q in enumerate(("seconds of passes", "seconds", "GFLOP", "loop over passes"))
                                 for at in sizes]),
                   "exponent").rename(columns={"exponent_low": "low", "exponent_high": "high"})
    equal = pd.DataFrame([{"arm": f"sampler_of_the_field_{k}", "passes": p, "baseline": "ancestral",
                           "cooler": "ancestral_cool", "metric": "judge", "unit": "nats per token",
                           "value": v, "low": v - 0.08, "high": v + 0.07, "entropy": -0.02 * k} | about
                          for p in (15.9, 31.2) for k, v in enumerate(np.linspace(-0.3, 1.4, 28))])
    rows = []
    for key, setting in (("k0", "delta=0.16 rounds=10"), ("k1", "delta=0.04 rounds=4")):
        for states, by, count in itertools.product(("own", "text"), ("depth", "progress", "round", "revealed"), (10,)):
            rows += [{"key": key, "arm": "ssmd", "setting": setting, "nfe_a": 20.0, "colour": style.COLOURS[1],
                      "marker": "s", "states": states, "by": by, "index": k + 1,
                      "tests": 500, "predicted": 0.9 - 0.02 * k, "counted": 0.9 - 0.021 * k, "difference": 0.001}
                     | about for k in range(count)]
    revealed = pd.DataFrame(rows)
    for name in ("predicted", "counted", "difference"):
        revealed = spans(revealed, name)
    groups = ("BOS", "revealed", "drafted", "beside, revealed", "beside, drafted")
    attention = spans(pd.DataFrame([{"group": g, "depth": d, "quantity": q,
                                     "value": (0.1 + 0.1 * k) * (1 if q == "attention" else 0.4)} | about
                                    for k, g in enumerate(groups) for d in (0, 1, 2, 4, 8, 16, 32)
                                    for q in ("attention", "tracks")]))
    further = pd.DataFrame([{"objective": o, "seed": s, "rounds": r, "nats": 2.0 + 0.02 * k + 0.1 * (r > 1),
                             "passes": 4 - 0.2 * s - 2 * (r > 1)} | about
                            for k, (o, s) in enumerate((("start", 0), *itertools.product(("loss", "bound"), (1, 2, 3))))
                            for r in (1, 10)])
    beside = pd.DataFrame([{"sampler": s, "setting": str(k), "metric": m, "better": "lower", "unit": "nats",
                            "passes": 0.0 if s == "held_out" else 120 * 0.6**k,
                            "value": 2.0 + 0.1 * k} | about
                           for s in ("ancestral", "ssmd_dilated", "held_out", "autoregressive",
                                     "autoregressive minus ssmd_dilated")
                           for m in ("spelling", "ngram", "sample_entropy") for k in range(4)])
    changes = spans(spans(pd.DataFrame([{"network": name, "base": "base", "nats": 0.02 * k + 0.01, "ratio": 1 + 0.05 * k
                                         if k else None} | about
                                        for k, name in enumerate(("seed", "two_blocks", "gated"))]), "nats"), "ratio")
    competence = pd.DataFrame([{"network": name, "competence": c, "recovered": r, "gain": r / 5} | about
                               for name, c, r in (("low", 0.04, 0.5), ("middle", 0.16, 0.4), ("high", 0.3, 0.45))])
    for quantity in ("competence", "recovered", "gain"):
        competence = spans(competence, quantity)
    verified = spans(competence[["network", *(f"competence{end}" for end in ("", "_low", "_high")), *about]].assign(
        ratio=[1.4, 1.7, 2.0]), "ratio")
    forwards = pd.DataFrame([about | {"arm": arm, "setting": str(k), "key": arm + str(k), "colour": style.COLOURS[0],
                                      "marker": "o", "metric": m, "better": "lower", "unit": "nats per token",
                                      "per": axis.name, "word": axis.word, "x": 2.0**k, "y": 2.0 + 0.1 * k,
                                      "hollow": False, "collapsed": False, "level": np.nan}
                             for arm in ("ancestral", "ssmd_dilated") for m in ("judge", "spelling") for axis in AXES
                             for k in range(4)])
    return [changes, importance, placements, float32, revealed, predicted, stragglers, laws, growth, equal, attention,
            competence, verified, spans(spans(further, "nats"), "passes"), spans(spans(beside), "passes"),
            spans(spans(forwards, "x"), "y")]


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    """Tidy frames of all kinds, from three made-up runs, and of a fourth what judges say."""
    folder, found = tmp_path_factory.mktemp("figures"), []
    for name, make in (("run", write), ("grid", write_grid), ("hunt", write_sweep)):
        store = make(folder / name, n=24)
        if name == "run":
            for k, commit in enumerate(("1111111aaaa", "2222222bbbb", "3333333cccc")):
                count_again(store, commit, f"299{k}-01-01T00:00:00+00:00")
        parts = chapters(read([folder / name]))
        base = front.baseline_of(parts[0], "ancestral")
        found += [*build.frames(parts[0], base, 200)[2], history.over_commits(parts, base)]
    write_judges(folder / "judged")
    return [*found, judges.scatter(chapters(read([folder / "judged"]))[0], "ancestral"), *_measured()]


def texts(figure) -> list[tuple[Text, object]]:
    """The words that a reader sees, each with its box in pixels."""
    FigureCanvasAgg(figure).draw()
    found = [text for legend in figure.legends for text in legend.get_texts()]
    for ax in figure.axes:
        if not ax.axison:
            continue
        found += [ax.title, ax._left_title, ax._right_title, ax.xaxis.label, ax.yaxis.label, *ax.texts]
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            found += [label for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high
                      for label in (tick.label1, tick.label2)]
    return [(text, text.get_window_extent()) for text in found if text.get_visible() and text.get_text().strip()]


def over(a, b, slack: float) -> bool:
    """Whether two boxes share more than `slack` pixels both ways."""
    return min(a.x1, b.x1) - max(a.x0, b.x0) > slack and min(a.y1, b.y1) - max(a.y0, b.y0) > slack


@pytest.mark.parametrize("inches", [style.DOUBLE, style.SINGLE], ids=["double", "single"])
@pytest.mark.parametrize("name", NAMES)
def test_words_of_a_figure_neither_overlap_nor_leave_it_and_can_be_read(frames, name, inches):
    plot = importlib.import_module(f"reports.plots.{name}")
    fitting = [frame for frame in frames if len(frame) and set(plot.needs) <= set(frame)]
    assert fitting, f"no made-up run has the columns of {name}"
    drawn = 0
    for frame in fitting:
        with style.paper():
            made = plot.draw(frame, inches)
            if made is None:
                continue
            figure, numbers = made
            seen = texts(figure)
        width, height = figure.bbox.width, figure.bbox.height
        assert numbers and len(seen) > 4 and height / width < (1.2 if inches == style.DOUBLE
                                                               else 2.6), (len(seen), height / width)
        for text, box in seen:
            assert text.get_fontsize() >= SMALLEST, text.get_text()
            if not text.get_rotation() % 90:
                assert box.x0 >= -2 and box.y0 >= -2 and box.x1 <= width + 2 and box.y1 <= height + 2, (
                    text.get_text(),
                    box,
                    width,
                    height,
                )
        slack = 1.5 * figure.dpi / 100  # a hair
        straight = [(text, box) for text, box in seen if not text.get_rotation() % 90]
        clash = [(a.get_text(), b.get_text()) for (a, one), (b, other) in itertools.combinations(straight, 2)
                 if over(one, other, slack)]
        assert not clash, clash
        drawn += 1
    assert drawn, f"{name} draws nothing of any made-up run"


def test_an_arm_has_its_colour_and_marker_in_every_chapter_of_a_report(tmp_path):
    write(tmp_path / "one", n=12, timed=0, troubles=False)
    write_sweep(tmp_path / "two", n=12)
    parts = chapters(read([tmp_path / "one", tmp_path / "two"]))
    assert len(parts) > 1 and [part.arms for part in parts][0] != [part.arms for part in parts][-1]
    looks = [{(row.arm, row.colour, row.marker) for row in front.tradeoff(part, "ancestral").itertuples()}
             for part in parts]
    every = set.union(*looks)
    assert len(every) == len({arm for arm, *_ in every}) == len({(colour, marker) for _, colour, marker in every})


@pytest.mark.parametrize(("name", "better", "label"), [
    ("spelling", "higher", "spelling ↑ (unit)"), ("corpus_entropy", "match", "corpus entropy (unit)"),
    ("nfe_a", "lower", "NFE A ↓ (unit)")])
def test_an_arrow_points_to_the_better_side_and_a_metric_without_one_has_none(frames, name, better, label):
    about = {"better": better, "unit": "unit"}
    assert quality_label(pd.DataFrame([about | {"metric": name}])) == label
    for plot, column in (("history", "metric"), ("sweep_front", "y_metric"), ("sweep_history", "objective")):
        module = importlib.import_module(f"reports.plots.{plot}")
        frame = next(frame for frame in frames if len(frame) and set(module.needs) <= set(frame))
        frame = frame[frame[column] == next(each for each in frame[column]
                                            if each != "front")].assign(**about | {column: name})
        with style.paper():
            figure, _ = module.draw(frame)
        assert figure.axes[0].get_ylabel().replace("\n", " ") == label, plot


def test_figures_of_the_importance_study_stand_with_the_placements():
    assert {name for name in NAMES if importlib.import_module(f"reports.plots.{name}").SECTION
            == "importance"} == {"importance", "placements", "placed", "predicted"}
    template = (build.TEMPLATES / "report.html.j2").read_text(encoding="utf-8")
    for name in NAMES:
        section = importlib.import_module(f"reports.plots.{name}").SECTION
        assert f'"{section}")' in template, f"no section of the page shows {name}"
