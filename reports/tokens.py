"""The currency of a record by row: tokens per forward and what stands beside them, each as a ratio of sums.

Definitions: harness/stats/forwards.py. What a record does not hold is not known, and never 0.
"""

from typing import NamedTuple

import numpy as np

from harness.records.by_row import of
from harness.records.store import Store
from harness.stats.forwards import tau_b

Pair = tuple[np.ndarray, np.ndarray]    # numerators and denominators (n,)


class Column(NamedTuple):
    name: str
    word: str
    definition: str


COLUMNS = (
    Column("tpf", "tokens a denoise pass", "sum of tokens over rows / sum of denoise passes; tokens: written up to and "
           "with the first end symbol, no prompt"),
    Column("tpf_all", "tokens a pass of any kind", "the same over all passes of a row, each as one, whatever it costs"),
    Column("token_forwards", "token-forwards", "tokens that the passes of a row ran through a network, over its "
           "length: a full draft is 1, a verify pass its tracks that were not kept"),
    Column("accept_length", "accepted a test", "drafts that passed, over tests"),
    Column("accept_beside", "written a test", "the same with what a test writes itself: the token in the place of a "
           "rejected draft, or a bonus"),
    Column("order", "order", "Kendall's tau-b of the step in which a place was written against its position, mean of "
           "the rows that were not written in one step"),
    Column("empty", "empty", "share of rows of one token or none"),
)


def pairs(store: Store, record: dict) -> dict[str, Pair]:
    """Each column as a ratio of sums over rows, of those that the record can tell."""
    known = {name: column.astype(float) for name, column in of(store, record).items()}
    if not known or not known["drafts"].sum():
        return {}
    tokens, ones = known.get("generated", known["tokens"]), np.ones(len(known["tokens"]))
    every = np.sum([known[kind] for kind in record["cost"]["calls"]], axis=0)      # (n,)
    found = {"tpf": (tokens, known["drafts"]), "tpf_all": (tokens, every)}
    if "tracks" in known:
        length = known["tracks"].mean() / record["cost"]["forwards"]["token_forwards"]
        found |= {"token_forwards": (known["tracks"] / length, ones),
                  "empty": ((tokens <= 1).astype(float), ones)}
        tau = tau_b(known["order"], known["untied"], known["tokens"])              # (n,)
        if np.isfinite(tau).any():
            found["order"] = np.nan_to_num(tau), np.isfinite(tau).astype(float)
        if known["tests"].any():
            found |= {"accept_length": (known["kept"], known["tests"]),
                      "accept_beside": (tokens, known["tests"])}
    return found
