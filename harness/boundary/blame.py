"""Where an error comes from, and what a user is told of it: (sentence, exit code).

A ValueError that our own code raises is a sentence with its remedy. Any other error is laid to the innermost frame that
is no library's: in a user's file (a study, a recipe, a plug-in) it is the user's, with file and line, exit code 2; in
ours it is an error that nobody foresaw, exit code 70. The traceback of such an error is kept in a file, with versions
and command and without secrets.
"""

import dis
import os
import platform
import re
import sys
import sysconfig
import tempfile
import time
import traceback
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from harness.boundary.addresses import command

ROOT = Path(__file__).resolve().parents[2]
OURS = tuple(os.path.join(ROOT, room, "") for room in ("harness", "baselines", "ssmd", "reports"))
LIBRARIES = tuple({os.path.join(os.path.realpath(sysconfig.get_path(name)), "")
                   for name in ("stdlib", "platstdlib", "purelib", "platlib")})
PACKAGES = ("ssmd-bench", "torch", "numpy", "safetensors", "msgspec", "joblib", "optuna", "pandas", "matplotlib")
UNFORESEEN = 70    # EX_SOFTWARE of sysexits.h
LONGEST = 300      # characters of a foreign message
SECRETS = re.compile(
    r"(?i)(?<=://)[^/\s'\"]*@|((?:password|passwd|pwd|secret|token|api_?key|credentials?)['\"]?\s*[=:]\s*|"
    r"--?(?:password|token|secret)\s+)['\"]?[^\s&'\",;)]+"
)


class Place(NamedTuple):
    path: str
    line: int
    raised: bool    # by a `raise` there, and not by what it calls

    def __str__(self) -> str:
        return (f"{os.path.relpath(self.path) if self.path.startswith(os.getcwd() + os.sep) else self.path}, line "
                f"{self.line}")


def told(error: BaseException) -> tuple[str, int]:
    """What to say of an error that ends a command, and its exit code."""
    places = list(_places(error))
    message, last = " ".join(str(error).split()), places[-1] if places else None
    if isinstance(error, ValueError) and message and (_remote(error) or (last and last.raised
                                                                         and not _of_library(last))):
        return message + (f" ({last})" if last and not _remote(error) and _of_user(last) else ""), 2
    if isinstance(error, OSError) and error.strerror:
        return (f"{error.filename or 'a file'} cannot be used ({error.strerror}): correct the path, its rights or the "
                "room on its disk"), 2
    if isinstance(error, RuntimeError) and message.startswith("Symlink loop from "):  # Path.resolve, before Python 3.13
        return (f"{message.removeprefix('Symlink loop from ')} is a link that leads to itself: give another path, or "
                "remove the link"), 2
    if isinstance(error, MemoryError) or "can't allocate memory" in message or "out of memory" in message:
        return (f"there is not enough memory ({message[:LONGEST] or type(error).__name__}): lower --batch or --n, or "
                "end other programs"), 2
    place = next((place for place in reversed(places) if not _of_library(place)), None)
    if isinstance(error, ModuleNotFoundError) and error.name and not (place and _of_user(place)):
        return (f"the package {error.name} is needed and not installed: install it (pip install "
                f"{error.name.split('.')[0]}), and give the same command again"), 2
    what = described(error)
    if place and _of_user(place):
        return f"{place}: {what}: correct that file{_kept(error)}", 2
    return (f"an error that nobody foresaw ({what}){_kept(error)}: please report it with that file; what was stored is "
            "safe"), UNFORESEEN


def described(error: BaseException) -> str:
    """Type and message in a line."""
    if isinstance(error, SystemExit):
        return "it calls sys.exit()"
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message[:LONGEST]}" if message else f"{type(error).__name__}, without a message"


def of_file(error: BaseException, fault: str) -> str:
    """The sentence for an error in a user's file that we read: ours with the line that met it, or the fault with what
    was raised where.
    """
    places = list(_places(error))
    place = next((f"{place}" for place in reversed(places) if _of_user(place)), "")
    if (
        isinstance(error, ValueError)
        and str(error).strip()
        and places
        and places[-1].raised
        and not _of_library(places[-1])
    ):
        return f"{' '.join(str(error).split())}{f' ({place})' if place else ''}"
    remedy = "install it, or put its folder on PYTHONPATH" if isinstance(error, ModuleNotFoundError) else "correct it"
    return f"{fault}: {place}{': ' if place else ''}{described(error)}: {remedy}"


def without_secrets(text: str) -> str:
    return SECRETS.sub(lambda found: f"{found[1] or ''}***{'' if found[1] else '@'}", text)


def _places(error: BaseException) -> Iterator[Place]:
    """From the outermost frame to the innermost; of a file that could not be compiled, the line of that file."""
    frame: TracebackType | None = error.__traceback__
    while frame:
        code = frame.tb_frame.f_code
        raised = frame.tb_lasti >= 0 and dis.opname[code.co_code[frame.tb_lasti]] == "RAISE_VARARGS"
        yield Place(os.path.realpath(code.co_filename) if os.path.isfile(code.co_filename) else code.co_filename,
                    frame.tb_lineno or 0, raised)
        frame = frame.tb_next
    if isinstance(error, SyntaxError) and error.filename and os.path.isfile(error.filename):
        yield Place(os.path.realpath(error.filename), error.lineno or 0, False)


def _of_user(place: Place) -> bool:
    return not place.path.startswith(OURS) and not _of_library(place)


def _of_library(place: Place) -> bool:
    """Not ours, and not a file that the user named: of a plug-in that is installed, its file is the user's."""
    if place.path.startswith(OURS):
        return False
    plugins = sys.modules.get("harness.plugins")
    tops = [getattr(sys.modules.get(name.split(".")[0]), "__file__", None)
            for name in (plugins.packages() if plugins else ())]
    if any(file and place.path.startswith(os.path.realpath(file).removesuffix("__init__.py")) for file in tops):
        return False
    return (
        not os.path.isfile(place.path)
        or place.path.startswith(LIBRARIES)
        and not place.path.startswith(os.path.join(ROOT, "studies", ""))
    )


def _remote(error: BaseException) -> bool:
    """Raised in a worker, whose frames are text here."""
    return type(error.__cause__).__name__ == "_RemoteTraceback"


def _kept(error: BaseException) -> str:
    """Where the traceback lies now, in words."""
    name = f"ssmd-bench-error-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{os.getpid()}.txt"
    for folder in (os.getcwd(), tempfile.gettempdir()):
        path = os.path.join(folder, name)
        try:
            with open(path, "x", encoding="utf-8", errors="backslashreplace") as file:
                file.write(without_secrets(_report(error)))
            return f"; the traceback is in {path}"
        except OSError:
            continue
    return "; its traceback could not be written anywhere"


def _report(error: BaseException) -> str:
    versions = []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            versions.append(f"{name} absent")
    return "\n".join((f"time      {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}",
                      f"command   {command(sys.argv)}",
                      f"python    {platform.python_version()} on {platform.platform()}",
                      f"packages  {', '.join(versions)}", "",
                      "".join(traceback.format_exception(error))))
