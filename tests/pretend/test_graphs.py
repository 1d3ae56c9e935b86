"""Passes that are captured once and replayed (studies/gpu/graphs.py), on a device that can capture nothing: a replay
runs the work anew on the tensors that it was recorded with, and writes into those that the recording gave.
"""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from baselines.ancestral import Ancestral
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.schedules.window import Cosine, Linear
from ssmd.adaptive import Adaptive
from ssmd.bonus import SelfSpeculativeBonus
from ssmd.corrected import Corrected
from ssmd.model import Hybrid, HybridConfig, Kept
from ssmd.sampler import SelfSpeculative
from studies.gpu import speed
from studies.gpu.graphs import MOST, Graphed
from studies.gpu.plan import Ask
from tests.golden.toys import filled
from tests.pretend.away import DEVICE
from tests.pretend.device import moved, pretended

ASK = Ask(DEVICE, 0.001, Path(), None)
ROWS, BATCH, LENGTH, VOCAB = 10, 5, 24, 27
SAMPLERS = {"ancestral": Ancestral(8), "ssmd": SelfSpeculative(Cosine(0.2), 6),
            "wide windows": SelfSpeculative(Linear(0.5), 10), "bonus": SelfSpeculativeBonus(Linear(0.25), 3),
            "adaptive": Adaptive(Linear(0.25), 3), "corrected": Corrected(SelfSpeculative(Linear(0.25), 2), 0.25, 1)}


def tensors(found: Any) -> list[Tensor]:
    if isinstance(found, Tensor):
        return [found]
    return [found.whole] if isinstance(found, Kept) else [tensor for part in found for tensor in tensors(part)]


class Recorder:
    """As a capture is: it warms up first, and what the work allocates in a replay is not what it had allocated."""

    def __init__(self):
        self.recorded = self.replayed = 0

    def __call__(self, work):
        self.recorded += 1
        work()
        writes = work()

        def replay() -> None:
            self.replayed += 1
            for mine, new in zip(tensors(writes), tensors(work()), strict=True):
                mine.copy_(new)

        return replay, writes


def net(causal: int = 2) -> Hybrid:
    return filled(Hybrid(HybridConfig(vocab=VOCAB, width=16, heads=2, blocks=3, causal=causal)), 1.0, 0.0).eval()


@pytest.mark.parametrize("name", SAMPLERS)
def test_replayed_passes_write_the_tokens_and_counts_of_passes(name):
    plain, recorder = net(), Recorder()
    masked = torch.full((ROWS, LENGTH), plain.mask)
    ledgers = [Ledger(ROWS, LENGTH, plain.mask) for _ in range(2)]
    expected = sample(SAMPLERS[name], {"main": plain}, masked, 0, BATCH, ledger=ledgers[0])
    with pretended():
        graphed = Graphed(moved(plain), recorder)
        got = sample(SAMPLERS[name], {"main": graphed}, masked.to(DEVICE), 0, BATCH, ledger=ledgers[1]).cpu()
    assert torch.equal(got, expected) and all(
        torch.equal(getattr(ledgers[0], count), getattr(ledgers[1], count)) for count in ("blocks", "flops"))
    kinds = [key[0] for key in graphed.made]
    assert recorder.recorded == len(kinds) <= min(MOST, recorder.replayed)
    assert ("verify" in kinds) == (name != "ancestral") and len({*kinds} - {"draft", "verify"}) == 0


def test_a_row_alone_needs_few_graphs():
    """Widths and how far a pass sees are padded: after some rows the others of that shape record little more."""
    recorder, sampler = Recorder(), SelfSpeculative(Cosine(0.2), 4)
    recorded = []
    with pretended():
        graphed = Graphed(moved(net(1)), recorder)
        for seed in range(6):
            sample(sampler, {"main": graphed}, torch.full((1, LENGTH), graphed.mask).to(DEVICE), seed, 1)
            recorded.append(recorder.recorded)
    assert recorded[-1] <= recorded[0] + 3 <= 18 and recorder.replayed > 5 * recorder.recorded


def test_states_that_take_turns_keep_their_own():
    """Two draft passes of one shape, verified in turns: each finds what it reads, though the other took its place."""
    plain, recorder = net(1), Recorder()
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(VOCAB, (BATCH, LENGTH), generator=generator)
    order = torch.rand(BATCH, LENGTH, generator=generator).argsort(1)
    at = torch.arange(3, 8).expand(BATCH, 5)
    texts = [torch.where(torch.rand(BATCH, LENGTH, generator=generator) < 0.5, plain.mask, y) for _ in range(2)]
    graphed = Graphed(plain, recorder)
    states = [graphed.draft(x)[1] for x in texts]
    for state in states:
        state.promise(5, 8)
    with torch.inference_mode():
        kept = []
        for k in (0, 0, 1, 0, 1, 1):
            changed = y.roll(k, 0)
            found = graphed.verify(states[k], changed, order, at)
            alone = plain.verify(plain.draft(texts[k])[1], changed, order, at)
            kept.append((found, alone))
    assert all(torch.allclose(found, alone, atol=1e-5) for found, alone in kept)
    assert [key[0] for key in graphed.made] == ["draft", "verify", "verify"]


def test_what_nothing_was_promised_of_is_passed_on():
    plain, recorder = net(1), Recorder()
    graphed, x = Graphed(plain, recorder), torch.full((2, 8), VOCAB)
    order, at = torch.arange(8).expand(2, 8), torch.tensor([[0, 1], [0, 1]])
    _, state = graphed.draft(x, at)
    y = torch.zeros_like(x)
    assert torch.equal(graphed.verify(state, y, order, at), plain.verify(plain.draft(x, at)[1], y, order, at))
    assert [key[0] for key in graphed.made] == ["draft"]


def test_beyond_the_last_graph_the_counts_stay_those_of_the_passes(monkeypatch):
    monkeypatch.setattr("studies.gpu.graphs.MOST", 4)
    plain, sampler, counts = net(1), SelfSpeculative(Linear(0.25), 3), []
    for wrapped in (False, True):
        with pretended():
            masked, ledger = torch.full((ROWS, LENGTH), VOCAB).to(DEVICE), Ledger(ROWS, LENGTH, VOCAB)
            used = Graphed(moved(plain), Recorder()) if wrapped else moved(plain)
            tokens = sample(sampler, {"main": used}, masked, 0, BATCH, ledger=ledger).cpu()
            counts.append((tokens.tolist(), ledger.flops.tolist()))
    assert counts[0] == counts[1] and len(used.made) == 4 and used.passed_on and used.replayed


@pytest.mark.parametrize("graphed", [False, True])
@pytest.mark.parametrize("name", ["ancestral", "ssmd"])
@pytest.mark.parametrize("batch", [1, 5])
def test_loops_and_passes_of_the_rented_quarter_are_timed_on_a_device(graphed, name, batch):
    """studies/gpu/speed.py plays the passes of a run again, with what was promised of them."""
    with pretended():
        used = Graphed(moved(net(1)), Recorder()) if graphed else moved(net(1))
        found = speed.measured(speed.Run(SAMPLERS[name], used, batch, DEVICE, LENGTH), ASK)
    assert found["drafts"] and bool(found["verifies"]) == (name == "ssmd") and found["loop_seconds"] > 0
    assert not graphed or found["replayed"] > found["not_replayed"] == 0


def test_what_a_device_says_of_replayed_passes_is_of_all_kinds_of_them():
    with pretended():
        graphed = Graphed(moved(net(1)), Recorder())
        assert speed.apart(graphed, ASK) < 1e-5
    assert {(key[0], key[-1]) for key in graphed.made if key[0] == "verify"} == {("verify", True), ("verify", False)}
