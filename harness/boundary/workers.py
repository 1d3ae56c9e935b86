"""What a worker process of this machine does first, and a pool whose process ends with us. Light: nothing here loads a
library.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context

from harness.boundary.heap import keep_freed

LOOK_SECONDS = 0.5


def serve(parent: int) -> None:
    """Leave Ctrl-C to the parent, which ends us; end when it is gone, however it ended; keep freed memory."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_freed()
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os._exit(1)


@contextmanager
def fresh_process() -> Iterator[ProcessPoolExecutor]:
    """One process for the work of the block. A signal that ends us ends it at once, in the midst of its work."""
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=serve, initargs=(os.getpid(),))
    try:
        yield pool
    except KeyboardInterrupt:
        kill_children()
        raise
    finally:
        pool.shutdown()


def kill_children() -> None:
    """Every worker process that we started, whatever it does."""
    for child in active_children():
        if child.pid is None:    # not started yet
            continue
        try:
            os.kill(child.pid, signal.SIGKILL)    # the processes of loky have no method for it
        except OSError:    # it has ended
            pass
