"""Names of a user's own reach a page, figures, LaTeX, tables and files as text and as nothing else."""

import csv
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest

from reports import frame, records, style
from reports.build import build
from reports.gallery import write as write_gallery
from reports.text import NO_NAME, apart, plain, short, slug, tex
from tests.test_report_toy import FAMILIES, SCALE, write

COMPILERS = ("pdflatex", "xelatex", "lualatex", "tectonic")
NASTY = (
    "US$ a_$ b",
    r"$\frac{1}{0}$",
    "$",
    r"back\slash \\ two",
    "--50% off_x",
    r"\input{secret}",
    r"$x \& \input{secret}",
    "{b}races}{",
    "ca^^41ret^",
    "two\nlines\ttab",
    "bell\x07 null\x00",
    "<script>alert(1)</script>",
    "</script><b>&amp;",
    "a" * 500,
    "\u202eright to left \u05e9\u05dc\u05d5\u05dd",
    "emoji \U0001f600",
    "   ",
    "",
    "../../x",
    "[0.5]",
    "*",
    "=1+1",
    "_hidden",
    "'\"`",
    "%",
    "-->",
    "{{ 7 * 7 }}",
    "~#&",
    "Ωmega ß ő",
    "]]>",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Every nasty name as an arm, study, network and data set."""
    folder = tmp_path_factory.mktemp("nasty")
    families = {
        name: (
            NASTY[k],
            *FAMILIES["ancestral"][1:3],
            [{"name": "ancestral", "version": 1, "steps": 4 + k, "schedule": {"name": name}}],
        )
        for k, name in enumerate(NASTY)
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "tests.test_report_toy._sha",
            lambda text: __import__("hashlib").sha256(text.encode("utf-8", "replace")).hexdigest(),
        )
        write(
            folder / "run",
            n=8,
            troubles=False,
            name=r"../../$x_$ <b> \input{y}",
            families=families,
            scale=SCALE | {name: (4 + k,) for k, name in enumerate(NASTY)},
        )
    lines = (folder / "run" / "records.jsonl").read_text().replace("made_up_text", r"da\\ta $set_$ <i>")
    (folder / "run" / "records.jsonl").write_text(lines)
    page = build([folder / "run"], folder / "out", resamples=50)
    return folder, page.read_text(encoding="utf-8")


class Texts(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.words, self.inside = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.inside.append(tag)
        self.words += [value for name, value in attrs if name == "title"]

    def handle_endtag(self, tag):
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data):
        self.words.append(data)


def test_every_name_stands_on_the_page_as_text(made):
    found = Texts()
    found.feed(made[1])
    told = " ".join(" ".join(found.words).split())
    for name in NASTY:
        assert plain(name) in told or plain(name) == NO_NAME in told, name
    ours = Texts()
    ours.feed(re.sub(r"<svg.*?</svg>", "", made[1], flags=re.S))
    assert (
        ours.tags.count("script") == 2
        and "49" not in re.findall(r"<bdi>([^<]*)</bdi>", made[1])
        and not {"i"} & set(ours.tags)
    ), "the data and the program of the chart alone"


def test_every_figure_is_drawn_and_its_svg_is_xml(made):
    numbers = json.loads((made[0] / "out" / "numbers.json").read_text())["chapters"][0]
    assert {"headline", "tradeoff", "times", "stack", "entropy"} <= set(numbers["figures"])
    for path in (made[0] / "out" / "figures").glob("*.svg"):
        ElementTree.fromstring(path.read_text(encoding="utf-8"))
        assert (
            path.with_suffix(".pdf").read_bytes().startswith(b"%PDF") and path.with_suffix(".png").stat().st_size > 1000
        )


def test_no_file_leaves_its_folder(made):
    assert {path.name for path in made[0].iterdir()} == {"run", "out"}
    assert all(re.fullmatch(r"[a-z0-9_-]+\.\w+", path.name) for path in (made[0] / "out").rglob("*.*"))


def test_names_in_tables_are_those_of_the_page(made):
    with open(made[0] / "out" / "tables" / "points.csv", encoding="utf-8", newline="") as file:
        names = {row["arm"] for row in csv.DictReader(file)}
    assert {plain(name) for name in NASTY} <= names and f"{NO_NAME} #2" in names, "two arms without a name stay two"
    assert {plain(name) for name in NASTY} <= {
        point["arm"] for point in json.loads((made[0] / "out" / "numbers.json").read_text())["chapters"][0]["points"]
    }


def test_no_name_is_a_command_of_latex(made):
    text = (made[0] / "out" / "tables" / "points.tex").read_text(encoding="utf-8")
    assert r"\input" not in text and r"\frac" not in text
    for line in text.splitlines()[1:]:
        bare = re.sub(r"\\[%&#$_{}]", "", re.sub(r"\\\\$", "", line))
        assert (
            "%" not in bare
            and "#" not in bare
            and "^" not in bare
            and bare.count("$") % 2 == 0
            and bare.count("{") == bare.count("}")
        ), line
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len({len(re.findall(r"(?<!\\)&", row)) for row in rows}) == 1, "each row has its columns and no more"
    assert not any(row.startswith(("[", "*")) for row in rows)


def test_tables_of_such_names_compile(made, tmp_path):
    compiler = next(filter(shutil.which, COMPILERS), None)
    if compiler is None:
        pytest.skip("no TeX is installed: the tables cannot be compiled here")
    shutil.copy(made[0] / "out" / "tables" / "points.tex", tmp_path)
    (tmp_path / "page.tex").write_text(
        r"\documentclass{article}\usepackage{booktabs}\begin{document}\tiny \input{points}\end{document}"
    )
    options = [] if compiler == "tectonic" else ["-interaction=nonstopmode", "-halt-on-error"]
    done = subprocess.run([compiler, *options, "page.tex"], cwd=tmp_path, capture_output=True, text=True, timeout=240)
    if "booktabs.sty' not found" in done.stdout:
        pytest.skip("this TeX has no booktabs")
    assert done.returncode == 0, done.stdout[-2000:]


def test_dollars_are_drawn_as_they_stand():
    with style.paper():
        figure, axes = style.panels(1, 1, style.SINGLE, 1.0)
        axes[0, 0].set_title(r"US$ a_$ b \frac")
        style.legend(figure, {"$x$": axes[0, 0].plot([1], [1])[0], "_kept": axes[0, 0].plot([2], [2])[0]}, style.SINGLE)
        assert axes[0, 0].title._preprocess_math(axes[0, 0].title.get_text()) == (r"US$ a_$ b \frac", False)
        assert [text.get_text() for text in figure.legends[0].get_texts()] == ["$x$", "_kept"]


@pytest.mark.parametrize("name", NASTY)
def test_an_escape_never_ends_in_nothing_and_never_in_a_path(name):
    assert (
        plain(name)
        and "\n" not in plain(name)
        and re.fullmatch(r"[a-z0-9-]{1,60}", slug(name))
        and len(short(plain(name), 20)) <= 20
    )
    assert tex(name).encode("utf-8") and not re.search(r"(?<!\\)[%#]", tex(name)) and "--" not in tex(name)


def test_a_name_turns_no_text_behind_it_round():
    assert plain("\u202eabc\u2067") == "abc" and plain("\u05e9\u05dc\u05d5\u05dd") == "\u05e9\u05dc\u05d5\u05dd"


def test_names_that_are_alike_once_cleaned_stay_apart():
    assert apart({"a": "x\n", "b": "x", "c": "x\n", "d": "y", "e": "x #2"}) == {
        "a": "x",
        "b": "x #2",
        "c": "x",
        "d": "y",
        "e": "x #2 #2",
    }


def test_a_gallery_of_such_a_study_writes_into_its_folder_alone(made, tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "gallery.md").write_text("<!-- figures -->\n<!-- /figures -->\n")
    kept = write_gallery([f"{made[0] / 'run'}:headline"], tmp_path / "docs")
    assert (
        [path.parent for path in kept] == [tmp_path / "docs" / "figures"]
        and kept[0].is_file()
        and [path.name for path in tmp_path.iterdir()] == ["docs"]
    )


def test_ordinary_names_are_left_as_they_are_but_for_samplers(tmp_path):
    write(tmp_path / "run", n=8, timed=0, troubles=False)
    chapter = frame.chapters(records.read([tmp_path / "run"]))[0]
    assert chapter.arms == ["ancestral", "scheduled", "self-speculative"]
    assert chapter.name == "made_up" and tex("text8 steps=8") == "text8 steps=8"
