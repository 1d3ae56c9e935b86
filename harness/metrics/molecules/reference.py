"""What metrics of molecules compare with: the file that `ssmd-bench data moses_reference` builds from held-out
molecules of MOSES and from ChemNet.

By split `test` or `scaffolds`: mean and covariance of ChemNet's states, packed fingerprints, fragments and scaffolds
with their counts, and properties. Beside them the weights of ChemNet, and the patterns of the filters.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from harness.boundary.incoming import decode
from harness.boundary.there import there
from harness.kinds import Dataset
from harness.param import Choice, check, param
from harness.spec import sha256

BUILT = "runs/moses_reference.safetensors"
REMEDY = "build it with `ssmd-bench data moses_reference --out FILE` and give its path"
SPLITS = ("test", "scaffolds")
PARTS = ("mean", "covariance", "fingerprints", "fragments", "fragments_counts", "scaffolds", "scaffolds_counts", "logp",
         "sa", "qed", "weight")    # of each split


@dataclass(frozen=True)
class Against:
    """What metrics share that read this file. Raises ValueError, when they score, for a file that is missing, damaged
    or of other molecules than the data.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    aside: ClassVar[tuple[str, ...]] = ("reference",)    # of a label

    split: str = param("test", Choice(*SPLITS), "held-out molecules of the benchmark")
    reference: str = param(BUILT, note="file that `ssmd-bench data moses_reference` wrote")

    def __post_init__(self) -> None:
        check(self)

    def identity(self) -> dict[str, Any]:
        """What the key of a score holds: the molecules that were read in place of the path."""
        own = {key: value for key, value in vars(self).items() if key != "reference"}
        return {"name": self.name, "version": self.version, **own, "reference": opened(self.reference)[0]["sha256"]}

    def of(self, what: str, data: Dataset | None = None) -> np.ndarray:
        """An array of the split. Raises ValueError if the file is of other molecules than the data."""
        tensors = opened(self.reference)[1] if data is None else opened_for(self.reference, data)
        return tensors[f"{self.split}.{what}"].numpy()

    def counts(self, what: str, data: Dataset) -> dict[str, int]:
        """Texts and how often they came, such as the fragments of the split."""
        return dict(zip(text_of(self.of(what, data)), self.of(f"{what}_counts").tolist(), strict=True))


def text_of(packed: np.ndarray) -> list[str]:
    """Lines, from their bytes."""
    return packed.tobytes().decode().split("\n")


def packed(lines: list[str]) -> Tensor:
    """Lines -> their bytes, uint8, which `text_of` reads."""
    return torch.frombuffer(bytearray("\n".join(lines).encode()), dtype=torch.uint8)


def opened(path: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What the file says of itself, and all its arrays. Raises ValueError, in a sentence, if it cannot be used."""
    about, tensors = begun(path)
    if not complete(tensors):
        raise ValueError(f"{path!r} is a part of what metrics need: {REMEDY}")
    return about, tensors


def opened_for(path: str, data: Dataset) -> dict[str, Tensor]:
    """All arrays of the file. Raises ValueError, in a sentence, if it cannot be used or is of other molecules than the
    data.
    """
    about, tensors = opened(path)
    if about["moses"] != data.identity().get("sha256"):
        raise ValueError(f"{path} is of other molecules than these data: {REMEDY}")
    return tensors


def begun(path: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What the file says of itself, and its arrays: the same of a file that may be a part."""
    file = there(path, REMEDY)
    return _opened(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _opened(path: Path, _modified_ns: int) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            told = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path.name!r} cannot be read ({error}): {REMEDY}") from None
    about = decode(told.get("about", "").encode(), dict[str, Any], f"what {path.name!r} says of itself", REMEDY)
    if about.get("sha256") != digest(tensors) or "moses" not in about:
        raise ValueError(f"{path.name!r} does not hold what it says it holds, the sha256 differs: {REMEDY}")
    return about, tensors


def complete(tensors: dict[str, Tensor]) -> bool:
    """Whether both splits are there: a command that was killed leaves a part of them."""
    return {f"{split}.{name}" for split in SPLITS for name in PARTS} <= set(tensors)


def digest(tensors: dict[str, Tensor]) -> str:
    """A hash of all arrays: of names, shapes and numbers."""
    return sha256([[name, list(t.shape), sha256(t.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes().hex())]
                   for name, t in sorted(tensors.items())])
