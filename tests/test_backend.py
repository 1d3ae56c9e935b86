"""Backends: cells counted and scored on workers, here or on a cluster, are byte for byte those of a run in turn."""

import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
import torch

from baselines.ancestral import Ancestral
from harness import plugins
from harness.data.control import Shuffled
from harness.data.wikipedia_leads import WikipediaLeads
from harness.metrics.distinct import Distinct
from harness.metrics.words import Spelling
from harness.nets import checkpoint
from harness.nets.transformer import Transformer, TransformerConfig
from harness.records.store import Store
from harness.run import backend, runner
from harness.run.shard import Shard
from harness.schedules.window import Fixed
from harness.spec import ROOT
from harness.study import Arm, Checkpoint, Study, grid
from ssmd.model import Hybrid, HybridConfig
from ssmd.sampler import SelfSpeculative


def needs(name: str):
    module = {"dask": "distributed"}.get(name, name)
    return pytest.param(name, marks=pytest.mark.skipif(importlib.util.find_spec(module) is None,
                                                       reason=f"{module} is not installed: pip install "
                                                              "'ssmd-bench[cluster]'"))


CLUSTERS = [needs("dask"), needs("ray")]


def study(folder: Path, **changes) -> Study:
    torch.manual_seed(0)
    for name, net in (("heavy", Transformer(TransformerConfig(vocab=27, width=32, heads=2, blocks=2))),
                      ("hybrid", Hybrid(HybridConfig(vocab=27, width=32, heads=2, blocks=2, causal=1)))):
        checkpoint.save(net, folder / f"{name}.safetensors", {"name": name})
    arms = [Arm("ancestral", grid(Ancestral, steps=[2, 5]), {"main": "heavy"}),
            Arm("ssmd", [SelfSpeculative(Fixed(4))], {"main": "hybrid"}), Arm("shuffled", [Shuffled()])]
    return Study(**{"name": "text", "question": "?", "data": WikipediaLeads(length=16),
                    "nets": {n: Checkpoint(str(folder / f"{n}.safetensors")) for n in ("heavy", "hybrid")},
                    "arms": arms, "reference": "heavy", "metrics": [Spelling(), Distinct("chars")], "n": 12, "batch": 4}
                 | changes)


def contents(folder: Path) -> dict:
    """Every array, and of every record what is not a time."""
    store = Store(folder)
    found = {f"{room}/{p.name}": p.read_bytes() for room in ("samples", "costs", "scores")
             for p in (folder / room).iterdir()}
    for r in store.of("counted") + store.of("scored"):
        found[r["type"], r["key"], r.get("label")] = {k: v for k, v in r.items()
                                                      if k not in ("seconds", "time", "machine", "shards")}
    return found


@pytest.fixture
def alone(monkeypatch):
    """No cluster of somebody else's, and patience with a busy machine."""
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "300")
    for name in ("DASK_SCHEDULER_ADDRESS", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", ["loky", *CLUSTERS])
def test_workers_find_what_one_process_finds(tmp_path, alone, name):
    text = study(tmp_path)
    runner.run(text, tmp_path / "one")
    tally = runner.run(text, tmp_path / "two", jobs=2, backend=name)
    assert (tally["done"], tally["scored"]) == (4, 8)
    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    assert one == two and len(one) == 4 * 2 + 4 + 4 + 8
    again = runner.run(text, tmp_path / "two", jobs=2, backend=name)
    assert again["cached"] == 4 and not again["done"] + again["scored"]


def test_shards_of_a_network_counted_by_workers_are_united_to_the_same_bytes(tmp_path):
    text = study(tmp_path)
    runner.run(text, tmp_path / "one")
    for k in (1, 2):
        runner.run(text, tmp_path / "two", jobs=2, part=Shard(k, 2))
    runner.run(text, tmp_path / "two", jobs=2)
    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    for found in (one, two):
        for record in found.values():
            if isinstance(record, dict) and "cost" in record:
                del record["cost"]["gflop"], record["cost"]["executed_over_needed"]    # of the batches, which differ
    assert one == two


def test_backends_that_are_not_there_are_refused(tmp_path, alone, monkeypatch):
    with pytest.raises(ValueError, match="no backend 'slurm'; choose loky, dask, ray"):
        list(backend.each(len, [("a",)], 2, "slurm"))
    for name, module in (("dask", "distributed"), ("ray", "ray")):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(ValueError,
                           match=f"the backend {name} needs the package {module}.* is not installed: pip install"):
            list(backend.each(len, [("a",)], 2, name))


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_cluster_that_does_not_answer_is_one_sentence(name, monkeypatch):
    monkeypatch.setenv({"dask": "DASK_SCHEDULER_ADDRESS", "ray": "RAY_ADDRESS"}[name], "tcp://127.0.0.1:9" if name
                       == "dask" else "127.0.0.1:9")
    if name == "dask":
        monkeypatch.setenv("DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT", "1s")
        import dask
        dask.config.refresh()
    with pytest.raises(ValueError, match=f"no {name} .* answers at"):
        list(backend.each(len, [("a",)], 2, name))


def dies(text: str) -> None:
    os._exit(3)


def test_a_lost_worker_is_one_sentence(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with pytest.raises(ValueError, match="a worker of loky was lost .* fewer --jobs"):
        list(backend.each(dies, [("a",), ("b",)], 2))


def test_a_worker_with_other_code_answers_with_a_refusal(tmp_path):
    import cloudpickle

    answer, refusal = backend.answer(cloudpickle.dumps((len, ("abc",))), cloudpickle.dumps([]), "other", 0)
    assert answer is None and "other code" in refusal
    assert backend.answer(cloudpickle.dumps((len, ("abc",))), cloudpickle.dumps([]),
                          backend.version(tuple(plugins.packages())), 0) == (3, "")


# plug-ins of a user, which a worker finds nowhere but in the job

MINE = """
from dataclasses import dataclass
from typing import ClassVar

import torch

from harness.kinds import Scores
from mine.constants import SYMBOL

@dataclass(frozen=True)
class Repeat:
    name: ClassVar[str] = "repeat"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)
    symbol: int = SYMBOL

    def step(self, nets, rows):
        nets["main"].draft(rows.x)
        return rows._replace(x=torch.where(rows.given, rows.x, torch.full_like(rows.x, self.symbol)))

@dataclass(frozen=True)
class Ones:
    name: ClassVar[str] = "ones"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "higher"
    unit: ClassVar[str] = "share"

    def score(self, samples, data):
        hit = (samples == SYMBOL).double().mean(1)
        return Scores(hit.mean().item(), hit.numpy(), torch.ones(len(hit)).numpy())
"""
STUDY = """
from dataclasses import dataclass
from harness.data.exact import Exact
from harness.study import Arm, Study, Table
from mine.methods import Ones, Repeat

@dataclass(frozen=True)
class Own(Repeat):
    name = "own"

DATA = Exact()
STUDY = Study(name="plugged", question="?", data=DATA, nets={"heavy": Table(DATA)},
              reference="heavy", metrics=[Ones()], n=4, batch=4,
              arms=[Arm("repeat", [Repeat(), Repeat(2)], {"main": "heavy"}), Arm("own", [Own()], {"main": "heavy"})])
"""
FAR = """
import os, sys, time
from harness.__main__ import main
if sys.argv[1] == "dask":    # workers that were started elsewhere, before, and whose path does not have the package
    from distributed import LocalCluster
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    os.environ["DASK_SCHEDULER_ADDRESS"] = cluster.scheduler_address
elif sys.argv[1] == "ray":
    import ray
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error", object_store_memory=2**28)
"""


@pytest.mark.parametrize("name", ["loky", *CLUSTERS])
def test_plugins_of_the_user_travel_with_the_job(tmp_path, alone, name):
    here, there = tmp_path / "here", tmp_path / "there"
    (here / "mine").mkdir(parents=True)
    there.mkdir()
    (here / "mine" / "__init__.py").write_text("")
    (here / "mine" / "constants.py").write_text("SYMBOL = 1\n")
    (here / "mine" / "methods.py").write_text(MINE)
    (here / "plugged.py").write_text(STUDY)
    script = there / "far.py"
    words = ["run", str(here / "plugged.py"), "--plugins", "mine", "--out", str(tmp_path / "run"), "--jobs", "2",
             "--backend", name]
    script.write_text(f"if __name__ == '__main__':\n{'    '.join(('    ' + FAR).splitlines(True))}\n    "
                      f"os.chdir({str(here)!r})\n    sys.exit(main({words!r}))\n")
    environment = {k: v for k, v in os.environ.items()
                   if k != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, str(script), name], cwd=there, env=environment, capture_output=True,
                          text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    store = Store(tmp_path / "run")
    assert sorted((r["arm"], r["status"]) for r in store.of("counted")) == [("own", "done"), ("repeat", "done"),
                                                                            ("repeat", "done")]
    assert sorted(r["value"] for r in store.of("scored")) == [0.0, 1.0, 1.0]
    assert all(record["made"]["modules"] and record["cost"]["nfe_b"] == 1 for record in store.of("counted"))


def test_a_package_comes_out_of_a_job_as_it_went_in(tmp_path, monkeypatch):
    (tmp_path / "lonely_plugin.py").write_text("SYMBOL = 5\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(plugins, "_extra", [])
    plugins.add_package("lonely_plugin")
    package = backend.packed("lonely_plugin")
    assert package == backend.packed.__wrapped__("lonely_plugin")
    (tmp_path / "lonely_plugin.py").unlink()
    del sys.modules["lonely_plugin"]
    plugins._extra.clear()
    backend.receive.__wrapped__(package)
    assert sys.modules["lonely_plugin"].SYMBOL == 5 and plugins.packages() == ["lonely_plugin"]
    sys.path.pop()
    del sys.modules["lonely_plugin"]


@dataclass(frozen=True)
class Lost:
    name: ClassVar[str] = "lost"
    better: ClassVar[str] = "higher"
    unit: ClassVar[str] = "none"
    version: ClassVar[int] = 1


def test_a_package_too_large_to_travel_is_refused(tmp_path, monkeypatch):
    (tmp_path / "heavy_plugin").mkdir()
    (tmp_path / "heavy_plugin" / "__init__.py").write_text("")
    (tmp_path / "heavy_plugin" / "data.bin").write_bytes(bytes(100))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(backend, "LARGEST", 50)
    __import__("heavy_plugin")
    with pytest.raises(ValueError, match="'heavy_plugin' is larger than"):
        backend.packed("heavy_plugin")


def test_a_folder_that_is_no_package_is_refused(tmp_path, monkeypatch):
    (tmp_path / "bare_plugin").mkdir()
    (tmp_path / "bare_plugin" / "samplers.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    __import__("bare_plugin")
    with pytest.raises(ValueError, match="'bare_plugin' is a folder without an __init__.py"):
        backend.packed("bare_plugin")
