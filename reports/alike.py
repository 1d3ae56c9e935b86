"""Remarks on settings of an arm that wrote the same tokens."""

from collections.abc import Mapping, Sequence

from harness.records.inert import alike
from reports.records import Cell


def remarks(cells: Sequence[Cell], names: Mapping[str, str], settings: Mapping[str, str]) -> list[dict]:
    """Cells of one question; names of arms and words of settings by key."""
    found = []
    for store in {cell.store.folder: cell.store for cell in cells}.values():
        for pair in alike(store, [cell.record for cell in cells if cell.store is store]):
            reason = f"{pair} from {settings[pair.other]}: what tells them apart did nothing here"
            found.append({"what": "turns nothing", "arm": names[pair.key], "setting": settings[pair.key],
                          "reason": reason, "key": pair.key})
    return found
