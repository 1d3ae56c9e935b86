"""The timed pair of the best method: a claim of what the harness timed, or a sentence."""

from dataclasses import replace

import pytest

import studies.best_seconds.study as study
from harness.records.store import Store
from harness.run import runner
from harness.study import Timing
from tests.test_studies import HEAVY, toy, whole


def test_the_ratio_is_of_the_times_of_pairs_of_processes(tmp_path, capsys):
    small = replace(toy(study.STUDY, nets={"heavy": HEAVY, "hybrid_frozen": HEAVY}, n=16, batch=16),
                    timing=Timing(processes=5, rows=8, repeats=1))
    assert study.claims(Store(tmp_path), "a command") == [] and ("headline.best.seconds_ratio: no claim, nothing is "
                                                                 "timed") in capsys.readouterr().out
    runner.run(small, tmp_path, timing=False)
    assert study.claims(Store(tmp_path), "a command") == []
    assert runner.run(small, tmp_path)["timed"] == 10
    store = Store(tmp_path)
    (row,) = whole(study.claims(store, "a command"), store).values()
    times = {arm: {r["process"]: r["seconds"][0] for r in store.of("timed") if r["key"] == key} for arm,
             key in zip("ab", row["keys"])}
    product = 1.0
    for process in range(5):
        product *= times["a"][process] / times["b"][process]
    assert (
        row["value"] == pytest.approx(product ** (1 / 5))
        and row["n"] == 5
        and "5 processes of one thread, 8 rows" in row["note"]
    )
