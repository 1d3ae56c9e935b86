"""Bits per character and generative NLL on a device that is not the CPU are those of the CPU."""

import pytest
import torch

from harness.metrics.judge import Judge
from harness.nets import checkpoint
from harness.schedules.window import Cosine
from ssmd.bits import bits_per_character
from ssmd.train.settings import Training
from tests.pretend.away import DEVICE
from tests.pretend.device import moved, pretended
from tests.test_train import SOURCE


@pytest.mark.parametrize("kind", ["hybrid", "masked"])
def test_bits_per_character_are_those_of_the_cpu(kind):
    net = Training(kind, width=16, heads=2, blocks=2).build(SOURCE.vocab).eval()
    window = Cosine() if kind == "hybrid" else None
    with pretended(), torch.inference_mode():
        here = bits_per_character(net, SOURCE, 5, 2, window, 2)
        there = bits_per_character(moved(net), SOURCE, 5, 2, window, 2, device=DEVICE)
    assert there[0] == pytest.approx(here[0], rel=1e-5) and there[1].device.type == "cpu"
    torch.testing.assert_close(there[1], here[1], rtol=1e-5, atol=0)


def test_the_nll_of_a_judge_is_that_of_the_cpu(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.metrics.judge.checked", lambda device: device)
    net = Training("judge", width=16, heads=2, blocks=1).build(SOURCE.vocab)
    checkpoint.save(net, path := tmp_path / "judge.safetensors", {"name": "judge"})
    with pretended():
        here, there = (Judge(str(path), device=device).score(SOURCE.rows("test", 5, 0), SOURCE)
                       for device in ("cpu", DEVICE))
    assert there.value == pytest.approx(here.value, rel=1e-5)
