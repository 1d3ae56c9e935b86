"""Predicted acceptance against the ledger's counts: they agree on the toy, and a wrong prediction does not."""

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch

import ssmd.acceptance as acceptance
import studies.acceptance.claims as found_of
import studies.acceptance.study as study_of
from harness.data.exact import Exact
from harness.metrics.exact_nll import ExactNll
from harness.records.measured import column
from harness.records.store import Store
from harness.run import runner
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.schedules.window import Cosine, Fixed, Open
from harness.study import Arm
from reports.build import build
from ssmd.acceptance import compare, data_rows, fresh_rows, reach_and_accept, watch
from ssmd.sampler import SelfSpeculative
from tests.conformance.toys import MASK, STATES, D, hybrid

BLOCKS, ROWS = 32, 96
SETTINGS = [SelfSpeculative(Open(), 1), SelfSpeculative(Open(), 2), SelfSpeculative(Fixed(3), 3),
            SelfSpeculative(Cosine(0.5), 4)]


def runs(sampler, net=None):
    net = hybrid() if net is None else net
    return [watch(sampler, net, fresh_rows(sampler, torch.arange(ROWS) + ROWS * b, D, MASK, seed=1))
            for b in range(BLOCKS)]


def worst(found) -> float:
    """The largest difference in units of half its 95 % interval."""
    return max(abs(c.difference.value) / max(1e-9, (c.difference.high - c.difference.low) / 2) for c in found)


@pytest.mark.parametrize("sampler", SETTINGS, ids=str)
def test_predicted_acceptance_agrees_with_the_ledger(sampler):
    found = compare(runs(sampler))
    assert {c.by for c in found} >= {"depth", "progress", "round", "all"}
    assert worst(found) < 2.2
    assert sum(c.difference.low > 0 or c.difference.high < 0
               for c in found) <= max(2, len(found) // 6), "about one in twenty intervals may leave out zero"


WRONG = {
    "coincidence of two draws": lambda p, q, y, on: (reach_and_accept(p, q, y, on)[0], (p * q).sum(-1)),
    "twice the distance": lambda p, q, y, on: (reach_and_accept(p, q, y, on)[0],
                                               1 - (p - q).abs().sum(-1).clamp_max(1)),
    "every track is tested": lambda p, q, y, on: (on.double(), reach_and_accept(p, q, y, on)[1]),
    "the target of the next track": lambda p, q, y, on: reach_and_accept(p, q.roll(-1, 1), y, on),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_prediction_is_seen(wrong, monkeypatch):
    monkeypatch.setattr(acceptance, "reach_and_accept", WRONG[wrong])
    assert worst(compare(runs(SelfSpeculative(Open(), 2)))) > 3


@pytest.mark.parametrize("rounds", [1, 3])
def test_every_draft_pass_reveals_some_number_of_tokens(rounds):
    total = predicted = 0
    for run in runs(SelfSpeculative(Open(), rounds)):
        total, predicted = total + int(run.counted.revealed.sum()), predicted + run.predicted.revealed.sum()
    assert abs(predicted / total - 1) < 0.01, "the chances of a pass sum to one on average over its drafts"
    assert run.predicted.revealed[0] == 0


def test_one_round_from_the_start_equals_the_enumeration():
    """N = 1 on one window of independent tracks: P(m) = prod alpha (1 - alpha), by hand."""
    p = torch.tensor([[[0.5, 0.5], [0.9, 0.1], [0.2, 0.8]]], dtype=torch.float64)
    q = torch.tensor([[[0.7, 0.3], [0.6, 0.4], [0.2, 0.8]]], dtype=torch.float64)
    on = torch.tensor([[True, True, True]])
    mean = torch.zeros(3, dtype=torch.float64)
    for code in range(8):
        y = torch.tensor([[code >> 2 & 1, code >> 1 & 1, code & 1]])
        reach, alpha = reach_and_accept(p, q, y, on)
        chance = p.gather(-1, y[..., None]).prod()
        mean += chance * reach[0]
    assert torch.allclose(alpha[0], torch.tensor([0.8, 0.7, 1.0], dtype=torch.float64))
    assert torch.allclose(mean, torch.tensor([1, 0.8, 0.56], dtype=torch.float64))


def test_a_watched_run_counts_what_the_loop_counts():
    sampler, n = SelfSpeculative(Open(), 2), 64
    ledger = Ledger(n, D, MASK)
    sample(sampler, {"main": hybrid()}, torch.full((n, D), MASK), 5, 16, ledger=ledger)
    run = watch(sampler, hybrid(), fresh_rows(sampler, torch.arange(n), D, MASK, seed=5))
    assert torch.equal(run.counted.revealed, ledger.revealed)
    assert all(torch.equal(run.counted.tested[by], ledger.tested[by])
               and torch.equal(run.counted.passed[by], ledger.passed[by]) for by in ledger.tested)


def test_states_of_data_are_one_round_from_every_stage():
    sampler = SelfSpeculative(Open(), 2)
    rows = data_rows(sampler, STATES[:5], torch.arange(5), MASK, seed=0, states=4)
    assert (rows.x != MASK).sum(1).tolist() == [0, 1, 2, 3] * 5
    assert bool(((rows.x == MASK) | (rows.x == STATES[:5].repeat_interleave(4, 0))).all())
    run = watch(sampler, hybrid(), rows, whole=False)
    assert int(run.counted.revealed.sum()) == 20
    blocks = [watch(sampler, hybrid(), data_rows(sampler, STATES, torch.arange(81) + 81 * b, MASK, 0, 2), whole=False)
              for b in range(24)]
    assert worst(compare(blocks)) < 2.2


@dataclass(frozen=True)
class Given:
    """A network that is there already."""

    net: Any

    def load(self, device: str):
        return self.net


def test_the_study_measures_once_makes_claims_and_is_drawn(tmp_path, monkeypatch):
    data, net = Exact(), hybrid()
    net.sha256, net.card = "toy", None
    study = replace(study_of.STUDY, data=data, nets={"hybrid": Given(net)}, metrics=[ExactNll()], n=640, batch=160)
    study = replace(study, arms=[Arm("ssmd", [SelfSpeculative(Open(), rounds) for rounds in (1, 2)],
                                     {"main": "hybrid"})])
    runner.run(study, tmp_path / "run", timing=False)
    first = study_of.measure(study, Store(tmp_path / "run"))
    assert len(first) == 4
    for record in (r for r in first if "own" in r["name"]):
        counted = next(r["cost"] for r in Store(tmp_path / "run").of("counted") if r["key"] in record["cells"])
        for index, tests, share in zip(*(column(record, c, by="depth") for c in ("index", "tests", "counted"))):
            assert (tests, round(share * tests)) == (counted["tested"]["depth"][index - 1],
                                                     counted["passed"]["depth"][index - 1]), ("the watched run is the "
                                                                                              "counted one")
    monkeypatch.setattr(found_of, "watch", lambda *a, **k: pytest.fail("computed again"))
    assert study_of.measure(study, Store(tmp_path / "run")) == first
    rows = study_of.claims(Store(tmp_path / "run"), "a command")
    assert {r["claim"] for r in rows} == {f"acceptance.{name}.N{n}" for n in (1, 2)
                                          for name in ("first_depth", "all", "predicted_minus_counted")}
    assert all(abs(r["value"]) < 3 * (r["high"] - r["low"]) for r in rows if "minus" in r["claim"])
    build([tmp_path / "run"], tmp_path / "report")
    figures = json.loads((tmp_path / "report" / "numbers.json").read_text())["chapters"][0]["figures"]
    assert {mark["states"] for mark in figures["revealed"]} == {"own", "text"} and {
        mark["by"] for mark in figures["revealed"]
    } == {"depth", "progress", "round", "revealed"}


def test_too_few_rows_are_refused_with_the_remedy(tmp_path):
    with pytest.raises(ValueError, match="--n must be at least 32"):
        study_of.measure(replace(study_of.STUDY, n=31), Store(tmp_path))
