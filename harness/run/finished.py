"""What a run that has nothing left to do answers, without loading a network library for it.

RUN/finished.json keeps the answer beside a digest of all that led to it: the options, the versions of Python and its
libraries, the environment and the working folder, the text of every source of ours, of every first-party module that
was loaded, here or where its cells were sampled (harness/records/sources.py), and of every source and JSON file beside
the study, the state (size, time of change) of the networks and corpora that the study reads and of every file of the
run. Where anything differs, or the stamp is damaged, the run takes its ordinary way, which asks every record and every
array.
"""

import hashlib
import json
import os
import platform
import sys
import time
from argparse import Namespace
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct

from harness.boundary import incoming
from harness.boundary.atomic import write_text
from harness.records import sources, study_path
from harness.spec import ROOMS, ROOT, canonical, to_json

STAMP = "finished.json"
LIBRARIES = ("torch", "numpy", "safetensors")
DATA = ROOT / "harness" / "data" / "files"
# variables that change from command to command by themselves
FLEETING = {"_", "SHLVL", "PWD", "OLDPWD", "COLUMNS", "LINES", "PYTEST_CURRENT_TEST", "TORCHINDUCTOR_CACHE_DIR"}


class Stamp(Struct):
    """What RUN/finished.json holds."""

    answer: dict[str, Any]
    reads: list[str]
    modules: list[str]
    digest: str


class Begun(NamedTuple):
    time_ns: int
    reads: list[str]            # files that the study names
    modules: set[Path]          # first-party ones that are loaded
    made_from: dict[str, Any]


def plain(options: Namespace) -> bool:
    """Whether the options ask for records alone, of our own plug-ins."""
    return not (options.plugins or options.claims or options.report or options.shard)


def answer(options: Namespace) -> dict | None:
    """What the run said, if it is finished and nothing has changed since."""
    folder = options.out or Path("runs") / study_path.name_of(options.study)
    try:
        stamp = incoming.read(folder / STAMP, Stamp, "it is written again")
        return (
            stamp.answer
            if plain(options) and stamp.digest == digest(inputs(options, stamp.reads, map(Path, stamp.modules)), folder)
            else None
        )
    except (OSError, ValueError):
        return None


def reads(study) -> list[str]:
    """The files that the settings of a study name, and those in the folder of a model that they name."""
    settings = (to_json(thing) for thing in (*study.nets.values(), study.data, *study.metrics))
    named = {text for data in settings for text in texts(data) if text}
    return sorted({*filter(os.path.isfile, named),
                   *(path for text in named if os.path.isfile(os.path.join(text, "config.json")) for path,
                     _ in states(text))})


def begin(options: Namespace, study) -> Begun:
    """The inputs as they are before the run; they may change while it lasts."""
    named, modules = reads(study), sources.loaded()
    return Begun(time.time_ns(), named, modules, inputs(options, named, modules))


def keep(options: Namespace, folder: Path, study, begun: Begun, document: dict) -> None:
    """Write the stamp, if the same command would find nothing to do. A folder that cannot take it goes without.

    No stamp is written if a module that was imported in the course of the run has changed since the run began: what ran
    is not known.
    """
    tally = {k: v for k, v in document.items() if k != "run"}
    if not plain(options) or any(v for k, v in tally.items() if k not in ("cached", "proven", "refuted", "done",
                                                                          "timed", "scored")):
        return
    answer = {"run": str(folder)} | dict.fromkeys(tally, 0) | {"cached": tally["cached"] + tally["done"]}
    try:
        late = {path for path in sources.loaded() | used(folder) if str(path) not in begun.made_from["sources"]}
        if any(path.stat().st_mtime_ns > begun.time_ns for path in late):
            return
        made_from = begun.made_from | {"sources": begun.made_from["sources"] | texts_of(late)}
        stamp = {"answer": answer, "reads": begun.reads, "modules": sorted(map(str, begun.modules | late)),
                 "digest": digest(made_from, folder)}
        write_text(folder / STAMP, json.dumps(stamp))
    except OSError:
        pass


def used(folder: Path) -> set[Path]:
    """The files of the user's own modules that its cells were sampled by, wherever they ran."""
    from harness.records.store import Store

    named = {name for record in Store(folder).of("counted") for name in record["made"].get("modules", {})}
    return {path for name in named if (path := sources.found(name)) is not None and path.is_file()}


def texts(data: Any) -> Iterator[str]:
    """Every text in plain JSON data."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, (dict, list)):
        for inner in data.values() if isinstance(data, dict) else data:
            yield from texts(inner)


def inputs(options: Namespace, named: list[str], modules: Iterable[Path]) -> dict[str, Any]:
    """All that a run is made from: options, surroundings, versions, sources, data, and the files that its study names.
    Raises OSError if one is gone, and ValueError if the study is.
    """
    study = study_path.file_of(options.study).resolve()
    every = {*(p for room in (*ROOMS, "studies") for p in (ROOT / room).rglob("*.py")), *study.parent.glob("*.py"),
             *study.parent.glob("*.json"), study, *modules}
    return {"options": {k: str(v) for k, v in vars(options).items()},
            "environment": {k: v for k, v in os.environ.items() if k not in FLEETING},
            "machine": [os.getcwd(), sys.prefix, platform.node(), platform.python_version(), *map(version, LIBRARIES)],
            "sources": texts_of(every),
            "data": sorted(states(str(DATA))), "named": [(path, state(os.stat(path))) for path in named]}


def texts_of(files: Iterable[Path]) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def digest(made_from: dict[str, Any], folder: Path) -> str:
    return hashlib.sha256(canonical([made_from, sorted(states(str(folder)))]).encode()).hexdigest()


def state(file: os.stat_result) -> tuple[int, int]:
    return file.st_size, file.st_mtime_ns


def states(folder: str) -> Iterator[tuple[str, tuple[int, int]]]:
    for entry in os.scandir(folder):
        if entry.is_dir():
            yield from states(entry.path)
        elif entry.name != STAMP:
            yield entry.path, state(entry.stat())
