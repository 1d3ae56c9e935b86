"""What each benchmark counted, beside its times: pytest-benchmark itself writes `extra_info` to files only."""


def pytest_terminal_summary(terminalreporter, config):
    for bench in getattr(getattr(config, "_benchmarksession", None), "benchmarks", ()):
        if bench.extra_info:
            terminalreporter.write_line(
                f"{bench.name}: {', '.join(f'{name} {value:.6g}' for name, value in bench.extra_info.items())}"
            )
