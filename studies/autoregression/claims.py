"""Tokens per forward of autoregression and of speculative decoding, and that the two write by one law.

Claims tpf.autoregressive, tpf.speculative[.k1 | .k2 | .k4 | .plain], tokens a pass of the autoregressive network;
autoregression.accept_length.kK; and autoregression.{spelling, ngram}_of_speculative_minus_alone, paired.
"""

from harness.claims.claim import claim
from harness.records import by_row
from harness.records.points import done
from harness.records.store import Store
from harness.spec import brief
from harness.stats.intervals import ratio_interval
from studies.analysis.matched import difference

ARMS = {"autoregressive": "autoregressive", "speculative": "speculative", "speculative.plain": "speculative_plain"}


def claims(store: Store, command: str) -> list[dict]:
    made = []
    for name, arm in ARMS.items():
        for record in done(store, arm):
            sampler, rows = record["cell"]["sampler"], by_row.of(store, record)
            end = f".k{sampler['tokens']}" if arm == "speculative" else ""
            v = ratio_interval(rows["generated"], rows["main.draft"])
            made.append(claim(f"tpf.{name}{end}", v.value, v.low, v.high, "tokens / pass of the heavy network", v.n,
                              command, [record["key"]], brief(sampler)))
            if end:
                v = ratio_interval(rows["kept"], rows["tests"])
                made.append(claim(f"autoregression.accept_length{end}", v.value, v.low, v.high, "drafts kept / test",
                                  v.n, command, [record["key"]], f"{brief(sampler)}; without bonus and correction"))
    alone, drafted = next(iter(done(store, "autoregressive")), None), next(iter(done(store, "speculative")), None)
    for label, unit in (("spelling", "share of words, paired"), ("ngram", "n-gram nats per token, paired")):
        made += difference(f"autoregression.{label}_of_speculative_minus_alone", [drafted, alone], label, unit, store,
                           command, "one law")
    return made
