"""Do protein rows look like members of known families? Profile HMMs of large training clusters, searched by HMMER3
(pyhmmer; Eddy, PLoS Comput. Biol. 7, 2011).

family_hits    share of rows that a profile matches with an E-value of at most `evalue`, E being expected chance matches
               of this row among all profiles
family_bits    mean over rows of the best bit score of any profile, 0 where HMMER's filters pass none

The profiles are in the data file and cover only some families: real held-out rows are the level to match, shuffled ones
the floor.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from torch import Tensor

from harness.data.build.profiles import tools
from harness.data.residues import decode
from harness.kinds import Dataset, Scores
from harness.metrics.form import ratio
from harness.metrics.proteins.residue_grams import protein_rows
from harness.param import Range, check, param


@dataclass(frozen=True)
class FamilyHits:
    """Share of rows that the profile HMM of a training family matches with an E-value of at most `evalue`. To match
    that of held-out rows. Raises ValueError for data without profiles, or where pyhmmer is missing.
    """

    name: ClassVar[str] = "family_hits"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "match"
    unit: ClassVar[str] = "share of rows"

    evalue: float = param(1e-3, Range(1e-30, 10.0, log=True))

    def __post_init__(self) -> None:
        check(self)

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        _, evalues = _best(samples, data)
        return ratio(evalues <= self.evalue, np.ones(len(evalues)), self.name)


@dataclass(frozen=True)
class FamilyBits:
    """Mean over rows of the best bit score of any family's profile HMM, 0 where none passes HMMER's filters. To match
    that of held-out rows. Raises ValueError as FamilyHits does.
    """

    name: ClassVar[str] = "family_bits"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "match"
    unit: ClassVar[str] = "bits"

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        bits, _ = _best(samples, data)
        return ratio(bits, np.ones(len(bits)), self.name)


def _best(samples: Tensor, data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    rows = protein_rows(samples, data)
    profiles = data.profiles() if hasattr(data, "profiles") else b""
    if not profiles:
        raise ValueError(f"{data.name} has no profiles of families: build a file of more proteins with `ssmd-bench "
                         "data proteins`, and use it as the data set proteins")
    return _searched(profiles, rows.tobytes(), rows.shape)


@lru_cache(maxsize=2)
def _searched(profiles: bytes, content: bytes, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Best bit score of each row, at least 0, and its E-value, infinite where there is none: (n,), (n,)."""
    _, pyhmmer = tools()
    alphabet = pyhmmer.easel.Alphabet.amino()
    names = decode(_tensor(content, shape))
    block = pyhmmer.easel.DigitalSequenceBlock(alphabet,
                                               [pyhmmer.easel.TextSequence(name=str(k), sequence=s).digitize(alphabet)
                                                for k, s in enumerate(names)])
    bits, evalues = np.zeros(shape[0]), np.full(shape[0], np.inf)
    hmms = _hmms(profiles)
    for found in pyhmmer.hmmsearch(hmms, block, cpus=1, Z=len(hmms), E=1e6):
        for hit in found:
            k = int(hit.name)
            bits[k], evalues[k] = max(bits[k], hit.score), min(evalues[k], hit.evalue)
    return bits, evalues


@lru_cache(maxsize=2)
def _hmms(profiles: bytes) -> list:
    import io

    _, pyhmmer = tools()
    with pyhmmer.plan7.HMMFile(io.BytesIO(profiles)) as file:
        return list(file)


def _tensor(content: bytes, shape: tuple[int, int]) -> Tensor:
    import torch

    return torch.from_numpy(np.frombuffer(content, np.uint8).reshape(shape).copy())
