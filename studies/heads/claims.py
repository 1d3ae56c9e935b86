"""The head without its test against the sampler.

Claims head.sequential_minus_ssmd, total variation on a network that can be listed, and
head.{sequential, jacobi, drafts, bonus, one_round}_minus_ssmd.judge, paired, on text.
"""

import torch
from torch import Tensor

from harness.claims.claim import claim
from harness.data.exact import Exact
from harness.metrics.law import null_quantile
from harness.records.measured import cached_table, newest
from harness.records.points import done, scores
from harness.records.store import Store
from harness.sampling.loop import sample
from harness.schedules.window import Open
from harness.spec import brief
from harness.stats.intervals import paired_difference, set_interval
from harness.study import Study
from ssmd.model import Hybrid, HybridConfig
from ssmd.sampler import SelfSpeculative
from ssmd.unverified import Unverified

DATA, ROWS = Exact(), 1 << 16    # 81 states
ARMS = {"sequential": "sequential", "jacobi": "jacobi", "drafts": "drafts", "bonus": "ssmd_bonus",
        "one_round": "ssmd_one_round"}
NAME, COLUMNS = "law", ("sampler", "value", "low", "high", "floor")


def rough(seed: int = 0) -> Hybrid:
    """A hybrid of random weights, whose drafts and targets come from no joint."""
    torch.manual_seed(seed)    # initial weights only
    net = Hybrid(HybridConfig(vocab=DATA.vocab, width=16, heads=2, blocks=1)).eval()
    for name, p in net.named_parameters():
        if p.dim() == 2:
            torch.nn.init.normal_(p, std=1.0 if "embed" in name or "head" in name else 0.5)
    return net.requires_grad_(False).double()


def rows(sampler, seed: int) -> Tensor:
    x = sample(sampler, {"main": rough()}, torch.full((ROWS, DATA.length), DATA.mask), seed, 1 << 14)
    return DATA.index(x)[:, None]                                                  # (ROWS, 1) states


def apart(a: Tensor, b: Tensor) -> float:
    """Total variation between the histograms of two samples."""
    mine, other = (torch.bincount(x[:, 0], minlength=len(DATA.law())).double() / len(x) for x in (a, b))
    return float(0.5 * (mine - other).abs().sum())


def table() -> list[list]:
    verified, found = rows(SelfSpeculative(Open(), DATA.length), 0), []
    pooled = torch.bincount(verified[:, 0], minlength=len(DATA.law())).double() / ROWS
    for name, sampler in (("sequential", Unverified(Open())), ("jacobi", Unverified(Open(), "jacobi")),
                          ("drafts", Unverified(Open(), "drafts"))):
        v = set_interval(apart, rows(sampler, 1), verified)
        # two samples of n differ as one of n / 2 does from its law
        found.append([name, v.value, v.low, v.high, null_quantile(pooled, ROWS // 2, draws=200)])
    return found


def measure(study: Study, store: Store) -> list[dict]:
    cells = done(store, "ssmd", study.n)
    return [cached_table(store, study.name, NAME, COLUMNS, table, cells[:1], rows=ROWS)] if cells else []


def claims(store: Store, command: str) -> list[dict]:
    record, made = newest(store, NAME), []
    for name, value, low, high, floor in record["rows"] if record else ():
        made.append(claim(f"head.{name}_minus_ssmd", value, low, high, "total variation", ROWS, command,
                          [*record["cells"]], f"random weights, 81 states, open window; two samples of one law are "
                          f"below {floor:.4f} in 9,999 cases of 10,000"))
    mine = next(iter(done(store, "ssmd")), None)
    for word, arm in ARMS.items() if mine else ():
        other = next(iter(done(store, arm)), None)
        pair = [scores(store, r["key"], "judge") for r in (other, mine)] if other else [None]
        if None in pair:
            print(f"head.{word}_minus_ssmd.judge: no claim, its arm is not in the store; run the study without --only")
            continue
        v = paired_difference(*pair)
        passes = " and ".join(f"{r['cost']['nfe_a']:.3g}" for r in (other, mine))
        made.append(claim(f"head.{word}_minus_ssmd.judge", v.value, v.low, v.high, "nats per token", v.n, command,
                          [other["key"], mine["key"]],
                          f"{brief(other['cell']['sampler'])} less {brief(mine['cell']['sampler'])}; NFE A {passes}"))
    return made
