"""Several runs in one folder: what one has in hand no other begins, so that each cell is counted, timed and scored
once.

Every run takes the next cell that no other has in hand, so that they share the work. At the end it waits for what
others still have: a run that dies, however it dies, lets go (harness/records/locks.py), and what it left undone is
taken over.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from harness.records.locks import ByteLocks, place_of


class Hands:
    """What this process has in hand of a run folder. `note` takes what is to be said of others."""

    def __init__(self, folder: Path, note: Callable[[str], None] = lambda text: None):
        self.folder, self.note, self.locks = folder, note, ByteLocks(folder / "run.lock")
        self.guard = threading.Lock()    # items may be asked for in a thread of the pool that they are fed to

    def __enter__(self) -> "Hands":
        return self

    def __exit__(self, *_: Any) -> None:
        self.locks.close()

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """One run at a time."""
        if not self.locks.take_now(place_of(what)):
            self.note(f"another run is {what} in {self.folder}: waiting for it")
            self.locks.take(place_of(what))
        try:
            yield
        finally:
            self.locks.release(place_of(what))

    def share(self, items: Mapping[str, Any], due: Callable[[str], bool],
              work: Callable[[Iterable[Any]], Iterable[Any]], name: Callable[[Any], str]) -> Iterator[Any]:
        """What `work` makes of each item that is still due once it is in hand; `name` says which item an answer is of.
        An item is let go when the next answer is asked for.
        """
        left = dict(items)

        def taken() -> Iterator[Any]:
            for key in list(left):
                if self.locks.take_now(place_of(key)):
                    item = left.pop(key)
                    with self.guard:
                        still = due(key)
                    if still:
                        yield item
                    else:
                        self.locks.release(place_of(key))

        told = False
        while left:
            free = taken()
            for first in free:    # without one there is no work to begin
                for answer in work(chain((first,), free)):
                    yield answer
                    self.locks.release(place_of(name(answer)))
            if left:
                if not told:
                    self.note(f"another run in {self.folder} has {len(left)} of these in hand: waiting for them, and "
                              "taking over what it leaves")
                told = True
                with self.locks.held(place_of(next(iter(left)))):
                    pass
