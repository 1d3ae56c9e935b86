"""Attention of the causal block: the weights are those that its output is made of, groups are right by hand, and the
study at toy size.
"""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

import studies.attention.claims as found
import studies.attention.study as study
from harness.nets import checkpoint
from harness.records.store import Store
from harness.run import runner
from harness.study import Checkpoint
from reports.gallery import shown
from ssmd.attention import GROUPS, attention, by_group
from ssmd.model import Kept
from tests.test_model import CONFIG, L, inputs, rough
from tests.test_studies import whole


def test_the_weights_are_those_that_the_block_mixes_values_by():
    """One head, so that their mean is the weight itself: values mixed by them, through the rest of the block, are what
    the block gives.
    """
    net = rough(replace(CONFIG, heads=1))
    x, y, order, ranks = inputs()
    h = net.hidden(x)
    a = attention(net, h, y, order)
    assert torch.allclose(a.sum(-1), torch.ones(3, L)) and not a.triu(1).any()
    block, u = net.blocks_c[0], net._inputs(Kept(h), y, order, ranks)
    _, values = block.keys_values(u, net.rotary(order))
    mixed = u + block.out((a[:, None] @ values).transpose(1, 2).flatten(2))
    c = mixed + block.down(F.gelu(block.up(block.norm2(mixed)), approximate="tanh"))
    assert torch.allclose(net.target_logits(h.gather(1, order[..., None].expand_as(h)) + c - u),
                          net.verify(net.draft(x)[1], y, order, ranks), atol=1e-4)


def test_groups_by_hand():
    """Order 2 0 1 3, one token revealed. Depth 2 is rank 2, place 1, whose neighbours 2 (revealed) and 0 (drafted) are
    carried by tracks 1 and 2.
    """
    a = torch.tensor([[[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0.2, 0.3, 0.5, 0], [0.1, 0.2, 0.3, 0.4]]])
    mass, share = by_group(a, torch.tensor([[2, 0, 1, 3]]), torch.tensor([1]), torch.tensor([1, 2, 3]))
    assert mass[0, 0].tolist() == [0.5, 0.5, 0, 0, 0] and share[0, 0].tolist() == [0.5, 0.5, 0, 0, 0]
    assert mass[0, 1].tolist() == pytest.approx([0.2, 0.3, 0.5, 0.3, 0.5]) and share[0, 1].tolist() == pytest.approx(
        [1 / 3] * 5
    )
    # place 3: neighbour 2 alone
    assert mass[0, 2].tolist() == pytest.approx([0.1, 0.2, 0.7, 0.2, 0]) and share[0, 2].tolist() == pytest.approx(
        [0.25, 0.25, 0.5, 0.25, 0]
    )


def test_the_study_at_toy_size_makes_its_claims_and_its_figure(tmp_path, monkeypatch):
    data = replace(study.STUDY.data, length=48)
    checkpoint.save(rough(replace(CONFIG, vocab=data.vocab)), tmp_path / "net.safetensors", {"name": "net"})
    small = replace(study.STUDY, n=64, data=data, nets={"hybrid": Checkpoint(str(tmp_path / "net.safetensors"))})
    monkeypatch.setattr(found, "DEPTHS", (1, 2, 8, 32))
    assert study.claims(Store(tmp_path / "run"), "a command") == []
    assert found.measure(small, Store(tmp_path / "run")) == []
    runner.run(small, tmp_path / "run", timing=False)
    store = Store(tmp_path / "run")
    (record,) = study.measure(small, store)
    rows = whole(study.claims(store, "a command"), store)
    assert rows.keys() == {f"attention.{name}" for name in ("drafted", "beside_revealed", "beside_drafted",
                                                            "drafted_over_revealed")}
    every = {(group, depth): value for group, depth, quantity, value, *_ in record["rows"] if quantity == "attention"}
    assert all(sum(every[group, depth] for group in GROUPS[:3]) == pytest.approx(1)
               for depth in (1, 2, 8, 32)) and every["drafted", 1] == 0
    assert {group for group, _ in every} == {*GROUPS}
    ((_, _, _, caption),) = shown(tmp_path / "run", ["attention"])
    assert "n = 64 held-out rows" in caption
