"""param(default, Range | Choice): a dataclass field that also says where a sweep may look.

The settings are the object: the fields of a frozen dataclass are its parameters, its JSON, its key, its row in the
listing and, through this file, its search space. Values outside the range are refused when the object is made.
"""

from dataclasses import MISSING, Field, dataclass, field, fields
from os import PathLike
from typing import Any


@dataclass(frozen=True)
class Range:
    """A closed range of numbers: low <= value <= high; `log` asks a sweep to search the logarithm. Settings outside it
    raise ValueError when they are made.
    """

    low: float
    high: float
    log: bool = False

    def admits(self, value: Any) -> bool:
        """Whether the value is a number from low to high, both included; a bool is none."""
        return isinstance(value, (int, float)) and not isinstance(value, bool) and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}" + (" (log)" if self.log else "")


@dataclass(frozen=True)
class Choice:
    """One of a few values; a value may itself be a frozen dataclass, which nests its search space."""

    values: tuple

    def __init__(self, *values: Any):
        object.__setattr__(self, "values", values)

    def admits(self, value: Any) -> bool:
        """Whether the value is one of the values, or a dataclass of the type of one of them, whatever its settings."""
        return any(value == v and isinstance(value, bool) == isinstance(v, bool) for v in self.values) or any(
            type(value) is type(v) for v in self.values if hasattr(v, "__dataclass_fields__")
        )

    def __str__(self) -> str:
        return " | ".join(v if isinstance(v, str) else str(v) for v in self.values)


def param(default: Any = MISSING, space: Range | Choice | None = None, note: str = "") -> Any:
    """A dataclass field with a search space and a one-line note for the listing."""
    return field(default=default, metadata={"space": space, "note": note})


def space_of(f: Field) -> Range | Choice | None:
    """The Range or Choice that `param` gave to a field of a dataclass; None where there is none."""
    return f.metadata.get("space")


def check(settings: Any) -> None:
    """Raise ValueError if a field lies outside its space, or is to be a text and is none: call it in __post_init__."""
    for f in fields(settings):
        space, value = space_of(f), getattr(settings, f.name)
        if f.type in (str, "str") and not isinstance(value, str):
            raise ValueError(f"{type(settings).__name__}: {f.name}={value!r} is not allowed; write a "
                             f"text{' of type str' if isinstance(value, PathLike) else ''}")
        whole = f.type in (int, "int")
        if space is not None and (not space.admits(value) or whole and isinstance(value, float)):
            raise ValueError(f"{type(settings).__name__}: {f.name}={value!r} is not allowed; choose "
                             f"{'a whole number of ' if whole and isinstance(value, float) else ''}{space}")
