"""Progress on stderr: one line a finished cell with the time left, and in a terminal a live line of the cell at
work.
"""

import sys
import time
from typing import TextIO


def tell(text: str, end: str = "\n") -> None:
    """A line on stderr of work that goes on; nothing where --quiet asks for that."""
    if not Progress.quiet:
        sys.stderr.write(f"{text}{end}")
        sys.stderr.flush()


def bar(share: float, width: int = 20) -> str:
    """How far it is, for a terminal; signs that each of them can show.

    >>> bar(0.5, 4)
    '##..'
    """
    whole = round(min(max(share, 0.0), 1.0) * width)
    return "#" * whole + "." * (width - whole)


class Progress:
    quiet = False    # of this process: nothing is said, as --quiet asks

    def __init__(self, total: int, stage: str, stream: TextIO | None = None, before: int = 0):
        """before: of the total, how many were done earlier. They are counted; how long they took is not known here."""
        self.total, self.stage, self.stream, self.before = total, stage, stream or sys.stderr, before
        self.done, self.begun, self.shown = before, time.perf_counter(), 0.0

    def left(self, extra: float = 0.0) -> str:
        """Time left if the cells to come take as long as those done here; `extra` is the share done of the one at
        work.
        """
        done = self.done - self.before + extra
        if done <= 0:
            return ""
        seconds = (time.perf_counter() - self.begun) / done * (self.total - self.done - extra)
        return f"{seconds:.0f} s left" if seconds < 100 else f"{seconds / 60:.0f} min left"

    def tick(self, label: str, status: str) -> None:
        """A cell has ended."""
        self.done += 1
        self._say(f"[{self.stage} {self.done}/{self.total}] {status:<8} {label}  {self.left()}\n")

    def live(self, label: str, rows: int, of: int) -> None:
        """Rows of the cell at work; shown in a terminal alone, five times a second at most."""
        now = time.perf_counter()
        if self.stream.isatty() and now - self.shown > 0.2:
            self.shown = now
            self._say(f"{bar((self.done + rows / of) / self.total)} [{self.stage} {self.done + 1}/{self.total}] "
                      f"{self.left(rows / of)}  {label}  {rows}/{of} rows")

    def note(self, text: str) -> None:
        self._say(f"[{self.stage}] {text}\n")

    def _say(self, text: str) -> None:
        if self.quiet:
            return
        self.stream.write(f"\r\x1b[K{text}" if self.stream.isatty() else text)
        self.stream.flush()
