"""Passes at equal quality, by two metrics and four hybrids.

Claims nfe_ratio.text.{spelling, judge}[.long | .plain | .one_block][.at_24 | .at_64 | .same_network], and
aup.text.{ancestral, ssmd, ssmd_long} by spelling.
"""

from itertools import product

from harness.records.store import Store
from studies.analysis import aup
from studies.analysis.matched import ratio

# of a claim's name
ARMS = {"": "ssmd_frozen", ".long": "ssmd_frozen_long", ".plain": "ssmd_frozen_plain", ".one_block": "ssmd"}
# and of whose quality
MATCHED = {"": ("ancestral", 32), ".at_24": ("ancestral", 24), ".at_64": ("ancestral", 64),
           ".same_network": ("ancestral_hybrid", 32)}

AUP = {"ancestral": "ancestral", "ssmd": "ssmd_frozen", "ssmd_long": "ssmd_frozen_long"}


def claims(store: Store, command: str) -> list[dict]:
    made = []
    for (label, better), (hybrid, arm), (where, (baseline, steps)) in product(
        {"judge": "lower", "spelling": "higher"}.items(), ARMS.items(), MATCHED.items()
    ):
        if baseline == "ancestral" or arm == "ssmd":    # the blocks of ancestral_hybrid are those of ssmd alone
            made += ratio(f"nfe_ratio.text.{label}{hybrid}{where}", store, command, arm, steps, label, baseline, better)
    return made + aup.claims(store, command, "aup.text", AUP, "spelling")
