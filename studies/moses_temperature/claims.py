"""What is claimed of molecules at a lower temperature: moses.{validity, fcd, unique}.heavy.t75 and .t50, of first-
hitting sampling, and nfe_ratio.moses.validity.t75 and .t50.
"""

from harness.records.store import Store
from studies.analysis.matched import ratio
from studies.moses_frontier.claims import GOAL, NAMES, level

TEMPERATURES = {"_t75": 0.75, "_t50": 0.5}    # of an arm's name: what logits are divided by
MARGIN = 0.03                                 # of the rows, worse by less counts as not worse


def claims(store: Store, command: str) -> list[dict]:
    made = []
    for end in TEMPERATURES:
        for name in NAMES:
            made += level(f"moses.{name}.heavy.{end[1:]}", store, command, name, f"first_hitting{end}")
        made += ratio(f"nfe_ratio.moses.validity.{end[1:]}", store, command, f"ssmd_frozen{end}", GOAL, "validity",
                      f"ancestral{end}", better="higher", margin=MARGIN)
    return made
