"""OpenWebText (Gokaslan and Cohen, 2019) from files of the user's, or by `datasets` name, as tokens of GPT-2's
tokenizer or another.

It is not shipped. A .txt file is one document; .jsonl and .parquet hold one in each line or row, in `column`. The
papers' test documents are the last 100,000 of 8,013,769; here validation and test are 1 % each at the end, judge the 10
% before (harness/data/documents.py).

    OpenWebText(path="owt/", tokenizer="gpt2/tokenizer.json").rows("test", n=8, seed=0)          # (8, 1024)
"""

from dataclasses import dataclass
from typing import ClassVar

from harness.data.documents import Documents


@dataclass(frozen=True)
class OpenWebText(Documents):
    """OpenWebText in tokens of a tokenizer file. A row (L,) is a block of documents end to end, each with an
    end-of-text token behind it, unless wrapped=False. Raises ValueError for files that cannot be used.
    """

    name: ClassVar[str] = "openwebtext"
    version: ClassVar[int] = 1
    each: ClassVar[str] = "file"
