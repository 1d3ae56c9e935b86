"""Tokens per forward (TPF), the field's currency, at the settings of the headline.

Claims tpf.{ancestral, ssmd, ssmd_dilated}, by denoise passes, and the same with .all, by all passes of a row: those
that verify too, each as one, whatever it costs.

Every row writes the same number of tokens here, without a prompt and without an end, so nothing is there to be counted
wrong. TPF is the ratio of the sums over rows; no pass of the batch is a row's but its own.
"""

import numpy as np

from harness.claims.claim import claim
from harness.records.points import COSTS
from harness.records.store import Store
from harness.spec import brief
from harness.stats.intervals import ratio_interval


def tpf(name: str, store: Store, command: str, record: dict) -> list[dict]:
    cost, n = record["cost"], record["cell"]["n"]
    costs = store.get("costs", record["key"])                                      # (n, 3)
    drafts, by_blocks = costs[:, COSTS.index("nfe_b")], costs[:, COSTS.index("nfe_a")]             # (n,), (n,)
    verified = sum(mean for kind, mean in cost["calls"].items() if kind.endswith(".verify"))
    # a verify pass costs the same share of a draft in every row
    share = (by_blocks - drafts).mean() / verified if verified else 1.0
    every = drafts + (by_blocks - drafts) / share
    tokens = np.full(n, cost["tokens"] / n)                                        # (n,)
    made = []
    for end, passes, what in (("", drafts, "denoise pass"), (".all", every, "pass of any kind")):
        v = ratio_interval(tokens, passes)
        made.append(claim(f"tpf.{name}{end}", v.value, v.low, v.high, f"tokens / {what}", v.n, command, [record["key"]],
                          f"{brief(record['cell']['sampler'])}; {tokens[0]:g} tokens a row, no prompt, no end"))
    return made
