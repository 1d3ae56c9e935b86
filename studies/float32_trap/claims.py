"""Entropy and surprisal of both arms, measured and by the closed form of the float32 race. Claims
float32.entropy_loss_nats, by number of steps.
"""

from functools import lru_cache

import torch
from torch import Tensor

from baselines.fused_float32 import race_law
from harness.claims.claim import claim
from harness.data.zipf import Zipf
from harness.kinds import Scores
from harness.metrics.entropy import CorpusEntropy
from harness.metrics.exact_nll import ExactNll
from harness.records.measured import cached_table, column, newest
from harness.records.points import done
from harness.records.store import Store
from harness.run.cell import cells_of
from harness.spec import from_json
from harness.stats.intervals import ratio_interval, set_interval
from harness.study import Study

CURVE = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096]    # steps of the closed form
NODES = 13  # steps of a run at which the race is summed; in between its shape is interpolated
NAME = "entropy against steps"
COLUMNS = ("arm", "quantity", "kind", "steps", "tokens", "value", "low", "high")


@lru_cache
def race_of_a_run(data: Zipf, steps: int) -> Tensor:
    """Law of a token that the fused float32 draw writes in `steps` equal linear steps, (V,) float64, by its closed
    form.

    A race knows the ratio s/t alone, so every step is solved with t = 1, where the closed form is accurate.
    """
    p = data.law()
    nodes = torch.linspace(0, max(0, steps - 2), NODES).round().long().unique().tolist()
    # over the exact chance of a reveal
    laws = [race_law(p, 1.0, (steps - k - 1) / (steps - k), points=600) * (steps - k) for k in nodes]
    total, left = torch.zeros_like(p), 1.0
    for k in range(steps - 1):
        b = next((m for m, node in enumerate(nodes) if node > k), len(nodes) - 1)
        a = max(0, b - 1)
        share = (k - nodes[a]) / max(1, nodes[b] - nodes[a])
        law = ((1 - share) * laws[a] + share * laws[b]) / (steps - k)
        total, left = total + left * law, left * (1 - float(law.sum()))
    total = total + left * p                                                       # in the last step no MASK runs
    return total / total.sum()


def entropy(p: Tensor) -> float:
    return float(torch.special.entr(p).sum())


def drawn_entropy(p: Tensor, tokens: int) -> float:
    """Expected entropy of the histogram of so many independent tokens: sum_v E[-(c/K) ln(c/K)], c binomial(K, p_v)."""
    c = torch.arange(1, tokens + 1, dtype=torch.float64)
    share, whole = c / tokens, torch.tensor(tokens + 1, dtype=torch.float64)
    choose = torch.lgamma(whole) - torch.lgamma(c + 1) - torch.lgamma(whole - c)
    total = 0.0
    for part in p[p > 0].split(4096):
        log_binomial = choose + c * part[:, None].log() + (tokens - c) * torch.log1p(-part[:, None])     # (v, K)
        total -= float((log_binomial.exp() * share * share.log()).sum())
    return total


def _law(data: Zipf, arm: str, steps: int) -> Tensor:
    return race_of_a_run(data, steps) if arm == "fused_float32" else data.law()


def _own_nats(data: Zipf, arm: str, steps: int, samples: Tensor) -> Scores:
    """-ln of each row under the law of its own arm; its mean a token is that law's entropy."""
    found = -_law(data, arm, steps).log()[samples].sum(1)                          # (n,)
    return Scores(float(found.mean() / samples.shape[1]), found.numpy(),
                  torch.full_like(found, samples.shape[1]).numpy())


def _points(study: Study, store: Store, cells: dict[str, list[dict]]) -> list[list]:
    rows, tokens = [], study.n * study.data.length
    for arm, records in cells.items():
        for record in records:
            steps, samples = (
                record["cell"]["sampler"]["steps"],
                torch.from_numpy(store.get("samples", record["key"])).long(),
            )
            nats, nll = _own_nats(study.data, arm, steps, samples), ExactNll().score(samples, study.data)
            for quantity, found in (("entropy", ratio_interval(nats.numerator, nats.denominator)),
                                    ("surprisal", ratio_interval(nll.numerator, nll.denominator)),
                                    ("entropy drawn", set_interval(lambda x: CorpusEntropy().score(x, study.data).value,
                                                                   samples))):
                rows.append([arm, quantity, "measured", steps, tokens, found.value, found.low, found.high])
        for steps in CURVE:
            law = _law(study.data, arm, steps)
            for quantity, value in (("entropy", entropy(law)), ("surprisal", -float(law @ study.data.law().log())),
                                    ("entropy drawn", drawn_entropy(law, tokens))):
                rows.append([arm, quantity, "closed form", steps, tokens, value, None, None])
    return rows


def measure(study: Study, store: Store) -> list[dict]:
    """Entropies and surprisal of both arms, measured and by the closed form."""
    keys = {cell.key() for cell in cells_of(study)}
    cells = {arm.name: [r for r in done(store, arm.name, study.n) if r["key"] in keys] for arm in study.arms}
    every = [r for records in cells.values() for r in records]
    if not every:
        return []
    return [cached_table(store, study.name, NAME, COLUMNS, lambda: _points(study, store, cells), every, n=study.n)]


def claims(store: Store, command: str) -> list[dict]:
    """float32.entropy_loss_nats.STEPS: the known entropy of a token minus -ln P of the tokens that the float32 arm
    wrote, by the law of its own race.
    """
    record, rows = newest(store, NAME), []
    if record is None:
        print("float32.entropy_loss_nats: no claim, no cell is finished; run the study without --only")
        return []
    data, n = from_json("rows", store.of("study")[-1]["data"]), record["settings"]["n"]
    known = data.entropy_nats() / data.length
    for cell in (r for r in done(store, "fused_float32", n) if r["key"] in record["cells"]):
        steps = cell["cell"]["sampler"]["steps"]
        value, low, high = (known - column(record, end, arm="fused_float32", quantity="entropy", kind="measured",
                                           steps=steps)[0] for end in ("value", "high", "low"))
        exact = entropy(_law(data, "fused_float32", steps))
        rows.append(claim(f"float32.entropy_loss_nats.{steps}", value, low, high, "nats per token", n, command,
                          [cell["key"]],
                          f"of {known:.3f}; closed form of the race: {known - exact:.3f}"))
    return sorted(rows, key=lambda row: int(row["claim"].rpartition(".")[2]))
