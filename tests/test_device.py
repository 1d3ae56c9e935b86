"""A command works on the device that it was given, by its number, and on no other."""

import pytest
import torch

from harness.nets import device as module
from harness.nets.device import current, entered, of_rank
from harness.records import machine
from ssmd.train import updates


@pytest.fixture
def cards(monkeypatch):
    """Two devices, of which this machine has none; the calls that choose one, in order."""
    made = []
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: made.append(("set", device)))
    monkeypatch.setattr(module, "checked", lambda device: made.append(("open", device)) or device)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: int(made[0][1][-1]))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device=None: f"card {device}")
    return made


def test_a_device_is_the_current_one_before_anything_is_opened_there(cards):
    assert entered("cuda:1") == "cuda:1" and cards == [("set", "cuda:1"), ("open", "cuda:1")]
    assert current("cuda") == "cuda:1" and current("cpu") == "cpu"


def test_the_processes_of_a_group_have_a_device_each(cards, monkeypatch):
    assert of_rank("cuda") == "cuda"
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert [of_rank(device) for device in ("cuda", "cpu", "cuda:0")] == ["cuda:1", "cpu", "cuda:0"]


def test_the_name_is_that_of_the_device_at_work(cards):
    assert updates.device_name("cuda:1") == "card cuda:1"
    assert machine.machine.__wrapped__("cuda:1")["gpu"] == "card cuda:1"


def test_a_number_that_is_not_there_is_one_sentence():
    with pytest.raises(ValueError, match="no device 'cuda:99': choose cpu"):
        entered("cuda:99")
