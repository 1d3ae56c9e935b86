"""Networks that look left: what their places see, what they are told of the end of their text, and what a training of
them asks for.
"""

import pytest
import torch

from harness.nets import checkpoint
from harness.nets.transformer import Transformer, TransformerConfig
from harness.schedules.noise import Linear
from harness.schedules.order import LeftToRight
from ssmd.train.grown import DISTANCE
from ssmd.train.loss import mask_counts
from ssmd.train.settings import Training
from ssmd.train.updates import BEGINNINGS, begin, losses

V, L, END = 6, 12, 5
FROM_LEFT = LeftToRight()


def network(left: int = 2, told: bool = True, kind: str = "masked") -> Transformer:
    net = Training(kind, width=16, heads=2, blocks=2 + (kind == "hybrid"), left=left, told=told).build(V, END, L)
    torch.manual_seed(0)
    for weight in net.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    return net.eval().requires_grad_(False)


def texts(*sizes: int) -> torch.Tensor:
    """Rows of these many letters, and ENDs behind."""
    x = torch.randint(0, END, (len(sizes), L), generator=torch.Generator().manual_seed(0))
    return torch.where(torch.arange(L) < torch.tensor(sizes)[:, None], x, END)


def test_a_place_is_told_how_far_it_is_to_the_end():
    net = network()
    assert net.far(texts(3, 12)).tolist() == [[3, 2, 1] + [0] * 9, [*range(12, 0, -1)]]
    x = texts(7)
    masked = torch.where(torch.arange(L) < 7, net.mask, x)
    longer = torch.where(torch.arange(L) < 9, net.mask, x)
    assert (net.draft(masked)[0][:, 0] != net.draft(longer)[0][:, 0]).any()    # the end is told to the first place
    net.distance.weight.zero_()
    assert torch.equal(net.draft(masked)[0][:, :7], net.draft(longer)[0][:, :7])


def test_waves_tell_all_distances_of_a_row_apart():
    net = network()
    told = net.waves(torch.arange(L + 1)[None])[0]                                 # (L + 1, 2 waves)
    assert torch.cdist(told, told).fill_diagonal_(9).min() > 0.3


def test_a_draft_from_the_left_is_asked_for_its_window_alone():
    net, x, rows = network(), texts(12, 12), torch.arange(2)
    found = losses(net, x, rows, Linear(), 3, 5, law=FROM_LEFT, depth=2)["draft"]
    i, weight = mask_counts(Linear(), rows, L, 3, 5)
    assert (L - i > 2).any()
    slow = 0.0
    for b in range(2):
        left = L - int(i[b])
        logits = net.draft(torch.where(torch.arange(L) >= i[b], net.mask, x[b])[None])[0][0].log_softmax(-1)
        for place in range(int(i[b]), min(L, int(i[b]) + 2)):
            slow -= float(weight[b] * left / min(left, 2) * logits[place, x[b, place]]) / x.numel()
    assert float(found) == pytest.approx(slow, rel=1e-4)
    assert losses(net, x, rows, Linear(), 3, 5, depth=2)["draft"] == losses(net, x, rows, Linear(), 3, 5)["draft"]
    assert Training("masked", depth=2, order=FROM_LEFT).depth == 2
    with pytest.raises(ValueError, match="depth=2 is of the target term"):
        Training("masked", depth=2)


def test_what_stands_before_a_place_decides_it_however_much_is_masked_behind():
    """So that one pass holds the law of the next token of every beginning."""
    net, x = network(), texts(9, 12)
    whole = net.draft(x)[0]
    for cut in range(9):
        masked = torch.where((torch.arange(L) >= cut) & (x != END), net.mask, x)
        drafts = net.draft(masked)[0]
        torch.testing.assert_close(drafts[:, : cut + 1], whole[:, : cut + 1], rtol=0, atol=1e-5)
        assert cut == 8 or (drafts[:, cut + 1] - whole[:, cut + 1]).abs().max() > 1e-3


def test_the_next_tokens_of_all_beginnings_are_counted_one_by_one():
    net, x, rows = network(), texts(4, 9, 12), torch.arange(30, 33)
    found = losses(net, x, rows, Linear(), 3, 5, shown=END, law=FROM_LEFT)
    given = (x == END).sum(1)
    written = mask_counts(Linear(), rows, L, 3, 5, given=given)[0] - given           # (B,) not masked and not given
    assert (written > 0).any()
    slow = 0.0
    for b, count in enumerate(written.tolist()):
        for cut in range(count):
            beginning = torch.where((torch.arange(L) >= cut) & (x[b] != END), net.mask, x[b])[None]
            slow -= BEGINNINGS * float(net.draft(beginning)[0][0, cut].log_softmax(-1)[x[b, cut]]) / x.numel()
    assert float(found["beginnings"]) == pytest.approx(slow, rel=1e-4)


@pytest.mark.parametrize("left, law", [(1, FROM_LEFT), (2, None)])
def test_beginnings_are_of_networks_that_look_left_alone_and_of_the_order_from_the_left(left, law):
    order = {} if law is None else {"law": law}
    assert {*losses(network(left), texts(8), torch.arange(1), Linear(), 0, 0, shown=END, **order)} == {"draft"}


def test_a_hybrid_of_it_verifies_as_its_training_taught():
    net, x = network(kind="hybrid"), texts(9)
    assert {*losses(net, x, torch.arange(1), Linear(), 0, 0, shown=END, law=FROM_LEFT)} == {"draft", "beginnings",
                                                                                           "target"}
    order = torch.cat((torch.arange(9, L), torch.arange(9)))[None]                 # the ENDs are known
    masked = torch.where((torch.arange(L) >= 4) & (x != END), net.mask, x)
    taught = net.target_logits(net.target_hidden(net.hidden(masked), x, order, L))
    ranks = torch.arange(7, L)[None]
    torch.testing.assert_close(net.verify(net.draft(masked)[1], x, order, ranks), taught[:, 7:], rtol=0, atol=1e-5)


def test_a_network_that_was_told_nothing_begins_one_that_is(tmp_path):
    checkpoint.save(network(told=False), tmp_path / "net.safetensors", {"name": "net"})
    net = Training("masked", width=16, heads=2, blocks=2, left=2, told=True).build(V, END, L)
    with torch.no_grad():
        begin(net, tmp_path / "net.safetensors")
        x = texts(7)
        expected = checkpoint.load(tmp_path / "net.safetensors").draft(x)[0]
        torch.testing.assert_close(net.eval().draft(x)[0], expected, rtol=0, atol=1e-6)
    assert net.distance.weight.shape == (16, 2 * 4) and DISTANCE in net.state_dict()


def test_what_does_not_go_together_is_refused(tmp_path):
    checkpoint.save(network(), tmp_path / "net.safetensors", {"name": "net"})
    for settings, said in ((dict(told=False), "--set told=True"), (dict(told=True, left=1), "--set left=2")):
        other = Training("masked", **dict(width=16, heads=2, blocks=2, left=2) | settings).build(V, END, L)
        with pytest.raises(ValueError, match=said):
            begin(other, tmp_path / "net.safetensors")
    with pytest.raises(ValueError, match="data that give where a text ends"):
        Training("masked", told=True).build(V)
    for settings in (dict(left=1), dict(told=True)):
        with pytest.raises(ValueError, match="leave it out"):
            Training("judge", **settings)
    for wrong in (dict(left=3), dict(left=-1), dict(end=5), dict(told=4), dict(end=6, told=4)):
        with pytest.raises(ValueError, match="left|told"):
            TransformerConfig(V, 16, 2, 2, **wrong)


def test_one_pass_teaches_the_draft_s_own_law_after_every_beginning():
    """The label of each rank is what a draft pass over the text before it says."""
    net, x, rows = network(kind="hybrid"), texts(9, 12), torch.arange(2)
    found = losses(net, x, rows, Linear(), 3, 5, shown=END, law=FROM_LEFT, depth=3, taught=1)["target"]
    given = (x == END).sum(1)
    i, weight = mask_counts(Linear(), rows, L, 3, 5, given=given)
    slow = 0.0
    for b in range(2):
        order = torch.cat((torch.arange(L)[x[b] == END], torch.arange(L)[x[b] != END]))[None]
        masked = x[b].scatter(0, order[0, int(i[b]):], net.mask)[None]
        ranked = net.target_logits(net.target_hidden(net.hidden(masked), x[b][None], order, L))[0].log_softmax(-1)
        left = L - int(i[b])
        for rank in range(int(i[b]), min(L, int(i[b]) + 3)):
            place = int(order[0, rank])
            beginning = torch.where((torch.arange(L) >= place) & (x[b] != END), net.mask, x[b])[None]
            label = net.draft(beginning)[0][0, place].softmax(-1)
            slow -= float(weight[b] * left / min(left, 3) * (label * ranked[rank]).sum()) / x.numel()
    assert float(found) == pytest.approx(slow, rel=1e-4)
