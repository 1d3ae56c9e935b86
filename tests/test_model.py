"""The hybrid network: which output sees which input, the zero start, truncation, positions, and whether it learns at
all.
"""

import shutil
import warnings
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from harness.data.markov import Markov
from harness.nets import checkpoint
from harness.nets.compiled import compiled
from harness.nets.device import can_compile
from harness.nets.flops import block_flops, head_flops
from harness.nets.transformer import NORMS, Transformer, TransformerConfig, attention, gather_rows
from harness.nets.wrap import Half
from harness.run.cell import cells_of
from harness.sampling.loop import sample
from ssmd.model import Hybrid, HybridConfig, Kept
from ssmd.sampler import SelfSpeculative
from ssmd.train.settings import Training
from ssmd.train.updates import losses
from ssmd.variants import INPUTS, READ, Variant, VariantConfig
from studies.smoke.study import STUDY as SMOKE

L, V = 12, 7
CONFIG = HybridConfig(vocab=V, width=32, heads=2, blocks=2, causal=1)
VARIANTS = [CONFIG, replace(CONFIG, causal=2), replace(CONFIG, residual=False), replace(CONFIG, shared_head=False),
            replace(CONFIG, norm="layer"),
            *(VariantConfig(V, 32, 2, 2, causal=1, inputs=inputs) for inputs in INPUTS[1:]),
            *(VariantConfig(V, 32, 2, 2, causal=1, contribution=contribution)
              for contribution in ("projected", "gated")),
            *(VariantConfig(V, 32, 2, 2, causal=1, positions=positions) for positions in ("halves", "learned"))]


def of(config: HybridConfig) -> Hybrid:
    return (Variant if isinstance(config, VariantConfig) else Hybrid)(config)


def rough(config: HybridConfig, seed: int = 0) -> Hybrid:
    """Random weights with causal output projections away from zero."""
    torch.manual_seed(seed)
    net = of(config).eval()
    for name, p in net.blocks_c.named_parameters():
        if name.split(".")[1] in ("out", "down", "last", "gate"):
            torch.nn.init.normal_(p, std=0.3)
    for p in (net.embed.weight, net.head.weight):
        torch.nn.init.normal_(p, std=1.0)
    return net.requires_grad_(False)


def inputs(B: int = 3):
    g = torch.Generator().manual_seed(1)
    y = torch.randint(0, V, (B, L), generator=g)
    order = torch.stack([torch.randperm(L, generator=g) for _ in range(B)])
    i = torch.randint(0, L, (B, 1), generator=g)
    x = torch.where(order.argsort(1) >= i, V, y)
    return x, y, order, torch.arange(L).expand(B, L)


@pytest.mark.parametrize("config", VARIANTS, ids=str)
def test_a_target_never_sees_the_token_it_judges_nor_any_later_one(config):
    net = rough(config)
    x, y, order, ranks = inputs()
    _, hidden = net.draft(x)
    q = net.verify(hidden, y, order, ranks)
    for k in range(L):
        later = y.scatter(1, order[:, k:], (y.gather(1, order[:, k:]) + 1) % V)
        changed = net.verify(hidden, later, order, ranks)
        assert torch.allclose(q[:, : k + 1], changed[:, : k + 1], atol=1e-5)
        if k + 1 < L:
            assert (q[:, k + 1] - changed[:, k + 1]).abs().max() > 1e-4, "the token just before must matter"


@pytest.mark.parametrize("config", [c for c in VARIANTS if c.residual], ids=str)
def test_target_equals_draft_at_the_start(config):
    net = of(config).eval()
    x, y, order, ranks = inputs()
    p, hidden = net.draft(x, order)
    assert torch.equal(net.verify(hidden, y, order, ranks), p)


@pytest.mark.parametrize("config", VARIANTS, ids=str)
def test_tracks_cut_off_at_the_window_give_the_same_logits(config):
    net = rough(config)
    x, y, order, ranks = inputs()
    _, hidden = net.draft(x)
    whole = net.verify(hidden, y, order, ranks)
    for stop in (1, 5, L):
        assert torch.allclose(net.verify(hidden, y, order, ranks[:, :stop]), whole[:, :stop], atol=1e-5)


@pytest.mark.parametrize("config", VARIANTS, ids=str)
def test_what_verify_passes_keep_changes_no_logit(config):
    """Passes on one draft pass, with tokens, windows and rows alive that change between them, against every track
    computed anew.
    """
    net, g = rough(config), torch.Generator().manual_seed(2)
    x, y, order, _ = inputs(5)
    _, hidden = net.draft(x)
    h, kept = net.hidden(x), 0
    for _ in range(12):
        y = torch.where(torch.rand(y.shape, generator=g) < 0.15, torch.randint(0, V, y.shape, generator=g), y)
        start, width = torch.randint(0, L - 1, (5, 1), generator=g), torch.randint(1, 5, (5, 1), generator=g)
        at = start + torch.arange(4)
        at = torch.where((at < L) & (at < start + width), at, -1)
        rows = (torch.rand(5, generator=g) < 0.7).nonzero()[:, 0]
        kept += int(net.begin(hidden[rows], y[rows], order[rows], at[rows]).sum())
        found = net.verify(hidden[rows], y[rows], order[rows], at[rows])
        plain = net.target_logits(gather_rows(net.target_hidden(h, y, order, L), at))[rows]
        assert torch.allclose(found[at[rows] >= 0], plain[at[rows] >= 0], atol=1e-5)
    assert (kept > 20) == (getattr(config, "positions", "split") == "split"), "what is kept"


def test_logits_wanted_at_some_places_are_those_of_the_whole_pass():
    net = rough(CONFIG)
    x, y, order, _ = inputs()
    every, hidden = net.draft(x)
    at = torch.tensor([[3, -1], [0, 11], [5, 5]])
    some, _ = net.draft(x, at)
    for b, w in [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1)]:
        assert torch.allclose(some[b, w], every[b, at[b, w]], atol=1e-6)


def test_permuting_the_batch_permutes_the_answer():
    net = rough(CONFIG)
    x, y, order, ranks = inputs()
    mixed = torch.tensor([2, 0, 1])
    p, hidden = net.draft(x)
    p2, hidden2 = net.draft(x[mixed])
    assert torch.allclose(p[mixed], p2, atol=1e-5)
    assert torch.allclose(net.verify(hidden, y, order, ranks)[mixed],
                          net.verify(hidden2, y[mixed], order[mixed], ranks), atol=1e-5)


def test_mask_is_an_input_and_never_an_output():
    net = rough(CONFIG)
    x, y, order, ranks = inputs()
    p, hidden = net.draft(x)
    assert p.shape[-1] == V and net.verify(hidden, y, order, ranks).shape[-1] == V and net.mask == V


def test_another_next_position_changes_the_logits_also_at_equal_hidden_states():
    net = rough(CONFIG)
    x, y, order, ranks = inputs(1)
    same = Kept(torch.randn(1, 1, 32).expand(1, L, 32))
    swapped = order.clone()
    swapped[:, [6, 7]] = order[:, [7, 6]]                                          # rank 6 is now at another place
    a, b = net.verify(same, y, order, ranks), net.verify(same, y, swapped, ranks)
    assert torch.allclose(a[:, :6], b[:, :6], atol=1e-5) and (a[:, 6] - b[:, 6]).abs().max() > 1e-4


@pytest.mark.parametrize("read", INPUTS)
def test_a_track_reads_the_hidden_states_of_the_places_it_is_given_and_no_others(read):
    """Without the output residual, so that the state of the next place arrives through the track alone; one row, one
    track beside BOS.
    """
    net = rough(VariantConfig(V, 32, 2, 2, causal=1, residual=False, inputs=read))
    x, y, order, ranks = (t[:1] for t in inputs())
    _, hidden = net.draft(x)
    before = net.verify(hidden, y, order, ranks[:, 1:2])
    for part, place in enumerate(order[0, :2]):  # track 1 carries the first place and predicts the second
        states = hidden.whole.clone()
        states[0, place] = states[0, place].flip(0)
        moved = not torch.equal(net.verify(Kept(states), y, order, ranks[:, 1:2]), before)
        bos = part == 0 and read in ("both", "next")  # track 0 predicts the first place, and track 1 sees track 0
        assert moved == bool(READ[read][part] or bos)


def test_a_variant_is_saved_trained_and_refused_like_any_network(tmp_path):
    config = Training("hybrid", width=16, heads=2, blocks=2, inputs="next", contribution="gated", power=0.0)
    net = config.build(V)
    path = tmp_path / "variant.safetensors"
    checkpoint.save(net, path, {"name": "variant"})
    again = checkpoint.load(path)
    assert isinstance(again, Variant) and again.config == net.config and type(Training("hybrid").build(V)) is Hybrid
    with pytest.raises(ValueError, match="choose both | current"):
        Training("hybrid", inputs="all")
    with pytest.raises(ValueError, match="is for one causal block"):
        Training("hybrid", causal=2, contribution="gated").build(V)


def test_only_distances_between_positions_matter():
    net = rough(CONFIG)
    x, y, order, ranks = inputs(1)
    rotary = net.rotary.forward
    p, hidden = net.draft(x)
    q = net.verify(hidden, y, order, ranks)
    net.rotary.forward = lambda position: rotary(position + 9)
    p9, hidden9 = net.draft(x)
    assert torch.allclose(p, p9, atol=1e-4) and torch.allclose(q, net.verify(hidden9, y, order, ranks), atol=1e-4)


def test_the_causal_part_learns_what_the_draft_cannot_know():
    """300 updates on a first-order Markov source: the target loss must be clearly below the draft loss."""
    data = Markov(symbols=8, length=24)
    config = Training("hybrid", width=48, heads=4, blocks=3, lr=4e-3)
    net = config.build(data.vocab)
    optimiser = torch.optim.AdamW(net.parameters(), lr=4e-3, betas=(0.9, 0.95))
    text, gap = data.rows("train", 300 * 32, seed=0), []
    for step in range(300):
        rows = step * 32 + torch.arange(32)
        found = losses(net, text[rows], rows, config.schedule, seed=0, step=step)
        sum(found.values()).backward()
        optimiser.step()
        optimiser.zero_grad()
        gap.append((found["draft"] - found["target"]).item())
    assert abs(gap[0]) < 1e-4, "target = draft at the start"
    assert sum(gap[-50:]) / 50 > 0.05, f"no gap was learnt: {sum(gap[-50:]) / 50:.3f} nats per token"


def test_flops_of_a_pass_equal_what_pytorch_counts():
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    def counted(call) -> int:
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            call()
        return counter.get_total_flops()

    x, y, order, ranks = inputs(2)
    net = rough(CONFIG)
    assert counted(lambda: net.draft(x)) == 2 * net.flops("draft", L, L)
    assert counted(lambda: net.draft(x, order[:, :4])) == 2 * net.flops("draft", L, 4)
    _, hidden = net.draft(x)
    spent, causal = counted(lambda: net.verify(hidden, y, order, ranks)), net.flops("verify", L, L, L)
    above = 4 * 32 * CONFIG.causal * (L * L - L * (L + 1) // 2)  # the math backend also multiplies what the mask hides
    assert spent == 2 * (causal + above)
    plain = Transformer(TransformerConfig(vocab=V, width=32, heads=2, blocks=3))
    assert plain.flops("draft", L, L) == L * (3 * block_flops(32, L) + head_flops(32, V))


@pytest.mark.parametrize("config", [CONFIG, replace(CONFIG, causal=2),
                                    VariantConfig(V, 32, 2, 2, causal=1, contribution="projected")], ids=str)
def test_flops_of_a_pass_that_keeps_what_it_has_equal_what_pytorch_counts(config):
    """All tracks are kept, one token changes, and the last three are asked."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    x, y, order, ranks = inputs(2)
    net, asked, causal = rough(config), 3, config.causal
    _, hidden = net.draft(x)
    with torch.inference_mode():
        net.verify(hidden, y, order, ranks)
        y = y.scatter(1, order[:, L // 2, None], (y.gather(1, order[:, L // 2, None]) + 1) % V)
        at = ranks[:, -asked:]
        start, *others = net.begin(hidden, y, order, at).tolist()
        assert 0 < start < L - asked and {*others} == {start}
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            net.verify(hidden, y, order, at)
    pairs, last = L * (L + 1) // 2 - start * (start + 1) // 2, L * (L + 1) // 2 - (L - asked) * (L - asked + 1) // 2
    # the math backend also multiplies what the mask hides
    above = 4 * 32 * ((causal - 1) * ((L - start) * L - pairs) + asked * L - last)
    assert counter.get_total_flops() == len(x) * (net.flops("verify", L, asked, L, start) + above)


def test_a_width_that_cannot_be_rotated_is_refused():
    with pytest.raises(ValueError, match="multiple of twice"):
        TransformerConfig(vocab=3, width=30, heads=4, blocks=1)


def test_passes_in_bfloat16_are_near_those_in_float32_and_make_other_cells():
    torch.manual_seed(0)
    net = rough(HybridConfig(vocab=5, width=32, heads=2, blocks=2))
    half, x, order = Half(net), torch.randint(6, (4, 12)), torch.arange(12).expand(4, 12)
    with torch.inference_mode():
        (p, hidden), (p16, hidden16) = net.draft(x), half.draft(x)
        q, q16 = net.verify(hidden, x % 5, order, order), half.verify(hidden16, x % 5, order, order)
    for full, low in ((p, p16), (q, q16)):
        assert low.dtype == torch.float32 and 0 < (full - low).abs().max() < 0.05 * full.abs().max()
    keys = {cells_of(replace(SMOKE, dtype=dtype))[0].key() for dtype in ("float32", "bfloat16")}
    assert len(keys) == 2
    assert isinstance(cells_of(replace(SMOKE, dtype="bfloat16"))[0].wrapped_networks()["main"], Half)
    with pytest.raises(ValueError, match=r"choose float32 \| bfloat16"):
        replace(SMOKE, dtype="float16")


@pytest.mark.skipif(not any(map(shutil.which, ("g++", "clang++"))), reason="no C++ compiler, which torch.compile calls")
def test_compiled_passes_are_the_same_up_to_rounding_and_sample_the_same_in_any_batch():
    torch.manual_seed(0)
    net = rough(HybridConfig(vocab=5, width=32, heads=2, blocks=2))
    fast, x, order = compiled(net), torch.randint(6, (4, 12)), torch.arange(12).expand(4, 12)
    with torch.inference_mode():
        (p, hidden), (pc, hidden_c) = net.draft(x), fast.draft(x)
        q, qc = net.verify(hidden, x % 5, order, order), fast.verify(hidden_c, x % 5, order, order)
    assert torch.allclose(p, pc, atol=1e-4) and torch.allclose(q, qc, atol=1e-4)
    prompts = torch.full((6, 12), net.mask)
    two, six = (sample(SelfSpeculative(rounds=3), {"main": fast}, prompts, 0, batch) for batch in (2, 6))
    assert torch.equal(two, six)


def test_a_compiled_study_has_cells_of_its_own_and_refuses_a_network_without_blocks(monkeypatch):
    plain, fast = (cells_of(replace(SMOKE, compiled=wanted))[0] for wanted in (False, True))
    assert plain.key() != fast.key() and fast.describe() == plain.describe() | {"compiled": True}
    assert not plain.missing() and "run it without --compile" in fast.missing()
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(ValueError, match="install g"):
        can_compile(True)
    assert not can_compile(False)


@pytest.mark.parametrize("causal", [False, True])
def test_attention_in_a_training_in_bfloat16_is_that_of_float32(causal):
    """The old path is the oracle: torch's own attention, in bfloat16 without a gradient, and in float32 with one."""
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(2, 2, 9, 8, generator=generator).bfloat16().requires_grad_() for _ in range(3))
    found = attention(q, k, v, causal)
    exact = [x.detach().float().requires_grad_() for x in (q, k, v)]
    wanted = F.scaled_dot_product_attention(*exact, is_causal=causal)
    assert found.dtype == torch.bfloat16 and torch.equal(found, wanted.bfloat16())
    ours, theirs = torch.autograd.grad(found.sum(), (q, k, v)), torch.autograd.grad(wanted.sum(), exact)
    assert all(torch.equal(a, b.bfloat16()) for a, b in zip(ours, theirs))
    with torch.no_grad():
        assert torch.equal(attention(q, k, v, causal), F.scaled_dot_product_attention(q, k, v, is_causal=causal))


def test_a_norm_of_bfloat16_says_nothing_and_is_in_float32():
    norm, x = NORMS["rms"](8), torch.randn(2, 8, generator=torch.Generator().manual_seed(0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(norm(x.bfloat16()), torch.nn.RMSNorm(8)(x.bfloat16().float()))
    assert torch.equal(norm(x), torch.nn.RMSNorm(8)(x))
