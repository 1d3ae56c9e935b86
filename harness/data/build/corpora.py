"""Rebuild an embedded corpus from the unpacked package it came from; same source, same bytes.

    python -m harness.data.build.corpora wikipedia_leads --source PATH     a folder that holds summaries_en-us.json
    python -m harness.data.build.corpora austen --source PATH              a folder that holds Rdata.rdb

The last line of stdout is JSON: sizes and sha256. The source of each corpus stands in its card, harness/data/cards/.
"""

import gzip
import hashlib
import json
import lzma
import struct
import sys
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
import torch

from harness.boundary.arguments import Parser
from harness.boundary.atomic import replacing
from harness.boundary.ending import guarded, working
from harness.boundary.incoming import read
from harness.data.text import FILES, normalise
from harness.random import Stream, permutation

PROGRAM = "harness.data.build.corpora"
AGAIN = "unpack the package and version that the card in harness/data/cards names, and pass its folder as --source"
BROKEN = (zlib.error, struct.error, EOFError, UnicodeDecodeError, gzip.BadGzipFile)
T = TypeVar("T")


class Article(msgspec.Struct):
    extract: str


def shuffled(items: list, seed: int = 0) -> list:
    order = permutation(seed, torch.tensor([0]), Stream.DATA, len(items))[0]
    return [items[i] for i in order.tolist()]


def find(source: Path, name: str) -> Path:
    found = sorted(source.rglob(name)) if source.is_dir() else []
    if not found:
        raise ValueError(f"no {name} under {source}: unpack the package that the card names and pass its folder as "
                         "--source")
    return found[0]


def unpacked(path: Path, reader: Callable[[bytes], T]) -> T:
    """What the reader makes of the file's bytes. Raises ValueError where they are not what the package holds."""
    content = path.read_bytes()
    try:
        return reader(content)
    except BROKEN as error:
        raise ValueError(f"{path} is damaged, or of another package ({error}): {AGAIN}") from None


def extracts(source: Path) -> list[tuple[str, str]]:
    """Titles and lead paragraphs of the articles, by title."""
    summaries = read(find(source, "summaries_en-us.json"), dict[str, Article], AGAIN)
    return [(title, summaries[title].extract) for title in sorted(summaries)]


def wikipedia_leads(source: Path) -> dict[str, bytes]:
    """Articles sorted by title, then shuffled: the source is ordered by topic, and its tail is easier than its
    middle.
    """
    articles = [(title, normalise(text)) for title, text in extracts(source)]
    articles = shuffled([(title, text) for title, text in articles if text])
    return {
        "wikipedia_leads.txt.xz": b" ".join(text for _, text in articles),
        "wikipedia_leads.titles.txt.xz": "".join(f"{title}\n" for title, _ in articles).encode(),
    }


def austen(source: Path) -> dict[str, bytes]:
    """Six novels in the order of the file, cut at the first space after 5,000 characters; the pieces are then
    shuffled.
    """
    # an editor's, of our days
    novels = [book.split("A NOTE ON THE TEXT")[0] for book in unpacked(find(source, "Rdata.rdb"), books)]
    pieces = [piece for novel in novels for piece in pieces_of(normalise(novel), 5000)]
    return {"austen.txt.xz": b" ".join(shuffled(pieces))}


def pieces_of(text: bytes, size: int) -> list[bytes]:
    """Pieces of at least `size` characters that end at a space, which is dropped; the last may be shorter."""
    pieces, start = [], 0
    while start < len(text):
        stop = text.find(b" ", start + size)
        stop = len(text) if stop < 0 else stop
        pieces.append(text[start:stop])
        start = stop + 1
    return pieces


def books(database: bytes) -> list[str]:
    """The character vectors of an R lazy-load database: records of a 4-byte big-endian length and a zlib stream each.
    Raises one of BROKEN."""
    found, at = [], 0
    while at < len(database):
        stream = zlib.decompressobj()
        record = stream.decompress(database[at + 4:])
        if not stream.eof:
            raise EOFError("it ends within a record")
        found.append("\n".join(strings(record)))
        at = len(database) - len(stream.unused_data)
    return found


def strings(record: bytes) -> list[str]:
    """An R character vector in serialisation version 3 (XDR, big-endian), as R Internals 1.8 describes it."""
    encoding = struct.unpack_from(">i", record, 14)[0]
    at = 18 + encoding
    kind, count = struct.unpack_from(">ii", record, at)
    if record[:2] != b"X\n" or kind & 0xFF != 16:
        raise ValueError("Rdata.rdb does not hold character vectors in XDR form: use the package version that the "
                         "card names")
    at, lines = at + 8, []
    for _ in range(count):
        size = struct.unpack_from(">i", record, at + 4)[0]
        if not 0 <= size <= len(record) - at - 8:
            raise EOFError("a string ends beyond its record")
        lines.append(record[at + 8:at + 8 + size].decode("utf-8"))
        at += 8 + size
    return lines


CORPORA = {"austen": austen, "wikipedia_leads": wikipedia_leads}


def build(corpus: str, source: Path, out: Path = FILES) -> dict[str, dict]:
    """Write the corpus's files to `out`; for each its size and sha256, packed and unpacked."""
    return written(CORPORA[corpus](source), out)


def written(files: dict[str, bytes], out: Path) -> dict[str, dict]:
    """Each file whole, or as it was before."""
    out.mkdir(parents=True, exist_ok=True)
    report = {}
    for name, content in files.items():
        packed = lzma.compress(content, check=lzma.CHECK_CRC64, preset=9 | lzma.PRESET_EXTREME)
        with replacing(out / name) as beside:
            beside.write_bytes(packed)
        report[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(),
                        "packed_bytes": len(packed), "packed_sha256": hashlib.sha256(packed).hexdigest()}
    return report


def arguments(program: str) -> Parser:
    """The words that both builders take."""
    parser = Parser(prog=f"python -m {program}", description="Rebuild embedded text from its unpacked source.")
    parser.add_argument("--source", type=Path, required=True, help="folder of what was unpacked")
    parser.add_argument("--out", type=Path, default=FILES, help="where to write (default: the embedded files)")
    return parser


def main(words: Sequence[str] | None = None) -> int:
    return guarded(PROGRAM, lambda: _work(words), own=words is None)


def _work(words: Sequence[str] | None) -> int:
    parser = arguments(PROGRAM)
    parser.add_argument("corpus", choices=sorted(CORPORA))
    options = parser.parse_args(words)
    working()
    print(json.dumps(build(options.corpus, options.source, options.out)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
