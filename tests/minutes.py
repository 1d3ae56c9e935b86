"""What a run of the tests costs: minutes of processors, of its workers and of all that they start.

The last line of every run says it. With --claims, a turn of `make test` writes `tests.cpu_minutes`, and a run of all
tests `tests.cpu_minutes.all`. Each is one count on one machine: two hyperthreads of a core that are both busy take more
of it than two cores.
"""

import os

import pytest

from harness.claims.claim import claim, renew

CLAIMS = {"commit": ("tests.cpu_minutes", "make test ARGS=--claims", "; one of four turns: .all is of all tests"),
          "all": ("tests.cpu_minutes.all", "make test-all ARGS=--claims", "")}    # by turn: name, command, note


def spent() -> float:
    """Seconds of processors of this process and of those that it has waited for."""
    return sum(os.times()[:4])


class Minutes:
    """A plugin: each worker says what it spent when it ends, and the process that started them adds it up."""

    def __init__(self, config: pytest.Config):
        self.config, self.workers, self.tests = config, 0.0, 0

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput["spent"] = spent()

    def whole(self) -> bool:
        """Whether no test of the turn was left out."""
        option = self.config.option
        return option.turn in CLAIMS and not (option.file_or_dir or option.keyword or option.markexpr)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node, error) -> None:
        self.workers += getattr(node, "workeroutput", {}).get("spent", 0.0)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.tests += report.when == "call"

    def pytest_terminal_summary(self, terminalreporter) -> None:
        own = os.times()
        minutes = (own.user + own.system + (self.workers or own.children_user + own.children_system)) / 60
        terminalreporter.write_line(f"{minutes:.1f} minutes of processors")
        if self.config.getoption("--claims") and self.whole():
            name, command, more = CLAIMS[self.config.option.turn]
            renew("tests", [claim(name, minutes, minutes, minutes, "minutes of processors", self.tests, command, [],
                                  f"one run on a machine of {os.cpu_count()} processors{more}")])
