"""Networks that read a time, or a mask of attention, beside their ids: each form by what it must do to the law, and the
orders that a network of blocks is asked in.
"""

import doctest
from dataclasses import dataclass
from math import log

import pytest
import torch
from torch import nn

from baselines.ancestral import Ancestral
from baselines.first_hitting import FirstHitting
from harness.data.exact import Exact
from harness.nets import calls
from harness.nets.own import Made, Own, weights_of
from harness.run import opening
from harness.run.guards import examined
from harness.run.orders import by_blocks
from harness.sampling.loop import sample
from harness.schedules.order import Blocks, Dilated, LeftToRight, Uniform
from harness.spec import sha256
from harness.study import Arm, Study
from ssmd.attached import fresh
from ssmd.sampler import SelfSpeculative
from tests.conformance.toys import DATA, MASK, D, V, distance, table_nets

WIDTH, LENGTH = 16, 12
LETTERS = Exact(symbols=2, length=LENGTH)


class Net(nn.Module):
    """One layer of attention whose second argument is what a form says; 2 symbols, MASK, a beginning and an end."""

    def __init__(self, form: str = "ids", heeds: bool = True, causal: bool = False):
        super().__init__()
        torch.manual_seed(0)
        self.form, self.heeds, self.causal = form, heeds, causal
        self.table, self.place = nn.Embedding(5, WIDTH), nn.Embedding(32, WIDTH)
        self.mix, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, 5)
        for p in (self.table.weight, self.mix.weight, self.out.weight):
            nn.init.normal_(p, std=0.7)
        self.seen: list[torch.Tensor] = []

    def states(self, ids, second=None):
        self.seen.append(second)
        h = self.table(ids) + self.place(torch.arange(ids.shape[1]))
        if self.form in ("timesteps", "sigma"):
            assert second.shape == ids.shape[:1]
            h = h + second[:, None, None]
        mask = {"mask3d": lambda: second.bool(), "mask4d": lambda: second}.get(self.form, lambda: None)()
        q, k, v = self.mix(h)[:, None].chunk(3, -1)                                # (B, 1, T, d)
        # (1, q, k) is spread over rows and heads as sdpa spreads it
        found = nn.functional.scaled_dot_product_attention(q, k, v, mask if self.heeds else None, is_causal=self.causal)
        return h + found[:, 0]

    def forward(self, ids, second=None):
        return self.out(self.states(ids, second))


def own(form: str = "ids", block: int = 0, apart: bool = False, heeds: bool = True, causal: bool = False,
        **more) -> Own:
    net = Net(form, heeds, causal)
    given = {"head": net.out, "embed": net.table} if apart else {}
    made = Own(net.states if apart else net, 2, mask=2, never=(3, 4), module=net, form=form, block=block,
               **(given | more))
    made.untrained = True
    return made


def some(rows: int = 6) -> torch.Tensor:
    x = LETTERS.rows("validation", rows, 0)
    x[:, ::3] = 2
    x[0, 2:] = 2
    return x


def test_the_masks_of_the_page_of_forms_are_what_it_says():
    assert doctest.testmod(calls).failed == 0
    framed = calls.seen(5, before=2, after=1, block=2)
    of = [-1, -1, 0, 0, 1, 1, 2, 99]
    assert framed.tolist() == [[there <= here for there in of] for here in of]
    hidden = torch.zeros(3, 5, dtype=torch.bool)
    added = calls.second("mask4d", hidden, 2, 1, 2, torch.bfloat16)
    assert added.shape == (3, 1, 8, 8) and added.dtype == torch.bfloat16 and bool(added.isfinite().all())
    assert torch.equal(added[2, 0] == 0, framed)
    assert not calls.second("mask4d", hidden, 2, 1).any(), "without blocks all see all"


def test_time_is_the_row_s_own_share_of_masks_and_stays_finite():
    net = own("sigma", before=(3,), after=(4,))
    x = torch.tensor([[2, 2, 2, 2], [2, 0, 1, 0], [0, 1, 1, 0]])
    net.draft(x)
    assert torch.allclose(net.call.seen[-1], torch.tensor([-log(1e-3), -log(1 - 0.25), 0.0]), atol=1e-6)
    own_ = own("timesteps")
    own_.draft(x)
    assert own_.call.seen[-1].tolist() == [0, 0, 0]


@pytest.mark.parametrize("form, block", [("timesteps", 0), ("sigma", 0), ("mask3d", 4), ("mask4d", 4), ("mask4d", 0),
                                         ("mask3d", 5)])
def test_every_form_passes_the_guards_rows_are_alone_and_a_prompt_comes_back(form, block):
    net = own(form, block)
    examined(net, form, LETTERS)
    x = some()
    alone = torch.cat([net.draft(row[None])[0] for row in x])
    assert torch.allclose(net.draft(x)[0], alone, atol=1e-6)
    given = torch.full((8, LENGTH), 2)
    given[:, :5] = LETTERS.rows("test", 8, 0)[:, :5]
    sampler = FirstHitting(1, Blocks(block)) if block else FirstHitting()
    one, many = (sample(sampler, {"main": net}, given, 0, batch) for batch in (1, 8))
    assert torch.equal(one, many) and int(many.max()) < 2 and torch.equal(many[:, :5], given[:, :5])
    assert net.flops("draft", 8, 8) > 0


def test_a_clock_moves_the_law_and_no_second_argument_is_given_where_none_is_read():
    x = some()
    assert not torch.allclose(own("sigma").draft(x)[0], own("timesteps").draft(x)[0])
    assert torch.equal(own("timesteps").draft(x)[0], own().draft(x)[0]) and own().call.seen == []
    assert torch.equal(own("mask4d").draft(x)[0], own().draft(x)[0])


@pytest.mark.parametrize("form, block", [("sigma", 0), ("mask3d", 4)])
def test_a_block_is_attached_to_any_form(form, block):
    """Its states are those of the draft, so that the target begins as the draft, to the bit."""
    net = fresh(own(form, block, apart=True), 8, 2, 1, 0).eval()
    x = some()
    order = Blocks(block or 1).times(torch.rand(len(x), LENGTH, dtype=torch.float64)).argsort(1)
    at = torch.arange(LENGTH).expand(len(x), -1)
    p, kept = net.draft(x)
    assert torch.equal(p, own(form, block).draft(x)[0])
    assert torch.equal(net.verify(kept, x % 2, order, at), p.gather(1, order[..., None].expand_as(p)))
    rows = [sample(SelfSpeculative(order=Blocks(block or 4)), {"main": net}, torch.full((5, LENGTH), 2), 0, batch)
            for batch in (1, 5)]
    assert torch.equal(*rows)


def test_logits_of_the_next_token_behind_a_beginning_in_any_form():
    """With a shift of one, the states are those of the place before: an empty prompt is spoken for by the beginning."""
    x, ids = torch.full((2, 4), 2), torch.tensor([[3, 2, 2, 2, 2]]).expand(2, -1)
    for form in ("ids", "sigma", "mask4d"):
        net = own(form, before=(3,), shift=1)
        second = calls.second(form, x == 2, 1, 0, 0)
        whole = net.call(ids, *([] if second is None else [second]))
        assert torch.equal(net.draft(x)[0], whole[:, :4, :2]) and net.states(x).shape == (2, 4, 5)


def test_a_network_of_blocks_that_sees_too_much_or_too_little_is_refused():
    for form in ("mask3d", "mask4d"):
        with pytest.raises(ValueError, match="'n' is said to write blocks of 4, and its first block sees the last"):
            examined(own(form, 4, heeds=False), "n", LETTERS)
        with pytest.raises(ValueError, match="does not see what stands behind a place of its block: it is causal"):
            examined(own(form, 4, heeds=False, causal=True), "n", LETTERS)
    examined(own("mask3d", 64), "long", LETTERS)
    free = own("mask4d", heeds=False, causal=True)
    free.reads_all = True
    with pytest.raises(ValueError, match="it is causal, and no masked diffusion model"):
        examined(free, "n", LETTERS)


@pytest.mark.parametrize("order, size, right", [
    (Blocks(4), 4, True), (Blocks(2), 4, True), (LeftToRight(), 4, True), (Uniform(), 12, True), (Uniform(), 64, True),
    (Blocks(8), 4, False), (Blocks(3), 4, False), (Blocks(4), 3, False), (Uniform(), 4, False), (Dilated(), 4, False),
    (Uniform(), 11, False)], ids=str)
def test_orders_that_end_each_block_before_the_next_are_told_from_others(order, size, right):
    assert by_blocks(order, LENGTH, size) is right


@dataclass(frozen=True)
class Here(Made):
    attached: bool = False

    def make(self, device):
        trunk = own("mask3d", 4, apart=True)
        net = fresh(trunk, 8, 2, 1, 0).eval() if self.attached else trunk
        net.sha256, net.card = trunk.sha256, {}
        return net


@pytest.mark.parametrize("attached, sampler, right", [
    (False, Ancestral(4), False), (False, FirstHitting(), False), (False, FirstHitting(1, Blocks(2)), True),
    (True, SelfSpeculative(), False), (True, SelfSpeculative(order=Dilated()), False),
    (True, SelfSpeculative(order=Blocks(4)), True)], ids=str)
def test_a_study_that_asks_a_network_of_blocks_in_another_order_is_not_opened(attached, sampler, right):
    study = Study(name="n", question="?", data=LETTERS, nets={"blocks": Here(attached)}, reference="blocks", metrics=[],
                  n=4, arms=[Arm("arm", [sampler], {"main": "blocks"})])
    if right:
        assert opening.networks(study, "cpu")
        return
    with pytest.raises(ValueError, match=f"'blocks' writes blocks of 4, .* {sampler.name} of the arm arm writes in "
                                         r"another order: .*order=Blocks\(4\)") as refused:
        opening.networks(study, "cpu")
    assert "\n" not in str(refused.value)


def test_by_blocks_the_law_is_exact_for_a_network_that_does_not_see_behind_its_block():
    """An oracle that is blind to the blocks behind a place: in its order it is exact, in another it is not."""
    table = table_nets()["main"]

    def blind(ids, sees):
        every = [table.marginals(torch.where(sees[0, place].bool(), ids, MASK))[:, place] for place in range(D)]
        return torch.stack(every, 1)

    net = Own(blind, V, flops_per_token=1, identity="blind", form="mask3d", block=2)
    for order in (Blocks(2), LeftToRight()):
        tv, quantile = distance(FirstHitting(1, order), {"main": net}, DATA.law())
        assert tv < quantile
    tv, quantile = distance(FirstHitting(1), {"main": net}, DATA.law())
    assert tv > 2 * quantile


def test_the_hash_follows_form_and_block_and_that_of_old_networks_stays():
    old = own()
    assert old.sha256 == sha256([repr(old.module), None, [], [], 0, [0, 1, 2], weights_of(old.module)])
    assert "form" not in old.card and (old.order, old.block) == ("any", 0)
    made = [own("ids"), own("ids", 4), own("sigma"), own("mask3d"), own("mask3d", 4), own("mask4d", 4)]
    assert len({net.sha256 for net in made}) == 6
    assert made[4].card["order"] == "blocks of 4" and made[4].card["form"] == "mask3d"


@pytest.mark.parametrize("more, says", [({"form": "clock"}, "'clock', which is none of ids, timesteps, sigma"),
                                        ({"block": -1}, "block=-1: give the tokens of a block")])
def test_what_is_no_form_is_refused_in_a_sentence(more, says):
    with pytest.raises(ValueError, match=says):
        own(**more)
