"""Memory that a process frees stays with it for a while.

A pass over a large vocabulary fills tens of MiB of logits, which are freed and asked for again at the next pass. The C
library of Linux gives them back to the system each time, and the pages that come anew must be cleared: a fifth of the
seconds of self-speculative sampling at V = 50,257.
"""

import ctypes
import os
import sys

TRIM, MMAP = -1, -3    # names of mallopt(3): M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
KEPT, LARGEST = 2**28, 2**28    # bytes: what may lie free at the end of the heap, and the largest piece of it


def keep_freed() -> None:
    """Asks for it, where the C library has the means and the user's environment says nothing else."""
    if sys.platform == "linux" and not any(name.startswith("MALLOC_") for name in os.environ):
        adjust = getattr(ctypes.CDLL(None), "mallopt", None)
        if adjust:
            adjust(MMAP, LARGEST)
            adjust(TRIM, KEPT)
