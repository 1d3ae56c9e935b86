"""One thread a process: the tests' tensors are tiny, and threads that wait for each other on two busy cores cost more
than they give.
"""

import os
import subprocess
import sys

os.environ["OMP_NUM_THREADS"] = "1"

import pytest  # noqa: E402
import torch  # noqa: E402

from tests import reached, turns, warm  # noqa: E402
from tests.minutes import Minutes  # noqa: E402

torch.set_num_threads(1)


def pytest_addoption(parser):
    parser.addoption("--claims", action="store_true", help="write the claims that the tests make to studies/")
    parser.addoption("--turn", choices=("all", "quick", "commit"), default="all",
                     help="which slow files run beside the quick ones: all, none, or the quarter of this commit")


def pytest_configure(config):
    config.pluginmanager.register(Minutes(config), "minutes")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish():
    warm.stop()    # before the minutes are counted


def pytest_collection_modifyitems(config, items):
    turn, part = config.getoption("--turn"), turns.parts(turns.seconds())
    number = turns.commits() if turn == "commit" else None
    files = {item.nodeid.partition("::")[0] for item in items}
    run = {file for file in files if turns.runs(file, turn, number, part)}
    run |= reached.asked_for(files - run) if turn == "commit" else set()
    kept = [item for item in items if item.nodeid.partition("::")[0] in run]
    if len(kept) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item not in {*kept}])
        items[:] = kept


@pytest.fixture(autouse=True)
def forgotten(tmp_path_factory):
    """A module that a test wrote and imported ends with it: a record of cells with the user's own classes names every
    module that is loaded, and is not of the present code once the file of one is gone.
    """
    before = {*sys.modules}
    yield
    folder = str(tmp_path_factory.getbasetemp())
    for name in {*sys.modules} - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(folder):
            del sys.modules[name]


@pytest.fixture
def small_disk(tmp_path):
    """64 KiB that are full soon."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)],
                                      capture_output=True).returncode:
        pytest.skip("a small disk can only be mounted by root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)
