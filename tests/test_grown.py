"""A training that begins from a shallower network begins as that network."""

import pytest
import torch

from harness.nets import checkpoint
from harness.nets.transformer import Transformer, TransformerConfig
from ssmd.model import Hybrid, HybridConfig
from ssmd.train.updates import begin

X = torch.randint(0, 6, (3, 12), generator=torch.Generator().manual_seed(0))


@pytest.fixture
def shallow(tmp_path):
    torch.manual_seed(0)
    net = Transformer(TransformerConfig(5, 16, 2, 3))
    checkpoint.save(net, tmp_path / "shallow.safetensors", {"name": "shallow"})
    return tmp_path / "shallow.safetensors"


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


def test_a_shallower_one_is_refused(shallow):
    with pytest.raises(ValueError, match="do not fit"):
        begin(Transformer(TransformerConfig(5, 16, 2, 2)), shallow)
