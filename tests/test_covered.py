"""The claim of coverage: shares of made-up counts, and a room that was left out."""

import pytest

from tests.covered import ROOMS, rows


def counted(**lines):
    return {"files": {f"{room}/some/file.py": {"summary": {"covered_lines": reached, "num_statements": of}} for room,
                      (reached, of) in lines.items()}}


def test_the_share_is_that_of_all_lines():
    (row,) = rows(counted(**{room: (9, 10) for room in ROOMS} | {"ssmd": (0, 50)}))
    assert row["value"] == row["low"] == row["high"] == 36 / 90 and row["n"] == 90 and "ssmd 0.000" in row["note"]


def test_a_room_that_was_not_counted_is_no_share_of_nothing():
    with pytest.raises(KeyError, match="studies"):
        rows(counted(**{room: (9, 10) for room in ROOMS if room != "studies"}))
