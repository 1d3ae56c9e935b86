"""The currency of samplers, counted right: each case names the wrong number that was seen elsewhere."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch

from baselines.any_order import AnyOrder
from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from baselines.light_heavy import LightHeavy
from baselines.maskgit import MaskGIT
from harness.kinds import Rows
from harness.nets.wrap import Temper
from harness.sampling import written
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.schedules.order import LeftToRight
from harness.schedules.window import Fixed, Open
from harness.stats.aup import Setting, aup, aup_interval
from harness.stats.forwards import accept_length, by_depth, conditional, empty, tau_b, tpf
from ssmd.sampler import SelfSpeculative
from tests.conformance.toys import MASK, D, hybrid, table_nets

END = 2


def counted(sampler, nets, n=64, batch=16, length=D, end=None, prompts=None) -> Ledger:
    prompts = torch.full((n, length), MASK) if prompts is None else prompts
    ledger = Ledger(len(prompts), length, MASK)
    ledger.end(sample(sampler, nets, prompts, 0, batch, ledger=ledger), prompts, end)
    return ledger


def told(ledger: Ledger) -> np.ndarray:
    return tau_b(ledger.order.numpy(), ledger.untied.numpy(), ledger.tokens.numpy())


class Says:
    """Writes the row that it is given, surely: drafts, and targets that agree with them up to a rank."""

    def __init__(self, text: list[int], vocab: int = 3, wrong_from: int | None = None):
        self.text, self.vocab, self.mask, self.wrong = torch.tensor(text), vocab, vocab, wrong_from

    def _logits(self, tokens):
        return torch.nn.functional.one_hot(tokens, self.vocab).double().log().clamp_min(-1e9)

    def draft(self, x, at=None, alive=None, clock=None):
        at = torch.arange(x.shape[1]).expand(len(x), -1) if at is None else at
        return self._logits(self.text[at.clamp_min(0)]), x

    def verify(self, hidden, y, order, at, alive=None):
        tokens = self.text[order.gather(1, at.clamp_min(0))]
        return self._logits(tokens if self.wrong is None else torch.where(at < self.wrong, tokens, (tokens + 1) % 3))

    def begin(self, hidden, y, order, at):
        return torch.zeros(len(y), dtype=torch.int64)

    def flops(self, kind, length, heads, tracks=0, begin=0):
        return heads * 0 + 1

    def blocks(self, kind):
        return 1


def test_an_end_inside_the_accepted_prefix_ends_the_count():
    """vllm issue 56101 counts 5: all four drafts and a bonus."""
    ledger = counted(SelfSpeculative(Fixed(4), 1, LeftToRight()), {"main": Says([0, END, 0, 1])}, n=3, end=END)
    assert ledger.tokens.tolist() == [4] * 3 and ledger.generated.tolist() == [2] * 3
    assert ledger.kept.tolist() == [2] * 3 and ledger.rejected.tolist() == [0] * 3 and ledger.tests.tolist() == [1] * 3


def test_a_prompt_is_not_counted():
    """Fast-dLLM issue 15 prints 12: its 100 tokens given are in the numerator."""
    prompts = torch.cat((torch.zeros(2, 100, dtype=torch.int64), torch.full((2, 20), MASK)), 1)
    ledger = counted(FixedCount(Fixed(2)), {"main": Says([1] * 120)}, length=120, prompts=prompts)
    assert ledger.generated.tolist() == [20, 20] and tpf(ledger.generated, ledger.drafts) == 2.0


def test_the_canvas_behind_the_end_is_not_counted():
    """llama.cpp pull request 24423 prints 10.67: 256 places over 24 passes."""
    text = torch.ones(1, 256, dtype=torch.int64)
    text[0, 11] = END
    assert written.text(text, END).sum() == 12 and tpf([12], [24]) == 0.5


def test_tokens_a_forward_are_a_ratio_of_sums():
    """The mean of the ratios is 3, and passes of the batch's clock give 1.75."""
    assert tpf([10, 4], [2, 4]) == 14 / 6


def test_every_row_of_a_batch_is_counted():
    """dInfer's benchmark_dataset.py counts the last row of a batch, 30."""
    text = torch.zeros(3, 30, dtype=torch.int64)
    text[0, 9] = text[1, 19] = text[2, 29] = END
    assert written.text(text, END).sum(1).tolist() == [10, 20, 30]


def test_a_short_last_batch_is_not_divided_by_the_size_of_a_full_one():
    """Two rows of five passes for ten tokens: 1.0 where passes are those of a batch of four."""
    ledger = counted(FixedCount(Fixed(2)), {"main": Says([1] * 10)}, n=10, batch=4, length=10)
    assert ledger.drafts.tolist() == [5] * 10 and tpf(ledger.generated[8:], ledger.drafts[8:]) == 2.0


@dataclass(frozen=True)
class Branches:
    """Looks at two states of each row in a call, and writes four tokens of the first."""

    name: ClassVar[str] = "branches"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)

    def exact(self) -> None: ...

    def step(self, nets, rows: Rows) -> Rows:
        nets["main"].draft(rows.x.repeat_interleave(2, 0))
        first = (rows.x == MASK).int().cumsum(1)
        return rows._replace(x=torch.where((rows.x == MASK) & (first <= 4), 0, rows.x))


def test_branches_of_a_row_are_passes_of_it():
    """LoPA's figures are by call: 4, where each call runs two sequences."""
    ledger = counted(Branches(), {"main": Says([0] * 40)}, n=3, batch=2, length=40)
    assert ledger.calls["main.draft"].tolist() == [20] * 3 and tpf(ledger.generated, ledger.calls["main.draft"]) == 2.0


def test_a_pass_that_commits_is_in_one_denominator_and_not_in_the_other():
    """Blocks of 4 in two denoise passes and one that writes the cache: 2, and 4/3 of all passes."""
    net = Says([0] * 8)
    ledger = counted(SelfSpeculative(Fixed(4), 1, LeftToRight()), {"main": net}, n=2, length=8)
    drafts, every = ledger.drafts, ledger.calls["main.draft"] + ledger.calls["main.verify"]
    assert tpf(ledger.generated, drafts) == 4.0 and tpf(ledger.generated, every) == 2.0
    assert tpf([4], [2]) == 2.0 and tpf([4], [3]) == pytest.approx(4 / 3)


def test_a_forced_first_token_is_no_draft_that_was_kept():
    """k offered, none kept, one token in the place of the rejected: 0, and 1 with what is written beside."""
    assert accept_length(0, 1) == 0 and accept_length(0, 1, beside=1) == 1 and accept_length(0, 0) is None
    ledger = counted(SelfSpeculative(Fixed(4), 1, LeftToRight()), {"main": Says([0, 1, 0, 1], wrong_from=0)}, n=2)
    kept, rejected, tests = (int(column.sum()) for column in (ledger.kept, ledger.rejected, ledger.tests))
    assert accept_length(kept, tests) == 0 and accept_length(kept, tests, rejected) == 1


def test_acceptance_by_depth_is_conditional_and_undefined_where_nothing_was_tried():
    """vLLM and llama.cpp print survival by position: .805, .632, .483 are .805, .785, .764 of those tested."""
    assert conditional([1, 0, 0]) == [1, 0, None] and by_depth([1, 1, 0], [1, 0, 0]) == [(1, 1), (0, 1), (None, 0)]
    assert conditional([0.805, 0.632, 0.483]) == pytest.approx([0.805, 0.785, 0.764], abs=5e-4)
    assert 1 + sum([0.805, 0.632, 0.483]) == pytest.approx(2.92)


def test_where_all_was_written_in_one_step_there_is_no_order():
    """Its rank correlation is NaN, and in a mean it makes the mean NaN."""
    ledger = counted(FixedCount(Fixed(D)), table_nets())
    assert not ledger.untied.any() and np.isnan(told(ledger)).all()


@pytest.mark.parametrize(["steps", "tau"], [([0, 0, 1, 1], 0.816), ([0, 1, 0, 1], 0.408), ([1, 0, 1, 0], -0.408),
                                            ([3, 2, 1, 0], -1.0), ([0, 1, 2, -1], 1.0)])
def test_order_is_of_steps_against_places(steps, tau):
    """ParallelBench correlates sorted steps with steps: 1, 0, 0 for the first three."""
    order, untied = written.order(torch.tensor([steps], dtype=torch.int32))
    assert tau_b(order, untied, [sum(s >= 0 for s in steps)]) == pytest.approx(tau, abs=5e-4)


def test_from_left_to_right_the_order_is_one_and_at_random_zero():
    assert (told(counted(AnyOrder(order=LeftToRight()), table_nets())) == 1).all()
    there = told(counted(FirstHitting(), table_nets(), n=2000))
    assert abs(there.mean()) < 5 * there.std() / 2000**0.5


def test_an_aup_belongs_to_its_y_max():
    """One more method moves y_max, and the AUP of every other: 232.36 and 189.61 are two records."""
    points = [(1, 80), (3, 78)]
    assert aup(points, 80).value == pytest.approx(232.36, abs=5e-3)
    assert aup(points, 90).value == pytest.approx(189.61, abs=5e-3)
    assert aup(points, 80).y_max == 80 and aup(points, 90).y_max == 90


def test_a_point_too_far_below_is_dropped_and_named():
    """The published code asserts before it drops."""
    found = aup([(1, 80), (2, 79), (4, 60)], 80)
    assert found.dropped == [(4, 60)] and found.points == [(1, 80), (2, 79)]
    assert aup([(1, 72.55)], 74.98).value == 72.55


def test_the_published_aups():
    assert aup([(1, 74.79), (2.77, 74.68)], 74.98).value == pytest.approx(205.78, abs=5e-3)
    assert aup([(1, 74.02), (9.11, 73.09)], 74.98).value == pytest.approx(637.65, abs=5e-3)


def test_an_aup_has_an_interval_over_rows():
    good = torch.rand(400, generator=torch.Generator().manual_seed(0)).numpy()
    settings = [Setting(np.full(400, 10.0), np.full(400, passes), (good < q).astype(float), np.ones(400))
                for passes, q in ((10.0, 0.8), (4.0, 0.78))]
    found = aup_interval(settings, 80.0)
    shares = [(10 / s.passes[0], 100 * s.numerator.mean()) for s in settings]
    assert found.value == pytest.approx(aup(shares, 80).value) and found.low < found.value < found.high
    with pytest.raises(ValueError, match="y_max above zero"):
        aup(shares, 0)


@pytest.mark.parametrize("sampler", [FirstHitting(), FixedCount(Fixed(2)), SelfSpeculative(Open(), 2), LightHeavy(3)],
                         ids=str)
def test_a_row_s_tokens_and_counts_do_not_depend_on_its_batch(sampler):
    """diffusers issue 13598: padded rows of a batch come out otherwise."""
    runs = [counted(sampler, {"main": hybrid(0), "light": hybrid(1)}, n=24, batch=batch) for batch in (1, 3, 8)]
    assert runs[0].tracks.all() and (runs[0].tokens == D).all()
    for name in ("tracks", "tests", "kept", "rejected", "generated", "order", "untied", "drafts"):
        assert all(torch.equal(getattr(runs[0], name), getattr(run, name)) for run in runs), name


def test_ids_are_counted_as_they_were_written():
    """A text that is decoded and encoded again has another number of tokens: 'in' and 'to' come back as one."""
    from tokenizers import Tokenizer, models

    vocab = {"a": 0, "b": 1, "ab": 2}
    tokenizer = Tokenizer(models.BPE(vocab, [("a", "b")]))
    ids = torch.tensor([[0, 1, 2, 2, 0, 0, 0]])
    again = tokenizer.encode("".join(list(vocab)[t] for t in ids[0].tolist())).ids
    ledger = Ledger(1, 7, 3)
    ledger.end(ids, torch.full((1, 7), 3), None)
    assert ledger.generated.tolist() == [7] and len(again) == 6


def test_sharpened_laws_do_not_order_by_place():
    """Dream issue 61: confidences of logits at temperature .1 all round to 1, and ties go from left to right."""
    ledger = counted(MaskGIT(steps=D, temperature=0.0), {"main": Temper(hybrid(), 0.01)}, n=2000)
    there = told(ledger)
    assert abs(np.nanmean(there)) < 0.5


def test_rows_that_end_at_once_are_empty():
    assert empty([1, 0, 5, 2]) == 0.5


def test_token_forwards_are_what_passes_ran_over_the_length():
    net = hybrid()
    whole, open_ = counted(FixedCount(Fixed(1)), {"main": net}), counted(SelfSpeculative(Open(), 1), {"main": net})
    assert whole.tracks.tolist() == [D * D] * 64
    verified = open_.tracks - D * open_.drafts
    assert (verified >= open_.calls["main.verify"]).all() and (verified <= D * open_.calls["main.verify"]).all()


def test_a_sampler_that_verifies_by_draft_passes_says_what_it_tried():
    ledger = counted(LightHeavy(3), {"main": hybrid(0), "light": hybrid(1)}, n=200)
    assert ledger.tests.sum() > 200 and bool((ledger.calls["light.draft"] >= ledger.tokens).all())
    assert torch.equal(ledger.kept + ledger.rejected, ledger.tokens)
    alike = counted(LightHeavy(3), {"main": hybrid(), "light": hybrid()}, n=50)
    assert not alike.rejected.any() and alike.tests.tolist() == [2] * 50 and alike.kept.tolist() == [D] * 50
