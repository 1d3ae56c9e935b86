"""A row's text depends on its seed and number alone: not on the batch, the order of rows, the queue, or the process."""

import subprocess
import sys

import pytest
import torch

from baselines.ancestral import Ancestral
from baselines.any_order import AnyOrder
from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from baselines.scheduled import Scheduled
from harness.sampling.loop import sample
from harness.schedules.order import Blocks, Dilated
from harness.schedules.window import Cosine, Open
from ssmd.model import Hybrid, HybridConfig
from ssmd.sampler import SelfSpeculative

L, MASK, N = 20, 7, 40
SAMPLERS = [Ancestral(8), FirstHitting(), FixedCount(Cosine(0.1)), AnyOrder(), Scheduled(Ancestral(8)),
            SelfSpeculative(Cosine(0.1), 3), SelfSpeculative(Open(), 1),
            SelfSpeculative(Cosine(0.1), 2, Blocks(8)), FirstHitting(3, order=Dilated()),
            SelfSpeculative(Open(), 3, order=Dilated())]


def nets() -> dict:
    def make(seed: int):
        torch.manual_seed(seed)
        net = Hybrid(HybridConfig(vocab=MASK, width=16, heads=2, blocks=1)).eval()
        for p in net.parameters():
            if p.dim() == 2:
                torch.nn.init.normal_(p, std=0.4)
        return net.requires_grad_(False)

    return {"main": make(0), "light": make(1)}


def prompts(n: int = N) -> torch.Tensor:
    x = torch.full((n, L), MASK)
    x[::3, :5] = torch.arange(5)  # a third of the rows carries a prompt
    return x


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_rows_are_the_same_in_batches_of_1_7_and_32_with_and_without_the_queue(sampler):
    runs = [sample(sampler, nets(), prompts(), 3, batch, queue=queue) for batch,
            queue in ((1, True), (7, True), (32, True), (32, False))]
    assert all(torch.equal(runs[0], other) for other in runs[1:])


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_rows_are_the_same_in_any_order_and_in_any_share_of_the_work(sampler):
    whole = sample(sampler, nets(), prompts(), 3, 32)
    mixed = torch.arange(N).flip(0)
    assert torch.equal(sample(sampler, nets(), prompts()[mixed], 3, 32, ids=mixed), whole[mixed])
    shards = [sample(sampler, nets(), prompts()[k::4], 3, 32, ids=torch.arange(N)[k::4]) for k in range(4)]
    assert all(torch.equal(shard, whole[k::4]) for k, shard in enumerate(shards))


def test_rows_are_the_same_in_another_process():
    script = ("from tests.conformance.test_invariance import *\n"
              "print([int((sample(s, nets(), prompts(), 3, 16) * torch.arange(1, L + 1)).sum()) for s in SAMPLERS])")
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert other.strip() == str([int((sample(s, nets(), prompts(), 3, 16) * torch.arange(1, L + 1)).sum())
                                 for s in SAMPLERS])


def test_another_seed_gives_other_rows():
    a, b = (sample(FirstHitting(), nets(), torch.full((N, L), MASK), seed, 32) for seed in (1, 2))
    assert (a != b).float().mean() > 0.3


def test_logits_used_in_decisions_are_those_of_teacher_forcing_on_the_final_text():
    """Question S10 of the paper's reviews: do unverified drafts disturb the target? They never enter a decision."""
    net = nets()["main"]
    log = []

    class Watched:
        vocab, mask, blocks, flops = net.vocab, net.mask, net.blocks, net.flops

        def draft(self, x, at=None, alive=None, clock=None):
            self.x = x
            return net.draft(x, at)

        def verify(self, hidden, y, order, at, alive=None):
            q = net.verify(hidden, y, order, at)
            log.append((self.x.clone(), y.clone(), order.clone(), at.clone(), q))
            return q

    final = sample(SelfSpeculative(Cosine(0.15), 2), {"main": Watched()}, torch.full((1, L), MASK), 0, 1)
    checked = 0
    for x, y, order, at, q in log:
        _, hidden = net.draft(x)
        forced = net.verify(hidden, final, order, at)
        for w, r in enumerate(at[0].tolist()):
            if r < 0:
                continue
            assert torch.allclose(q[0, w], forced[0, w], atol=1e-5)
            checked += 1
            place = order[0, r]
            if y[0, place] != final[0, place]:  # the first rejection: nothing behind it was used
                break
    assert checked >= L
