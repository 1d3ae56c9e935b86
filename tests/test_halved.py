"""Matrices that are cast to bfloat16 once give the logits of those that autocast casts in every pass."""

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from harness.nets.autoregressive import Autoregressive
from harness.nets.halved import halved
from harness.nets.own import Own
from harness.nets.transformer import Transformer, TransformerConfig
from harness.nets.wrap import Half
from ssmd.attached import fresh
from ssmd.model import Hybrid, HybridConfig
from ssmd.variants import Variant, VariantConfig

SIZE = dict(vocab=5, width=32, heads=2, blocks=2)
NETS = {"masked": lambda: Transformer(TransformerConfig(**SIZE)), "hybrid": lambda: Hybrid(HybridConfig(**SIZE)),
        "own_head": lambda: Hybrid(HybridConfig(**SIZE, shared_head=False)),
        "variant": lambda: Variant(VariantConfig(**SIZE, contribution="projected"))}


class Casts(TorchDispatchMode):
    """The tensors that are cast to bfloat16."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten.to.dtype and args[1] == torch.bfloat16 != args[0].dtype:
            self.seen.append(args[0])
        return func(*args, **(kwargs or {}))


def rough(net):
    for k, p in enumerate(net.parameters()):
        p.data += 0.05 * torch.randn(p.shape, generator=torch.Generator().manual_seed(k))
    return net.eval()


def passes(net, verifies: bool):
    x, order = torch.randint(6, (4, 12), generator=torch.Generator().manual_seed(0)), torch.arange(12).expand(4, 12)
    with torch.inference_mode():
        logits, hidden = net.draft(x)
        return [logits, net.verify(hidden, x % 5, order, order)] if verifies else [logits]


@pytest.mark.parametrize("kind", NETS)
def test_weights_are_cast_once_and_logits_are_the_same(kind):
    net = rough(NETS[kind]())
    before, once = {k: v.clone() for k, v in net.state_dict().items()}, halved(net)
    assert halved(net) is once is not net and all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    assert all(torch.equal(a, b) for a, b in zip(passes(Half(net), kind != "masked"),
                                                 passes(Half(once), kind != "masked"), strict=True))
    for one, recast in ((net, True), (once, False)):
        with Casts() as casts:
            passes(Half(one), kind != "masked")
        weights = {id(p) for p in one.parameters() if p.dim() == 2} & {*map(id, casts.seen)}
        left = kind == "variant"    # its own reading of the inputs, which is no Linear layer
        assert (len(weights) > 3) == recast and (recast or len(weights) == left)


def test_all_but_the_matrices_is_shared():
    net = rough(Hybrid(HybridConfig(**SIZE)))
    net.card, net.sha256 = {"name": "x"}, "abc"
    once = halved(net)
    assert once.embed.weight is net.embed.weight and once.bos is net.bos and once.card is net.card
    assert once.head.weight.dtype == torch.bfloat16 and net.head.weight.dtype == torch.float32


def test_a_trunk_of_another_make_stays_as_it_is():
    table, head = nn.Embedding(6, 16), nn.Linear(16, 5)
    trunk = Own(table, 5, mask=5, head=head, embed=table, module=nn.ModuleList([table, head]), flops_per_token=1)
    net = rough(fresh(trunk, 32, 2, 1, seed=0))
    once = halved(net)
    assert once.trunk is trunk and head.weight.dtype == torch.float32
    assert once.project.weight.dtype == once.last.weight.dtype == torch.bfloat16
    assert all(torch.equal(a, b) for a, b in zip(passes(Half(net), True), passes(Half(once), True), strict=True))


def test_a_network_without_matrices_is_itself():
    table = object()
    assert halved(table) is table
    judge = Autoregressive(TransformerConfig(**SIZE))
    assert halved(judge).head.weight.dtype == torch.bfloat16
