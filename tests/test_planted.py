"""The faults that studies/planted plants: each still applies, one of them is caught end to end, and the comparisons
of times are those of the gate.
"""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import studies.planted.claims as found
import studies.planted.study as planted
from harness.records.measured import column
from harness.records.provenance import made
from harness.records.store import Store
from harness.run import runner
from harness.run.cell import cells_of
from harness.spec import ROOT
from studies.planted.claims import NOTHING, PLANTS, SLEEP
from tests import compared


@pytest.mark.parametrize("plant", PLANTS, ids=lambda p: p.name)
def test_a_plant_applies_to_the_present_source_and_its_module_can_be_imported(plant, tmp_path):
    path = found.copied(plant, tmp_path / "tree") / f"{plant.module.replace('.', '/')}.py"
    source = ROOT / path.relative_to(tmp_path / "tree")
    assert (path.read_text() == source.read_text()) == (plant is NOTHING) and source.read_text().count(
        "\n"
    ) <= path.read_text().count("\n")
    spec = importlib.util.spec_from_file_location(f"planted_{PLANTS.index(plant)}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # torch.compile leaves names there
    assert {*vars(module)} >= {name for name in vars(sys.modules[plant.module]) if not name.startswith("__")}
    assert (tmp_path / "tree/ssmd/checkpoints/heavy.safetensors").is_file()


def test_a_plant_that_no_longer_applies_says_so(tmp_path):
    with pytest.raises(AssertionError, match="no longer applies to harness.schedules.window: 0 times"):
        found.copied(NOTHING._replace(module="harness.schedules.window", edits=(("not there", ""),)), tmp_path / "tree")


def test_a_narrower_window_is_caught_end_to_end(tmp_path, monkeypatch):
    """Four rows, one seed: the copy is run in a process of its own, and the gate sees its counts."""
    study = replace(planted.STUDY, n=4)
    monkeypatch.setattr(found, "SEEDS", (0,))
    monkeypatch.setattr(found, "PLANTS", [p for p in PLANTS if p.name == "window one too small"])
    runner.run(replace(study, metrics=[]), tmp_path)
    store = Store(tmp_path)
    (record,) = found.measure(study, store)
    assert (
        column(record, "code") == [1, 1]
        and all(column(record, "failing"))
        and all("nfe_a" in first for first in column(record, "first"))
    )
    assert found.measure(study, store) == [record] and len(store.of("measured")) == 1


@pytest.fixture
def counted(tmp_path):
    """A store with the study's cells as if they had been counted."""
    store = Store(tmp_path)
    for cell in cells_of(planted.STUDY):
        store.append(compared.cell(arm=cell.arm.name, key=cell.key(), study="planted", cell=cell.describe()))
    return store


def made_up(monkeypatch, slower: float) -> list[tuple[str, int]]:
    """Times without a process: a copy that holds the sleep takes `slower` times as long. The processes that were asked
    for.
    """
    asked, keys = [], [cell.key() for cell in cells_of(planted.STUDY)[:2]]

    def clocked(tree: Path, process: int) -> dict[str, list[float]]:
        sleeps = "time.sleep" in (tree / "harness/nets/transformer.py").read_text()
        asked.append((tree.name, process))
        return {key: [(slower if sleeps else 1.0) * (1 + 0.001 * (len(asked) * 7 % 5))] * 5 for key in keys}

    monkeypatch.setattr(found, "clocked", clocked)
    monkeypatch.setattr(found, "busy", lambda: 0.25)
    return asked


def test_times_are_taken_in_turns_and_judged_by_the_gate_and_a_block_is_made_once(counted, monkeypatch):
    asked = made_up(monkeypatch, 1.1)
    (alike,), (slept, again) = found._blocks(counted, NOTHING, 1), found._blocks(counted, SLEEP, 2)
    assert asked[:4] == [("tree unharmed", 0), ("tree timed", 0), ("tree unharmed", 1),
                         ("tree timed", 1)] and len(asked) == 3 * 16 and asked[-1] == ("tree timed", 15)
    assert (
        {*column(alike, "code")} == {0}
        and len(alike["rows"]) == 4
        and column(alike, "ratio", turned=True)[0] == pytest.approx(1 / column(alike, "ratio", turned=False)[0])
    )
    assert (
        {*column(slept, "code"), *column(again, "code")} == {1}
        and len(slept["rows"]) == 2
        and column(slept, "ratio")[0] == pytest.approx(1.1, rel=0.01)
    )
    found._blocks(counted, NOTHING, 1)
    assert len(asked) == 3 * 16 and alike["made"] == made()


def test_claims_are_shares_with_exact_intervals(counted, monkeypatch):
    made_up(monkeypatch, 1.01)
    monkeypatch.setattr(found, "AA", 2)
    monkeypatch.setattr(found, "SLEPT", 1)
    rows = [[p.name, seed, samples, int(p.visible and samples == "always" or p.visible and p.samples != "always"),
             "counts 1", "nfe_a"]
            for p in PLANTS for seed in range(3) for samples in ("same-environment", "always")]
    table = {"type": "measured", "key": "k", "study": "planted", "name": found.NAME, "settings": {}, "cells": {},
             "columns": list(found.COLUMNS), "rows": rows}
    counted.append(table | {"made": compared.by()})
    made = {row["claim"]: row for row in found.claims(counted, "a command")}
    assert [
        (made[name]["value"], made[name]["n"])
        for name in ("planted.caught_share", "planted.sleep_caught", "gate.false_alarm.measured")
    ] == [(1.0, 21), (0.0, 1), (0.0, 2)]
    assert made["planted.caught_share"]["low"] == pytest.approx(0.025 ** (1 / 21)) and made[
        "gate.false_alarm.measured"
    ]["high"] == pytest.approx(1 - 0.025**0.5)
    note = made["planted.caught_share"]["note"]
    assert "draws in float32: 3 of 3" in note and "without a plant 0 of 6" in note and "sleep" not in note
    assert "25% of the machine busy" in made["gate.false_alarm.measured"]["note"]
