"""What a block saves where frameworks are given, at matched quality, and where that comes from.

Claims attach.frameworks.{nfe_ratio, flops_ratio}[.blind | .own | .second_seed],
attach.frameworks.{verified, blind, own}_minus_unverified, attach.frameworks.verified_minus_{blind, first_hitting},
attach.frameworks.judge_of_{ancestral_16, first_hitting, held_out, shuffled},
attach.frameworks.recognised_of_{ancestral_16, dilated, shuffled} and attach.frameworks.acceptance.
"""

from harness.records.store import Store
from harness.stats.realised import Side
from studies.analysis.matched import difference, on_all_sides
from studies.antibody.claims import ENTROPY, GOAL, JUDGE, UNIT, accepted, at_wide, level
from studies.arms import BASELINE, DILATED

# 29 of 120 residues are written, and the judge reads all: what was allowed a residue written in studies/antibody
SIDES = [Side(JUDGE, "lower", 0.005), Side(ENTROPY, "higher", 0.005)]
FIRST = f"{DILATED}_s1"
SAVING = {"": FIRST, ".blind": f"{DILATED}_blind", ".own": f"{DILATED}_own", ".second_seed": f"{DILATED}_s2"}
PAIRS = {"verified_minus_unverified": (FIRST, "fixed_dilated"),
         "blind_minus_unverified": (f"{DILATED}_blind", "fixed_dilated"),
         "own_minus_unverified": (f"{DILATED}_own", "fixed_dilated"),
         "verified_minus_blind": (FIRST, f"{DILATED}_blind"),
         "verified_minus_first_hitting": (FIRST, "first_hitting")}


def claims(store: Store, command: str) -> list[dict]:
    made: list[dict] = []
    for end, arm in SAVING.items():
        for name, cost in (("nfe_ratio", "nfe_a"), ("flops_ratio", "nfe_c")):
            made += on_all_sides(f"attach.frameworks.{name}{end}", store, command, [arm], GOAL, SIDES, cost)
    made += accepted("attach.frameworks.acceptance", store, command, at_wide(store, FIRST))
    for name, arms in PAIRS.items():
        first, second = (at_wide(store, arm) for arm in arms)
        made += difference(f"attach.frameworks.{name}", [first, second], JUDGE, UNIT, store, command, "30 tokens")
    for name, arm in (("ancestral_16", BASELINE), ("first_hitting", "first_hitting"), ("held_out", "held_out"),
                      ("shuffled", "shuffled")):
        made += level(f"attach.frameworks.judge_of_{name}", store, command, arm)
    for name, arm in (("ancestral_16", BASELINE), ("dilated", FIRST), ("shuffled", "shuffled")):
        made += level(f"attach.frameworks.recognised_of_{name}", store, command, arm, "recognised", "share of rows")
    return made
