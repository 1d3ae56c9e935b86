"""The script for a rented quarter of an hour (studies/gpu, docs/gpu.md), rehearsed on the CPU at a thousandth.

It runs once for most of these tests, where every package that a bare image may lack cannot be imported; one step of it
fails and one does not end.
"""

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from harness import random
from harness.data.moses import BUILT, SPLITS, digest, encode
from harness.data.wikipedia_leads import WikipediaLeads
from harness.nets import checkpoint
from harness.random import LARGE
from harness.schedules.noise import Linear
from harness.spec import ROOT
from ssmd.model import Hybrid, HybridConfig
from ssmd.train import updates
from studies.gpu import machine, plan, train, weights
from studies.gpu.__main__ import main
from studies.gpu.exact import cases
from studies.gpu.graphs import Graphed, padded
from studies.gpu.plan import FILES, LARGEST, STEPS, Ask, bound, soft
from studies.gpu.runner import rows
from tests.pages import commands, sections

LACKED = ("anarcism", "cloudpickle", "joblib", "matplotlib", "msgspec", "optuna", "pandas", "pyhmmer", "rdkit",
          "safetensors", "scipy", "seaborn", "transformers")
FAILS, HANGS = "compiled", "ceiling"
CHECKPOINTS = {f"{name}{part}.safetensors" for name in ("text", "molecules") for part in ("", ".live", ".momentum")}
SMALL = ["--scale", "0.001", "--device", "cpu"]


def call(words: list[str], place: Path, path: str = str(ROOT)) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "studies.gpu", *words], cwd=place, capture_output=True, text=True,
                          timeout=500, env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"})


def molecules(path: Path) -> Path:
    """Five splits of eight molecules each."""
    made = [encode(b"CC(=O)Nc1ccccc1"[: 6 + k % 9]) for k in range(8 * len(SPLITS))]
    symbols, starts = np.concatenate(made), np.cumsum([0, *map(len, made)]).astype(np.int64)
    first = np.arange(0, len(made) + 1, 8).astype(np.int64)
    sha = np.frombuffer(digest(symbols, starts, first).encode(), np.uint8)
    np.savez(path, symbols=symbols, starts=starts, first=first, sha256=sha)
    return path


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess]:
    place = tmp_path_factory.mktemp("gpu")
    (place / "lacked").mkdir()
    for name in LACKED:
        (place / "lacked" / f"{name}.py").write_text(f"raise ImportError('no {name} on this image')\n")
    (place / BUILT).parent.mkdir()
    molecules(place / BUILT)
    done = call([*SMALL, "--out", "out", "--fail", FAILS, "--hang", HANGS], place, f"{place / 'lacked'}:{ROOT}")
    return place / "out", done


def of(out: Path, kind: str, quarter: int = 1) -> list[dict]:
    return [row for row in rows(out) if row["kind"] == kind and row["quarter"] == quarter]


def test_every_step_has_its_record_in_order_and_one_that_fails_or_hangs_stops_no_other(rehearsed):
    out, done = rehearsed
    ends = of(out, "step")
    assert [row["step"] for row in ends] == [step.name for step in STEPS] == of(out, "plan")[0]["steps"]
    known = {FAILS: "failed", HANGS: "timed out"}
    assert {row["step"]: row["status"] for row in ends} == {step.name: known.get(step.name, "done") for step in STEPS}
    (failed,), (hung,) = ([row for row in ends if row["step"] == name] for name in (FAILS, HANGS))
    assert failed["error"] == "RuntimeError: asked to fail" and hung["bound_seconds"] == 1 <= hung["seconds"] < 10
    assert done.returncode == 1 and json.loads(done.stdout.splitlines()[-1]) == {row["step"]: row["status"]
                                                                                for row in ends}
    assert "asked to fail" in (out / "log.txt").read_text() and of(out, "end")


def test_what_comes_back_is_few_files_of_bounded_size(rehearsed):
    out, _ = rehearsed
    names = {path.name for path in out.iterdir()}
    assert names == {*CHECKPOINTS, "results.jsonl", "log.txt"} and len(names) <= FILES
    assert {*of(out, "end")[0]["files"]} == names and max(p.stat().st_size for p in out.iterdir()) <= LARGEST


def test_on_the_cpu_nothing_differs_from_the_cpu(rehearsed):
    out, _ = rehearsed
    found = of(out, "result")
    drawn = [row for row in found if row["step"] == "draws"]
    assert len(drawn) >= 10 and not any(row["differ"] for row in drawn)
    laws = [row for row in found if row["step"] == "laws"]
    assert {row["what"] for row in laws} >= {"ssmd", "ancestral", "dfm"} and all(row["passed"] for row in laws)
    probes = [row for row in found if row["step"] == "golden"]
    assert len(probes) == 6 and all(row["cpu_as_filed"] and not row["tokens_differ"] for row in probes)
    assert not [row for row in found if row["what"] == "replayed"][0]["largest_difference"]
    assert all(not row["rows_differ"] for row in found if row["what"].startswith("batch_invariance"))


def test_passes_and_loops_are_timed_at_both_loads(rehearsed):
    found = of(rehearsed[0], "result")
    each = {f"{arm}.{load}" for arm in ("ancestral", "ssmd") for load in ("b1", "saturated")}
    for way in ("eager", "graphs"):    # the third is the one that fails
        timed = [row for row in found if row["step"] == way and row["what"] in each]
        assert {row["what"] for row in timed} == each and all(row["loop_seconds"] > 0 for row in timed)
    ratios = [row for row in found if row["step"] == "side" and "seconds_ratio" in row]
    assert len(ratios) == 6 and all(row["lowest"] <= row["seconds_ratio"] <= row["highest"] for row in ratios)


def test_a_training_goes_on_from_its_update_in_the_next_quarter_and_its_checkpoint_is_one(rehearsed):
    out, _ = rehearsed
    first = [row for row in of(out, "result") if row["step"] == "text"]
    assert [row["what"] for row in first] == ["begun", "ended"] and first[-1]["update"] >= 3
    done = call([*SMALL, "--resume", str(out), "--only", "text"], out)
    assert done.returncode == 0, done.stderr[-2000:]
    again = [row for row in of(out, "result", 2) if row["step"] == "text"]
    assert again[0]["resumed"] and again[0]["update"] == first[-1]["update"] < again[-1]["update"]
    assert {path.name for path in out.iterdir()} == {*CHECKPOINTS, "results.jsonl", "log.txt"}
    net = checkpoint.load(out / "text.safetensors")
    assert isinstance(net, Hybrid) and net.card["step"] in (first[-1]["update"], again[-1]["update"])
    whole = weights.network(out / "text.safetensors").state_dict()
    assert all(torch.equal(tensor, whole[name]) for name, tensor in net.state_dict().items())


def trainer(tmp_path, config=None) -> train.Trainer:
    data, ask = WikipediaLeads(16), Ask("cpu", 0.001, tmp_path, None)
    corpus = data.tokens("train")
    return train.Trainer(config or train.settings(ask, 512, 0.1), data.vocab,
                         lambda rows, seed: corpus[rows[:, None] * 16 + torch.arange(16)].long(), None, ask)


def test_a_resumed_trainer_has_the_weights_and_momenta_up_to_what_is_stored(tmp_path):
    one = trainer(tmp_path)
    for _ in range(3):
        one.once()
    one.keep(tmp_path / "net.safetensors")
    other = trainer(tmp_path)
    assert other.resume(tmp_path / "net.safetensors") and other.step == 3
    a, b = one.once(), other.once()    # the same batch, masks and dropout
    assert all(abs(a[name].item() - b[name].item()) < 5e-3 for name in a)
    held = [train.flatten(each.optimisers) for each in (one, other)]
    assert held[0].keys() == held[1].keys() and all(torch.allclose(v, held[1][k], rtol=0.1, atol=1e-4)
                                                    for k, v in held[0].items())


def test_momenta_of_another_update_are_left_out(tmp_path):
    one, path = trainer(tmp_path), tmp_path / "net.safetensors"
    one.once()
    one.keep(path)
    tensors, about = weights.read(tmp_path / "net.live.safetensors")
    weights.write(tmp_path / "net.live.safetensors", tensors, {"step": "7"})
    other = trainer(tmp_path)
    assert other.resume(path) and other.step == 7 and not train.flatten(other.optimisers) and about == {"step": "1"}


@pytest.mark.parametrize("shown", [None, 3])
def test_the_losses_are_those_of_the_training_of_the_house(shown):
    torch.manual_seed(0)
    net, x, at = Hybrid(HybridConfig(27, 16, 1, 1)), torch.randint(27, (6, 12)), torch.arange(6)
    ours = train.losses(net, x, at, 5, 2, 6, shown)
    theirs = updates.losses(net, x, at, Linear(), 5, 2, 6, shown=shown)
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_files_of_the_whole_size_are_small_enough_to_come_back(tmp_path):
    whole = train.settings(Ask("cuda", 1.0, tmp_path, None), 512, 0.1)
    one = train.Trainer(whole, 27, None, None, Ask("cpu", 0.001, tmp_path, None))
    for p in one.net.parameters():
        p.grad = torch.zeros_like(p)
    for optimiser in one.optimisers:
        optimiser.step()
    one.keep(tmp_path / "text.safetensors")
    weights.save(one.net, dict(one.net.state_dict()), tmp_path / "text.safetensors", {})
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) == 3 and max(sizes) <= LARGEST and min(sizes) > 0.8 * LARGEST
    with pytest.raises(ValueError, match="MiB: choose a smaller network"):
        weights.write(tmp_path / "x.safetensors", {"x": torch.zeros(LARGEST)}, {})


def test_shipped_networks_are_read_by_torch_alone():
    for name in ("heavy", "hybrid_frozen"):
        path = weights.SHIPPED / f"{name}.safetensors"
        ours, theirs = weights.network(path).state_dict(), checkpoint.load(path).state_dict()
        assert ours.keys() == theirs.keys() and all(torch.equal(ours[k], theirs[k]) for k in ours)


def test_the_ceiling_is_that_of_three_precisions_and_of_a_copy(tmp_path):
    found = {row["what"]: row for row in machine.ceiling(Ask("cpu", 0.001, tmp_path, None))}
    assert {*found} == {"product.bfloat16", "product.float32", "product.float64", "copy"}
    assert all(row.get("tflop_per_second", 1) > 0 and row.get("gib_per_second", 1) > 0 for row in found.values())


def test_every_function_that_draws_is_held_against_the_cpu():
    public = {name for name, thing in vars(random).items() if inspect.isfunction(thing) and name[0] != "_"
              and thing.__module__ == random.__name__}
    assert {name.partition(",")[0] for name in cases(8, 2, LARGE + 8)} == public | {"philox4x32"}


def test_padded_places_change_no_logits():
    net = Hybrid(HybridConfig(27, 16, 1, 2)).eval()
    x, at = torch.full((2, 8), 27), torch.tensor([[0, 5, 7], [1, 2, -1]])
    assert padded(at).shape == (2, 4) and padded(at[:, :1]).shape == (2, 1)
    assert torch.equal(Graphed(net).draft(x, at)[0], net.draft(x, at)[0])


def test_bounds_leave_most_of_what_is_left_to_training_and_steps_end_before_they_are_killed():
    fixed = sum(step.seconds for step in STEPS)
    assert fixed < 0.6 * 60 * plan.MINUTES and bound(STEPS[0], 7, 1000) == STEPS[0].seconds / 2
    text, last = STEPS[-2:]
    assert bound(text, 14, 100) == 60 and bound(last, 14, 40) == 40 and bound(STEPS[0], 14, 3) == 3
    assert all(soft(step, 50, 1.0) < 50 for step in STEPS) and soft(text, 100, 0.001) < 0.1


def test_the_plan_is_printed_and_nothing_else_is_done(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["--dry-run", "--minutes", "7"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in told[:-1]] == [step.name for step in STEPS] and not [*tmp_path.iterdir()]


@pytest.mark.parametrize(("words", "says"), [
    ([], "give --out DIR"), (["--out", "x", "--resume", "x"], "or --resume DIR"),
    (["--resume", "x"], "holds no results.jsonl to go on with"), (["--out", "x", "--moses", "y"], "ssmd-bench data"),
    (["--out", "x", "--minutes", "0"], "--minutes must be"), (["--out", "x", "--scale", "2"], "--scale above 0")])
def test_what_cannot_be_used_is_refused_before_anything_is_written(tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=says):
        main(words)
    assert not [*tmp_path.iterdir()]


def test_the_page_shows_the_plan_and_commands_that_this_file_runs():
    text = (ROOT / "docs/gpu.md").read_text(encoding="utf-8")
    for step in STEPS:
        assert f"| `{step.name}` |" in text
    shown = [words for section in sections("docs/gpu.md").values() for words in commands(section, "python")]
    assert len(shown) >= 4
    for words in shown:
        assert words[:3] == ["python", "-m", "studies.gpu"]
        main([*words[3:], "--dry-run"])
