"""Where a study lies: a Python file, or a folder with a study.py.

A study that was one file may be a folder of that name since. A run that was recorded before still finds it; who names
the old file is told the new place.
"""

from os.path import isfile  # which a path that no system takes is not, without an error
from pathlib import Path

from harness.boundary.nearest import meant
from harness.spec import ROOT

FILE = "study.py"    # of a folder


def is_study(word: str) -> bool:
    """Whether a word names a study, by what it is called or by what lies there."""
    return word.endswith(".py") or isfile(Path(word) / FILE)


def own() -> list[Path]:
    """The files of the studies that ship."""
    return sorted((ROOT / "studies").glob(f"*/{FILE}"))


def by_name(word: str) -> str:
    """The path of a study: what lies there, or the study of that name that ships."""
    path = f"studies/{word}"
    if Path(word).exists() or not word.isidentifier() or not isfile(ROOT / path / FILE):
        return word
    return path if isfile(Path(path) / FILE) else str(ROOT / path)


def file_of(path: str) -> Path:
    """The file of a study. Raises ValueError, in a sentence, if none is there."""
    file = Path(path)
    if file.is_dir() and not (file / FILE).is_file():
        raise ValueError(f"{path} is a folder without {FILE}: give the folder of a study, or its file")
    if file.is_dir():
        return file / FILE
    if not file.is_file() and (folder := _folder(file)):
        raise ValueError(f"{path} has moved: give {folder}")
    if not file.is_file() and Path(f"{path}.py").is_file():
        raise ValueError(f"there is no study {path}: its file is {path}.py, so give that")
    if not file.is_file():
        known = [file.parent.name for file in own()]
        raise ValueError(f"there is no study file {path}{meant(Path(path).stem, known) or ';'} `ssmd-bench list "
                         "studies` has those that ship, and `ssmd-bench new study NAME` writes one")
    return file


def name_of(path: str | Path) -> str:
    """What a study is called after: its folder, or its file."""
    path = Path(path).resolve()
    return path.parent.name if path.name == FILE else path.name if path.is_dir() else path.stem


def within(root: Path, path: str) -> Path | None:
    """The file of a study in a tree of another age, by its path in this one: a folder may be the file that it was
    before, and the other way round.
    """
    file = Path(path)
    folder = file.parent if file.name == FILE else Path(path.removesuffix(".py"))
    known = (file, file / FILE, folder / FILE, Path(f"{folder}.py"))
    return next((each for each in known if isfile(root / each)), None)


def named_in(command: str) -> Path | None:
    """The study that a recorded command names, where it lies now; None if it is not here."""
    for word in command.split():
        for root in (Path(), ROOT):
            if is_study(str(root / word)) and (file := within(root, word)):
                return root / (file.parent if file.name == FILE else file)
    words = command.split()
    named = [by_name(word) for verb, word in zip(words, words[1:]) if verb in ("run", "sweep")][:1]
    return next((Path(path) for path in named if path not in words), None)


def as_now(command: str) -> str:
    """A recorded command, with the study where it lies now."""
    return " ".join(map(_now, command.split(" ")))


def _now(word: str) -> str:
    places = [root / word for root in (Path(), ROOT)]
    return word.removesuffix(".py") if not any(map(isfile, places)) and any(map(_folder, places)) else word


def _folder(file: Path) -> Path | None:
    """The folder that took the place of a file."""
    folder = Path(str(file).removesuffix(".py"))
    return folder if file.suffix == ".py" and isfile(folder / FILE) else None
