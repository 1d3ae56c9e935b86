"""One net under every command: an error is a sentence, whose it is decides the exit code, and the traceback of one that
nobody foresaw is kept without secrets.
"""

import sys

import pytest

from harness import plugins
from harness.__main__ import main
from harness.boundary.blame import without_secrets
from harness.cli import verbs


def failing(error: BaseException):
    def verb(options):
        raise error
    return verb


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_error_of_ours_that_nobody_foresaw_is_a_sentence_a_kept_traceback_and_code_70(here, capsys, monkeypatch):
    monkeypatch.setattr("harness.cli._listing.names", lambda: None)    # the table of it fails in our own code
    monkeypatch.setattr(sys, "argv", ["ssmd-bench", "list", "--storage", "postgresql://me:hunter2@h/db"])
    assert main(["list"]) == 70
    told, (report,) = capsys.readouterr().err, here.glob("ssmd-bench-error-*.txt")
    assert told.count("\n") == 1 and "Traceback" not in told and str(report) in told and "AttributeError" in told
    kept = report.read_text()
    assert (
        "Traceback (most recent call last)" in kept
        and "harness/cli/_listing.py" in kept
        and "torch " in kept
        and "hunter2" not in kept
    )


def test_where_the_traceback_cannot_be_kept_the_sentence_says_so(here, capsys, monkeypatch):
    monkeypatch.setattr("harness.cli._listing.names", lambda: None)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(here / "none"))
    monkeypatch.setattr("os.getcwd", lambda: str(here / "none"))
    assert main(["list"]) == 70 and "could not be written anywhere" in capsys.readouterr().err


@pytest.mark.parametrize(("error", "code", "says"), [
    (MemoryError(), 2, "there is not enough memory (MemoryError): lower --batch or --n"),
    (FileNotFoundError(2, "No such file", "x.txt"), 2, "x.txt cannot be used"),
    (ValueError("it is Monday: wait"), 2, "it is Monday: wait"), (ValueError(), 2, "ValueError, without a message"),
    (SystemExit(0), 2, "it calls sys.exit()"),
    (RuntimeError("Symlink loop from '/x/there'"), 2, "'/x/there' is a link that leads to itself: give another path"),
    (RuntimeError("pulled"), 2, "RuntimeError: pulled: correct that file"),
    (KeyboardInterrupt(), 130, "stopped; the same command goes on from here"),
])
def test_every_error_of_a_verb_ends_in_one_sentence(here, capsys, monkeypatch, error, code, says):
    found = verbs.find()
    # raised in this file, which is a user's
    monkeypatch.setattr(verbs, "find", lambda: found | {"doctor": found["doctor"]._replace(work=failing(error))})
    assert main(["doctor"]) == code
    told = capsys.readouterr().err
    assert says in told and told.count("\n") == 1 and "Traceback" not in told


@pytest.mark.parametrize(("text", "hidden"), [
    ("postgresql://me:secret@h/db", "secret"), ("postgresql://:se@cret@h/db", "cret"),
    ("x?user=me&password=secret&a=b", "secret"), ("token='abc def'", "abc"),
    ("API_KEY: secret", "secret"),
])
def test_secrets_are_left_out_of_a_report(text, hidden):
    assert hidden not in without_secrets(text)


@pytest.mark.parametrize(("name", "text", "says"), [
    ("pbad", "def f(:", "pbad.py, line 1: SyntaxError"),
    ("pboom", "\n1/0", "pboom.py, line 2: ZeroDivisionError: division by zero: correct it"),
    ("pexit", "import sys; sys.exit(0)", "pexit.py, line 1: it calls sys.exit()"),
    ("pvalue", "raise ValueError()", "ValueError, without a message"),
    ("pneeds", "import nowhere_at_all", "cannot be imported (No module named 'nowhere_at_all'): install it"),
    ("..", "", "'..' is no name of a package"),
    ("./planner", "", "is no name of a package"), ("planner.py", "", "is no name of a package"),
    ("", "", "it is empty"),
    ("pplain", "class A:\n    name = 'a'\n    def step(self): pass", "the plug-in A is no frozen dataclass"),
])
def test_a_plug_in_package_that_cannot_be_used_is_one_sentence(here, capsys, monkeypatch, name, text, says):
    if text:
        (here / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(here))
    try:
        assert main(["--plugins", name, "list"]) == 2
    finally:
        plugins._extra.clear()
        plugins.find.cache_clear()
    told = capsys.readouterr()
    assert says in told.err and told.err.count("\n") == 1 and told.out == ""


@pytest.mark.parametrize(("words", "says"), [
    (["run", "x.py", "--out", ""], "--out: it is empty"), (["grid", "x.py", "--out", ""], "--out: it is empty"),
    (["report", "", "--out", "x"], "it is empty"),
    (["run", "x.py", "--n", "10000000000000000000000"],
     "--n: '10000000000000000000000' must be a whole number of at least 1 and at most 4294967296"),
    (["run", "x.py", "--seed", "-1"], "--seed"), (["run", "x.py", "--seed", str(2**64)],
                                                  "at most 18446744073709551615"),
    (["run", "x.py", "--jobs", "99999"], "--jobs"),
    (["train", "heavy", "--dry-run", "--assume", "nan"], "--assume: 'nan' must be a number above 0"),
    (["train", "heavy", "--assume", "1e12"], "--assume would be ignored"),
    (["train", "heavy", "--seconds", "3"], "--seconds would be ignored, it needs --dry-run"),
    (["train", "heavy", "--jobs", "2"], "--jobs would be ignored"),
    (["train", "heavy", "--recipe", "r.py", "--data", "austen"], "--data would be ignored"),
    (["train", "heavy", "--extra", "x"], "--extra would be ignored, heavy is no judge"),
    (["claims", "--rebuild", "nfe"], "do not go together"), (["claims", "--rebuild", "--write", "x"],
                                                             "do not go together"),
])
def test_options_that_would_be_ignored_or_have_no_bound_are_refused(here, capsys, words, says):
    assert main(words) == 2
    told = capsys.readouterr()
    assert says in told.err and told.err.count("\n") == 1 and told.out == "" and not list(here.iterdir())
