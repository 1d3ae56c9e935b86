"""A store written as one zip, which says all that the store says of its records (harness/records/kept_index.py), and
back.

    pack(Store(Path("runs/x")), Path("studies/x/kept.zip"))
    unpack(Store(Path("studies/x/kept.zip")), Path("runs/x"))

Times are fixed and names sorted, so that equal content is equal bytes. What comes out is what went in, to the bit:
lines of records as they were written, but for the place of the repository that ran them, and arrays.
"""

import lzma
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from harness.boundary.atomic import replacing, replacing_folder, sentence
from harness.records import npy
from harness.records.kept_index import AXIS, INDEX, KINDS, LARGEST, RECORDS, Index, Stack, apart
from harness.records.store import Store
from harness.spec import ROOT

LEFT_OUT = ("samples", "shard_samples", "shard_counts")    # rooms: samples are most of a run, and shards go into cells
SHIPPED = re.compile(rb'"/[^"]*/(ssmd/checkpoints/)')       # a network that ships, as another clone names it
LONG_AGO = (1980, 1, 1, 0, 0, 0)                           # when every file of a zip was made


def pack(store: Store, out: Path) -> dict:
    """Write the zip, whole or not at all: how many records, arrays and bytes, and what is damaged and left out.

    Raises ValueError if a newer version wrote some of the records, if all is too large, or if the disk refuses.
    """
    here, left_out = f"{ROOT}/".encode(), list[str]()
    text = b"".join(SHIPPED.sub(rb'"\1', line.text.replace(here, b"")) + b"\n" for line in store.lines())
    if store.newer:
        raise ValueError(f"{store.folder} has {store.newer} records of a newer version of the program: use that")
    left_out += store.broken + [f"{store.torn} torn lines"] * bool(store.torn)
    content, index = {RECORDS: text, **store.place.files()}, Index(1, [], {})
    index.files = {name: len(data) for name, data in sorted(content.items())}
    for stack, data in _stacks(store, left_out):
        index.stacks.append(stack)
        content[stack.file] = data
    content[INDEX] = msgspec.json.encode(index)
    if sum(map(len, content.values())) > LARGEST:
        raise ValueError(f"{store.folder} has more than {LARGEST >> 30} GiB beside its samples: keep the folder itself")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with replacing(out) as beside:
            _write(beside, content)
    except OSError as error:
        raise ValueError(f"{out} cannot be written ({sentence(error)}): free the disk or choose another --out; "
                         f"{store.folder} is as it was") from None
    arrays = sum(len(stack.keys) for stack in index.stacks)
    return {"records": text.count(b"\n"), "arrays": arrays, "bytes": out.stat().st_size, "left_out": left_out}


def _stacks(store: Store, left_out: list[str]) -> Iterator[tuple[Stack, bytes]]:
    """The arrays of every room that is kept, alike ones together; what cannot be read is named in `left_out`."""
    for room, keys in store.place.rooms().items():
        if room in LEFT_OUT:
            continue
        axis, alike = AXIS.get(room, 0), dict[tuple, dict[str, np.ndarray]]()
        for key in keys:
            try:
                array = store.get(room, key)
            except ValueError:
                left_out.append(f"the array {room}/{key}")
                continue
            if array.dtype.kind not in KINDS or array.ndim <= axis:
                left_out.append(f"the array {room}/{key}")
            else:
                shape = array.shape[:axis] + array.shape[axis + 1:]
                alike.setdefault((array.dtype.str, shape), {})[key] = array
        for number, (dtype, shape) in enumerate(sorted(alike)):
            arrays = alike[dtype, shape]
            stack = np.ascontiguousarray(np.concatenate([*arrays.values()], axis, dtype=dtype))
            rows = {key: array.shape[axis] for key, array in arrays.items()}
            lies = min(stack, apart(stack), key=_packed) if stack.dtype.kind == "f" else stack
            planes = lies is not stack
            data = npy.head(lies.shape, lies.dtype) + lies.tobytes()
            yield Stack(f"{room}/{number}.npy", room, axis, dtype, [*stack.shape], rows, planes), data


def _packed(array: np.ndarray) -> int:
    """How small it gets: measured numbers do in planes, counts as they are."""
    return len(lzma.compress(array.tobytes(), lzma.FORMAT_ALONE))


def _write(path: Path, content: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(content):
            about = zipfile.ZipInfo(name, LONG_AGO)
            # a sixth smaller than deflated
            about.compress_type, about.create_system, about.external_attr = zipfile.ZIP_LZMA, 3, 0o644 << 16
            archive.writestr(about, content[name])


def unpack(store: Store, out: Path) -> dict:
    """Write a folder with all that a zip holds. Raises ValueError if something is in it, or if the disk refuses."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"{out} is not empty: remove it, or choose another folder with --out")
    text, arrays = b"".join(line.text + b"\n" for line in store.lines()), 0
    try:
        with replacing_folder(out) as scratch:
            for name, data in ({RECORDS: text} | store.place.files()).items():
                (scratch / name).write_bytes(data)
            for room, keys in store.place.rooms().items():
                (scratch / room).mkdir()
                for key in keys:
                    array = store.get(room, key)
                    (scratch / room / f"{key}.npy").write_bytes(npy.head(array.shape, array.dtype) + array.tobytes())
                    arrays += 1
    except OSError as error:
        raise ValueError(f"{out} cannot be written ({sentence(error)}): free the disk or choose another --out; "
                         f"{store.folder} is as it was") from None
    return {"records": text.count(b"\n"), "arrays": arrays}
