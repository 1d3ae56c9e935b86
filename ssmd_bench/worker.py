"""What a worker of a cluster is asked to do, by a name that it finds without a path: importing it opens the rooms."""

from typing import Any


def elsewhere(job: bytes, packages: bytes, code: str, threads: int) -> tuple[Any, str]:
    """(answer, why there is none), see harness/run/backend.py."""
    from harness.run import backend

    return backend.answer(job, packages, code, threads)
