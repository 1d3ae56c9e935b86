"""The lines of a file of records: which are records, which are not, and in which order those of several files count.

Within a file the order is that of its lines, whatever its clocks said. Files of several writers are merged by time,
where a line counts as no later than the line below it: a clock that ran ahead for a while moves nothing but the last
line that it stamped.
"""

import heapq
from collections.abc import Iterable
from typing import NamedTuple

from harness.boundary.incoming import Wrong, parsed
from harness.records.record import upgrade, whole


class Line(NamedTuple):
    record: dict
    text: bytes             # as it was written, without the end of line


class Lines(NamedTuple):
    found: list[Line]
    wrong: list[str]        # of lines that are JSON and no whole record: which line, and why
    torn: int               # lines that are no JSON: the end of a killed writer
    newer: int              # records of a newer schema


def lines(content: bytes) -> Lines:
    """What a file holds, empty lines left out."""
    found, wrong, torn, newer = [], [], 0, 0
    for number, text in enumerate(content.split(b"\n"), 1):
        if not text.strip():
            continue
        try:
            record = parsed(text)
        except Wrong:
            record = None
        if not isinstance(record, dict):
            torn += 1
            continue
        try:
            record = upgrade(record)
            if record is None:
                newer += 1
            else:
                found.append(Line(whole(record), text))
        except Wrong as error:
            wrong.append(f"line {number}: {error}")
    return Lines(found, wrong, torn, newer)


def by_time(files: list[list[Line]]) -> Iterable[Line]:
    """The lines of several writers in the order in which they count."""
    if len(files) == 1:
        return files[0]
    return (line for _, line in heapq.merge(*map(_timed, files), key=lambda timed: timed[0]))


def _timed(found: list[Line]) -> list[tuple[str, Line]]:
    """The lines of one file with the times by which they are merged with those of others."""
    made, below = [], "~"    # behind every time
    for line in reversed(found):
        below = min(below, line.record.get("time") or below)
        made.append((below, line))
    return made[::-1]
