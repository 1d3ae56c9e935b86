"""The LaTeX tables of a report: they compile, and bold stands only where the interval says so."""

import re
import shutil
import subprocess

import pytest

from reports import style, tables
from reports.build import build
from tests.test_report_toy import write

COMPILERS = ("pdflatex", "xelatex", "lualatex", "tectonic")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("latex")
    write(folder / "run", n=24, timed=0, name="a_b & 50 % #1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style, "save", lambda figure, folder, name: '<svg viewBox="0 0 1 1"></svg>')
        build([folder / "run"], folder / "out", resamples=200)
    return folder / "out" / "tables"


def test_tables_compile(made, tmp_path):
    compiler = next(filter(shutil.which, COMPILERS), None)
    if compiler is None:
        pytest.skip("no TeX is installed: the tables cannot be compiled here")
    inputs = "\n\n".join(rf"\input{{{name}}}" for name in ("points", "matched"))
    for name in ("points", "matched"):
        shutil.copy(made / f"{name}.tex", tmp_path)
    (tmp_path / "page.tex").write_text(rf"\documentclass{{article}}\usepackage{{booktabs}}\begin{{document}}\tiny "
                                       rf"{inputs}\end{{document}}")
    options = [] if compiler == "tectonic" else ["-interaction=nonstopmode", "-halt-on-error"]
    done = subprocess.run([compiler, *options, "page.tex"], cwd=tmp_path, capture_output=True, text=True, timeout=240)
    if "booktabs.sty' not found" in done.stdout:
        pytest.skip("this TeX has no booktabs")
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(("spans", "better", "best"), [
    ([(0.9, 0.88, 0.92), (0.8, 0.78, 0.82)], "higher", 0),
    ([(0.9, 0.88, 0.92), (0.8, 0.78, 0.82)], "lower", 1),
    ([(0.9, 0.81, 0.99), (0.8, 0.78, 0.82)], "higher", None),      # the intervals touch
    ([(0.9, 0.88, 0.92), (0.8, float("nan"), float("nan"))], "higher", None),
    ([(0.9, 0.88, 0.92)], "higher", None),                          # nothing to be better than
    ([(0.9, 0.88, 0.92), (0.8, 0.78, 0.82)], "match", None),
    ([(float("nan"),) * 3, (0.9, 0.88, 0.92), (0.8, 0.78, 0.82)], "higher", 1),
])
def test_the_best_is_bold_only_where_its_interval_says_so(spans, better, best):
    assert tables.winner(spans, better) == best


def test_bold_numbers_of_a_table_are_disjoint_from_the_rest_of_their_column(made):
    """Read back from the text of the table, whatever wrote it."""
    lines = [line for line in (made / "matched.tex").read_text().splitlines() if line.endswith(r"\\")][1:]
    number = r"(?:\\mathbf\{)?(\d+\.?\d*)\}?\$ \{\\scriptsize \$\[(\d+\.?\d*), (\d+\.?\d*)\]"
    groups, bold = {}, 0
    for line in lines:
        metric, arm, _, passes, _, _, _, *ratios = line.removesuffix(r" \\").split(" & ")
        for cost, text in enumerate(ratios):
            if found := re.search(number, text):
                groups.setdefault((metric, passes, cost), []).append((*map(float, found.groups()), r"\mathbf" in text))
    assert groups
    for rows in groups.values():
        for value, low, high, is_bold in rows:
            others = [row for row in rows if row[:3] != (value, low, high)]
            should = bool(others) and low > 1 and all(low > row[2] for row in others)
            assert not is_bold or should, rows
            bold += is_bold
    assert bold, "the made-up speculative arm is twice as fast: it must be bold somewhere"
