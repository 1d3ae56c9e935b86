"""What is kept of a run in a repository: its records, and the arrays that a report draws intervals from; not the samples, which are most of it.

A summary is a run folder like any other: `ssmd-bench report` renders it, and what needs the samples says that they are missing. Paths inside the
repository lose its place on this machine.
"""

from pathlib import Path

from harness.atomic import replacing_folder
from harness.spec import ROOT
from harness.store import Store, sentence

KEPT = ("records*.jsonl", "scores/*.npy", "costs/*.npy", "sweep.journal")


def summarise(store: Store, out: Path) -> dict[str, int]:
    """Copy all but the samples to `out`. Raises ValueError if there is something in it, or if the disk refuses."""
    if out.exists() and any(out.iterdir()):
        raise ValueError(f"{out} is not empty: remove it, or choose another folder with --out")
    try:
        with replacing_folder(out) as scratch:
            for path in (path for pattern in KEPT for path in store.folder.glob(pattern)):
                copy = scratch / path.relative_to(store.folder)
                copy.parent.mkdir(parents=True, exist_ok=True)
                content = path.read_bytes()
                copy.write_bytes(content if path.suffix == ".npy" else content.replace(f"{ROOT}/".encode(), b""))
    except OSError as error:
        raise ValueError(f"{out} cannot be written ({sentence(error)}): free the disk or choose another --out; {store.folder} is as it was") from None
    return {"records": len(store.records), "bytes": sum(path.stat().st_size for pattern in KEPT for path in out.glob(pattern))}
