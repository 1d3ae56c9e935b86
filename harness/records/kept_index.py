"""The index of the zip of a kept run: which array lies where, and how large everything is before it is read.

    records.jsonl       the records, those of several writers in the order in which they count
    ROOM/K.npy          arrays of a room that are alike, one behind the other along an axis
    index.json          Index, below
    sweep.journal       small files as they were

A zip may come from anybody. `members` holds it to its index: no name twice, none that the index does not give, no
byte more than the index says, and never more than LARGEST in all.
"""

import math
import zipfile
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta, Struct

from harness.boundary.incoming import Count, Name, Wrong, fitted, parsed
from harness.records import npy

INDEX, RECORDS = "index.json", "records.jsonl"
LARGEST = 2**31    # bytes of all that a zip holds, unpacked
WAYS = zipfile.ZIP_LZMA, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED    # the first is ours, the last was
AXIS = {"scores": 1}    # along which the arrays of a room are stacked: that of the rows; 0 for other rooms
KINDS = "biuf"    # of dtype: numbers

File = Annotated[str, Meta(pattern=r"^[0-9A-Za-z_][0-9A-Za-z_.-]*(/[0-9A-Za-z_][0-9A-Za-z_.-]*)?\Z", max_length=256)]


class Stack(Struct, forbid_unknown_fields=True):
    """Arrays of one room, dtype and shape but for the axis of their rows."""

    file: File
    room: Name
    axis: Annotated[int, Meta(ge=0, le=7)]
    dtype: Annotated[str, Meta(pattern=rf"^[<>|][{KINDS}][0-9]{{1,2}}\Z")]
    shape: Annotated[list[Count], Meta(min_length=1, max_length=8)]
    keys: dict[Name, Count]    # how many rows each has, in the order in which they lie
    planes: bool = False       # its file holds the first bytes of all numbers, then the second, and so on

    def bytes(self) -> int:
        """Of its file. Raises Wrong for a dtype that is none."""
        try:
            dtype = np.dtype(self.dtype)
        except (TypeError, ValueError):
            raise Wrong(f"the stack {self.file} is of no dtype") from None
        size = math.prod(self.shape)
        head = npy.head((dtype.itemsize, size), np.dtype("u1")) if self.planes else npy.head(tuple(self.shape), dtype)
        return len(head) + size * dtype.itemsize

    def numbers(self, found: np.ndarray) -> np.ndarray:
        """What was stacked, of the array in its file. Raises ValueError if that is another."""
        if self.planes and found.dtype == np.uint8 and found.ndim == 2:
            found = np.ascontiguousarray(found.T).view(self.dtype).reshape(self.shape)
        if found.shape != tuple(self.shape) or found.dtype.str != self.dtype:
            raise ValueError(f"{self.file} is not what its index says")
        return found


def apart(stack: np.ndarray) -> np.ndarray:
    """The bytes of a stack in planes, (itemsize, size): alike ones side by side, which packs smaller."""
    return np.frombuffer(stack.tobytes(), np.uint8).reshape(-1, stack.dtype.itemsize).T


class Index(Struct, forbid_unknown_fields=True):
    format: Literal[1]
    stacks: list[Stack]
    files: dict[Name, Count]    # name -> bytes


def index_of(content: bytes) -> Index:
    """Raises Wrong for what is no index, or one that contradicts itself."""
    index, seen = fitted(parsed(content), Index), set[tuple[str, str]]()
    for stack in index.stacks:
        if stack.axis >= len(stack.shape) or sum(stack.keys.values()) != stack.shape[stack.axis]:
            raise Wrong(f"the rows of {stack.file} do not add up in its index")
        if twice := next((key for key in stack.keys if (stack.room, key) in seen), None):
            raise Wrong(f"its index has {stack.room}/{twice} twice")
        seen.update((stack.room, key) for key in stack.keys)
    return index


def members(archive: zipfile.ZipFile) -> Index:
    """The index, to which the whole zip is held. Raises Wrong, and what `zipfile` raises."""
    found = {info.filename: info for info in archive.infolist()}
    if len(found) < len(archive.infolist()):
        raise Wrong("it holds a file twice")
    if any(info.compress_type not in WAYS for info in found.values()):
        raise Wrong("it is packed in another way than ours")
    if INDEX not in found:
        raise Wrong(f"it has no {INDEX}")
    if sum(info.file_size for info in found.values()) > LARGEST:
        raise Wrong(f"it would unpack to more than {LARGEST >> 30} GiB")
    index = index_of(archive.read(INDEX))
    sizes = {stack.file: stack.bytes() for stack in index.stacks} | index.files
    if len(sizes) < len(index.stacks) + len(index.files) or INDEX in sizes or RECORDS not in sizes:
        raise Wrong(f"its index has a file twice, or no {RECORDS}")
    if strange := sorted(found.keys() ^ {*sizes, INDEX}):
        raise Wrong(f"the file {strange[0][:60]!r} is in it and not in its index, or the other way round")
    if false := next((name for name, size in sizes.items() if found[name].file_size != size), None):
        raise Wrong(f"{false} is not as large as its index says")
    return index
