"""What a reader wants to see: arms, metrics, labels and columns of a report, and figures in the format of a venue."""

import json
import re
import shlex
from html import unescape

import matplotlib
import pandas as pd
import pytest
from PIL import Image

from harness.__main__ import main
from reports import page, style
from reports.frame import chapters
from reports.records import Cell, read
from reports.view import labels_of, probably
from tests.test_cli import refuses
from tests.test_report_matched import plain as plain  # a fixture

LABELS = '[arms]\nssmd = "SSMD"\n"ancestral" = "MDLM"\n[metrics]\nexact_nll = "true nats"\n'


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("view") / "run"
    assert main(["--quiet", "run", "smoke", "--n", "8", "--out", str(folder), "--no-time"]) == 0
    return str(folder)


def test_arms_metrics_labels_and_columns_are_those_asked_for(run, tmp_path, plain):    # noqa: F811
    (tmp_path / "labels.toml").write_text(LABELS)
    words = ["report", run, "--out", str(tmp_path / "r"), "--arms", "ancestral", "ssmd", "--metrics", "exact_nll",
             "--labels", str(tmp_path / "labels.toml"), "--columns", "nfe_a", "exact_nll"]
    assert main(words) == 0
    points = pd.read_csv(tmp_path / "r" / "tables" / "points.csv")
    assert set(points.arm[~points.control]) == {"self-speculative", "ancestral"} and points.control.any()
    assert {"nfe_a", "nfe_a.low", "exact_nll", "exact_nll.high", "key", "status"} <= {*points}
    assert not {"true nats", "law_tv", "nfe_b", "gflop"} & {*points}, "programs read columns by their own names"
    matched = pd.read_csv(tmp_path / "r" / "tables" / "matched.csv")
    assert [{*matched[column]} for column in ("arm", "baseline", "metric")] == [{"self-speculative"}, {"ancestral"},
                                                                                {"exact_nll"}]
    tex = (tmp_path / "r" / "tables" / "points.tex").read_text()
    assert "arm & setting & NFE A & true nats" in tex and "SSMD" in tex and "NFE B" not in tex
    html = (tmp_path / "r" / "index.html").read_text()
    assert "true nats" in html and "MDLM" in html and "GFLOP executed</th>" not in html
    assert shlex.join(["ssmd-bench", *words[:4], *words[4:9], "--columns", *words[-2:], *words[9:11]]) in unescape(html)
    numbers = json.loads((tmp_path / "r" / "numbers.json").read_text())
    assert {row["arm"] for row in numbers["chapters"][0]["points"]} >= {"SSMD", "MDLM"}


def test_without_options_it_is_the_whole_run(run, tmp_path, plain):    # noqa: F811
    assert main(["report", run, "--out", str(tmp_path / "r")]) == 0
    html = (tmp_path / "r" / "index.html").read_text()
    assert "GFLOP executed</th>" in html and "--arms" not in html


def test_figures_have_the_size_of_the_venue(run, tmp_path):
    assert main(["report", run, "--out", str(tmp_path / "r"), "--style", "slides", "--metrics", "exact_nll"]) == 0
    for end, inches in (("", style.FORMATS["slides"].double), ("-single", style.FORMATS["slides"].single)):
        with Image.open(tmp_path / "r" / "figures" / f"tradeoff{end}.png") as picture:
            assert picture.size[0] == pytest.approx(300 * inches, abs=2)


@pytest.mark.parametrize("name", style.FORMATS)
def test_a_format_lasts_as_long_as_it_is_asked_for(name):
    with style.formatted(name), style.paper():
        assert matplotlib.rcParams["font.size"] == pytest.approx(style.FORMATS[name].points)
        assert (style.SINGLE, style.DOUBLE) == style.FORMATS[name][:2]
    assert (style.SINGLE, style.DOUBLE, style.LINES) == (3.25, 6.75, 1.0)    # as it was


@pytest.mark.parametrize("words, says", [
    (["--arms", "ssmb"], "these runs have no arm 'ssmb'; did you mean 'ssmd'?"),
    (["--arms", "anc"], "these runs have no arm 'anc'; did you mean 'ancestral'?"),
    (["--metrics", "law"], "these runs have no metric 'law'; did you mean 'law_tv'?"),
    (["--metrics", "zz"], "these runs have no metric 'zz': name one of corpus_entropy, exact_nll, law_tv"),
    (["--columns", "nfe_d"], "the table of points has no column 'nfe_d'; did you mean"),
    (["--labels", "gone.toml"], "gone.toml"),
    (["--style", "natur"], "there is no --style 'natur'; did you mean 'nature'?"),
])
def test_what_is_not_there_is_one_sentence(run, tmp_path, capsys, words, says):
    refuses(capsys, ["report", run, "--out", str(tmp_path / "r"), *words], says)


def test_a_name_unlike_all_others_is_told_which_there_are():
    known = {"ssmd_frozen": "self-speculative, frozen", "fixed": "fixed"}
    assert probably("zz", known) == ": name one of fixed, ssmd_frozen"
    assert probably("zz", {f"arm{k}": "" for k in range(10, 40)}) == (
        ": name one of arm10, arm11, arm12, arm13, arm14, arm15, arm16, arm17, or of 22 more, which a report of all "
        "shows")
    assert [probably(slip, known) for slip in ("ssmd_frozn", "ssmd", "Self-spec")] == [
        "; did you mean 'ssmd_frozen'?", "; did you mean 'ssmd_frozen'?", "; did you mean 'self-speculative, frozen'?"]


@pytest.mark.parametrize("text, says", [
    ("[arms", "is no TOML"), ("[arm]\na = 'b'\n", r"has a table \[arm\]; did you mean 'arms'"),
    ("arms = 3\n", "must hold NAME"), ("[metrics]\na = 3\n", "must hold NAME"),
    ("[arms]\na = ' '\n", "must hold NAME")])
def test_labels_of_another_form_are_one_sentence(tmp_path, text, says):
    (tmp_path / "labels.toml").write_text(text)
    with pytest.raises(ValueError, match=says):
        labels_of(tmp_path / "labels.toml")


def test_two_of_one_label_are_refused(run, tmp_path, capsys):
    (tmp_path / "labels.toml").write_text('[arms]\nssmd = "x"\nancestral = "x"\n')
    refuses(capsys, ["report", run, "--out", str(tmp_path / "r"), "--labels", str(tmp_path / "labels.toml")],
            "two would be called 'x'")


def test_bold_is_the_best_of_a_metric_and_what_lies_within_its_interval(run, tmp_path, plain):    # noqa: F811
    assert main(["report", run, "--out", str(tmp_path / "r"), "--columns", "nfe_a", "exact_nll"]) == 0
    points = pd.read_csv(tmp_path / "r" / "tables" / "points.csv")
    points = points[~points.control]
    first = points.loc[points.exact_nll.idxmin()]
    within = points.exact_nll.between(first["exact_nll.low"], first["exact_nll.high"])
    html = (tmp_path / "r" / "index.html").read_text()
    table = html.partition('aria-label="Table of all operating points"')[2].partition("</table>")[0]
    rows = re.findall(r"<tr>.*?</tr>", table.partition("<tbody>")[2], flags=re.S)
    assert 0 < within.sum() < len(points) == len(rows) and sum("<b>" in row for row in rows) == within.sum()
    bold = [row for row in rows if "<b>" in row]
    assert {re.search(r'class="key">(\w+)<', row)[1] for row in bold} == {key[:8] for key in points.key[within]}


def test_a_cause_is_one_remark_with_its_count(run):
    """Reasons that differ in numbers alone are one cause; other reasons and other kinds are not."""
    def trouble(what, arm, setting, reason):
        return {"what": what, "arm": arm, "setting": setting, "reason": reason, "key": ""}

    chapter = chapters(read([run]))[0]._replace(troubles=[
        trouble("unproven", "ssmd", "delta=0.1", "counted by the sources 4f2a, and no proof"),
        trouble("unproven", "ssmd", "delta=0.2", "counted by the sources 4f2a, and no proof"),
        trouble("unproven", "ancestral", "steps=8", "counted by the sources 4f2a, and no proof"),
        trouble("timed output differs", "ssmd", "", "in 3 of 16 rows"), trouble("timed output differs", "ssmd", "",
                                                                                "in 5 of 16 rows"),
        trouble("inert", "ssmd", "", "in no row")])
    first, second, third = page.remarks(chapter)
    assert first == {"what": "unproven", "count": 3, "where": "ssmd (delta=0.1, delta=0.2), ancestral (steps=8)",
                     "reason": "counted by the sources 4f2a, and no proof"}
    assert (second["count"], second["where"], second["reason"]) == (2, "ssmd", "in 3 of 16 rows (the first of them)")
    assert third["count"] == 1


def test_rows_that_were_timed_in_another_batch_may_differ_without_a_fault():
    cell = Cell({"cell": {"batch": 16}}, {}, {}, (), (), None, {}, (), "")
    assert cell.other_batch([{"batch": 16}, {}]) == ""
    assert cell.other_batch([{"batch": 16}, {"batch": 5}]).startswith("; 16 were sampled side by side and 5 timed")
