"""The texts of documents, from files or from a data set of `datasets`, one by one."""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

SUFFIXES = (".txt", ".txt.gz", ".jsonl", ".jsonl.gz", ".parquet")
INSTALL = "`pip install ssmd-bench[judges]`"


def local(files: Iterable[Path], column: str, each: str) -> Iterator[str]:
    """The documents of files. Raises ValueError for one that cannot be read."""
    for path in files:
        try:
            if path.name.endswith(".parquet"):
                yield from _parquet(path, column)
                continue
            if not path.name.endswith(SUFFIXES):
                raise ValueError(f"it is none of {', '.join(SUFFIXES)}")
            with (
                gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file
            ):
                if ".jsonl" in path.name:
                    for number, line in enumerate(file, 1):
                        if line.strip():
                            yield _of_line(line, column, number)
                elif each == "file":
                    yield file.read()
                else:
                    yield from (line.rstrip("\n") for line in file)
        except (OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
            raise ValueError(f"{path} cannot be read as text "
                             f"({next(iter(str(error).splitlines()), type(error).__name__)}): copy it again, or name "
                             "another") from None


def _of_line(line: str, column: str, number: int) -> str:
    try:
        return _text(json.loads(line), column)
    except RecursionError:
        raise ValueError(f"line {number} is nested too deep to be a document") from None
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from None


def _text(record: Any, column: str) -> str:
    if not isinstance(record, dict) or not isinstance(record.get(column), str):
        raise ValueError(f"it has no column {column!r} of texts; choose it with `column`")
    try:
        record[column].encode()
    except UnicodeEncodeError:
        raise ValueError(
            f"a text begins {record[column][:20]!r} and holds half a character, a lone surrogate"
        ) from None
    return record[column]


def _parquet(path: Path, column: str) -> Iterator[str]:
    try:
        from datasets import Dataset
    except ImportError:
        raise ValueError(f"parquet needs the package datasets, which is not installed: {INSTALL}") from None
    try:
        found = Dataset.from_parquet(str(path), keep_in_memory=True)
    except Exception as error:    # of pyarrow and of datasets, which share no class
        raise ValueError(str(error) or type(error).__name__) from None
    yield from (_text(record, column) for record in found)


def named(name: str, config: str, column: str) -> Iterator[str]:
    try:
        from datasets import load_dataset
    except ImportError:
        raise ValueError(f"there is no file {name!r}, and a data set by name needs the package datasets, which is not "
                         f"installed: {INSTALL}") from None
    try:
        found = load_dataset(name, config or None, split="train")
    except Exception as error:    # of the network, the hub and the data set's own format, which share no class
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ValueError(f"there is no file {name!r}, and no data set of that name can be fetched or is kept here "
                         f"({reason}): correct the path or the name") from None
    yield from (_text(record, column) for record in found)
