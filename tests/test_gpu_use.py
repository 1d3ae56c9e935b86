"""Whether others use a GPU is read from texts as nvidia-smi prints them: what is our own does not count."""

import os
import subprocess
from types import SimpleNamespace

import pytest

from harness.run import clock, gpu_use
from harness.run.gpu_use import share, users

OURS = {41, 42}


@pytest.mark.parametrize("apps, utilisation, others", [
    ("41\n", "100\n", 0.0), ("41\n42\n", "97 %\n", 0.0),              # what we did ourselves
    ("41\n77\n", "63\n", 0.63), ("41\n77\n", "0\n", 0.0),             # somebody else is there
    ("", "35\n", 0.35), ("", "0\n", 0.0),                               # a container shows no process
    ("3907\n3911\n", "35\n", 0.35),                                    # or those of the host, by other numbers
    ("[Insufficient Permissions]\n", "12\n", 0.12), ("41\n77\n", "[N/A]\n", None),    # MIG
    ("", "[Not Supported]\n", None), ("", "", None), ("No devices were found\n", "No devices were found\n", None)])
def test_the_share_of_others(apps, utilisation, others):
    assert share(apps, utilisation, OURS.__contains__) == others


def test_the_lines_of_processes():
    assert users(" 41\n77 \n[N/A]\n-3\n") == {41, 77} and users("") == set()


@pytest.fixture
def card(monkeypatch):
    """A machine with a device, whose nvidia-smi is a function of the words."""
    monkeypatch.setattr(gpu_use, "WINDOW", 0.0)
    monkeypatch.setattr(gpu_use.torch.cuda, "synchronize", lambda device: None)
    monkeypatch.setattr(gpu_use.torch.cuda, "get_device_properties", lambda device: SimpleNamespace(uuid="ab-cd"))

    def answers(answer):
        def run(words, **about):
            assert words[0] == "nvidia-smi" and words[-2:] == ["-i", "GPU-ab-cd"]
            return SimpleNamespace(stdout=answer(words[1]))
        monkeypatch.setattr(gpu_use.subprocess, "run", run)
    return answers


def test_a_run_of_our_own_is_no_other_work(card):
    card(lambda query: f"{os.getpid()}\n" if "apps" in query else "98\n")
    assert clock.busy("cuda:1") == 0.0
    card(lambda query: f"{os.getpid()}\n1\n" if "apps" in query else "98\n")
    assert clock.busy("cuda:1") == 0.98


@pytest.mark.parametrize("error", [FileNotFoundError(), subprocess.TimeoutExpired("nvidia-smi", 10),
                                   subprocess.CalledProcessError(9, "nvidia-smi")], ids=repr)
def test_a_machine_that_does_not_tell_is_timed_all_the_same(card, error):
    def fails(query):
        raise error
    card(fails)
    assert clock.busy("cuda") is None
