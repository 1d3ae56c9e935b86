"""What a run of the tests costs: minutes of processors, of its workers and of all that they start.

The last line of every run says it; with --claims, a run of all tests writes `tests.cpu_minutes`. It is one count on one
machine: two hyperthreads of a core that are both busy take more of it than two cores.
"""

import os

import pytest

from harness.claims.claim import claim, write

COMMAND = "make test-all ARGS=--claims"


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
        """Whether no test was left out."""
        option = self.config.option
        return option.turn == "all" and not (option.file_or_dir or option.keyword or option.markexpr)

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
            write("tests", [claim("tests.cpu_minutes", minutes, minutes, minutes, "minutes of processors", self.tests,
                                  COMMAND, [], f"one run on a machine of {os.cpu_count()} processors")])
