"""What the repository tracks, in bytes, as the claim tree.tracked_mib: `python -m tests.tracked` writes it."""

import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

from harness.boundary.ending import guarded, working
from harness.claims import claim as claims
from harness.spec import ROOT

MIB = 2**20
LARGEST, CHECKPOINTS = 40 * MIB, 16 * MIB    # at most, of all files, and of those in ssmd/checkpoints


def tracked(root: Path = ROOT) -> dict[str, int]:
    """path -> bytes of each file of the index. Raises ValueError where there is no git repository."""
    try:
        staged = _git(root, "ls-files", "-s", "-z").split("\0")[:-1]
    except (OSError, subprocess.CalledProcessError):
        raise ValueError(f"{root} is no git repository, so that nothing is tracked: call it in a clone") from None
    blobs = {path: about.split()[1] for about, path in (line.split("\t", 1) for line in staged)}
    sizes = _git(root, "cat-file", "--batch-check=%(objectsize)", given="\n".join(blobs.values()) + "\n").split()
    return dict(zip(blobs, map(int, sizes), strict=True))


def _git(root: Path, *words: str, given: str | None = None) -> str:
    return subprocess.run(["git", "-C", str(root), *words], input=given, capture_output=True, text=True,
                          check=True).stdout


def rows(sizes: dict[str, int]) -> list[dict]:
    """The claim: a count of all files, so its interval is the value."""
    mib = sum(sizes.values()) / MIB
    rooms = {"checkpoints": "ssmd/checkpoints/*", "kept runs": "studies/*/kept.zip",
             "proofs of them": "studies/*/proofs.jsonl", "corpora": "harness/data/files/*", "figures": "docs/figures/*"}
    sums = {name: sum(size for path, size in sizes.items() if fnmatch(path, room)) for name, room in rooms.items()}
    parts = ", ".join(f"{name} {size / MIB:.1f}" for name, size in sums.items())
    return [claims.claim("tree.tracked_mib", mib, mib, mib, "MiB of tracked files", len(sizes),
                         "python -m tests.tracked", list(rooms.values()),
                         f"a count, not a sample; {parts}")]


def main() -> int:
    working()
    print(claims.write("tree", rows(tracked())))
    return 0


if __name__ == "__main__":
    sys.exit(guarded("tests.tracked", main))
