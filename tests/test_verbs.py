"""The verbs of the command line: found as plug-ins are, grouped by what a user wants to do, each with its own
options.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import pytest

from harness.__main__ import main
from harness.boundary.arguments import GROUPS
from harness.cli import verbs
from harness.cli.parser import parser
from harness.spec import ROOT
from tests.test_cli import STUDY


def test_help_groups_the_verbs_each_with_an_example_that_parses(capsys):
    assert main(["--help"]) == 0
    shown, found = capsys.readouterr().out, verbs.find()
    for verb in found.values():
        assert f"  {verb.name:<12} {verb.does}\n" in shown and f"$ {verb.example}\n" in shown and verb.group in GROUPS
        program, *words = shlex.split(verb.example)
        assert program == "ssmd-bench" and parser(found).parse_args(words).verb == verb.name


@pytest.mark.parametrize("verb", [[], *([name] for name in verbs.find())], ids=" ".join)
def test_help_and_version_are_everywhere(capsys, verb):
    assert main([*verb, "-h"]) == 0 and "--quiet" in capsys.readouterr().out
    assert main([*verb, "--version"]) == 0 and re.fullmatch(r"ssmd-bench \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)


@pytest.mark.parametrize("words", [["--json", "--quiet", "verify", "first_hitting"],
                                   ["verify", "first_hitting", "--json", "--quiet"]], ids=["before", "behind"])
def test_json_and_quiet_leave_one_document_and_no_progress(capsys, words):
    assert main(words) == 0
    shown = capsys.readouterr()
    assert shown.out.count("\n") == 1 and json.loads(shown.out)["failed"] == 0 and shown.err == ""


def test_quiet_runs_say_no_progress(capsys, tmp_path):
    (tmp_path / "toy.py").write_text(STUDY.format(net="Table(DATA)", n=8, steps=[1]))
    words = ["run", str(tmp_path / "toy.py"), "--no-time", "--out", str(tmp_path / "run")]
    assert main([*words, "--quiet"]) == 0 and capsys.readouterr().err == ""
    shutil.rmtree(tmp_path / "run")
    assert main(words) == 0 and "[count 1/" in capsys.readouterr().err


def test_quiet_scores_say_no_progress(capsys):
    words = ["score", str(ROOT / "ssmd/checkpoints/light.safetensors"), "--n", "2", "--length", "8"]
    assert main([*words, "--quiet"]) == 0 and capsys.readouterr().err == ""
    assert main(words) == 0 and "light 2/2" in capsys.readouterr().err


def test_a_source_tree_that_is_not_installed_has_verbs_too(monkeypatch, capsys):
    def absent(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("harness.cli.parser.version", absent)
    assert main(["--version"]) == 0 and capsys.readouterr().out == "ssmd-bench 0+source\n"


def test_finding_the_verbs_loads_no_library():
    call = ("import sys; from harness.cli import verbs; verbs.find(); print([m for m in ('torch', 'numpy', 'pandas', "
            "'optuna', 'scipy', 'matplotlib') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", call], capture_output=True, text=True, env=os.environ
                          | {"PYTHONPATH": str(ROOT)})
    assert done.stdout == "[]\n", done.stderr
