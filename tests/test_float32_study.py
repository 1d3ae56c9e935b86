"""The float32 study: its closed forms against simulation, and measured points on the curve of their arm and off that of
the other.
"""

import doctest
from dataclasses import replace

import pytest
import torch

import baselines.fused_float32 as fused
import studies.float32_trap.claims as found_of
import studies.float32_trap.study as study_of
from baselines.ancestral import Ancestral
from baselines.fused_float32 import FusedFloat32
from harness.data import zipf
from harness.data.zipf import Zipf
from harness.metrics.entropy import histogram_entropy
from harness.nets import iid
from harness.nets.iid import Known
from harness.records.measured import column
from harness.records.store import Store
from harness.run import runner
from harness.study import Arm

TOY = Zipf(symbols=40, length=1, exponent=1.5)
BOTH = {"ancestral": Ancestral, "fused_float32": FusedFloat32}


@pytest.fixture
def coarse(monkeypatch):
    """A grid of 2**-9 shows at 40 tokens what 2**-24 shows at 50,257."""
    monkeypatch.setattr(fused, "GRID", 2.0**-9)
    found_of.race_of_a_run.cache_clear()
    yield
    found_of.race_of_a_run.cache_clear()


def toy(steps=(8,), n=6000):
    arms = [Arm(name, [cls(k) for k in steps], {"main": "law"}) for name, cls in BOTH.items()]
    return replace(study_of.STUDY, data=TOY, nets={"law": Known(TOY)}, arms=arms, n=n, batch=2000)


def spans(record, arm, quantity, steps=8):
    where = {"arm": arm, "quantity": quantity, "kind": "measured", "steps": steps}
    return tuple(column(record, end, **where)[0] for end in ("value", "low", "high"))


def exact(record, arm, quantity, steps=16):
    return column(record, "value", arm=arm, quantity=quantity, kind="closed form", steps=steps)[0]


def test_points_lie_on_the_closed_form_of_their_own_arm(tmp_path, coarse):
    study = toy(steps=(16,))
    runner.run(study, tmp_path, timing=False)
    (record,) = study_of.measure(study, Store(tmp_path))
    loss = exact(record, "ancestral", "entropy") - exact(record, "fused_float32", "entropy")
    assert loss > 0.15
    for arm in BOTH:
        for quantity in ("entropy", "surprisal", "entropy drawn"):
            value, low, high = spans(record, arm, quantity, steps=16)
            assert abs(value
                       - exact(record, arm, quantity)) < high - low, (f"{arm}, {quantity}: within about four standard "
                                                                      "errors")
    value, low, high = spans(record, "fused_float32", "entropy drawn", steps=16)
    assert high < exact(record, "ancestral", "entropy drawn"), "and away from the curve of the exact draw"


def test_a_second_measurement_computes_nothing_and_claims_follow(tmp_path, coarse, monkeypatch):
    study = toy(n=800)
    runner.run(study, tmp_path, timing=False)
    first = study_of.measure(study, Store(tmp_path))
    monkeypatch.setattr(found_of, "_points", lambda *a: pytest.fail("computed again"))
    again = study_of.measure(study, Store(tmp_path))
    assert first == again and len(Store(tmp_path).of("measured")) == 1
    (claim,) = study_of.claims(Store(tmp_path), "a command")
    assert (
        claim["claim"] == "float32.entropy_loss_nats.8"
        and claim["low"] < claim["value"] < claim["high"]
        and claim["n"] == 800
    )


@pytest.mark.parametrize("tokens", [4, 60])
def test_expected_entropy_of_a_histogram(tokens):
    found = torch.tensor([histogram_entropy(row) for row in replace(TOY, length=tokens).rows("test", 4000, seed=3)],
                         dtype=torch.float64)
    assert abs(float(found.mean()) - found_of.drawn_entropy(TOY.law(), tokens)) < 4 * float(found.std()) / 4000**0.5


def test_the_race_of_a_run_at_full_size_loses_more_the_more_steps_are_taken():
    data = Zipf(length=1)
    nats = [found_of.entropy(found_of.race_of_a_run(data, steps)) for steps in (32, 512)]
    assert data.entropy_nats() - nats[0] < 0.15 < 0.8 < data.entropy_nats() - nats[1]


def test_zipf_rows_follow_their_law():
    rows = TOY.rows("test", 20_000, seed=1)
    share = torch.bincount(rows[:, 0], minlength=40).double() / 20_000
    assert 0.5 * (share - TOY.law()).abs().sum() < 0.02
    assert abs(-TOY.log_prob(rows).mean().item() - TOY.entropy_nats()) < 0.04
    assert not torch.equal(rows, TOY.rows("train", 20_000, seed=1))
    with pytest.raises(ValueError, match="mask"):
        TOY.log_prob(torch.tensor([[40]]))


@pytest.mark.parametrize("module", [zipf, iid])
def test_examples_in_docstrings_run(module):
    assert doctest.testmod(module).failed == 0


def test_a_run_without_cells_makes_no_claim_and_says_so(tmp_path, capsys):
    assert study_of.claims(Store(tmp_path), "a command") == []
    assert "no cell is finished" in capsys.readouterr().out
