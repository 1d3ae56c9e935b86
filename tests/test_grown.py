"""A training that begins from a shallower network begins as that network."""

from pathlib import Path

import pytest
import torch

from harness.nets import checkpoint
from harness.nets.autoregressive import Autoregressive
from harness.nets.transformer import Transformer, TransformerConfig
from ssmd.model import Hybrid, HybridConfig
from ssmd.train.updates import begin

X = torch.randint(0, 6, (3, 12), generator=torch.Generator().manual_seed(0))


def saved(folder: Path, cls: type, **settings) -> Path:
    """A checkpoint of a fresh network of three blocks."""
    torch.manual_seed(0)
    checkpoint.save(cls(TransformerConfig(5, 16, 2, 3, **settings)), folder / "net.safetensors", {"name": "net"})
    return folder / "net.safetensors"


@pytest.fixture
def shallow(tmp_path):
    return saved(tmp_path, Transformer)


def drafts(net):
    with torch.no_grad():
        return net.eval().draft(X)[0]


@pytest.mark.parametrize("blocks", [3, 4, 7])
def test_it_computes_what_the_shallower_one_does(shallow, blocks):
    net = Transformer(TransformerConfig(5, 16, 2, blocks))
    begin(net, shallow)
    torch.testing.assert_close(drafts(net), drafts(checkpoint.load(shallow)), rtol=0, atol=1e-6)


def test_its_blocks_are_spread_and_every_one_of_them_learns(shallow):
    net = Transformer(TransformerConfig(5, 16, 2, 5))
    begin(net, shallow)
    still = [not block.out.weight.any() for block in net.blocks_nc]
    assert still == [False, False, True, False, True]
    net.logits(net.hidden(X)).square().sum().backward()
    assert all(block.out.weight.grad.any() and block.down.weight.grad.any() for block in net.blocks_nc)


def test_a_hybrid_grows_in_its_draft(shallow):
    net = Hybrid(HybridConfig(5, 16, 2, 6, causal=1))
    begin(net, shallow)
    torch.testing.assert_close(drafts(net), drafts(checkpoint.load(shallow)), rtol=0, atol=1e-6)


@pytest.fixture
def judge(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("judge"), Autoregressive)


@pytest.mark.parametrize("told", [{}, {"end": 4, "told": 13}])
@pytest.mark.parametrize("blocks, left", [(3, 3), (5, 3), (6, 4)])
def test_blocks_that_look_left_begin_as_a_left_to_right_network(judge, blocks, left, told):
    """Masks on the right change nothing, so the first masked place has the judge's law of the next token."""
    for net in (Transformer(TransformerConfig(5, 16, 2, blocks, left=left, **told)),
                Hybrid(HybridConfig(5, 16, 2, blocks, left=left, **told))):
        begin(net, judge)
        expected = checkpoint.load(judge)(X)
        torch.testing.assert_close(drafts(net), expected, rtol=0, atol=1e-6)
        masked = torch.where(torch.arange(12) >= 7, net.mask, X)
        torch.testing.assert_close(net.draft(masked, torch.full((3, 1), 7))[0][:, 0], expected[:, 7], rtol=0, atol=1e-6)


def test_the_blocks_behind_see_what_stands_on_the_right_and_the_first_ones_do_not(judge):
    net = Transformer(TransformerConfig(5, 16, 2, 4, left=3))
    begin(net, judge)
    other = X.clone()
    other[:, 8] = (other[:, 8] + 1) % 5
    assert torch.equal(drafts(net)[:, :9], net.draft(other)[0][:, :9])
    torch.nn.init.normal_(net.blocks_nc[3].out.weight)
    assert (drafts(net) != net.draft(other)[0]).any(2).all()


def test_a_deeper_one_keeps_its_blocks_that_look_left_in_front(tmp_path):
    deeper, path = Transformer(TransformerConfig(5, 16, 2, 5, left=2)), saved(tmp_path, Transformer, left=2)
    begin(deeper, path)
    torch.testing.assert_close(drafts(deeper), drafts(checkpoint.load(path)), rtol=0, atol=1e-6)


@pytest.mark.parametrize("left", [0, 2])
def test_blocks_of_another_look_are_refused(judge, shallow, left):
    with pytest.raises(ValueError, match="look left"):
        begin(Transformer(TransformerConfig(5, 16, 2, 4, left=left)), judge)
    if left:
        with pytest.raises(ValueError, match="--set left=0"):
            begin(Transformer(TransformerConfig(5, 16, 2, 3, left=left)), shallow)


def test_a_shallower_one_is_refused(shallow):
    with pytest.raises(ValueError, match="do not fit"):
        begin(Transformer(TransformerConfig(5, 16, 2, 2)), shallow)
