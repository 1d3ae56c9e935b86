"""Training on a device that is not the CPU: updates, a kill and the training that goes on, its checkpoint."""

import pytest
import torch

from harness.nets import checkpoint
from ssmd.train.loop import keep, resume, train
from ssmd.train.settings import Training
from ssmd.train.updates import Updates
from tests.pretend.away import DEVICE
from tests.pretend.device import pretended
from tests.test_train import SOURCE

KINDS = {"hybrid": {}, "judge": {"optimiser": "muon"}, "masked": {}}


def settings(kind: str, updates: int) -> Training:
    return Training(kind, width=16, heads=2, blocks=2 if kind == "hybrid" else 1, batch=4, tokens=updates * 4 * 16,
                    warmup=2, **KINDS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_an_update_is_that_of_the_cpu(kind):
    with pretended():
        there, here = (Updates(settings(kind, 2), SOURCE, device=device) for device in (DEVICE, "cpu"))
        for _ in range(2):
            losses = [{k: v.item() for k, v in updates.once().items()} for updates in (there, here)]
            assert losses[0] == pytest.approx(losses[1], rel=1e-4)
        weights = [*there.net.parameters(), *there.average.shadow.values()]
        assert all(weight.device.type == DEVICE for weight in weights)


@pytest.mark.parametrize("kind", ["hybrid", "judge"])
def test_a_training_killed_on_a_device_resumes_there(kind, tmp_path):
    with pretended():
        unbroken, killed, again = (Updates(settings(kind, 4), SOURCE, device=DEVICE) for _ in range(3))
        for updates in (unbroken, killed):
            for _ in range(2):
                updates.once()
        keep(tmp_path, {}, killed)
        resume(tmp_path, {}, again)
        assert again.step == 2 and all(v.device.type == DEVICE for v in again.average.shadow.values())
        for updates in (unbroken, again):
            updates.once()
        assert all(torch.equal(v.inner, again.average.shadow[k].inner) for k, v in unbroken.average.shadow.items())


def test_a_training_on_a_device_ends_in_a_checkpoint(tmp_path):
    with pretended():
        path = train(settings("hybrid", 2), SOURCE, tmp_path, "net", say=lambda text: None, device=DEVICE, judged=4)
    assert set(checkpoint.load(path).card["validation_nats_per_token"]) == {"draft", "target"}
