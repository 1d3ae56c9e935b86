"""Builds the file that the data set `moses` reads, from the wheel of the benchmark: `ssmd-bench data moses`.

Nothing of the wheel is run: three lists of molecules are read, in their order. Of the training list one uniform
permutation of seed 0 gives 10 % to the judge and 1 % to validation. The same wheel gives the same sha256.
"""

import gzip
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from harness.boundary.atomic import write_text
from harness.data.build.npz import written
from harness.data.build.wheels import fetched, remedy
from harness.data.moses import LENGTH, SPLITS, Moses, digest, encode
from harness.random import Stream, permutation

WHEEL, FOLDER = "molsets==0.3.1", "moses/dataset/data"
LISTS = {"train": "train", "test": "test", "scaffolds": "test_scaffolds"}    # split -> file
JUDGE, VALIDATION = 10, 1                                                    # per cent of the training list
OPTION = "--source"
REMEDY = remedy(WHEEL, OPTION)


def build(source: Path | None, out: Path, say: Callable[[str], None] = lambda text: None) -> dict[str, Any]:
    """Write `out` and its card beside it (.md); what the file says of itself. Raises ValueError, in a sentence, for
    what is missing or is no such wheel.
    """
    with TemporaryDirectory(prefix="ssmd-moses-") as folder:
        lists = listed(source if source is not None else fetched(WHEEL, "52 MB", OPTION, Path(folder), say))
    say(f"{sum(map(len, lists.values())):,} molecules")
    place = 100 * permutation(0, torch.tensor([0]), Stream.DATA, len(lists["train"]))[0].argsort().numpy()
    n = len(lists["train"])
    part = np.select([place < n * JUDGE, place < n * (JUDGE + VALIDATION)], [1, 2], 0)    # (n,) number of the split
    parts = {name: [lists["train"][k] for k in np.flatnonzero(part == number)]
             for number, name in enumerate(SPLITS[:3])} | {name: lists[name] for name in SPLITS[3:]}
    every = [one for name in SPLITS for one in parts[name]]
    symbols = encode(b"".join(every))
    starts = np.cumsum([0, *map(len, every)])
    first = np.cumsum([0, *(len(parts[name]) for name in SPLITS)])
    sha = digest(symbols, starts, first)
    written(out, {"symbols": symbols, "starts": starts, "first": first,
                  "sha256": np.frombuffer(sha.encode(), np.uint8)})
    about = {"sha256": sha, "molecules": len(every), "characters": len(symbols)}
    about |= {name: len(parts[name]) for name in SPLITS}
    write_text(out.with_suffix(".md"), card(about))
    assert Moses(str(out)).content().sha256 == sha
    return about


def listed(wheel: Path) -> dict[str, list[bytes]]:
    """The molecules of each list. Raises ValueError for a file that is no such wheel."""
    found = {}
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name, file in LISTS.items():
                head, *lines = gzip.decompress(archive.read(f"{FOLDER}/{file}.csv.gz")).split()
                if head.split(b",")[0] != b"SMILES":
                    raise ValueError(f"{file}.csv.gz begins with {head[:20]!r}")
                found[name] = [line.split(b",")[0] for line in lines]
                if not found[name] or max(map(len, found[name])) >= LENGTH or not min(map(len, found[name])):
                    raise ValueError(f"{file}.csv.gz holds molecules of other lengths than 1 to {LENGTH - 1}")
    except (OSError, KeyError, ValueError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise ValueError(f"{wheel} is not the wheel of {WHEEL} ({error}): {REMEDY}") from None
    return found


def card(about: dict[str, Any]) -> str:
    rows = "\n".join(f"| {name} | {about[name]:,} |" for name in SPLITS)
    return f"""# MOSES

| | |
|---|---|
| what | {about['molecules']:,} SMILES of MOSES, {about['characters']:,} characters of 26 kinds |
| licence | MIT, Insilico Medicine; the molecules are a part of ZINC Clean Leads |
| made by | `ssmd-bench data moses` from PyPI {WHEEL.replace('==', ' ')} |
| sha256 | `{about['sha256']}` |

| split | molecules |
|---|---|
{rows}

Test and scaffolds are those of the benchmark. {JUDGE} % of its training molecules are the judge's and {VALIDATION} %
validation, drawn once with seed 0. Molecules are as the benchmark writes them: no other SMILES of one is made.
"""
