"""The family that a row of proteins looks most like: the profile HMM of the best score (HMMER3, pyhmmer), by the
profiles that its data file holds.
"""

import io
from collections.abc import Sequence
from typing import Any

SURE = 1e-3    # E-value up to which a family is named, as the metric family_hits has it


def families(data: Any, rows: Sequence[str]) -> list[str]:
    """Of each row its family in words; nothing of data without profiles, or without pyhmmer."""
    profiles = data.profiles() if hasattr(data, "profiles") else b""
    if not profiles or not rows:
        return []
    try:
        import pyhmmer
    except ImportError:    # the extra `proteins` is not here
        return []
    alphabet = pyhmmer.easel.Alphabet.amino()
    named = [pyhmmer.easel.TextSequence(name=str(k), sequence=row) for k, row in enumerate(rows)]
    block = pyhmmer.easel.DigitalSequenceBlock(alphabet, [row.digitize(alphabet) for row in named])
    with pyhmmer.plan7.HMMFile(io.BytesIO(profiles)) as file:
        hmms = list(file)
    best: dict[int, tuple[float, str]] = {}    # row -> bits, family
    for found in pyhmmer.hmmsearch(hmms, block, cpus=1, Z=len(hmms), E=SURE):
        for hit in found:
            best[int(hit.name)] = max(best.get(int(hit.name), (0.0, "")), (hit.score, str(found.query.name)))
    return [f"family {best[k][1]}, {best[k][0]:.0f} bits" if k in best else "of no known family"
            for k in range(len(rows))]
