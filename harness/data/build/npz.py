"""The file of a built data set: named arrays, packed."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from harness.boundary.atomic import replacing


def written(out: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """The file whole, or as it was before. Raises ValueError, in a sentence, if the disk refuses."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with replacing(out) as beside, open(beside, "wb") as file:
            np.savez_compressed(file, **arrays)    # type: ignore[arg-type]  # a name like that of an option is ours
    except OSError as error:
        raise ValueError(f"{out} cannot be written ({error.strerror or error}): free the disk, or give another "
                         "--out") from None
