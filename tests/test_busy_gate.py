"""The study of contests on a busy machine: its plant leaves samples and counts as they are, its burners end, and its
claims come out of made-up records."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

import studies.busy_gate.busy_plant as plant
import studies.busy_gate.claims as found
import studies.busy_gate.study as study
from harness.claims.claim import RESULTS
from harness.records.measured import column
from harness.records.store import Store
from harness.run.cell import cells_of
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.spec import ROOT
from studies.busy_gate.busy_plant import PLANT, half_busy
from studies.busy_gate.claims import copied, simulated
from tests import compared

CELLS = ("a", "b")


def test_the_plant_does_a_share_of_the_steps_again_and_changes_neither_samples_nor_counts(tmp_path):
    tree = copied(PLANT, tmp_path / "tree")
    call = (
        "import json; from harness.run.cell import cells_of; from harness.sampling import loop; from "
        "harness.sampling.ledger import Ledger\n"
        "from studies.busy_gate.study import STUDY\n"
        "found = []\n"
        "for c in cells_of(STUDY):\n"
        "    ledger = Ledger(2, STUDY.data.length, STUDY.data.mask)\n"
        "    x = loop.sample(c.sampler, c.wrapped_networks(), c.prompts()[:2], STUDY.seed, 2, ledger=ledger)\n"
        "    found.append([x.tolist(), {k: v.tolist() for k, v in ledger.calls.items()}])\n"
        "print(json.dumps([found, loop.WORK['repeats']]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", call], cwd=tree, env=found._alone(tree), capture_output=True, text=True, check=True
    )
    theirs, repeats = json.loads(done.stdout.splitlines()[-1])
    rounds = 0
    for point, (rows, calls) in zip(cells_of(study.STUDY), theirs):
        ledger = Ledger(2, study.STUDY.data.length, study.STUDY.data.mask)
        x = sample(point.sampler, point.wrapped_networks(), point.prompts()[:2], study.STUDY.seed, 2, ledger=ledger)
        assert torch.equal(x, torch.tensor(rows)) and {k: v.tolist() for k, v in ledger.calls.items()} == calls
        rounds += int(ledger.calls["main.draft"].max())
    assert 1 <= repeats <= 0.25 * rounds    # about one step in eight


def test_the_machine_is_kept_half_busy_only_where_it_is_not_and_only_meanwhile(monkeypatch):
    started = []
    popen = subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda *words, **more: started.append(popen(*words, **more)) or started[-1]
    )
    monkeypatch.setattr(plant, "busy", lambda seconds: 0.8)
    with half_busy() as needed:
        assert not needed and not started
    monkeypatch.setattr(plant, "busy", lambda seconds: 0.2)
    with pytest.raises(RuntimeError), half_busy() as needed:
        time.sleep(0.1)
        assert needed and len(started) == 2 and all(one.poll() is None for one in started)
        raise RuntimeError
    assert all(one.poll() is not None for one in started)


def blocks(sd: float, count: int = 40) -> list[dict]:
    rng = np.random.default_rng(0)
    return [{cell: {m: sd * rng.standard_normal() for m in ("cpu", "wall")} for cell in CELLS} for _ in range(count)]


def test_simulated_contests_of_equal_trees_are_judged_as_contests_are(monkeypatch):
    assert simulated(blocks(0.03), 10, 300) <= 9    # at most 1 %: more than 9 of 300 has a probability of 0.1 %
    wild = [{cell: {m: (5.0 if k % 2 else 4.9) for m in ("cpu", "wall")} for cell in CELLS} for k in range(40)]
    monkeypatch.setattr(found, "uniform", lambda *about: torch.ones(300, 10))    # no exchange: all of them are slower
    assert simulated(wild, 10, 300) == 300


def contest(old, new) -> dict:
    """Slower by 12 % if the new tree holds the plant; the third is missed, and the fourth is refused."""
    slower = "_slower" in (new / "harness/sampling/loop.py").read_text()
    contest.calls += slower
    seen = slower and contest.calls != 3
    if slower and contest.calls == 4:
        return {"end": "refused", "code": 2, "notes": [], "blocks": []}
    ratio = (
        {"low": 1.06, "value": 1.12, "high": 1.19, "outcome": "slower"}
        if slower
        else {"low": 0.98, "value": 1.0, "high": 1.02, "outcome": "not slower"}
    )
    return {
        "end": "regression" if seen else "not shown" if slower else "no regression",
        "code": 1 if seen else 4 if slower else 0,
        "seconds": 100.0,
        "pairs": 5,
        "planned": 14,
        "whole": {"cpu": ratio, "wall": ratio},
        "blocks": blocks(0.02, 5),
        "busy": 0.5,
        "load": 2.0,
        "notes": ["samples are equal in all 2 cells"],
    }


def test_contests_are_run_once_and_claimed_with_exact_intervals(tmp_path, monkeypatch):
    contest.calls = 0
    store = Store(tmp_path)
    counted = store.append(compared.cell(study="busy_gate"))
    for name, value in (
        ("contest", contest),
        ("CONTESTS", 4),
        ("SIMULATED", 200),
        ("_share", lambda tree: [[0.119, 5.0]]),
    ):
        monkeypatch.setattr(found, name, value)
    monkeypatch.setattr(plant, "busy", lambda seconds: 0.9)
    assert found.claims(store, "a command") == []
    made = found.measure(study.STUDY, store)
    assert (
        found.measure(study.STUDY, Store(tmp_path))[0] == made[0] and contest.calls == 4 and len(made) == 2 * 2 * 4
    )
    power, alarms = found.claims(store, "a command")
    assert (power["claim"], power["value"], power["n"]) == ("gate.busy_power", 0.5, 4)
    assert [power[end] for end in ("low", "high")] == pytest.approx([0.0676, 0.9324], abs=1e-3)    # Clopper and Pearson
    for says in ("11.9% more CPU time planted", "0 of 4 contests of equal trees (0.0% to 60.2%)",
                 "own burner in 0 of 4",
                 "1 refused, for want of time, and counted as not found", f"; at nice {os.nice(0)}; "):
        assert says in power["note"]
    assert "pilots" not in power["note"]
    assert (alarms["claim"], alarms["n"]) == ("gate.busy_false_alarm", 200)
    assert "contests of 14 pairs, drawn from the 20 of 4 contests" in alarms["note"]
    assert alarms["keys"] == power["keys"] == [counted["key"]]
    assert column(made[1], "samples_equal") == [True] and column(made[1], "kind") == ["slower"]


def test_kept_contests_tell_the_priority_they_ran_at_and_that_pilots_were_left_out():
    kept = [r for r in Store(ROOT / "studies/busy_gate/kept.zip").of("measured") if r["name"] == found.NAME]
    assert "; at nice -5; pilots left out" in found._about(kept)
    for row in json.loads((RESULTS / "busy_gate" / "claims.json").read_text()):
        assert "; at nice -5; pilots left out" in row["note"]


@pytest.mark.parametrize(("said", "end"), [
    ("print('[1] timed'); print('{\"end\": \"regression\"}')", "regression"),
    ("raise SystemExit('something else')", None),
    ("import sys; print('more than --minutes 5', file=sys.stderr); sys.exit(2)", "refused"),
])
def test_the_answer_of_a_contest_is_its_last_line_and_one_that_is_refused_is_no_error(tmp_path, monkeypatch, said, end):
    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda words, **more: popen([sys.executable, "-c", said], **more))
    if end is None:
        with pytest.raises(RuntimeError, match="ended without an answer, code 1"):
            found.contest(tmp_path, tmp_path)
    else:
        assert found.contest(tmp_path, tmp_path)["end"] == end


def test_a_contest_is_asked_to_end_when_the_study_is_stopped(tmp_path, monkeypatch):
    class Running:
        asked: list[str] = []

        def communicate(self):
            self.asked.append("communicate")
            if len(self.asked) == 1:
                raise KeyboardInterrupt

        def terminate(self):
            self.asked.append("terminate")

    monkeypatch.setattr(subprocess, "Popen", lambda words, **more: Running())
    with pytest.raises(KeyboardInterrupt):
        found.contest(tmp_path, tmp_path)
    assert Running.asked == ["communicate", "terminate", "communicate"]
