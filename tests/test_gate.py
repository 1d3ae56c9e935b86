"""The gate before sampling: what ships passes it, and a target that does not help does not."""

import json

import torch

from harness.data.wikipedia_leads import WikipediaLeads
from harness.nets import checkpoint
from ssmd.model import Hybrid, HybridConfig
from ssmd.train.depth_gain import ROUNDS, gate
from ssmd.train.family import SHIPPED

DATA = WikipediaLeads(length=128)


def test_every_card_of_a_hybrid_says_whether_it_passes():
    """One does not, and is an ablation alone (docs/decisions.md)."""
    cards = {path.stem: card for path in sorted(SHIPPED.glob("*.json")) if path.stem != "absent"
             and (card := json.loads(path.read_text()))["network"] == "hybrid"}
    assert len(cards) == 7 and [name for name, card in cards.items()
                                if not card["gate"]["passed"]] == ["hybrid_frozen_plain"]
    for card in cards.values():
        assert card["validation_nats_per_token"]["target"] < card["validation_nats_per_token"]["draft"]


def about(card: dict) -> dict:
    """A card without the commands of earlier cycles, which may name a folder of the machine that ran them."""
    before = card.get("earlier_cycle")
    return card | {"earlier_cycle": before and {k: v for k, v in about(before).items() if k != "command"}}


def test_a_card_beside_a_network_is_the_one_inside_it():
    for path in sorted(SHIPPED.rglob("*.safetensors")):
        net = checkpoint.load(path)
        card = json.loads(path.with_suffix(".json").read_text())
        config = net.config_type(**card.pop("config"))    # a card knows no field that came later
        assert config == net.config and about(card) == about({"network": net.name, **net.card})


def test_the_shipped_target_gains_with_depth():
    found = gate(checkpoint.load(SHIPPED / "hybrid.safetensors"), DATA, n=32)
    pooled = [float((found.gain * found.tested)[a:b].sum() / found.tested[a:b].sum()) for a,
              b in ((0, 4), (4, 16), (16, 48), (48, 128))]
    assert pooled == sorted(pooled) and pooled[-1] > 0.3


def test_a_target_that_equals_its_draft_does_not_pass():
    torch.manual_seed(0)
    # zero start: Q = P
    fresh = gate(Hybrid(HybridConfig(vocab=27, width=16, heads=2, blocks=1)), WikipediaLeads(length=16), n=16)
    assert fresh.gain.abs().max() < 1e-6 and not fresh.passed
    assert fresh.tested[0] == 16 * ROUNDS      # every state has a first masked rank


def test_a_harmed_target_does_not_pass():
    net = checkpoint.load(SHIPPED / "hybrid.safetensors")
    torch.nn.init.normal_(net.blocks_c[0].down.weight, std=0.5)
    assert not gate(net, DATA, n=8).passed
