"""Arguments of a command: a parser that refuses in a sentence, and what an option may be.

A word that cannot be used is one sentence with its remedy, a ValueError. It loads no library, so that a run that is
finished answers at once.
"""

import argparse
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from harness.boundary.ending import Shown
from harness.boundary.fields import ROWS
from harness.boundary.nearest import meant

JOBS = 1024
TRIALS = 2**24       # places of a sweep (harness/search/worker.py)
MEASURE, READ, GUARD, MAKE, LOOK = GROUPS = ("measure samplers", "read what was measured", "guard results and speed",
                                             "make data and networks", "see what there is")


class Verb(NamedTuple):
    """A verb of the command line. A module `commands` of a package, ours or of --plugins, lists its own as VERBS."""

    name: str
    group: str                                           # one of GROUPS: what a user wants to do
    does: str                                            # in one line
    example: str                                         # a whole command
    options: Callable[["Parser"], None]                  # adds them to the parser of the verb
    # -> the JSON document and the exit code; loads what it needs
    work: Callable[[argparse.Namespace], tuple[dict, int]]


def no_options(parser: "Parser") -> None:
    """Of a verb that takes none."""


class Parser(argparse.ArgumentParser):
    """Refuses in a sentence, where argparse prints its usage and exits."""

    def error(self, message: str) -> NoReturn:
        if found := re.match(r"argument (?:--)?(\S+): invalid choice: '(.*)' \(choose from (.*)\)", message):
            name, word, known = found[1], found[2], re.findall(r"'([^']*)'", found[3])
            what = "verb" if name == "VERB" else f"--{name}" if f"--{name}" in self._option_string_actions else name
            message = f"there is no {what} {word!r}{meant(word, known) or '; choose ' + ', '.join(known)}"
        elif message.startswith("unrecognized arguments: "):
            word = next(iter(message.partition(": ")[2].split()), "")
            owners = [name for name, verb in self._verbs().items() if word in verb._option_string_actions]
            message = (f"{word} is an option of {', '.join(owners)}, and none here" if owners else
                       f"{word or 'an empty word'} is no option here{meant(word, self._options())}")
        elif message.startswith("the following arguments are required: "):
            message = (f"{self.prog.rpartition(' ')[2] if ' ' in self.prog else 'the command'} needs "
                       f"{message.partition(': ')[2]}")
        else:
            message = re.sub(r"^argument (\S+?)(/\S+)?: ", r"\1: ", message)
        raise ValueError(f"{message}{' ' if message.endswith('?') else '; '}`{self.prog} --help` lists what there is")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise Shown(status)

    def parse_args(self, args: Sequence[str] | None = None,    # type: ignore[override]  # of our namespaces alone
                   namespace: Any = None) -> argparse.Namespace:
        """The options, with the --plugins before and behind the verb in one list."""
        found = super().parse_args(args, namespace)
        if "further" in found:
            found.plugins = [*found.plugins, *vars(found).pop("further")]
        return found

    def _verbs(self) -> Mapping[str, "Parser"]:
        return next((action.choices for action in self._actions if isinstance(action, argparse._SubParsersAction)), {})

    def _options(self) -> set[str]:
        return {option for one in (self, *self._verbs().values()) for option in one._option_string_actions}


def whole(low: int = 1, high: int = 2**31) -> Callable[[str], int]:
    """An option that is a whole number, low..high."""
    def read(text: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,40}", text) or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text[:60]!r} must be a whole number of at least {low} and at most "
                                             f"{high}")
        return int(text)
    return read


def number(low: float, high: float, above: bool = False) -> Callable[[str], float]:
    """An option that is a number, low..high; `above`: more than low."""
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high or above and value == low:
            raise argparse.ArgumentTypeError(f"{text[:60]!r} must be a number {'above' if above else 'of at least'} "
                                             f"{low:g} and at most {high:g}")
        return value
    return read


def word(text: str) -> str:
    """An option that names something."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty: give a name, or leave it out")
    return text


def path(text: str) -> Path:
    """A file or folder; the empty text would be the folder that we stand in."""
    return Path(word(text))


def number_or_all(text: str) -> int | None:
    """How many rows; None for all."""
    return None if text == "all" else whole(1, ROWS)(text)
