"""The report is built from made-up records (tests/test_report_toy.py), and its numbers are recomputed here from the
files of the store alone.
"""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from joblib.externals.loky import get_reusable_executor
from matplotlib.image import imread

from harness import plugins
from harness.data.prose import Prose
from harness.data.wikipedia_leads import WikipediaLeads
from harness.metrics.words import Spelling
from harness.records.arrays import digest, value_of
from harness.records.pack import pack
from harness.records.record import SCHEMA
from harness.records.store import Store
from harness.run.clock import busy
from harness.run.runner import run as run_study
from harness.schedules.window import Cosine, Fixed, Linear, Open, Stairs
from harness.spec import ROOT, to_json
from harness.stats.intervals import ratio_interval
from reports import frame, records, samples, style, tables, windows
from reports import page as page_of
from reports.build import TEMPLATES, build
from reports.names import in_words
from reports.samples import reader
from studies.smoke.study import STUDY as SMOKE
from tests.compared import by
from tests.pace import paced
from tests.test_report_toy import DATA, METRICS, write, write_grid, write_many

N = 40


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Run folder, report folder, page and numbers."""
    folder = tmp_path_factory.mktemp("report")
    write(folder / "run", n=N)
    page = build([folder / "run"], folder / "out", resamples=400)
    return (
        folder / "run",
        folder / "out",
        page.read_text(encoding="utf-8"),
        json.loads((folder / "out" / "numbers.json").read_text()),
    )


@pytest.fixture
def plain(monkeypatch):
    """Figures are drawn but not written: for tests of other things."""
    monkeypatch.setattr(style, "save", lambda figure, folder, name: '<svg viewBox="0 0 1 1"></svg>')


def stored(run):
    lines = [json.loads(line) for line in (run / "records.jsonl").read_text().splitlines()]
    return {(r["key"], r.get("label"), r.get("process")): r for r in lines if "key" in r}


def test_without_a_second_judge_there_is_no_section_on_their_agreement(made):
    assert (
        "Do the judges agree?" not in made[2]
        and ">Judges</a>" not in made[2]
        and made[3]["chapters"][0]["judges"] == []
    )


def test_page_fetches_nothing(made):
    """The chart library names its address in its banner; nothing else on the page holds an address, and no element asks
    for a file.
    """
    library = (TEMPLATES / "vendor" / "uPlot.iife.min.js").read_text(encoding="utf-8")
    assert library.strip() in made[2] and "Copyright" in made[2]
    page = made[2].replace(library.strip(), "")
    assert "http:" not in page and "https:" not in page and "//cdn" not in page
    assert not re.search(r"<(link|iframe|object)\b|\bsrc=|@import|url\((?!#)", page)


def test_script_of_the_front_reaches_the_page_as_it_is_written(made):
    assert (TEMPLATES / "front.js").read_text(encoding="utf-8").strip() in made[2]


def test_data_of_the_front_are_the_numbers_of_the_points(made):
    data = json.loads(re.search(r'<script type="application/json">(.*?)</script>', made[2], re.S)[1])
    known = {p["key"]: p for p in made[3]["chapters"][0]["points"]}
    assert {p["key"] for p in data["points"]} == {key for key, p in known.items() if p["status"] == "done"
                                                  and not p["control"]}
    for p in data["points"]:
        assert data["arms"][p["arm"]]["name"] == known[p["key"]]["arm"]
        for column, (value, *ends) in p["at"].items():
            assert value == pytest.approx(known[p["key"]][column], rel=1e-5)
            assert ends == pytest.approx([known[p["key"]][f"{column}.{end}"] for end in ("low", "high")],
                                         rel=1e-5) if ends else known[p["key"]].get(f"{column}.low") is None
    assert [m["label"] for m in data["metrics"]] == ["spelling", "judge", "ngram_precision", "ngram_recall"] and set(
        data["costs"]
    ) == {"nfe_a", "nfe_b", "nfe_c", "seconds"}


def test_page_is_whole_and_labelled(made):
    page = made[2]
    assert page.lstrip().startswith("<!doctype html>") and '<html lang="en">' in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert {target for target in re.findall(r'href="#([^"]+)"', page)} <= set(ids)
    assert page.count("<svg ") == page.count('role="img" aria-label="') == 2 * page.count("<figure")
    assert all(
        word in page
        for word in ("Headline", "All operating points", "Passes at matched quality", "Controls", "Provenance",
                     "tells them apart")
    )


def test_every_figure_is_written_in_three_formats_and_two_widths_and_is_not_blank(made):
    out, numbers = made[1], made[3]["chapters"][0]
    told = {"headline", "tradeoff", "further", "matched", "entropy", "acceptance", "stack", "times", "published",
            "published_ratios"}
    assert set(numbers["figures"]) == told
    for name in (n + size for n in numbers["figures"] for size in ("", "-single")):
        picture = imread(out / "figures" / f"{name}.png")[..., :3]
        assert picture.std() > 0.02 and abs(picture.shape[1] / 300 - (3.25 if name.endswith("-single")
                                                                      else 6.75)) < 0.02, name
        assert (out / "figures" / f"{name}.svg").read_text().count("<path") > 20
        pdf = (out / "figures" / f"{name}.pdf").read_bytes()
        assert pdf.startswith(b"%PDF") and b"/FontFile2" in pdf and b"/Type3" not in pdf, name


def test_numbers_drawn_are_those_of_the_records(made):
    run, numbers = made[0], made[3]["chapters"][0]
    known, checked = stored(run), 0
    for mark in numbers["figures"]["tradeoff"] + numbers["figures"]["further"] + numbers["figures"]["headline"]:
        scored = known[mark["key"], mark["metric"], None]
        if scored["per"] == "row":
            pair = np.load(run / "scores" / f"{scored['score_key']}.npy")
            assert mark["y"] == pytest.approx(pair[0].sum() / pair[1].sum(), rel=1e-12)
            assert (mark["y_low"], mark["y_high"]) == pytest.approx(ratio_interval(*pair)[1:3], rel=1e-9)
        else:
            assert mark["y"] == scored["value"] and mark["y_low"] is None
        if mark["cost"] == "seconds":
            seconds = [r["seconds"][0] / r["rows"] for (key, _, process), r in known.items() if key == mark["key"]
                       and process is not None]
            assert len(seconds) == 3 and mark["x"] == pytest.approx(np.mean(seconds), rel=1e-12)
        else:
            column = np.load(run / "costs" / f"{mark['key']}.npy")[:, ("nfe_a", "nfe_b", "nfe_c").index(mark["cost"])]
            assert mark["x"] == pytest.approx(column.mean(), rel=1e-12)
        assert mark["n"] == N
        checked += 1
    assert checked == 18 * (2 * 4 + 2 + 2)


def test_pareto_front_is_that_of_all_arms(made):
    marks = [m for m in made[3]["chapters"][0]["figures"]["tradeoff"] if (m["metric"], m["cost"])
             == ("spelling", "nfe_a")]
    for m in marks:
        beaten = any(o["x"] <= m["x"] and o["y"] >= m["y"] and (o["x"], o["y"]) != (m["x"], m["y"]) for o in marks)
        assert m["on_front"] is not beaten


def test_ratio_at_matched_quality_is_of_settings_that_were_run_and_never_interpolated(made):
    run, chapter = made[0], made[3]["chapters"][0]
    known = stored(run)

    def odd(key, label=None):
        """Of the rows that report: passes, or the value of a metric."""
        if label is None:
            return np.load(run / "costs" / f"{key}.npy")[1::2, 0].mean()
        pair = np.load(run / "scores" / f"{known[key, label, None]['score_key']}.npy")[:, 1::2]
        return pair[0].sum() / pair[1].sum()

    found = [m for m in chapter["matched"]
             if (m["arm"], m["kind"], m["cost"]) == ("self-speculative", "realised", "nfe_a")]
    assert {(m["metric"], m["passes"]) for m in found} == {(label, passes) for label in ("spelling", "judge")
                                                           for passes in (24, 32, 62)}
    for m in found:
        assert known[m["goal_key"], None, None]["arm"] == "ancestral" and m["quality"] == pytest.approx(
            odd(m["goal_key"], m["metric"])
        )
        assert m["reason"] if m["ratio"] is None else known[m["key"], None, None]["arm"] == "ssmd"
    for m in (m for m in found if m["ratio"] is not None):
        assert m["ratio"] == pytest.approx(odd(m["goal_key"]) / odd(m["key"]),
                                           rel=1e-9) and m["low"] <= m["ratio"] <= m["high"]
        sign = -1 if m["better"] == "higher" else 1
        assert m["excess"] == pytest.approx(sign * (odd(m["key"], m["metric"]) - odd(m["goal_key"], m["metric"])),
                                            rel=1e-9)
        assert m["excess_low"] <= m["excess"] <= m["excess_high"] <= m["margin"] and m["n_reported"] == N // 2
    assert any(m["ratio"] is not None for m in found)


def test_acceptance_is_passed_over_tested(made):
    known = stored(made[0])
    marks = made[3]["chapters"][0]["figures"]["acceptance"]
    assert {m["arm"] for m in marks} == {"self-speculative"}
    for m in marks:
        cost = known[m["key"], None, None]["cost"]
        assert m["share"] == pytest.approx(
            cost["passed"][m["by"]][m["index"] - 1] / cost["tested"][m["by"]][m["index"] - 1]
        )


def test_what_is_missing_or_doubtful_is_on_the_page(made):
    page = made[2]
    assert "RuntimeError: made-up &lt;failure&gt; &amp; more" in page and "only 3 of 64 rows" in page
    assert all(f'<span class="flag">{flag}</span>' in page for flag in ("failed", "timeout", "inert", "dirty"))
    assert "20 done" in page and "1 failed" in page and "1 timeout" in page


def test_data_without_words_are_told_of_no_misspelt_ones(made):
    """Data that is not known here has none; text whose marks do not fit says so, below."""
    assert "misspelt" not in made[2] and "<mark>" not in made[2]


def test_published_numbers_stand_apart_from_measured_ones(made):
    table = re.search(r'<table class="published">.*?</table>', made[2], re.S)[0]
    rows = re.findall(r"<tr(?: class=\"ours\")?><th scope=\"row\">.*?</tr>", table, re.S)
    ours, theirs = [r for r in rows if 'class="ours"' in r], [r for r in rows if 'class="ours"' not in r]
    assert ours and theirs and all('<span class="marker ours">' in r and "made_up_text" in r for r in ours)
    assert all("this run" not in r and ("reported</span>" in r or "paper</span>" in r) for r in theirs)
    assert any("5.50" in r and "OpenWebText" in r for r in theirs)


def test_number_of_comparisons_is_told(made):
    family = [m for m in made[3]["chapters"][0]["matched"] if m["kind"] == "realised" and m["cost"] == "nfe_a"]
    assert (
        f"{len(family)} comparisons, {sum(m['ratio'] is not None for m in family)} of which found a setting." in made[2]
    )


def test_provenance_is_on_the_page(made):
    page = made[2]
    for word in (
        "c0ffee" * 6,
        "d1ff",
        DATA["sha256"],
        "float64",
        "made-up processor",
        "ssmd-bench run studies/made_up.py",
        "ssmd-bench report",
        "c0de",
    ):
        assert word in page, word


def test_tables_are_written_for_spreadsheets_and_latex(made):
    tex, csv = (made[1] / "tables" / "points.tex").read_text(), (made[1] / "tables" / "points.csv").read_text()
    assert csv.count("\n") == 1 + 20 + 2 and "spelling.low" in csv.splitlines()[0]
    assert tex.count(r"\toprule") == tex.count(r"\bottomrule") == 1 and "corpus entropy" in tex
    columns = len(re.search(r"\{tabular\}\{(\w+)\}", tex)[1])
    body = [line for line in tex.splitlines() if line.endswith(r"\\")]
    assert len(body) == 1 + 20 and all(line.count(" & ") == columns - 1 for line in body)
    assert "scheduled" in (made[1] / "tables" / "matched.tex").read_text()


def test_a_run_without_judge_and_times_still_makes_a_report(tmp_path, plain):
    write(tmp_path / "run", n=12, judge=False, timed=0, troubles=False)
    page = build([tmp_path / "run"], tmp_path / "out", resamples=100).read_text()
    assert (
        'id="report-entropy"' not in page
        and ">Entropy</a>" not in page
        and "No remark: every cell that has a record was counted" in page
        and "is not known" in page
        and "seconds a sequence" not in page
    )


def test_a_run_of_failures_alone_still_makes_a_report(tmp_path, plain):
    store = write(tmp_path / "run", n=12, timed=0)
    bad = [json.dumps(r) for r in store.records if r.get("status") not in ("done",)]
    (tmp_path / "run" / "records.jsonl").write_text("\n".join(bad) + "\n")
    page = build([tmp_path / "run"], tmp_path / "out").read_text()
    assert "No ratio: it takes a metric by row" in page and ">Trade-off</a>" not in page
    assert "made-up &lt;failure&gt;" in page and "no record" in page


def test_cells_counted_by_other_sources_without_a_proof_or_scored_by_another_judge_are_flagged(tmp_path, plain):
    store = write(tmp_path / "run", n=12, timed=0, troubles=False)
    done = [r for r in store.of("counted") if r["arm"] == "ssmd"]
    store.append(done[0] | {"time": "2999-01-01T00:00:00+00:00", "made": by("new")})
    scored = next(r for r in store.of("scored") if r["label"] == "judge")
    store.append(scored | {"time": "2999-01-01T00:00:00+00:00",
                           "metric": scored["metric"] | {"identity": {"sha256": "another"}}})
    chapter = frame.chapters(records.read([tmp_path / "run"]))[0]
    told = [t["what"] for t in chapter.troubles]
    assert told.count("unproven") == 5 and told.count("metric differs") == 19
    assert set(chapter.frame.arm[chapter.frame.unproven]) == {"self-speculative"} and done[0]["key"] not in set(
        chapter.frame.key[chapter.frame.unproven]
    )


def test_a_point_of_two_arms_is_said_to_be_drawn_under_one_name(tmp_path, plain):
    store = write(tmp_path / "run", n=12, timed=0, troubles=False)
    record = next(r for r in store.of("counted") if r["arm"] == "ssmd")
    store.append(record | {"also": ["ancestral"]})
    [told] = [t for t in frame.chapters(records.read([tmp_path / "run"]))[0].troubles if t["what"] == "shared"]
    assert told["key"] == record["key"] and "a point of ancestral too" in told["reason"]
    assert told["arm"] == "self-speculative"


def test_a_proof_of_these_samples_by_the_newest_sources_takes_the_flag_away(tmp_path):
    store = write(tmp_path, n=12, timed=0, troubles=False)
    first, *others = [r for r in store.of("counted") if r["arm"] == "ssmd"]

    def unproven() -> set[str]:
        found = frame.chapters(records.read([tmp_path]))[0].frame
        return set(found.key[found.unproven])

    store.append(proof(first, "new"))    # the newest that is known of this sampler is what a proof names
    assert unproven() == {r["key"] for r in others}
    store.append(proof(others[0], "new"))
    store.append(proof(others[1], "new", verdict="refuted"))
    store.append(proof(others[2], "new") | {"of": "0" * 64})    # of samples that were there before
    assert unproven() == {r["key"] for r in others[1:]}


def proof(record: dict, tree: str, verdict: str = "proven") -> dict:
    return {"type": "proof", "key": record["key"], "of": record["samples_sha256"], "verdict": verdict, "rows": 2,
            "seen": ["tokens"], "reason": "",
            "seconds": 0.1, "machine": "m0", "made": by(tree), "time": "2999-01-01T00:00:00+00:00"}


def test_missing_arrays_are_told_and_not_drawn(tmp_path, plain):
    store = write(tmp_path / "run", n=12, timed=0, troubles=False)
    cell = store.of("counted")[0]
    score = next(r for r in store.of("scored") if r["key"] == cell["key"] and r["label"] == "spelling")
    for room, key in (("costs", cell["key"]), ("scores", score["score_key"]), ("samples", cell["key"])):
        (tmp_path / "run" / room / f"{key}.npy").unlink()
    page = build([tmp_path / "run"], tmp_path / "out", resamples=100).read_text()
    assert "costs by row missing" in page and "scores by row missing" in page and "missing or damaged" in page


def test_a_summary_makes_the_report_of_its_run_but_for_the_samples(tmp_path, plain):
    store = write(tmp_path / "run", n=12, timed=2)
    store.append({"type": "note", "path": f"{ROOT}/ssmd/checkpoints/judge.safetensors"})
    kept = pack(store, tmp_path / "kept.zip")
    assert Store(tmp_path / "kept.zip").of("note")[0]["path"] == "ssmd/checkpoints/judge.safetensors"
    assert kept["records"] == len(Store(tmp_path / "kept.zip").records) == len(store.records)
    for name in ("run", "kept.zip"):
        build([tmp_path / name], tmp_path / "out" / name, resamples=100)
    page = (tmp_path / "out" / "kept.zip" / "index.html").read_text()
    assert page.count("Samples are not kept in this file: <code>ssmd-bench run made_up</code> makes them again.") == 1
    assert "missing or damaged" not in page and "Whole sequences" not in page
    whole, part = (json.loads((tmp_path / "out" / name / "numbers.json").read_text())["chapters"]
                   for name in ("run", "kept.zip"))
    assert [chapter["figures"] for chapter in whole] == [chapter["figures"]
                                                         for chapter in part] and whole[0]["figures"]["tradeoff"]


def test_runs_of_one_question_share_a_chapter_and_others_do_not(tmp_path):
    for name, seed in (("one", 0), ("again", 0), ("other", 1)):
        write(tmp_path / name, n=12, timed=0, troubles=False, name=name, seed=seed)
    found = frame.chapters(records.read([tmp_path / "one", tmp_path / "again", tmp_path / "other"]))
    assert [set(chapter.frame.seed) for chapter in found] == [{0}, {1}]


@pytest.mark.parametrize("content", [None, "", '{"schema": 1, "type": "study", "name": "x"}\n', "not json\n"])
def test_a_folder_without_cells_is_refused_in_a_sentence(tmp_path, content):
    if content is not None:
        (tmp_path / "records.jsonl").write_text(content)
    with pytest.raises(ValueError, match="ssmd-bench run"):
        build([tmp_path], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unwritable_report_folder_is_refused_in_a_sentence(tmp_path):
    write(tmp_path / "run", n=4, timed=0, troubles=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="choose another"):
        build([tmp_path / "run"], tmp_path / "file" / "out", resamples=10)


def test_an_arm_has_one_colour_and_marker_and_no_two_share_both():
    found = style.looks([f"arm {k}" for k in range(40)], "arm 7")
    assert found["arm 7"].colour == style.INK and len(set(found.values())) == 40


def test_numbers_have_the_digits_that_their_interval_bears():
    assert tables.show(0.86123, 0.8523, 0.8702) == "0.861 [0.852, 0.870]"
    assert tables.show(32.0, 32.0, 32.0) == "32.00"
    assert tables.show(float("nan")) == ""


def test_metrics_without_a_better_side_have_no_front():
    assert {label for label, (better, *_) in METRICS.items() if better
            == "match"} == {"sample_entropy", "corpus_entropy"}


def test_a_text_is_cut_at_its_marks():
    assert samples.pieces("abcdef", [[1, 3], [4, 5]]) == [
        ("a", False, False), ("bc", True, False), ("d", False, False), ("e", True, False), ("f", False, False)]
    assert samples.pieces("abcd", [(1, 3)], [0, 1]) == [("a", False, True), ("b", True, True), ("c", True, False),
                                                        ("d", False, False)]


def test_rows_shown_are_chosen_by_the_seed_and_not_by_the_arm():
    assert samples.chosen(100, 0) == samples.chosen(100, 0) != samples.chosen(100, 1)
    assert len({tuple(samples.chosen(1000, seed)) for seed in range(20)}) == 20 and samples.chosen(2, 0) == [0, 1]


WINDOWS = [Cosine(0.02), Cosine(0.083), Cosine(0.7), Linear(0.05), Fixed(5), Stairs(), Stairs((0.01, 0.02, 0.3, 1.0)),
           Open()]


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("length", [16, 128, 256])
def test_width_of_a_stored_window_is_that_of_the_window(window, length):
    i = np.arange(length)
    assert windows.width(to_json(window), i, length).tolist() == window.width(torch.arange(length), length).tolist()
    assert windows.width({"name": "unknown"}, i, length) is None


def test_every_window_that_ships_has_its_width_here():
    assert {window.name for window in WINDOWS} == set(plugins.windows())


def test_ten_thousand_records_make_a_page_in_seconds_and_under_five_megabytes(tmp_path, monkeypatch):
    """Everything that a report writes. Twenty seconds where the machine has nothing else to do; processor time, of all
    processes, where it has.
    """
    monkeypatch.setattr("os.fsync", lambda file: None)
    store = write_many(tmp_path / "run", cells=999)
    assert len(store.records) >= 9_990
    others = busy(seconds=1.0)
    with paced() as pace:
        began, used = time.perf_counter(), sum(os.times()[:4])
        page = build([tmp_path / "run"], tmp_path / "out")
        seconds = time.perf_counter() - began
        get_reusable_executor().shutdown()    # what its processes spent counts once they have ended
    spent, others = sum(os.times()[:4]) - used, max(others, busy(seconds=1.0))
    print(f"{seconds:.1f} s, {spent:.1f} s of processors, {100 * others:.0f} % of the machine busy with other work, "
          f"which is {pace.slower:.2f} times as slow as the one of the limits")
    assert page.stat().st_size < 5e6 and page.read_text().count('class="key"') >= 999
    assert {path.suffix for path in (tmp_path / "out" / "figures").iterdir()} == {".png", ".pdf", ".svg"}
    assert spent < 60 * pace.slower and (others > 0.2 or seconds < 20 * pace.slower), (seconds, spent, others)


def test_gallery_names_every_figure():
    told = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8"), re.M)
    assert sorted(told) == sorted(path.stem
                                  for path in (ROOT / "reports" / "plots").glob("[a-z]*.py")), ("docs/gallery.md has "
                                                                                                "a line for each "
                                                                                                "module of "
                                                                                                "reports/plots")


def test_a_skipped_cell_stands_on_the_page_with_its_reason(tmp_path, plain):
    store = write(tmp_path / "run", n=12, timed=0, troubles=False)
    record = next(r for r in store.of("counted") if r["arm"] == "ssmd")
    bare = {k: v for k, v in record.items() if k not in ("cost", "samples_sha256", "time")}
    store.append(bare | {"key": "s" * 24, "status": "skipped", "reason": "needs a network with verify passes"})
    page = build([tmp_path / "run"], tmp_path / "out", resamples=100).read_text()
    row = re.search(r'<tr><th scope="row"><span class="flag">skipped</span></th>.*?</tr>', page, re.S)[0]
    assert "needs a network with verify passes" in row and "self-speculative" in row and "1 skipped" in page


@pytest.mark.parametrize(("newer", "told"), [
    (0, None), (1, "1 record of a newer version of this harness was left out: read it with that version."),
    (2, "2 records of a newer version of this harness were left out: read them with that version.")])
def test_records_of_a_newer_version_are_left_out_and_the_page_says_how_many(tmp_path, plain, newer, told):
    write(tmp_path / "run", n=4, judge=False, timed=0, troubles=False)
    with (tmp_path / "run" / "records.jsonl").open("a") as file:
        file.writelines(json.dumps({"schema": SCHEMA + 1, "type": "counted", "key": "later"}) + "\n"
                        for _ in range(newer))
    page = build([tmp_path / "run"], tmp_path / "out", resamples=50).read_text()
    assert told in page if told else "newer version" not in page


def test_two_runs_make_one_report_with_chapters_of_their_own_and_shared_looks(tmp_path, plain):
    write(tmp_path / "one", n=12, timed=0, troubles=False, name="first")
    write_grid(tmp_path / "two", n=16, timed=0)
    page = build([tmp_path / "one", tmp_path / "two"], tmp_path / "out", resamples=100).read_text()
    numbers = json.loads((tmp_path / "out" / "numbers.json").read_text())
    assert [c["name"] for c in numbers["chapters"]] == ["first", "grid"] and "<title>first + grid ·" in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids)) and {"1-first-headline", "2-grid-headline", "1-first-samples",
                                          "2-grid-samples"} <= set(ids)
    fronts = [json.loads(text) for text in re.findall(r'<script type="application/json">(.*?)</script>', page, re.S)]
    looks = [{arm["name"]: (arm["sign"], arm["colour"]) for arm in data["arms"]} for data in fronts]
    shared = set(looks[0]) & set(looks[1])
    assert len(fronts) == 2 and {"ancestral", "self-speculative"} <= shared and all(looks[0][arm] == looks[1][arm]
                                                                        for arm in shared)
    assert (tmp_path / "out" / "tables"
            / "1-first-points.csv").exists() and (tmp_path / "out" / "tables" / "2-grid-points.csv").exists()


def test_runs_of_one_study_with_unlike_networks_are_told_apart(tmp_path, plain):
    for run in ("old", "new"):
        store = write(tmp_path / run, n=12, timed=0, troubles=False)
        if run == "new":
            lines = (
                (tmp_path / run / "records.jsonl")
                .read_text()
                .replace(next(r["sha256"] for r in store.of("network") if r["name"] == "heavy"), "f" * 64)
            )
            # another network, another key
            (tmp_path / run / "records.jsonl").write_text(re.sub(r'"key":"..', '"key":"zz', lines))
    found = frame.chapters(records.read([tmp_path / "old", tmp_path / "new"]))
    assert [chapter.name for chapter in found] == [f"made_up, {tmp_path / run}" for run in ("old", "new")]


DELETED = """
import sys
from importlib.abc import MetaPathFinder

class Gone(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("baselines", "ssmd", "studies"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Gone())
from reports import style
from reports.build import build
from pathlib import Path
style.save = lambda figure, folder, name: '<svg viewBox="0 0 1 1"></svg>'
build([Path(sys.argv[1])], Path(sys.argv[2]), resamples=50)
"""


def test_a_report_renders_after_every_sampler_was_deleted(tmp_path):
    """Real records, of the samplers that ship, in a process that cannot import one."""
    run_study(replace(SMOKE, n=8, timing=None), tmp_path / "run")
    done = {r["arm"]: in_words(r["arm"], r["cell"]["sampler"]) for r in Store(tmp_path / "run").of("counted")
            if r["status"] == "done" and not r["control"]}
    assert {"ancestral", "ssmd", "scheduled"} <= done.keys()
    made = subprocess.run([sys.executable, "-c", DELETED, str(tmp_path / "run"), str(tmp_path / "out")], cwd=ROOT,
                          capture_output=True, text=True, timeout=240)
    assert made.returncode == 0, made.stderr[-2000:]
    page = (tmp_path / "out" / "index.html").read_text()
    assert (
        all(words in page for words in done.values())
        and "No remark: every cell that the study asks for was counted" in page
        and "is not known" in page
    )


def test_misspelt_words_are_found_by_the_data_that_the_records_name(tmp_path, plain):
    """A row of known and unknown words; marked only if they agree with the stored score, and not at all by another text
    of that name.
    """
    data = WikipediaLeads(length=32)
    text = "ab the qzxv of xxyyz was the cat"
    for run, identity in (("right", data.identity()), ("other", data.identity() | {"sha256": "0" * 64}),
                          ("rescored", data.identity())):
        store = write(tmp_path / run, n=4, judge=False, timed=0, troubles=False)
        found = Spelling().score(data.encode(text).expand(4, -1), data)
        lines, samples = [], data.encode(text).expand(4, -1).numpy().astype(np.uint8)
        for record in store.records:
            if record["type"] == "counted":
                record = record | {"cell": record["cell"] | {"data": identity}, "samples_sha256": digest(samples)}
                store.put("samples", record["key"], samples)
            elif record.get("label") == "spelling":
                scores = np.stack([np.asarray(found.numerator) - (run == "rescored"),
                                   np.asarray(found.denominator)]).astype(np.float64)
                record = record | {"value": value_of(scores), "samples_sha256": digest(samples)}
                store.put("scores", record["score_key"], scores)
            lines.append(json.dumps(record))
        (tmp_path / run / "records.jsonl").write_text("\n".join(lines) + "\n")
        page = build([tmp_path / run], tmp_path / f"{run}_out", resamples=50).read_text()
        marked = "ab the <mark>qzxv</mark> of <mark>xxyyz</mark> was the cat"
        assert (marked in page) == (run == "right"), run
        assert ("The records do not say which words are misspelt" in page) == (run != "right")


def test_provenance_names_judge_precision_machine_commit_data_and_networks(tmp_path, plain):
    store = write(tmp_path / "run", n=12, timed=0, troubles=False)
    lines = [json.dumps(r | {"metric": r["metric"] | {"checkpoint": "/home/somebody/judge.safetensors",
                                                      "identity": {"name": "judge", "sha256": "beef" * 16}}}
                        if r.get("label") == "judge" else r) for r in store.records]
    (tmp_path / "run" / "records.jsonl").write_text("\n".join(lines) + "\n")
    page = build([tmp_path / "run"], tmp_path / "out", resamples=50).read_text()
    facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page, re.S))
    assert facts["draw dtype"] == "float64" and facts["network dtype"] == "float32" and facts["seed"] == "0"
    assert "beef" * 16 in facts["metric judge"] and "somebody" not in page
    assert DATA["sha256"] in facts["data"] and all(r["sha256"] in facts[f"network {r['name']}"]
                                                   for r in store.of("network") if r["name"] != "light")
    machine = facts["machine m0"]
    assert (
        "c0ffee" * 6 in machine
        and '<span class="flag">dirty</span> diff <code>d1ff</code>' in machine
        and "made-up processor" in machine
        and "torch 2.0" in machine
    )
    assert facts["rebuild this page"] == f"<code>ssmd-bench report {tmp_path / 'run'} --out {tmp_path / 'out'}</code>"


def test_questions_run_on_and_their_commands_stay_apart():
    assert page_of.paragraphs("What is it?\n\nA line\nand another.\n\n    make demo    prints\n    more\n") == [
        {"text": "What is it?", "code": False}, {"text": "A line and another.", "code": False},
        {"text": "make demo    prints\nmore", "code": True}]


def test_a_chapter_names_the_machines_of_its_own_runs_alone(tmp_path, plain):
    write(tmp_path / "one", n=8, timed=0, troubles=False)
    store = write_grid(tmp_path / "two", n=12, timed=0)
    store.append(Store(tmp_path / "one").of("machine")[0] | {"commit": "b0bb1e" * 6, "dirty": False})
    page = build([tmp_path / "one", tmp_path / "two"], tmp_path / "out", resamples=50).read_text()
    first, second = (re.search(rf'id="{name}-provenance".*?</dl>', page, re.S)[0] for name in ("1-made-up", "2-grid"))
    assert "c0ffee" in first and "b0bb1e" not in first and "b0bb1e" in second and "c0ffee" not in second


def test_samples_are_read_by_the_data_set_that_the_records_name():
    ids = Prose().encode("Mr. Darcy smiled.").numpy()
    assert reader(Prose(length=64).identity())(ids) == "Mr. Darcy smiled."
    assert reader(Prose().identity() | {"sha256": "0" * 64})(ids) == " ".join(map(str, ids))
    assert (
        reader({"name": "of mine", "alphabet": "xyz"})(np.array([2, 0, 3])) == "zx_"
        and reader({"name": "text8", "sha256": "?", "length": 3})(np.array([7, 8])) == "hi"
    )


def test_sources_are_newest_among_cells_of_one_sampler_with_one_network():
    about = {"sampler": {"name": "ancestral"}, "nets": {"main": "h"}}
    cells = [SimpleNamespace(record={"cell": about | more}, trees=trees, known_at=at) for at, trees, more in (
        ("2026-02", ["a", "b"], {"nucleus": 0.9}), ("2026-01", ["c"], {}),
        ("2026-03", ["d"], {"nets": {"main": "other"}}), ("", [], {"sampler": {"name": "ssmd"}}))]
    newest = frame._newest(cells)
    assert [newest.get(frame._maker(cell)) for cell in cells] == ["b", "b", "d", None]
