"""One thread a process: the tests' tensors are tiny, and threads that wait for each other on two busy cores cost more than they give."""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import torch  # noqa: E402

torch.set_num_threads(1)


def pytest_addoption(parser):
    parser.addoption("--claims", action="store_true", help="write the claims that the tests make to studies/results")
