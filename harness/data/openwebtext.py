"""OpenWebText (Gokaslan and Cohen, 2019) from files of the user's, or by `datasets` name, as tokens of GPT-2's tokenizer or another.

It is not shipped. A .txt file is one document; .jsonl and .parquet hold one in each line or row, in `column`. The papers' test documents are the last 100,000 of 8,013,769; here
validation and test are 1 % each at the end, judge the 10 % before (harness/data/documents.py).

    OpenWebText(path="owt/", tokenizer="gpt2/tokenizer.json").rows("test", n=8, seed=0)          # (8, 1024)
"""

from dataclasses import dataclass
from typing import ClassVar

from harness.data.documents import Documents
from harness.param import Range, check, param


@dataclass(frozen=True)
class OpenWebText(Documents):
    name: ClassVar[str] = "openwebtext"
    version: ClassVar[int] = 1
    splits: ClassVar[tuple[tuple[str, int], ...]] = (("train", 880), ("judge", 100), ("validation", 10), ("test", 10))
    each: ClassVar[str] = "file"

    path: str = param(note="file, folder, or name of a data set of `datasets`")
    tokenizer: str = param(note="tokenizer.json, or a folder with vocab.json and merges.txt")
    length: int = param(1024, Range(1, 65536), "tokens a row")
    wrapped: bool = param(True, note="blocks of documents end to end, or a document a row")
    column: str = param("text", note="of .jsonl and .parquet")
    config: str = param("", note="of a data set of `datasets`")
    most: int = param(0, Range(0, 2**40), "documents that are read; 0: all")
    end: str = param("<|endoftext|>", note="token behind a document")

    def __post_init__(self) -> None:
        check(self)
