"""What `make gate` expects belongs to the studies as they stand: a cell that changed its settings, networks or data
must be expected anew.
"""

from dataclasses import replace

from harness.checks.rules import read
from harness.checks.side import expectations, side
from harness.records.store import Store
from harness.run.cell import cells_of
from harness.spec import ROOT
from studies.gate.study import STUDY as GATE
from studies.smoke.study import STUDY as SMOKE

KEPT = ROOT / "studies" / "gate"


def test_every_cell_of_both_studies_is_expected_and_no_other():
    keys = {cell.key() for study in (replace(SMOKE, n=1024), GATE) for cell in cells_of(study)}
    expected, base = expectations(KEPT / "counts.jsonl"), side(Store(KEPT / "base.zip"))
    assert expected.counted.keys() == keys == base.counted.keys()
    assert all(r["status"] == "done" for r in base.counted.values()) and all(base.scored[key] for key in keys)
    assert {k: r["cost"]["nfe_a"] for k, r in expected.counted.items()} == {k: r["cost"]["nfe_a"] for k,
                                                                            r in base.counted.items()}


def test_the_rules_are_rules_and_forgive_passes_of_one_arm_alone():
    rules = read(KEPT / "rules.toml")
    assert rules.missing == "fail" and rules.tolerance == 0 and [arm for arm in rules.arms
                                                                 if rules.of(arm).tolerance] == ["ssmd"]


def test_makefile_and_ci_run_the_gate():
    lines = (ROOT / "Makefile").read_text()
    assert (
        "run studies/smoke --n 1024 --out runs/gate" in lines and "compare studies/gate/base.zip runs/gate" in lines
    )
    assert "make gate" in (ROOT / ".ci" / "run").read_text()
