"""Rebuild the subword corpus `prose` from the unpacked packages that its card names; same sources, same bytes.

    python -m harness.data.build.prose --source PATH     a folder that holds summaries_en-us.json, Rdata.rdb,
                                                         glosses.txt.gz and ot.czs + ot.czz

Needs the package tokenizers. The last line of stdout is JSON: sizes and sha256.
"""

import gzip
import html
import json
import re
import struct
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.boundary.ending import guarded, working
from harness.data.build.corpora import arguments, books, extracts, find, pieces_of, shuffled, unpacked, written
from harness.data.prose import VOCAB
from harness.data.text import SPLITS

PROGRAM = "harness.data.build.prose"
SIZE = 5000    # characters of a piece, at least


def articles(source: Path) -> list[str]:
    """Wikipedia's lead paragraphs, one document an article."""
    return [plain(text) for _, text in extracts(source)]


def novels(source: Path) -> list[str]:
    """Austen, in pieces; an editor's note of our days is left out."""
    found = unpacked(find(source, "Rdata.rdb"), books)
    return [piece for book in found for piece in cut(plain(book.split("A NOTE ON THE TEXT")[0]))]


def definitions(source: Path) -> list[str]:
    """WordNet, a line a word; a definition that several words share stands with the first of them. The order is
    shuffled: it is alphabetical.
    """
    seen, lines = set(), []
    for line in unpacked(find(source, "glosses.txt.gz"), lambda packed: gzip.decompress(packed).decode()).splitlines():
        word, _, glosses = line.partition("\t")
        new = [gloss for gloss in glosses.split(" | ") if gloss not in seen]
        seen.update(new)
        if new:
            lines.append(plain(f"{word}: {'; '.join(new)}."))
    return cut(" ".join(shuffled(lines)))


def commentary(source: Path) -> list[str]:
    """The Treasury of David: zlib blocks, one a psalm, where an index of 12-byte records (offset, packed size, size)
    finds them; OSIS marks are dropped.
    """
    index = unpacked(find(source, "ot.czs"), lambda content: list(struct.iter_unpack("<III", content)))
    blocks = unpacked(find(source, "ot.czz"), lambda packed: [zlib.decompress(packed[at:at + size]).decode() for at,
                                                              size, _ in index if size])
    return [piece for block in blocks for piece in cut(plain(html.unescape(re.sub("<[^>]*>", " ", block))))]


def plain(text: str) -> str:
    """Single spaces for every run of white space."""
    return re.sub(r"\s+", " ", text).strip()


def cut(text: str) -> list[str]:
    return [piece.decode() for piece in pieces_of(text.encode(), SIZE)]


def prose(source: Path) -> dict[str, bytes]:
    """Token ids of all documents, shuffled once, a line end behind each; the tokenizer is trained on the documents of
    the training split alone.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    documents = [text + "\n" for text in shuffled([text for part in (articles, novels, definitions, commentary)
                                                   for text in part(source) if text])]
    before = np.cumsum([len(text) for text in documents])
    train = documents[: int(np.searchsorted(before, before[-1] * SPLITS[0][1] / 1000))]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    tokenizer.train_from_iterator(train, trainers.BpeTrainer(vocab_size=VOCAB,
                                                             initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                                             show_progress=False))
    ids = np.concatenate([np.array(found.ids, "<u2") for found in tokenizer.encode_batch(documents)])
    return {"prose.ids.xz": ids.tobytes(), "prose.tokenizer.json.xz": tokenizer.to_str().encode()}


def main(words: Sequence[str] | None = None) -> int:
    return guarded(PROGRAM, lambda: _work(words), own=words is None)


def _work(words: Sequence[str] | None) -> int:
    options = arguments(PROGRAM).parse_args(words)
    working()
    print(json.dumps(written(prose(options.source), options.out)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
