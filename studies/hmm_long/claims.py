"""Claims NAME.{transition_kl, trigram_kl, nll_excess}.ARM of a study of an oracle, and of arms in steps .at_STEPS
behind.
"""

from harness.claims.claim import claim
from harness.records.points import done, scores
from harness.records.store import Store
from harness.spec import brief
from harness.stats.intervals import ratio_interval

LABELS = {"transition_kl": "transition_kl(order=2)", "trigram_kl": "transition_kl(order=3)", "nll_excess": "nll_excess"}


def claims(store: Store, command: str, name: str = "hmm_long") -> list[dict]:
    made = []
    for record in (r for arm in sorted({r["arm"] for r in store.of("counted")}) for r in done(store, arm)):
        sampler = record["cell"]["sampler"]
        end = f".at_{sampler['steps']}" if "steps" in sampler else ""
        for what, label in LABELS.items():
            if found := scores(store, record["key"], label):
                v = ratio_interval(found.numerator, found.denominator)
                made.append(claim(f"{name}.{what}.{record['arm']}{end}", v.value, v.low, v.high, "nats per token",
                                  v.n, command, [record["key"]], f"{brief(sampler)}; rows of 1,024"))
    return made
