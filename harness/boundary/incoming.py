"""The boundary for every file that comes in: bytes become values of a declared type, or one sentence with file, line,
field and remedy.

    class Card(msgspec.Struct): tokens: Count            # types and limits: msgspec's; Count, Number and Name are below
    decode(path.read_bytes(), Card, f"{path}", "train the checkpoint again")
    decode(line, Card, f"{path} line {number}", ...)
        # ValueError: PATH line 17: the field `tokens` is missing: train the checkpoint again

JSON is refused that no reader of ours could use: nested deeper than DEPTH, NaN, half a character (a lone surrogate),
numbers beyond float64 or whole ones of more than DIGITS digits. A reader that goes on after a fault, as the store does
with a line, takes `parsed` and `fitted` and catches Wrong.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints, overload

import msgspec
from msgspec import Meta

DEPTH = 100  # brackets within brackets; what we write has ten at most, and Python's own readers fail near a thousand
DIGITS = 30              # of a whole number; counts of FLOPs have twenty
LARGEST = 2**28          # bytes of a file that is read in one piece

Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Size = Annotated[int, Meta(ge=1, le=2**40)]                    # of rows, tokens, a batch: never nothing
Number = Annotated[float, Meta(ge=-1e100, le=1e100)]           # sums and squares of it are numbers too
Amount = Annotated[float, Meta(ge=0, le=1e100)]
NAME = r"^[0-9A-Za-z_][0-9A-Za-z_.-]*\Z"
Name = Annotated[str, Meta(pattern=NAME, max_length=128)]    # it stands in a path, and leads nowhere else

T = TypeVar("T")


class Wrong(ValueError):
    """What is wrong with bytes or with a value, in words that follow the place."""


def decode(data: bytes, kind: type[T], where: str, remedy: str) -> T:
    """The value that JSON bytes hold. Raises ValueError: `where`, what is wrong, `remedy`."""
    try:
        return fitted(parsed(data), kind)
    except Wrong as error:
        raise ValueError(f"{where}: {error}: {remedy}") from None


def read(path: Path, kind: type[T], remedy: str) -> T:
    """The same of a file, which may be absent."""
    return decode(_content(path, remedy), kind, str(path), remedy)


def read_plain(path: Path, remedy: str) -> Any:
    """Plain data of a JSON file, whose reader keeps more than any type declares."""
    return decode(_content(path, remedy), Any, str(path), remedy)


def read_text(path: Path, remedy: str) -> str:
    """The text of a UTF-8 file, its ends of line as they are."""
    try:
        return _content(path, remedy).decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text (byte {error.start}): {remedy}") from None


def _content(path: Path, remedy: str) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror or error}): {remedy}") from None
    if len(data) > LARGEST:
        raise ValueError(f"{path} is larger than {LARGEST >> 20} MiB, which no such file is: {remedy}")
    return data


def parsed(data: bytes) -> Any:
    """Plain data of JSON bytes. Raises Wrong."""
    try:
        value = _parse(data)
    except RecursionError:
        raise Wrong(f"it is nested deeper than {DEPTH} levels") from None
    except msgspec.ValidationError:    # all that plain data can break is the range of its numbers
        raise Wrong("it holds a number that no float64 can hold") from None
    except msgspec.DecodeError as error:
        half = rb"\ud" in data.lower()
        raise Wrong(f"it is not valid JSON ({'half a character, a lone surrogate' if half else error})") from None
    if data.count(b"[") + data.count(b"{") > DEPTH and sum(1 for _ in zip(range(DEPTH + 1), _layers(value))) > DEPTH:
        raise Wrong(f"it is nested deeper than {DEPTH} levels")
    if data.translate(_DIGITS).find(_LONG) >= 0 and any(type(v) is int and abs(v) >= 10**DIGITS
                                                        for layer in _layers(value) for v in layer):
        raise Wrong(f"it holds a whole number of more than {DIGITS} digits")
    return value


@overload
def fitted(value: Any, kind: type[T]) -> T: ...
@overload
def fitted(value: Any, kind: UnionType) -> Any: ...
def fitted(value: Any, kind: Any) -> Any:
    """Plain data as a value of the type. Raises Wrong with the field."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise Wrong(_said(str(error), kind)) from None


def is_name(text: str) -> bool:
    """Whether it may be a Name."""
    return len(text) <= 128 and bool(re.match(NAME, text))


def refuse_unknown(value: Any, known: Iterable[str]) -> None:
    """Raises Wrong if plain data has a field that is none of these."""
    if unknown := sorted(set(value) - set(known)):
        raise Wrong(f"there is no field `{unknown[0]}`; the fields are {', '.join(known)}")


_parse = msgspec.json.Decoder().decode
_DIGITS = bytes(48 if chr(byte).isdecimal() and byte < 128 else 32 for byte in range(256))    # every digit becomes 0
_LONG = b"0" * (DIGITS + 1)


def _layers(value: Any) -> Iterator[list]:
    """The value, what it holds, what that holds, and so on."""
    layer = [value]
    while layer:
        yield layer
        layer = [inner for outer in layer if isinstance(outer, (dict, list))
                 for inner in (outer.values() if isinstance(outer, dict) else outer)]


@lru_cache
def _said(error: str, kind: Any) -> str:
    """msgspec's message in our words, the field first, with the choices where there are some."""
    text, _, place = error.partition(" - at `")
    path = place.removesuffix("`").removeprefix("key` in `").removeprefix("$").removeprefix(".")
    for begins, says in (("Object missing required field `", "the field `{}` is missing"),
                         ("Object contains unknown field `", "there is no field `{}`")):
        if text.startswith(begins):
            name = text.removeprefix(begins).removesuffix("`")
            known = (
                f"; there are {', '.join(kind.__struct_fields__)}"
                if "no field" in says and not path and hasattr(kind, "__struct_fields__")
                else ""
            )
            return says.format(f"{path}.{name}" if path else name) + known
    if text.startswith(("Expected ", "Invalid ")):
        text = text[:1].lower() + text[1:].replace("`", "").replace("enum value", "value")
        choices = _choices(kind, path)
        return (
            f"the field `{path}` is wrong ({text}{'; choose ' if choices else ''}{' | '.join(choices)})"
            if path
            else text
        )
    # else said by a type of ours
    return text.replace("Number out of range", "it holds a number that no float64 can hold")


def _choices(kind: Any, path: str) -> list[str]:
    """The words that a field of a Struct may be, if it is one of words."""
    hint = get_type_hints(kind).get(path) if hasattr(kind, "__struct_fields__") else None
    return [str(word) for part in (hint, *get_args(hint)) for word in get_args(part) if get_origin(part) is Literal]
