"""What a run that has nothing left to do answers, without loading a network library for it.

RUN/finished.json keeps the answer beside a digest of all that led to it: the options, the versions of Python and its libraries, the text of every source of ours and of
every source and JSON file beside the study, the state (size, time of change) of the networks and corpora that the study reads and of every file of the run. Where
anything differs, or the stamp is damaged, the run takes its ordinary way, which asks every record and every array.
"""

import hashlib
import json
import os
import platform
from argparse import Namespace
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.spec import ROOMS, ROOT, to_json

STAMP = "finished.json"
LIBRARIES = ("torch", "numpy", "safetensors")
DATA = ROOT / "harness" / "data" / "files"


def plain(options: Namespace) -> bool:
    """Whether the options ask for records alone, of our own plug-ins."""
    return not (options.plugins or options.claims or options.report or options.shard)


def answer(options: Namespace) -> dict | None:
    """What the run said, if it is finished and nothing has changed since."""
    folder = options.out or Path("runs") / Path(options.study).stem
    try:
        stamp = json.loads((folder / STAMP).read_text(encoding="utf-8"))
        return stamp["answer"] if plain(options) and stamp["digest"] == digest(inputs(options, stamp["reads"]), folder) else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def reads(study) -> list[str]:
    """The files that the settings of a study name, and those in the folder of a model that they name."""
    settings = (to_json(thing) for thing in (*study.nets.values(), study.data, *study.metrics))
    named = {text for data in settings for text in texts(data) if text}
    return sorted({*filter(os.path.isfile, named), *(path for text in named if os.path.isfile(os.path.join(text, "config.json")) for path, _ in states(text))})


def keep(options: Namespace, folder: Path, study, begun: list, document: dict) -> None:
    """Write the stamp, if the same command would find nothing to do. `begun`: the inputs as they were before the run, which may change while it lasts.

    A folder that cannot take the stamp goes without.
    """
    tally = {k: v for k, v in document.items() if k != "run"}
    if not plain(options) or any(v for k, v in tally.items() if k not in ("cached", "stale", "done", "timed", "scored")):
        return
    answer = {"run": str(folder)} | dict.fromkeys(tally, 0) | {"cached": tally["cached"] + tally["done"]}
    try:
        (folder / STAMP).write_text(json.dumps({"answer": answer, "reads": reads(study), "digest": digest(begun, folder)}), encoding="utf-8")
    except OSError:
        pass


def texts(data: Any) -> Iterator[str]:
    """Every text in plain JSON data."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, (dict, list)):
        for inner in data.values() if isinstance(data, dict) else data:
            yield from texts(inner)


def inputs(options: Namespace, named: list[str]) -> list:
    """All that a run is made from: options, versions, sources, data, and the files that its study names. Raises OSError if one is gone."""
    study = Path(options.study).resolve()
    sources = {*(p for room in (*ROOMS, "studies") for p in (ROOT / room).rglob("*.py")), *study.parent.glob("*.py"), *study.parent.glob("*.json"), study}
    return [{k: str(v) for k, v in vars(options).items()}, platform.node(), platform.python_version(), [version(name) for name in LIBRARIES],
            sorted((str(p), hashlib.sha256(p.read_bytes()).hexdigest()) for p in sources), sorted(states(str(DATA))), [(path, state(os.stat(path))) for path in named]]


def digest(made_from: list, folder: Path) -> str:
    return hashlib.sha256(json.dumps([made_from, sorted(states(str(folder)))]).encode()).hexdigest()


def state(file: os.stat_result) -> tuple[int, int]:
    return file.st_size, file.st_mtime_ns


def states(folder: str) -> Iterator[tuple[str, tuple[int, int]]]:
    for entry in os.scandir(folder):
        if entry.is_dir():
            yield from states(entry.path)
        elif entry.name != STAMP:
            yield entry.path, state(entry.stat())
