"""What a page must say against itself: what is missing or has left, what was timed beside other work, what repeats."""

import json
import re
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import torch

from baselines.ancestral import Ancestral
from harness.__main__ import main
from harness.data.control import HeldOut, Shuffled
from harness.data.exact import Exact
from harness.data.wikipedia_leads import WikipediaLeads
from harness.metrics.distinct import Distinct
from harness.metrics.entropy import CorpusEntropy
from harness.metrics.exact_nll import ExactNll
from harness.metrics.ngram_judge import NgramJudge
from harness.metrics.words import Spelling
from harness.nets.own import Made, Own
from harness.records.store import Store
from harness.run import runner
from harness.run.companions import companions, level
from harness.sampling.reveal import positions, write
from harness.stats.collapse import SHARE
from harness.study import Arm, Study, Table, grid
from reports import busy, front, matched, placed, published, style
from reports.build import build
from reports.frame import chapters
from reports.plots import placed as placed_plot
from reports.plots import published_ratios
from reports.quoted import sentence
from reports.records import read
from tests.test_report_toy import _cell, write_grid
from tests.test_report_toy import write as write_toy

DATA = Exact()
TEXT = WikipediaLeads(48)


def study(steps, name="toy", arm="ancestral", **changes) -> Study:
    arms = [Arm(arm, grid(Ancestral, steps=steps), {"main": "heavy"}), Arm("held_out", [HeldOut()])]
    metrics = [ExactNll(), CorpusEntropy()]
    about = {
        "name": name,
        "question": "?",
        "data": DATA,
        "nets": {"heavy": Table(DATA)},
        "reference": "heavy",
        "arms": arms,
        "metrics": metrics,
        "n": 32,
        "batch": 8,
    }
    return Study(**about | changes)


def interrupted(folder, keep: int) -> None:
    """As a run that was killed after so many cells leaves its records."""
    lines = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    counted = [r["key"] for r in lines if r["type"] == "counted"][:keep]
    kept = [
        r for r in lines if r["type"] not in ("counted", "scored") or r.get("key") in counted and r["type"] == "counted"
    ]
    (folder / "records.jsonl").write_text("".join(json.dumps(r) + "\n" for r in kept))


@pytest.fixture
def plain(monkeypatch):
    """Figures are drawn but not written."""
    monkeypatch.setattr(style, "save", lambda figure, folder, name: '<svg viewBox="0 0 1 1"></svg>')


def chapter_of(*folders):
    return chapters(read(list(folders)))[0]


def told(chapter, what: str) -> list[dict]:
    return [t for t in chapter.troubles if t["what"] == what]


# ---- what is missing, and what has left


def test_report_of_an_interrupted_run_says_how_many_cells_have_no_record(tmp_path, plain):
    runner.run(study([1, 2, 3, 4]), tmp_path / "run")
    interrupted(tmp_path / "run", 3)
    page = build([tmp_path / "run"], tmp_path / "out", resamples=50).read_text()
    assert (
        "The study asks for 5 cells: 2 of them have no record." in page
        and "3 done, 2 without a record" in page
        and "No remark" not in page
    )
    chapter = chapter_of(tmp_path / "run")
    assert [t["reason"].split(":")[0] for t in told(chapter, "no record")] == [
        "2 of 4 points that the study asks for have no record"
    ]
    assert "ancestral(steps=4, linear)" in told(chapter, "no record")[0]["setting"]
    assert {t["reason"].split(" ")[0] for t in told(chapter, "not scored")} == {"exact_nll", "corpus_entropy"}


def test_report_of_a_whole_run_says_that_each_cell_has_a_record(tmp_path, plain):
    runner.run(study([1, 2], metrics=[CorpusEntropy()]), tmp_path / "run")
    page = build([tmp_path / "run"], tmp_path / "out", resamples=50).read_text()
    assert (
        "The study asks for 3 cells: each has a record." in page
        and "No remark: every cell that the study asks for was counted" in page
    )


def test_records_that_hold_no_list_of_cells_are_said_to_hold_none(tmp_path, plain):
    write_toy(tmp_path / "run", n=8, timed=0, troubles=False)
    page = build([tmp_path / "run"], tmp_path / "out", resamples=50).read_text()
    assert "How many cells made_up asks for is not known" in page and "every cell that the study asks for" not in page


def test_two_studies_in_one_folder_have_no_false_remark(tmp_path):
    """The second finds all its cells stored, counted for the first."""
    runner.run(study([1, 2]), tmp_path)
    runner.run(study([1, 2], name="other"), tmp_path)
    runner.run(study([2], name="third", arm="alone"), tmp_path)
    assert not told(chapter_of(tmp_path), "no record") and not chapter_of(tmp_path).asked.missing


def test_two_studies_of_older_records_in_one_folder_have_no_false_remark(tmp_path):
    store = write_toy(tmp_path, n=8, timed=0, troubles=False)
    store.append(store.of("study")[-1] | {"name": "second"})
    assert not told(chapter_of(tmp_path), "no record")


def test_a_setting_that_left_the_study_is_in_no_figure_front_or_ratio_and_is_said(tmp_path, plain):
    runner.run(study([1, 2, 4]), tmp_path / "run")
    runner.run(study([1, 2]), tmp_path / "run")
    chapter = chapter_of(tmp_path / "run")
    gone = chapter.frame[chapter.frame.left]
    assert list(gone.setting) == ["steps=4"] and [t["key"] for t in told(chapter, "left the study")] == list(gone.key)
    drawn = front.tradeoff(chapter, "ancestral")
    assert set(gone.key).isdisjoint(drawn.key) and {"steps=1", "steps=2"} == set(drawn.setting)
    page = build([tmp_path / "run"], tmp_path / "out", resamples=50).read_text()
    assert '<span class="flag">left</span>' in page and "the study no longer asks for this setting" in page


def test_chosen_arms_other_settings_and_other_rows_retire_nothing(tmp_path):
    runner.run(study([1, 2]), tmp_path)
    runner.run(replace(study([1, 2]), arms=study([1, 2]).arms[1:]), tmp_path, asks="chosen")
    runner.run(study([5]), tmp_path, asks="variant")
    runner.run(study([1, 2], n=16), tmp_path)
    found = chapters(read([tmp_path]))
    assert [chapter.frame.n.max() for chapter in found] == [32, 16]
    assert not any(chapter.frame.left.any() or chapter.asked.missing or chapter.asked.unknown for chapter in found)
    assert len(found[0].asked.cells) == 4 and len(found[1].asked.cells) == 3


def test_only_on_the_command_line_retires_no_other_arm(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toy.py").write_text(f'"""?"""\nfrom tests.test_report_honest import study\nSTUDY = study({[1, 2]})\n')
    for words in ([], ["--only", "held_out"], ["--set", "steps=3"]):
        assert main(["run", "toy.py", "--out", "run", *words]) == 0
    assert [r["asks"] for r in Store(tmp_path / "run").of("study")] == ["all", "chosen", "variant"]
    assert not chapter_of(tmp_path / "run").frame.left.any()


def test_a_study_whose_settings_all_changed_says_what_is_missing_before_any_was_run(tmp_path):
    runner.run(study([1]), tmp_path)
    runner.run(study([2, 3], arm="anew"), tmp_path)
    interrupted(tmp_path, 2)
    chapter = chapter_of(tmp_path)
    assert [t["arm"] for t in told(chapter, "no record")] == ["anew"] and dict(
        zip(chapter.frame.arm, chapter.frame.left)
    ) == {"ancestral": True, "held-out data": False}


# ---- samples that repeat


@dataclass(frozen=True)
class Parrot:
    """Writes one likely phrase again and again."""

    name: ClassVar[str] = "parrot"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)
    phrase: str = "of the "

    def exact(self):
        return None

    def step(self, nets, rows):
        rows = write(nets["main"], rows, positions(rows.x == nets["main"].mask))
        line = TEXT.encode(self.phrase * 60)[: rows.x.shape[1]]
        return rows._replace(x=line.expand_as(rows.x).clone())


@dataclass(frozen=True)
class Even(Made):
    def make(self, device):
        return Own(lambda x: torch.zeros(*x.shape, 28), vocab=27, blocks=1, flops_per_token=1, identity="even")


def parrots(*phrases, controls=()) -> Study:
    arms = [
        Arm("parrot", [Parrot(phrase) for phrase in phrases], {"main": "net"}),
        Arm("ancestral", grid(Ancestral, steps=[4, 8]), {"main": "net"}),
        *controls,
    ]
    return Study(
        name="birds",
        question="?",
        data=TEXT,
        nets={"net": Even()},
        reference="net",
        arms=arms,
        metrics=[NgramJudge()],
        n=24,
        batch=12,
    )


def test_a_likelihood_alone_is_scored_with_an_entropy_and_distinct_ngrams(tmp_path):
    runner.run(parrots("of the "), tmp_path)
    assert {r["label"] for r in Store(tmp_path).of("scored")} == {"ngram", "sample_entropy", "distinct"}
    assert companions([Spelling()], TEXT) == [] and [
        m.name for m in companions([NgramJudge(), CorpusEntropy()], TEXT)
    ] == ["distinct"]
    assert (
        companions([NgramJudge(), Distinct("words"), CorpusEntropy()], TEXT) == [] == companions([ExactNll()], DATA)
    ), "a law that is listed hides nothing"


def test_collapsed_samples_are_said_in_the_terminal_and_on_the_page_and_win_nothing(tmp_path, capsys, plain):
    tally = runner.run(parrots("of the ", "the first world war "), tmp_path / "run")
    said = capsys.readouterr().err
    assert (
        tally["collapsed"] == 2
        and "warning: the samples of parrot have collapsed (2 of 2 points): " in said
        and "samples of ancestral" not in said
    )
    chapter = chapter_of(tmp_path / "run")
    assert list(chapter.frame.arm[chapter.frame.collapsed]) == ["parrot"] * 2
    drawn = front.tradeoff(chapter, "ancestral").query("metric == 'ngram'")
    assert (
        drawn.hollow[drawn.arm == "parrot"].all()
        and not drawn.on_front[drawn.arm == "parrot"].any()
        and drawn.on_front.any()
    )
    assert drawn.y[drawn.arm == "parrot"].max() < drawn.y[drawn.arm == "ancestral"].min(), (
        "the likelihood alone would have it win"
    )
    assert "parrot" not in set(matched.matched(chapter, "ancestral", 50).get("arm", ()))
    assert set(front.directional(chapter)) == {"ngram"} and "distinct" in set(
        front.likelihood(chapter, "ancestral").entropy
    ), "nonsense has the most of them"
    page = build([tmp_path / "run"], tmp_path / "out", resamples=50).read_text()
    assert (
        "<b>Warning.</b> The samples of parrot have collapsed" in page
        and page.count("Warning.") == 1
        and '<span class="flag">collapsed</span>' in page
    )


def test_a_phrase_with_ordinary_letters_is_seen_by_its_ngrams(tmp_path):
    runner.run(parrots("the king had once built a small green house for my quick dog "), tmp_path)
    scored = {
        (r["label"]): r for r in Store(tmp_path).of("scored") if r["key"] == Store(tmp_path).of("counted")[0]["key"]
    }
    assert scored["sample_entropy"]["value"] > SHARE["sample_entropy"] * scored["sample_entropy"]["level"], (
        "the letters tell nothing"
    )
    assert (
        scored["distinct"]["value"] < SHARE["distinct"] * scored["distinct"]["level"]
        and chapter_of(tmp_path).frame.collapsed.sum() == 1
    )


def test_held_out_and_shuffled_text_has_not_collapsed(tmp_path):
    tally = runner.run(parrots(controls=[Arm("held_out", [HeldOut()]), Arm("shuffled", [Shuffled()])]), tmp_path)
    assert (
        "collapsed" not in tally
        and not chapter_of(tmp_path).frame.collapsed.any()
        and not chapter_of(tmp_path).warnings
    )
    held = next(r for r in Store(tmp_path).of("counted") if r["arm"] == "held_out")
    own = {r["label"]: r for r in Store(tmp_path).of("scored") if r["key"] == held["key"] and "level" in r}
    assert {label: r["value"] for label, r in own.items()} == {label: r["level"] for label, r in own.items()} and set(
        own
    ) == {"distinct", "sample_entropy"}


def test_older_scores_without_a_level_are_held_against_the_control_or_ancestral_sampling(tmp_path):
    for folder, controls in (("control", [Arm("held_out", [HeldOut()])]), ("bare", [])):
        runner.run(parrots("of the ", controls=controls), tmp_path / folder)
        path = tmp_path / folder / "records.jsonl"
        records = [json.loads(line) for line in path.read_text().splitlines()]
        path.write_text("".join(json.dumps({k: v for k, v in r.items() if k != "level"}) + "\n" for r in records))
        [warning] = chapter_of(tmp_path / folder).warnings
        assert ("in the held-out rows" if controls else "in ancestral sampling") in warning


def test_a_likelihood_with_nothing_beside_it_is_said_on_the_page(tmp_path):
    runner.run(study([1, 2], metrics=[ExactNll()]), tmp_path)
    [remark] = told(chapter_of(tmp_path), "likelihood alone")
    assert "nothing was scored beside exact_nll" in remark["reason"]


def test_a_handful_of_tokens_is_held_against_no_level():
    """The entropy of 16 tokens of three kinds varies by more than a fifth by chance."""
    short = Exact(length=1)
    assert level(CorpusEntropy(), short, 255, 0) is None and level(CorpusEntropy(), short, 256, 0) > 0.5


def test_a_metric_that_is_none_of_these_has_no_level():
    assert (
        level(NgramJudge(), TEXT, 4, 0) is None and level(Distinct("chars", 12), replace(TEXT, length=8), 4, 0) is None
    ), "rows are too short for it"


# ---- seconds


def timed(folder, taken: float | None, spread: float):
    write_toy(folder, n=8, troubles=False)
    lines = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    for k, r in enumerate(r for r in lines if r["type"] == "timed"):
        r |= {} if taken is None else {"busy": taken}
        r["seconds"] = [r["seconds"][0] * spread ** (k % 3)]
    (folder / "records.jsonl").write_text("".join(json.dumps(r) + "\n" for r in lines))
    return build([folder], folder / "out", resamples=50).read_text()


def test_captions_of_seconds_say_that_the_machine_was_busy_and_that_intervals_are_no_times(tmp_path, plain):
    page = timed(tmp_path, 0.94, 10.0)
    captions = dict(re.findall(r"<figcaption><b>(.*?)\.</b> (.*?) <span", page))
    for title in ("Quality against cost", "Seconds by process, and time against passes"):
        assert "Other work took up to 94 % of the machine" in captions[title], title
        assert "Hollow: times beside more than 10 % of it." in captions[title], title
    assert len(told(chapter_of(tmp_path), "timed beside other work")) == 3, "one remark an arm"
    marks = json.loads((tmp_path / "out" / "numbers.json").read_text())["chapters"][0]["figures"]["tradeoff"]
    # the doubtful points of the others are hollow on every axis
    assert all(m["hollow"] for m in marks if m["cost"] == "seconds")
    assert not all(m["hollow"] for m in marks if m["cost"] == "nfe_a")
    assert re.search(
        r"\d+ of \d+ intervals of times span more than a factor of 2 \(the widest [\d.]+-fold\)",
        captions["Quality against cost"],
    )
    expected = (
        2 * 3 + 2
    )  # both figures, for who sees them and who does not; the table of points; the front that can be turned to seconds
    assert page.count("Other work took up to 94 % of the machine") == expected


def test_a_quiet_machine_is_not_spoken_of_and_an_unknown_one_is(tmp_path, plain):
    (tmp_path / "quiet").mkdir(), (tmp_path / "unknown").mkdir()
    quiet, unknown = timed(tmp_path / "quiet", 0.04, 1.0), timed(tmp_path / "unknown", None, 1.0)
    assert "Hollow: times" not in quiet + unknown
    assert "Other work" not in quiet and "is not recorded" not in quiet and "span more than" not in quiet
    assert "How busy the machine was is not recorded." in unknown


@pytest.mark.parametrize(
    ("low", "high", "words"), [(1.0, 1.9, ""), (1.0, 30.0, "30-fold"), (0.0, 1.0, "from zero"), (np.nan, np.nan, "")]
)
def test_an_interval_of_more_than_a_factor_of_two_is_called_one(low, high, words):
    found = busy.told(pd.Series([0.0]), pd.Series([low]), pd.Series([high]))
    assert words in found and bool(found) == bool(words)


# ---- differences and quotations


def test_each_placement_names_its_own_host_and_no_two_rows_are_alike(tmp_path):
    store, rng = write_grid(tmp_path, timed=0), np.random.default_rng(3)
    ease = rng.normal(0, 0.35, 24)
    for steps in (16, 64):
        host = {"name": "ancestral", "version": 1, "steps": steps, "schedule": {"name": "linear"}}
        sampler = {"name": "scheduled", "version": 1, "host": host, "placement": {"name": "sandwich", "share": 0.25}}
        _cell(
            store,
            rng,
            "sandwich",
            sampler,
            {"main": "heavy", "light": "light"},
            24,
            np.full(24, 0.9 * steps),
            0.6,
            ease,
            True,
            0,
        )
    chapter = chapter_of(tmp_path)
    found = placed.measured(chapter, "ancestral")
    assert len(set(found.label)) == len(found) and found.host.nunique() == 3
    keys = dict(zip(chapter.frame.key, chapter.frame.to_dict("records")))
    for row in found[found.placement == "sandwich"].itertuples():
        steps = json.loads(keys[row.key]["sampler"])["host"]["steps"]
        assert row.label == f"sandwich − ancestral steps={steps} schedule=linear"
        host = next(
            r for r in keys.values() if json.loads(r["sampler"]) == json.loads(keys[row.key]["sampler"])["host"]
        )
        assert row.x == pytest.approx(keys[row.key]["judge"] - host["judge"])
    assert "Differences" not in placed_plot.caption(found) and "ancestral steps" not in placed_plot.caption(found), (
        "no one host stands for all"
    )
    with style.paper():
        figure, _ = placed_plot.draw(found, style.SINGLE)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(set(labels)) == len(found) and all("−" in label and "steps=" in label for label in labels)


def test_every_published_number_makes_a_whole_sentence():
    for row in published.read().to_dict("records"):
        said = sentence(row)
        assert (
            said.startswith(row["method"]) and said.endswith(f"{row['source']})") and said.count("(") == said.count(")")
        ), said
        assert not re.search(r"(about|more than|at most|less than)(?! [\d.])", said) and not re.search(
            r"[:;,] ?[:;,)]|nan", said
        ), said
        assert f": {row['bound']} {row['spelt']}".replace(":  ", ": ") in said and row["regime"] in said
        assert not re.search(r":|\b(about|most|more than)$", row["regime"]), "what qualifies a number stands before it"


def test_caption_of_published_ratios_is_made_of_such_sentences():
    ratios = published.read().query("quantity == 'nfe_ratio'")
    said = published_ratios.caption(ratios)
    assert all(sentence(row) in said for row in ratios.to_dict("records")) and "about; counting" not in said


def test_the_baseline_is_no_arm_that_only_hosts_one(tmp_path):
    write_grid(tmp_path, timed=0)
    chapter = chapter_of(tmp_path)
    frame = chapter.frame.assign(arm=chapter.frame.arm.replace({"ancestral": "plain"}))
    assert front.baseline_of(chapter._replace(frame=frame.sort_values("arm", ascending=False)), "ancestral") == "plain"
