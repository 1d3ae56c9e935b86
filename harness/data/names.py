"""The tokens of a data set in words: what tells whether a network counts them alike (harness/run/guards.py)."""

import torch

from harness.kinds import Dataset


def names_of(data: Dataset) -> tuple[str, ...]:
    """The tokens of a data set in words, in their order; nothing where it has none."""
    if hasattr(data, "names"):
        return tuple(data.names())
    if not hasattr(data, "decode"):
        return ()
    try:
        return tuple(data.decode(torch.arange(data.vocab)[:, None]))
    except (ValueError, IndexError, RuntimeError):    # it reads whole rows alone
        return ()
