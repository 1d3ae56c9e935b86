"""Tokens per forward of autoregression and of speculative decoding, and that the two write by one law.

Claims tpf.autoregressive, tpf.speculative[.k1 | .k2 | .k4 | .plain], tokens a pass of the autoregressive network;
autoregression.accept_length.kK; autoregression.spelling.{autoregressive, ancestral.at_64}; and
autoregression.{spelling, ngram}_of_speculative_minus_alone, paired.
"""

from harness.claims.claim import claim
from harness.records import by_row
from harness.records.points import done, scores
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
    for end, arm, steps in (("autoregressive", "autoregressive", None), ("ancestral.at_64", "ancestral", 64)):
        for record in done(store, arm):
            found = scores(store, record["key"], "spelling")
            if found is not None and record["cell"]["sampler"].get("steps") == steps:
                v = ratio_interval(found.numerator, found.denominator)
                made.append(claim(f"autoregression.spelling.{end}", v.value, v.low, v.high, "share of words", v.n,
                                  command, [record["key"]], brief(record["cell"]["sampler"])))
    alone, drafted = next(iter(done(store, "autoregressive")), None), next(iter(done(store, "speculative")), None)
    for label, unit in (("spelling", "share of words, paired"), ("ngram", "n-gram nats per token, paired")):
        made += difference(f"autoregression.{label}_of_speculative_minus_alone", [drafted, alone], label, unit, store,
                           command, "one law")
    return made
