"""Matt Mahoney's text8, or a prefix of it, from a file of the user's: the corpus of the published numbers.

text8 is the first 10**8 characters of a cleaned English Wikipedia of 2006; it is not shipped. `path` names the plain
file, a .gz or a .zip of it. Test is the last 5 %, validation the 5 % before, judge the 15 % before that, train the
rest. (The papers train on the first 90 %; ours keeps a share apart for the judge.) The sha256 of the characters is the
identity, the path is not.

    Text8(path="text8.zip", length=256).rows("test", n=8, seed=0)          # (8, 256)
"""

import gzip
import zipfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from harness.boundary.there import there
from harness.data.text import ALPHABET, Text
from harness.param import Range, check, param

REMEDY = "give the path of text8 as a plain file, .gz or .zip"


@dataclass(frozen=True)
class Text8(Text):
    """Matt Mahoney's text8, or a prefix of it, from a file of the user's: rows of `length` characters in 27 symbols."""

    name: ClassVar[str] = "text8"
    version: ClassVar[int] = 1
    splits: ClassVar[tuple[tuple[str, int], ...]] = (("train", 750), ("judge", 150), ("validation", 50), ("test", 50))

    path: str = param(note="file of text8: plain, .gz or .zip")
    length: int = param(256, Range(1, 65536), "characters a row")

    def __post_init__(self) -> None:
        check(self)

    def content(self) -> bytes:
        """The whole text as bytes, read once. Raises ValueError for a file that is not there or is not text8."""
        path = there(self.path, REMEDY)
        return _load(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _load(path: Path, _modified_ns: int) -> bytes:
    try:
        content = _unpack(path).rstrip(b"\n")
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise ValueError(f"{path.name!r} cannot be unpacked ({error}): {REMEDY}") from error
    if not content or content.translate(None, ALPHABET.encode()):
        raise ValueError(f"{path.name!r} is not text8, which holds a-z and spaces only: {REMEDY}")
    return content


def _unpack(path: Path) -> bytes:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.namelist() if not member.endswith("/")]
            if len(members) != 1:
                raise ValueError(f"{path.name!r} holds {len(members)} files: {REMEDY} with text8 alone in it")
            return archive.read(members[0])
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
