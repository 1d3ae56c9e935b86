"""The annotations of harness, ssmd, baselines and reports hold, where mypy is installed (`make types` installs it); few
findings are ignored, each with its reason, and no module of ours is excepted.
"""

import re
import tomllib

import pytest

from harness.spec import ROOT

ROOMS = ["harness", "ssmd", "baselines", "reports", "ssmd_bench"]
MOST = 25    # findings ignored, of all rooms together
IGNORED = re.compile(r"# type: ignore")
WITH_REASON = re.compile(r"# type: ignore\[[a-z, -]+\]  # \w")


def test_mypy_finds_nothing(monkeypatch):
    api = pytest.importorskip("mypy.api", reason="mypy is not installed: `make types` installs it")
    monkeypatch.chdir(ROOT)
    out, errors, code = api.run([])
    assert code == 0, out + errors


def test_few_findings_are_ignored_and_each_says_why():
    lines = [f"{path.relative_to(ROOT)}:{number}: {line.strip()}" for room in ROOMS
             for path in sorted((ROOT / room).rglob("*.py"))
             for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if IGNORED.search(line)]
    assert len(lines) <= MOST, "\n".join(lines)
    assert [line for line in lines if not WITH_REASON.search(line)] == []


def test_every_room_is_checked_and_no_module_of_ours_is_excepted():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    told = tomllib.loads(text)["tool"]["mypy"]
    assert told["files"] == ROOMS and told["check_untyped_defs"] and told["warn_unused_ignores"]
    assert not {"disable_error_code", "exclude", "ignore_errors"} & told.keys()
    overrides = told.get("overrides", [])
    assert [name for rule in overrides for name in rule["module"] if name.split(".")[0] in ROOMS] == []
    reasons = re.findall(r"^# .+\n\[\[tool\.mypy\.overrides\]\]$", text, re.M)
    assert len(reasons) == len(overrides), "an exception without its reason in the line above"
