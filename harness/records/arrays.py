"""Whether a stored array is what its record says: no byte of an array is believed for its name alone.

    samples         n rows, and the sha256 of the record
    shard_samples, shard_counts    the same of a shard, where its record has one
    costs           (n, 3), whose means are the record's nfe_a, _b, _c
    rows            (n,) uint64, 8 bytes of blake2b of the tokens of each row; 0: not known
    counts          (n, 4 + calls + 7) int64 (harness/run/shard.py), the last 7 not in old ones; -1: not known
    scores          (2, n), whose ratio of sums is the record's value

So a file that was cut, zeroed or taken from another cell counts as missing: it is never scored, and the run makes it
again. An edit that keeps all means to 1e-9 changes no number that is read from them, up to the order of rows.
"""

import hashlib
from math import isclose

import numpy as np

COSTS = ("nfe_a", "nfe_b", "nfe_c")


def fits(room: str, record: dict, array: np.ndarray) -> bool:
    """Whether an array of a room belongs to its record, which is whole (harness/records/types.py)."""
    if array.dtype.kind not in "iuf" or array.ndim != (1 if room == "rows" else 2):
        return False
    if room == "scores":
        return array.shape == (2, record["n"]) and _close(value_of(array), record["value"])
    n = record["cell"]["n"]
    if room == "costs":
        return array.shape == (n, len(COSTS)) and all(
            _close(mean, record["cost"][name]) for name, mean in zip(COSTS, array.mean(0).tolist())
        )
    if room in ("rows", "counts"):
        return len(array) == n and record.get(f"{room}_sha256") == digest(array)
    if record["type"] == "shard":
        k, of = map(int, record["shard"].split("/"))
        n = k * n // of - (k - 1) * n // of
    return len(array) == n and record.get("counts_sha256" if room == "shard_counts" else "samples_sha256") in (
        None,
        digest(array),
    )


def digest(array: np.ndarray) -> str:
    """sha256 of the numbers, row by row."""
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()


def row_digests(tokens: np.ndarray) -> np.ndarray:
    """tokens (m, L), of any integer type -> (m,) uint64: 8 bytes of blake2b of each row as 32-bit numbers; 0 stands for
    none.
    """
    rows = np.ascontiguousarray(tokens, dtype="<i4")                               # (m, L)
    found = [int.from_bytes(hashlib.blake2b(row.tobytes(), digest_size=8).digest(), "little") or 1 for row in rows]
    return np.array(found, dtype=np.uint64)                                        # (m,)


def value_of(table: np.ndarray) -> float | None:
    """The ratio of sums of a metric's numerators and denominators (2, n); None if there is nothing to divide by."""
    numerator, denominator = table.sum(1).tolist()
    return numerator / denominator if denominator else None


def consistent(value: float, table: np.ndarray) -> bool:
    """Whether a metric's value is the ratio of the sums of its rows (harness/kinds.py, Scores)."""
    return _close(value_of(table), value)


def _close(a: float | None, b: float) -> bool:
    return a is not None and isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)
