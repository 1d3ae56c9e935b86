"""The One Billion Word benchmark (Chelba et al., arXiv 1312.3005) from files of the user's, or by `datasets` name, as
tokens of a tokenizer file.

It is not shipped. A line of a .txt file, a sentence, is one document; .jsonl and .parquet hold one in each line or row,
in `column`. The papers fill sentences up to L = 128 with padding, which is `wrapped=False` here, and some lay them end
to end: perplexities of the two are not comparable, nor are those of unlike tokenizers.

    Lm1b(path="lm1b/", tokenizer="gpt2/tokenizer.json").rows("test", n=8, seed=0)          # (8, 128)
"""

from dataclasses import dataclass
from typing import ClassVar

from harness.data.documents import Documents
from harness.param import Range, param


@dataclass(frozen=True)
class Lm1b(Documents):
    """The One Billion Word benchmark (Chelba et al., arXiv 1312.3005) in tokens of a tokenizer file. A row (L,) is a
    sentence, filled up with end-of-text tokens, unless `wrapped`. Raises ValueError for files that cannot be used.
    """

    name: ClassVar[str] = "lm1b"
    version: ClassVar[int] = 1
    each: ClassVar[str] = "line"

    length: int = param(128, Range(1, 65536), "tokens a row")
    wrapped: bool = param(False, note="blocks of documents end to end, or a document a row")
