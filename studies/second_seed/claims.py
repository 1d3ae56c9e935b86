"""The headlines once more, for networks trained from another seed. Claims seed2.nfe_ratio.{judge,
spelling}[.dilated[.fixed]][.long], seed2.longer.{uniform, dilated}.
"""

from harness.records.store import Store
from studies.analysis.matched import ratio
from studies.dilated.claims import longer

# of a claim's name
ARMS = {"": "ssmd_frozen", ".long": "ssmd_frozen_long", ".dilated": "ssmd_dilated",
        ".dilated.long": "ssmd_dilated_long", ".dilated.fixed": "fixed_dilated"}


def claims(store: Store, command: str) -> list[dict]:
    """Passes of ancestral sampling over those of each arm, at the quality of 32 steps; and what the longer training
    changes.
    """
    return [row for label, better in (("judge", "lower"), ("spelling", "higher")) for name, arm in ARMS.items()
            for row in ratio(f"seed2.nfe_ratio.{label}{name}", store, command, arm, 32, label,
                             better=better)] + longer("seed2.longer", store, command)
