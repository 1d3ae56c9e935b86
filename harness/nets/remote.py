"""Code that comes with the files of a model. It runs where a study says so alone, as Hub(..., code=True), and then from
one commit: of a model by its name that is its `revision`, of a folder what lies in it. The sha256 of every .py file is
in the network's hash.

    Hub("GSAI-ML/LLaDA-8B-Base", code=True, revision="<40 hexadecimal digits>")
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.boundary.incoming import read

FILES = ("*.py",)
COMMIT = re.compile("[0-9a-f]{40}")
REFUSED = ("brings code of its own, and no code of a model is run: read it, then give code=True, with a commit as "
           "revision=... where the model is not a folder, or give its function to `Own` (docs/bring_your_own.md)")


def pinned(model: str, revision: str) -> None:
    """Raises ValueError where the code could be another one tomorrow."""
    if not Path(model).expanduser().is_dir() and not COMMIT.fullmatch(revision):
        raise ValueError(f"code=True runs the code of {model}, and revision={revision!r} is no commit: give the 40 "
                         "digits of the commit whose code you have read")


def inside(folder: Path, model: str, again: str) -> None:
    """Raises ValueError where a file of the folder names code that stands elsewhere, which no hash would hold."""
    for name in ("config.json", "tokenizer_config.json"):
        path = folder / name
        about = read(path, dict[str, Any], again).get("auto_map") if path.is_file() else None
        if there := next((text for text in _texts(about) if "--" in text), ""):
            raise ValueError(f"{name} of {model} takes its code from {there.partition('--')[0]}, which no commit pins: "
                             f"copy that code beside it, and write {there.partition('--')[2]} in its auto_map")


def digests(folder: Path) -> dict[str, str]:
    """sha256 of each .py file, by its path in the folder."""
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for pattern in FILES for path in sorted(folder.rglob(pattern)) if path.is_file()}


def _texts(thing: Any) -> Iterator[str]:
    if isinstance(thing, str):
        yield thing
    for part in thing.values() if isinstance(thing, dict) else thing if isinstance(thing, list) else ():
        yield from _texts(part)
