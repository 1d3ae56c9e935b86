"""Stores whose arrays are cut, zeroed, of another type or shape, pickled, or no arrays."""

import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np

from tests.fuzz import values
from tests.fuzz.base import Base
from tests.fuzz.case import Case, Files
from tests.fuzz.kinds.records import verb

ROOMS = ("samples", "costs", "scores")


def one(rng: Random, base: Base, folder: Path) -> Case:
    base.put(folder, "run", "toy.py", "counts.jsonl", "CHANGELOG.md")
    case = verb(rng)
    case = case if "good" not in case.words else Case(("compare", "run", "run"))
    path = rng.choice(sorted((folder / "run" / rng.choice(ROOMS)).glob("*.npy")))
    array, how = np.load(path), rng.randrange(12)
    if how == 0:
        path.unlink()
        if rng.random() < 0.3:
            path.mkdir()
    elif how < 3:
        path.write_bytes(values.broken(rng, path.read_bytes()))
    elif how == 3:
        path.write_bytes(rng.choice(values.TEXTS))
    elif how == 4:
        path.write_bytes(_saved(np.array([{"a": 1}, None], object)))
    elif how == 5:
        path.write_bytes(_saved(array * 0))
    elif how == 6:
        path.write_bytes(_saved(array.astype(rng.choice((np.float16, np.int64, np.complex128, np.bool_, np.uint8,
            "U3", "S2", ">i4", "M8[s]", [("a", "i4")] if array.ndim == 1 else np.int8)))))
    elif how == 7:
        path.write_bytes(_saved(rng.choice((array[:3], array[..., :1], array.T, array.reshape(-1), array[None],
            array[:0], np.zeros(()), np.zeros((0, 0)), np.asfortranarray(array)))))
    elif how == 8:
        path.write_bytes(_saved(np.full(array.shape, rng.choice((np.nan, np.inf, -np.inf, 1e300, -1.0)))))
    elif how == 9:
        path.write_bytes(_saved(np.full(array.shape, rng.choice((3, 4, 5, 100, 255)), array.dtype)))
    elif how == 10:
        path.write_bytes(_headed(rng, path.read_bytes()))
    else:
        path.write_bytes(_saved(rng.choice((array + 1, array[::-1], np.concatenate((array, array))))))
    if rng.random() < 0.7:
        (folder / "run" / "finished.json").unlink()
    return replace(case,
        wrong=unlike if case.words[0] == "run" and "--seed" not in case.words else scored_unlike if case.words[0]
        == "rescore" else None)


def unlike(before: Files, after: Files) -> str:
    """The first samples of a finished run that are not those that its last record of them is of."""
    return next(iter(_unlike(after)), "")


def scored_unlike(before: Files, after: Files) -> str:
    """The first samples that are not those of their record, and were scored all the same."""
    new = after["run/records.jsonl"][len(before["run/records.jsonl"]) :].splitlines()
    scored = {f"run/samples/{r['key']}.npy" for r in map(json.loads,
        new) if r["type"] == "scored" and r["status"] == "done"}
    return next((path for path in _unlike(after) if path in scored), "")


def _unlike(after: Files) -> list[str]:
    counted = {r["key"]: r for r in map(json.loads,
        after["run/records.jsonl"].splitlines()) if r["type"] == "counted" and r["status"] == "done"}
    return [path for key,
        r in counted.items() if _sha256(after.get(path := f"run/samples/{key}.npy")) != r["samples_sha256"]]


def _sha256(content: bytes | None) -> str:
    try:
        return hashlib.sha256(np.load(io.BytesIO(content or b""), allow_pickle=False).tobytes()).hexdigest()
    except (ValueError, EOFError, OSError, TypeError, SyntaxError, MemoryError):
        return ""


def _saved(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def _headed(rng: Random, content: bytes) -> bytes:
    """Another description of the same numbers."""
    shapes = ("(16, 4)", "(10**18, 4)", "(-1, 4)", "(1000000000,)", "(16, 4", "None", "('x',)", "(16.5, 4)",
        "(True,)", "(4611686018427387904, 4)")
    kinds = ("'|u1'", "'|O'", "'<f8'", "'x'", "None", "[('a', '<f8')]", "'<U1000000000'", "'|V0'", "b'x'", "'<m8'")
    text = (f"{{'descr': {rng.choice(kinds)}, 'fortran_order': {rng.choice(('False', 'True', '1', 'x'))}, 'shape': "
            f"{rng.choice(shapes)}, }}")
    head = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY" + bytes([rng.choice((1, 1, 1, 2, 3, 9)), 0]) + len(head).to_bytes(2,
        "little") + head + content[128:]
