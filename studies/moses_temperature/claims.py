"""What is claimed of molecules at a lower temperature: moses.{validity, fcd, unique}.heavy.any_order.{t75, t50}, of
first-hitting sampling, and moses.verified_minus_plain.{t75, t50}: valid rows of self-speculative minus ancestral
sampling.
"""

from harness.records.points import done
from harness.records.store import Store
from studies.analysis.matched import difference
from studies.moses_frontier.claims import NAMES, level

TEMPERATURES = {"_t75": 0.75, "_t50": 0.5}    # of an arm's name: what logits are divided by


def claims(store: Store, command: str) -> list[dict]:
    made = []
    for end in TEMPERATURES:
        for name in NAMES:
            made += level(f"moses.{name}.heavy.any_order.{end[1:]}", store, command, name, f"first_hitting{end}")
        pair = [next(iter(done(store, f"{arm}{end}")), None) for arm in ("ssmd_frozen", "ancestral")]
        made += difference(f"moses.verified_minus_plain.{end[1:]}", pair, "validity", "share of rows, paired", store,
                           command, "windows of three characters against 16 steps")
    return made
