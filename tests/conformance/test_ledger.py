"""The ledger: what it counts is what was called, what it adds is what was written, and it changes nothing."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from baselines.ancestral import Ancestral
from baselines.any_order import AnyOrder
from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from baselines.scheduled import Scheduled
from harness.nets.transformer import Transformer, TransformerConfig
from harness.nets.wrap import Wrapper
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.schedules.placement import Interleaved, Sandwich
from harness.schedules.window import Cosine, Open
from ssmd.model import Hybrid, HybridConfig
from ssmd.sampler import SelfSpeculative
from tests.conformance.toys import MASK, D, hybrid, table_nets

SAMPLERS = [Ancestral(3), FirstHitting(), FixedCount(Cosine(0.3)), AnyOrder(), Scheduled(Ancestral(3)),
            Scheduled(FirstHitting(), by="count"),
            SelfSpeculative(Open(), 3), SelfSpeculative(Cosine(0.3), 1)]


class Witness(Wrapper):
    """Counts the rows of every call by itself."""

    def __init__(self, net):
        super().__init__(net)
        self.seen = {"draft": 0, "verify": 0}

    def draft(self, x, at=None, alive=None, clock=None):
        self.seen["draft"] += len(x)
        return self.net.draft(x, at)

    def verify(self, hidden, y, order, at, alive=None):
        self.seen["verify"] += len(y)
        return self.net.verify(hidden, y, order, at)


def metered(sampler, nets, n=200, batch=64, length=D, mask=MASK, seed=0):
    ledger = Ledger(n, length, mask)
    return sample(sampler, nets, torch.full((n, length), mask), seed, batch, ledger=ledger), ledger


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_metered_and_bare_runs_give_the_same_text(sampler):
    nets = {"main": hybrid(0), "light": hybrid(1)}
    bare = sample(sampler, nets, torch.full((200, D), MASK), 0, 64)
    assert torch.equal(metered(sampler, nets)[0], bare)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_calls_equal_those_the_networks_saw_and_tokens_those_written(sampler):
    nets = {name: Witness(net) for name, net in table_nets().items()}
    _, ledger = metered(sampler, nets)
    for name, net in nets.items():
        for kind, rows in net.seen.items():
            assert int(ledger.calls.get(f"{name}.{kind}", torch.zeros(1)).sum()) == rows
    assert int(ledger.tokens.sum()) == 200 * D
    per_pass = torch.arange(D + 1) * ledger.revealed.sum(0)
    assert int(per_pass.sum()) == 200 * D


def test_passes_of_256_tokens_in_windows_of_a_hundredth_are_80():
    class Sure(Wrapper):
        """Draft and target agree, so everything is accepted."""

        def draft(self, x, at=None, alive=None, clock=None):
            return torch.zeros(*at.shape, 5), x

        def verify(self, hidden, y, order, at, alive=None):
            return torch.zeros(*at.shape, 5)

        def begin(self, hidden, y, order, at):
            return torch.zeros_like(at[:, 0])

    net = Sure(Transformer(TransformerConfig(vocab=5, width=4, heads=1, blocks=1)))
    net.blocks, net.flops = lambda kind: 1, lambda kind, length, heads, tracks=0, begin=0: length + 0 * heads
    _, ledger = metered(SelfSpeculative(Cosine(0.01), 1), {"main": net}, n=4, length=256, mask=5)
    assert ledger.calls["main.draft"].tolist() == [80] * 4 and ledger.calls["main.verify"].tolist() == [80] * 4


def test_acceptance_counted_from_outside_equals_one_minus_total_variation():
    """On the ideal toy the first draft of a round is the target: always accepted; the second with probability E[1 -
    TV].
    """
    _, ledger = metered(SelfSpeculative(Open(), 1), table_nets(), n=8192, batch=4096)
    first = int(ledger.tested["depth"][0])
    assert first == int(ledger.passed["depth"][0]) == int(ledger.calls["main.verify"].sum())
    net, total, pairs = table_nets()["main"], 0.0, 0
    empty = torch.full((1, D), MASK)
    p0 = net.draft(empty)[0][0].softmax(-1)                                        # (D, V)
    for a in range(D):
        for v in range(3):
            q = net.draft(empty.index_put((torch.tensor([0]), torch.tensor([a])), torch.tensor(v)))[0][0].softmax(-1)
            for b in range(D):
                if b != a:
                    total, pairs = total + float(p0[a, v] * torch.minimum(p0[b], q[b]).sum()), pairs + 1
    expected = total / (D * (D - 1))
    fresh = Ledger(8192, D, MASK)

    class FirstRound(SelfSpeculative):
        def step(self, nets, rows):
            done = super().step(nets, rows)
            return done._replace(x=torch.where(done.x == MASK, 0, done.x))         # one round a row

    sample(FirstRound(Open(), 1), table_nets(), torch.full((8192, D), MASK), 0, 8192, ledger=fresh)
    share = float(fresh.passed["depth"][1]) / float(fresh.tested["depth"][1])
    assert abs(share - expected) < 4 * (expected * (1 - expected) / 8192) ** 0.5


def test_what_a_row_needed_does_not_depend_on_the_batch_but_padding_shows_in_what_was_executed():
    net = Hybrid(HybridConfig(vocab=7, width=16, heads=2, blocks=1)).eval()
    ledgers = [metered(SelfSpeculative(Cosine(0.1), 2), {"main": net}, n=40, batch=b, length=24, mask=7)[1]
               for b in (1, 16)]
    assert all(torch.equal(getattr(ledgers[0], f), getattr(ledgers[1], f))
               for f in ("blocks", "drafts", "flops", "tokens"))
    assert ledgers[0].executed_flops == int(ledgers[0].flops.sum()) <= ledgers[1].executed_flops


@pytest.mark.parametrize("steps, length", [(16, 16), (64, 16), (8, 24)])
def test_distinct_forwards_of_ancestral_sampling_follow_their_formula(steps, length):
    """N (1 - (1 - 1/N)**L) a row, whatever the batch."""
    net = Transformer(TransformerConfig(vocab=3, width=4, heads=1, blocks=1)).eval()
    n = 400
    _, ledger = metered(Ancestral(steps), {"main": net}, n=n, batch=100, length=length, mask=3)
    passes = ledger.calls["main.draft"].double()
    assert abs(passes.mean() - steps * (1 - (1 - 1 / steps) ** length)) < 3 * passes.std() / n**0.5 + 1e-9


@pytest.mark.parametrize("placement", [Sandwich(0.25), Interleaved(0.25, 16)], ids=str)
def test_a_lazy_schedule_charges_each_network_its_share(placement):
    n, steps, length = 400, 64, 16
    nets = {name: Transformer(TransformerConfig(vocab=3, width=4, heads=1, blocks=b)).eval() for name,
            b in (("main", 3), ("light", 1))}
    ledger = Ledger(n, length, 3)
    sample(Scheduled(Ancestral(steps), placement), nets, torch.full((n, length), 3), 0, 100, ledger=ledger)
    light, heavy = (ledger.calls[k].double() for k in ("light.draft", "main.draft"))
    expected = steps * (1 - (1 - 1 / steps) ** length)
    assert abs(light.mean() - 0.25 * expected) < 3 * light.std() / n**0.5
    assert abs(heavy.mean() - 0.75 * expected) < 3 * heavy.std() / n**0.5
    assert int(ledger.blocks.sum()) == int(light.sum()) + 3 * int(heavy.sum())


def test_schedules_under_one_seed_reveal_the_same_positions_at_the_same_steps():
    nets = {"main": hybrid(0), "light": hybrid(1)}
    seen = []
    for placement in (Sandwich(0.5), Interleaved(0.5, 4)):
        class Watched(Scheduled):
            def step(self, nets, rows):
                after = super().step(nets, rows)
                seen[-1].append((after.x != MASK).clone())
                return after

        seen.append([])
        sample(Watched(Ancestral(4), placement), nets, torch.full((64, D), MASK), 0, 64, queue=False)
    assert torch.equal(seen[0][0], seen[1][0]), "the first step reveals the same positions under both"


@dataclass(frozen=True)
class Doubtful:
    """Shows both halves of a text beside the text itself, and takes one token back before it is done."""

    name: ClassVar[str] = "doubtful"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)

    def step(self, nets, rows):
        x = torch.where(rows.n[:, None] == 1, torch.where(torch.arange(D) == 0, MASK, rows.x), rows.x)
        logits, _ = nets["main"].draft(x.repeat_interleave(3, 0))
        return rows._replace(x=torch.where(x == MASK, logits[::3].argmax(-1), x))

    def done(self, rows):
        return rows.n == 3


def test_states_shown_side_by_side_are_passes_of_their_row_and_a_full_row_may_go_on():
    x, ledger = metered(Doubtful(), table_nets(), n=50, batch=16)
    assert bool((x != MASK).all())
    assert ledger.calls["main.draft"].tolist() == [9] * 50 and ledger.drafts.tolist() == [9] * 50
    assert ledger.tokens.tolist() == [D] * 50 and int(ledger.revealed.sum()) == 150, "one round each, the full ones too"


def test_a_row_called_done_with_masks_left_is_an_error():
    @dataclass(frozen=True)
    class Hasty(Ancestral):
        def done(self, rows):
            return rows.n >= 1

    with pytest.raises(AssertionError, match="masks left"):
        metered(Hasty(3), table_nets())
