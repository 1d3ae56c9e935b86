"""The study of a device, small and on a CPU: its tables, its claims, and what it takes for saturation."""

from dataclasses import replace

import pytest
import torch

from baselines.ancestral import Ancestral
from harness.data.exact import Exact
from harness.metrics.distinct import Distinct
from harness.records.measured import column
from harness.records.store import Store
from harness.run import runner
from harness.schedules.window import Linear
from harness.study import Arm, Table
from ssmd.sampler import SelfSpeculative
from studies.device import claims as found
from studies.device import study as device
from studies.growth.claims import network
from studies.speed.claims import Run


@pytest.fixture
def small(monkeypatch):
    runs = tuple(Run(sampler, network(name, 9), 8, 12, 8) for name,
                 sampler in (("ancestral", Ancestral(4)), ("ssmd", SelfSpeculative(Linear(0.3), 3))))
    monkeypatch.setattr(found, "matched", lambda: runs)
    monkeypatch.setattr(found, "SIDE", {"cpu": 64})
    monkeypatch.setattr(found, "LARGEST", {"cpu": 8})
    monkeypatch.setattr(found, "REPEATS", 1)
    monkeypatch.setattr(found, "busy", lambda device: 0.5)
    monkeypatch.setattr(found, "elsewhere", lambda call, *given: call(*given))
    data = Exact()
    return replace(device.STUDY, data=data, nets={"heavy": Table(data)}, metrics=[Distinct("chars")], n=4, batch=4,
                   arms=[Arm("ancestral", [Ancestral(2)], {"main": "heavy"})])


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_small_study_has_its_table_and_claims(small, dtype, tmp_path, monkeypatch):
    monkeypatch.setattr(found, "saturating", lambda way: 2)
    study = replace(small, dtype=dtype)
    runner.run(study, tmp_path, timing=False)
    [record] = device.measure(study, Store(tmp_path))
    assert record["settings"]["dtype"] == dtype and {*column(record, "load")} == {"", "b1", "saturated"}
    batch = {load: column(record, "batch", load=load)[0] for load in ("b1", "saturated")}
    assert batch["b1"] == 1 and batch["saturated"] in (1, 2, 4, 8)
    rows = {row["claim"]: row for row in device.claims(Store(tmp_path), "a command")}
    assert rows.keys() == {f"device.seconds_ratio.{load}" for load in batch} | {
        f"device.{arm}.{load}.{quantity}" for arm in found.ARMS for load in batch
        for quantity in ("tokens_per_second", "ceiling_share")}
    ratio = rows["device.seconds_ratio.b1"]["value"] * rows["device.ancestral.b1.tokens_per_second"]["value"]
    assert ratio == pytest.approx(rows["device.ssmd.b1.tokens_per_second"]["value"]), ("seconds of ancestral over "
                                                                                       "those of ssmd")
    assert all(row["n"] == found.PROCESSES and dtype in row["note"] for row in rows.values())
    assert all(0 < row["value"] < 1 for name, row in rows.items() if name.endswith("ceiling_share"))
    monkeypatch.setattr(found, "in_process", lambda *of: pytest.fail("measured again"))
    assert device.measure(study, Store(tmp_path)) == [record]


def test_saturation_is_where_a_doubled_batch_stops_paying(small, monkeypatch):
    speeds = iter([100.0, 190.0, 300.0, 310.0])
    monkeypatch.setattr(found, "timed", lambda go, device: (1.0, torch.zeros(int(next(speeds)))))
    assert found.saturating(found.Way("cpu", "float32", False)) == 4
    speeds = iter([100.0, 200.0, 400.0, 800.0])
    assert found.saturating(found.Way("cpu", "float32", False)) == 8, "the largest that is tried"
