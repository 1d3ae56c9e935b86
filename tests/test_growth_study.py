"""The study of growth: its fit finds an exponent that is known, its script is the run it was taken from, and a small
one has all of its tables and claims.
"""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from baselines.ancestral import Ancestral
from harness.data.exact import Exact
from harness.metrics.distinct import Distinct
from harness.records.store import Store
from harness.run import runner
from harness.schedules.window import Linear
from harness.study import Arm, Table
from ssmd.sampler import SelfSpeculative
from studies.growth import claims as found
from studies.growth import study as growth

SMALL = {"length": (8, 12, 16), "vocabulary": (3, 5, 9), "batch": (1, 2, 4), "rows": (2, 4, 8)}


def test_the_fit_finds_a_known_exponent():
    x = np.array([64, 128, 256, 512, 1024])
    exact = found.exponent(x, 3 * x**1.5)
    assert (
        exact.value == pytest.approx(1.5)
        and exact.low == pytest.approx(1.5)
        and exact.high == pytest.approx(1.5)
        and exact.n == 5
    )
    rng, inside = np.random.default_rng(0), 0
    for _ in range(400):
        fit = found.exponent(x, 3 * x**1.5 * np.exp(0.1 * rng.standard_normal(5)))
        inside += fit.low <= 1.5 <= fit.high
    assert 0.92 <= inside / 400 <= 0.98
    bent = found.exponent(x, 1 + x / 128)    # from flat to linear: the interval shows it
    assert 0 < bent.low and bent.high < 1 and bent.high - bent.low > 0.2


class Heard(found.Script):
    """Keeps the answers as well."""

    def __init__(self, net):
        super().__init__(net)
        self.answers = []

    def draft(self, *given, **named):
        answer = super().draft(*given, **named)
        self.answers.append(answer[0])
        return answer

    def verify(self, *given, **named):
        self.answers.append(super().verify(*given, **named))
        return self.answers[-1]


@pytest.mark.parametrize("name", found.SAMPLERS)
def test_the_script_is_the_run_again(monkeypatch, name):
    """In batches that shrink, and with drafts rejected, so that some passes are of some rows alone."""
    sampler = {"ancestral": Ancestral(5), "ssmd": SelfSpeculative(Linear(0.4), 3)}[name]
    net, sizes = found.network(name, 9), found.Sizes(10, 9, 4, 7)
    torch.manual_seed(1)
    for weight in net.parameters():
        weight.normal_(std=0.3)
    monkeypatch.setattr(found, "Script", Heard)
    script, ledger, x = found.recorded(sampler, net, sizes)
    sizes_of = [(kind, len(given[2 if kind == "verify" else 0])) for kind, given in script.calls]    # rows of a call
    rows = {kind: sum(n for k, n in sizes_of if k == kind) for kind in ("draft", "verify")}
    assert {f"main.{kind}": n for kind, n in rows.items() if n} == {k: int(v.sum()) for k, v in ledger.calls.items()}
    assert len({n for _, n in sizes_of}) > 1 and (name == "ancestral" or rows["verify"] > rows["draft"])
    assert torch.equal(x, found.recorded(sampler, net, sizes)[2]) and (x != net.mask).all()
    heard = list(script.answers)
    with torch.inference_mode():
        again = list(script.played())
    assert len(again) == len(heard) == len(script.calls) and all(map(torch.equal, again, heard))


def test_a_point_is_measured_in_a_fresh_process():
    fit = found.elsewhere("ssmd", found.Sizes(16, 5, 4, 8))
    assert fit.seconds > 0 and fit.bare > 0 and found.PAGE <= fit.mib < 200 and fit.gflop > 0 and fit.passes >= 2


def test_a_small_study_has_all_tables_and_claims(tmp_path, monkeypatch):
    monkeypatch.setattr(found, "AXES", SMALL)
    monkeypatch.setattr(found, "BASE", {"length": 8, "vocabulary": 3, "batch": 2, "rows": 2})
    monkeypatch.setattr(found, "elsewhere", found.point)
    data = Exact()
    study = replace(growth.STUDY, data=data, nets={"light": Table(data)}, metrics=[Distinct("chars")], n=4, batch=4,
                    arms=[Arm("ancestral", [Ancestral(2)], {"main": "light"})])
    runner.run(study, tmp_path, timing=False)
    records = growth.measure(study, Store(tmp_path))
    assert {r["name"] for r in records} == {f"growth of {s} with {axis}" for s, axis in product(found.SAMPLERS, SMALL)}
    for record in records:
        assert record["columns"] == list(found.COLUMNS) and len(record["rows"]) == 6 * 3 and record["cells"]
    rows = {row["claim"]: row for row in growth.claims(Store(tmp_path), "a command")}
    assert rows.keys() == {f"growth.{s}.{axis}.{what}" for s, axis,
                           what in product(found.SAMPLERS, SMALL, found.FITTED)}
    assert all(row["n"] == 3 and "Student" in row["note"] for row in rows.values())
    for sampler in found.SAMPLERS:
        for axis in ("rows", "batch"):
            assert rows[f"growth.{sampler}.{axis}.flops"]["value"] == pytest.approx(1, abs=0.1)
        assert (
            0.5 < rows[f"growth.{sampler}.length.flops"]["value"] < 2
            and 0 < rows[f"growth.{sampler}.vocabulary.flops"]["value"] < 1
        )
    monkeypatch.setattr(found, "elsewhere", lambda *of: pytest.fail("measured again"))
    assert growth.measure(study, Store(tmp_path)) == records


def test_claims_of_a_run_without_tables_are_none(tmp_path):
    assert growth.claims(Store(tmp_path), "a command") == []
