"""What a counted record holds of each row: the table of room `counts` by the names of its columns.

    of(store, record)["drafts"]    # (n,) int64

Columns are FIELDS, the calls of the record by name, then LATER, which records of before they were counted lack: what
was not recorded is not there, and never 0.
"""

import numpy as np

from harness.records.store import Store

FIELDS = ("blocks", "drafts", "flops", "tokens")
LATER = ("tracks", "tests", "kept", "rejected", "generated", "order", "untied")    # harness/sampling/ledger.py


def of(store: Store, record: dict) -> dict[str, np.ndarray]:
    """Columns (n,) by name; none where the table is not kept, or does not know every row."""
    if "counts_sha256" not in record or not store.has("counts", record["key"]):
        return {}
    table = store.get("counts", record["key"])                                     # (n, 4 + calls + 7)
    if (table[:, : len(FIELDS)] < 0).any():
        return {}
    names = [*FIELDS, *sorted(record["cost"]["calls"])]
    return dict(zip(names + [*LATER] if table.shape[1] > len(names) else names, table.T, strict=True))
