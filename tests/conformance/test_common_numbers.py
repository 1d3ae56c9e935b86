"""Common random numbers: arms share every uniform they can, so a difference between them is known better than from
unrelated runs. Printed.
"""

import numpy as np
import torch

from baselines.ancestral import Ancestral
from baselines.scheduled import Scheduled
from harness.data.wikipedia_leads import WikipediaLeads
from harness.metrics.ngram_judge import NgramJudge
from harness.nets import checkpoint
from harness.sampling.loop import sample
from harness.schedules.placement import Sandwich
from ssmd.train.family import SHIPPED

N, L = 192, 32
DATA = WikipediaLeads(length=L)
PAIRS = [("8 or 16 steps", Ancestral(8), Ancestral(16)), ("all heavy or a sandwich", Ancestral(12),
                                                          Scheduled(Ancestral(12), Sandwich(0.25)))]


def per_row(sampler, seed: int) -> np.ndarray:
    """Nats per character of each row under the n-gram judge, (N,)."""
    nets = {"main": checkpoint.load(SHIPPED / "light.safetensors"),
            "light": checkpoint.load(SHIPPED / "light.safetensors").requires_grad_(False)}
    if isinstance(sampler, Scheduled):
        with torch.no_grad():
            nets["light"].head.weight.mul_(0.7)                                    # a poorer network of the same size
    found = NgramJudge().score(sample(sampler, nets, torch.full((N, L), DATA.mask), seed, 64), DATA)
    return np.asarray(found.numerator) / np.asarray(found.denominator)


def test_the_paired_standard_error_is_below_the_unpaired_one(capsys):
    for name, one, other in PAIRS:
        a, b, unrelated = per_row(one, 0), per_row(other, 0), per_row(other, 1)
        paired, unpaired = (np.std(a - c, ddof=1) / N**0.5 for c in (b, unrelated))
        by_formula = np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / N)
        with capsys.disabled():
            print(f"\n{name}: difference {np.mean(a - b):+.4f} nats; standard error paired {paired:.4f}, unpaired "
                  f"{unpaired:.4f}, "
                  f"rows for equal precision {(unpaired / paired) ** 2:.1f} times as many", end="")
        assert abs(unpaired / by_formula - 1) < 0.25      # other seeds share nothing
        assert paired < 0.85 * unpaired, name
