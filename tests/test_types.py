"""The annotations of harness, ssmd and baselines hold, where mypy is installed: `make types` installs it."""

import pytest

from harness.spec import ROOT


def test_mypy_finds_nothing(monkeypatch):
    api = pytest.importorskip("mypy.api", reason="mypy is not installed: `make types` installs it")
    monkeypatch.chdir(ROOT)
    out, errors, code = api.run([])
    assert code == 0, out + errors
