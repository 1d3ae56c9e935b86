"""How a stored result stands to the code that runs now.

    proven      the sources that made it, or that a proof names, are those that run now, with the same torch and numpy
    unproven    they are others: not wrong, not known
    refuted     rows sampled again by the code that runs now differ

A proof is a record {"type": "proof", "key", "of", "verdict", "rows", "seen", "reason", "seconds", "against", "machine",
"made"}: so many rows of a cell were sampled again and compared in what `seen` names (harness/run/prove.py). `of` is the
sha256 of the samples that it is about, so that it says nothing of others.
"""

from collections.abc import Mapping

from harness.records import provenance
from harness.records.store import Store

PROVEN, UNPROVEN, REFUTED = "proven", "unproven", "refuted"


class Evidence:
    """What a store says of its own results."""

    def __init__(self, store: Store):
        self.proofs: dict[tuple[str, str], list[dict]] = {}  # (key, sha256 of the samples) -> oldest first
        for proof in store.of("proof"):
            self.proofs.setdefault((proof["key"], proof["of"]), []).append(proof)

    def about(self, record: Mapping) -> list[dict]:
        """The proofs of a finished counted record, or of a score, the oldest first."""
        return self.proofs.get((record.get("score_key", record["key"]), record.get("samples_sha256", "")), [])

    def standing(self, record: Mapping) -> str:
        if provenance.surely(record.get("made")):
            return PROVEN
        return next((proof["verdict"] for proof in reversed(self.about(record)) if provenance.surely(proof["made"])),
                    UNPROVEN)

    def stood(self, record: Mapping) -> bool:
        """Whether a proof of it was ever made."""
        return any(proof["verdict"] == PROVEN for proof in self.about(record))

    def last_proven(self, record: Mapping) -> dict | None:
        """The code that a finished record was last known to be of: what made it, or what a proof of it names."""
        made = [proof["made"] for proof in self.about(record) if proof["verdict"] == PROVEN]
        return made[-1] if made else record.get("made")

    def machines(self, record: Mapping) -> set[str]:
        """The machines on which its rows came out the same."""
        return {record["machine"], *(proof["machine"] for proof in self.about(record) if proof["verdict"] == PROVEN
                                     and not proof.get("against"))}
