"""A causal block on the frozen trunk of another's network: on our own trunk it is our own hybrid, to the bit; on others
it begins as their draft, learns, and is refused without them.
"""

import json
import os
import re
import shlex
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import nn

from baselines.fixed_count import FixedCount
from harness.__main__ import main
from harness.nets import checkpoint
from harness.nets.hub import Hub
from harness.nets.own import Made, Own, weights_of
from harness.nets.transformer import Transformer, TransformerConfig
from harness.records.store import Store
from harness.run import runner
from harness.sampling.loop import sample
from harness.schedules.noise import Linear as Straight
from harness.schedules.order import Dilated
from harness.schedules.window import Fixed, Linear, Open
from harness.spec import ROOT
from harness.study import Arm, Study
from ssmd.attached import Attached, AttachedTo, fresh
from ssmd.model import Hybrid
from ssmd.sampler import SelfSpeculative
from ssmd.train.loop import train
from ssmd.train.loss import mask_counts, masked_batch, reordered, target_loss
from ssmd.train.settings import Training
from ssmd.train.taught import taught_loss
from ssmd.train.updates import losses
from tests import warm
from tests.conformance.toys import DATA, MASK, D, distance, ssmd_law
from tests.conformance.toys import V as SYMBOLS
from tests.test_guards import library, saved, words  # noqa: F401    # a fixture
from tests.test_model import CONFIG, L, V, inputs, rough
from tests.test_train import Corpus

SOURCE = Corpus(symbols=V, length=L)
SMALL = Training("hybrid", frozen=True, width=32, heads=2, blocks=3, batch=8, tokens=220 * 8 * L, warmup=10)


def trunk_of(net: Transformer, **more) -> Own:
    """A network of ours as a black box: states, head and embedding."""
    return Own(net.hidden, net.vocab, module=net, head=net.logits, embed=net.embed, blocks=net.config.blocks, **more)


def plain(seed: int = 0, **changes) -> Transformer:
    torch.manual_seed(seed)
    net = Transformer(TransformerConfig(**({"vocab": V, "width": 32, "heads": 2, "blocks": 2} | changes))).eval()
    for p in (net.embed.weight, net.head.weight):
        nn.init.normal_(p, std=1.0)
    return net.requires_grad_(False)


def roughened(net: Attached, std: float = 0.3) -> Attached:
    torch.manual_seed(5)
    for name, p in net.named_parameters():
        if p.dim() == 2 and name != "project.weight":
            nn.init.normal_(p, std=std)
    return net.eval().requires_grad_(False)


@pytest.mark.parametrize("config", [CONFIG, replace(CONFIG, causal=2)], ids=str)
def test_on_our_own_trunk_it_is_our_own_hybrid_to_the_bit(config):
    """Targets of training, verify passes on what is kept, and FLOPs."""
    hybrid: Hybrid = rough(config)
    net = fresh(trunk_of(hybrid), 0, 2, config.causal, 0).eval().requires_grad_(False)
    net.load_state_dict({name: p for name, p in hybrid.state_dict().items() if name in net.state_dict()})
    x, y, order, at = inputs()
    (p, kept), (theirs, others) = net.draft(x), hybrid.draft(x)
    assert torch.equal(p, theirs)
    assert torch.equal(net.target_hidden(kept.h, y, order, L), hybrid.target_hidden(others.h, y, order, L))
    for token in (0, 1):    # the second pass reads what the first has kept
        changed = y.clone()
        changed[:, 3] = token
        assert torch.equal(net.verify(kept, changed, order, at), hybrid.verify(others, changed, order, at))
    assert net.flops("verify", L, 3, 9, 4) == hybrid.flops("verify", L, 3, 9, 4)
    assert net.flops("draft", L, 3) == hybrid.flops("draft", L, 3)
    assert (net.blocks("draft"), net.blocks("verify")) == (hybrid.blocks("draft"), hybrid.blocks("verify"))


@pytest.mark.parametrize("width", [0, 16, 48])
def test_before_training_its_target_is_the_draft_to_the_bit_and_afterwards_it_is_not(width):
    net = fresh(trunk_of(plain()), width, 2, 1, 0).eval()
    x, y, order, at = inputs()
    p, kept = net.draft(x)
    assert torch.equal(net.verify(kept, y, order, at), p.gather(1, order[..., None].expand_as(p)))
    roughened(net)
    p, kept = net.draft(x)
    target = net.target_logits(net.target_hidden(kept.h, y, order, L))
    assert torch.allclose(net.verify(kept, y, order, at), target, atol=1e-4) and not torch.allclose(
        target, p.gather(1, order[..., None].expand_as(p)), atol=1e-2)
    assert (net.state_dict().keys() & {"last.weight"}) == ({"last.weight"} if width else set())


def test_a_row_does_not_depend_on_its_batch():
    net = roughened(fresh(trunk_of(plain()), 16, 2, 1, 0))
    rows = [sample(SelfSpeculative(Linear(0.5), 3), {"main": net}, torch.full((9, L), V), 0, batch) for batch in (1, 9)]
    assert torch.equal(*rows)


@pytest.mark.parametrize("order", ["uniform", "dilated"])
@pytest.mark.parametrize("window, rounds", [(Open(), 1), (Open(), 3), (Fixed(2), 2)], ids=str)
def test_samples_follow_the_law_that_is_enumerated_of_it(window, rounds, order):
    net, exact = (roughened(fresh(trunk_of(plain(vocab=SYMBOLS, width=16).to(dtype)), 8, 2, 1, 0), 0.6).to(dtype)
                  for dtype in (torch.float32, torch.float64))    # a cast leaves its trunk as it is
    some = torch.tensor([[(place - start) % D for place in (0, 2, 1, 3)] for start in range(D)])
    sampler = SelfSpeculative(window, rounds, *([Dilated()] if order == "dilated" else []))
    law = ssmd_law(exact, window, rounds, *([some] if order == "dilated" else []))
    tv, quantile = distance(sampler, {"main": net}, law)
    assert tv < quantile and net.mask == MASK and net.vocab == DATA.vocab


@dataclass(frozen=True)
class Ours(Made):
    seed: int = 0

    def make(self, device):
        net = trunk_of(plain(self.seed).to(device))
        net.untrained = True
        return net


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    trunk = Ours().load("cpu")
    before = weights_of(trunk.module)
    path = train(SMALL, SOURCE, tmp_path_factory.mktemp("attach"), "block", say=lambda text: None,
                 net=fresh(trunk, 32, 2, 1, SMALL.seed))
    assert weights_of(trunk.module) == before
    return path


def test_a_block_learns_and_its_checkpoint_holds_the_block_alone(trained):
    card = checkpoint.load(trained).card
    nats = card["validation_nats_per_token"]
    assert nats["target"] < nats["draft"] - 0.05 and card["trunk"] == Ours().load("cpu").sha256
    assert {name.partition(".")[0] for name in checkpoint.load(trained).state_dict()} == {"bos", "project", "blocks_c"}
    assert "gate" in card and card["parameters"] < 40_000


def test_a_killed_training_resumes_to_the_same_block(trained, tmp_path):
    class Killed(Exception):
        pass

    def die(text):
        if " 200/220 " in text:
            raise Killed

    def begun(**more):
        return train(SMALL, SOURCE, tmp_path, "block", net=fresh(Ours().load("cpu"), 32, 2, 1, SMALL.seed), **more)

    with pytest.raises(Killed):
        begun(say=die, save_seconds=0)
    assert checkpoint.load(begun(say=lambda text: None)).sha256 == checkpoint.load(trained).sha256
    with pytest.raises(ValueError, match="by other settings, on other data"):
        train(SMALL, SOURCE, tmp_path, "block", net=fresh(Ours(1).load("cpu"), 32, 2, 1, SMALL.seed))


def test_a_trunk_of_more_blocks_than_the_file_has_tensors(tmp_path):
    """AntiBERTy has eight blocks, and the file of a block eight tensors: it could not be loaded."""
    deep = trunk_of(plain(blocks=20))
    net = fresh(deep, 0, 2, 1, 0)
    checkpoint.save(net, tmp_path / "block.safetensors", {})
    assert checkpoint.load(tmp_path / "block.safetensors").on(deep).blocks("draft") == 20


def test_it_is_refused_on_another_trunk_or_on_none(trained):
    net = AttachedTo(str(trained), Ours()).load("cpu")
    assert net.draft(torch.full((1, L), V))[0].shape == (1, L, V)
    with pytest.raises(ValueError, match="was trained on the trunk .*, and this one is"):
        AttachedTo(str(trained), Ours(1)).load("cpu")
    with pytest.raises(ValueError, match="a block without its trunk: name both in a study"):
        checkpoint.load(trained).draft(torch.full((1, L), V))
    with pytest.raises(ValueError, match="needs the hidden states, the head and the embedding of its trunk apart"):
        fresh(Own(lambda x: plain().draft(x)[0], V, module=plain()), 0, 2, 1, 0)
    with pytest.raises(ValueError, match="must be a multiple of twice the number of heads"):
        fresh(Ours().load("cpu"), 30, 4, 1, 0)


def test_every_arm_of_a_study_takes_it_and_its_key_follows_block_and_trunk(trained, tmp_path):
    study = Study(name="attached", question="?", data=SOURCE, nets={"attached": AttachedTo(str(trained), Ours())},
                  reference="attached", metrics=[], n=8, batch=4,
                  arms=[Arm("ssmd", [SelfSpeculative(Linear(0.5), 4), SelfSpeculative(Linear(0.5), 4, Dilated())],
                            {"main": "attached"}),
                        Arm("fixed", [FixedCount(Fixed(4))], {"main": "attached"})])
    assert runner.run(study, tmp_path / "run", timing=False)["done"] == 3
    store = Store(tmp_path / "run")
    (network,) = store.of("network")
    assert network["card"]["trunk"]["identity"] and len({r["cell"]["nets"]["main"] for r in store.of("counted")}) == 1
    by = {r["arm"]: r["cost"] for r in store.of("counted")}
    assert by["ssmd"]["calls"].keys() == {"main.draft", "main.verify"}


@pytest.mark.parametrize("kind, changes", [
    ("Bert", {}), ("Roberta", {}), ("Albert", {"embedding_size": 8}), ("DistilBert", {"dim": 16, "hidden_dim": 32,
                                                                                     "n_heads": 2, "n_layers": 2}),
    ("Electra", {"embedding_size": 16}), ("ModernBert", {}), ("Esm", {"pad_token_id": 1, "token_dropout": False})])
def test_states_and_head_of_a_model_are_taken_apart_to_the_bit(library, tmp_path, kind, changes):    # noqa: F811
    special = (0, 1, 2, 3, *(range(24, 32) if kind == "Esm" else ()))
    trunk = Hub(str(saved(library, tmp_path, kind, **changes)), mask=4, never=special).load("cpu")
    assert trunk.head is not None
    x = torch.tensor([[5, trunk.mask, 3, trunk.mask, 7]])
    ids = trunk.ids[x]
    frame = [part.expand(1, -1) for part in (trunk.before, trunk.after)]
    with torch.no_grad():
        whole = trunk.module(input_ids=torch.cat((frame[0], ids, frame[1]), 1)).logits
    first = len(trunk.before)
    assert torch.equal(trunk.draft(x)[0], whole[:, first : first + 5][..., trunk.ids[:-1]])
    net = fresh(trunk, 16, 2, 1, 0).eval()
    order = torch.randperm(5, generator=torch.Generator().manual_seed(0))[None]
    p, kept = net.draft(x)
    target = net.verify(kept, x % trunk.vocab, order, torch.arange(5)[None])
    assert torch.allclose(target, p.gather(1, order[..., None].expand_as(p)), atol=1e-6)


PAGE = (ROOT / "docs/attach.md").read_text()
ATTACH, RUN, ITSELF, BEGUN = (shlex.split(line)[1:] for line in re.findall(r"^    (ssmd-bench .*)", PAGE, re.M)[:4])


def test_from_a_folder_to_a_report_by_the_page(library, tmp_path):    # noqa: F811
    """Its commands and its study, as they stand."""
    words(saved(library, tmp_path / "my_model", "Bert", vocab_size=16))
    (study,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    (tmp_path / "saved.py").write_text(study)

    def called(given: list[str]) -> subprocess.CompletedProcess:
        environment = os.environ | {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
        return warm.run(["-m", "harness", *given], tmp_path, environment, before=warm.PLAIN * ("--report" in given))

    made, again, run, *alone = called(ATTACH), called(ATTACH), called(RUN), called(ITSELF), called(BEGUN)
    assert made.returncode == again.returncode == run.returncode == 0, made.stderr + again.stderr + run.stderr
    for itself in alone:
        assert itself.returncode == 0 and "rows of the network itself: 64/64" in itself.stderr, itself.stderr
    assert "% of the FLOPs of a pass of the model" in made.stdout
    assert json.loads(made.stdout.splitlines()[-1]) == {"checkpoint": "runs/attach/block.safetensors"}
    assert "MASK is 4, 9 tokens" in made.stderr and "min left" in made.stderr and "is finished" in again.stderr
    assert json.loads(run.stdout.splitlines()[-1])["done"] == 2 and list((tmp_path / "runs/page").glob("*.html"))


def test_what_is_lacking_is_one_sentence(library, tmp_path, monkeypatch, capsys):    # noqa: F811
    monkeypatch.chdir(tmp_path)
    saved(library, tmp_path / "my_model", "Bert", vocab_size=16)
    (tmp_path / "half.py").write_text("from harness.nets.hub import Hub\nTRUNK = Hub('my_model', mask=4)\n")
    for given, says in ((["my_model"], "attach needs --data"), (["half.py"], "half.py defines no DATA"),
                        (["half.py", "--data", "markov"], "would be ignored, half.py says all of it"),
                        (["half.py", "--rows", "99"], "are of --data self, and half.py has its DATA"),
                        (["nowhere", "--data", "markov"], "correct the path or the name"),
                        (["my_model", "--data", "wikipedia_leads", "--take", "mask=4"], "choose data that fit")):
        assert main(["attach", *given]) == 2
        assert says in capsys.readouterr().err


def test_a_study_file_may_hold_the_trunk_and_the_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "both.py").write_text("from tests.test_attach import SOURCE as DATA, Ours\nTRUNK = Ours()\n")
    assert main(["attach", "both.py", "--tokens", "2000", "--set", "batch=4", "--set", "heads=2", "--out", "out"]) == 0
    assert isinstance(checkpoint.load(tmp_path / "out/block.safetensors"), Attached)


@pytest.mark.parametrize("width", [32, 16])
def test_where_its_block_is_unlike_those_of_the_trunk_passes_are_counted_in_flops(width, tmp_path):
    """A block of half the width is none of the trunk's: counted as one it would say a third of a pass."""
    config = replace(SMALL, width=width, tokens=8 * L * 2)
    path = train(config, SOURCE, tmp_path, "block", say=lambda text: None,
                 net=fresh(Ours().load("cpu"), width, 2, 1, 0), judged=8)
    study = Study(name="attached", question="?", data=SOURCE, nets={"net": AttachedTo(str(path), Ours())},
                  reference="net", metrics=[], n=4, batch=4,
                  arms=[Arm("ssmd", [SelfSpeculative(Linear(0.5), 4)], {"main": "net"})])
    runner.run(study, tmp_path / "run", timing=False)
    (record,) = Store(tmp_path / "run").of("counted")
    cost, net = record["cost"], AttachedTo(str(path), Ours()).load("cpu")
    blocks = cost["calls"]["main.draft"] + cost["calls"]["main.verify"] / 2
    assert net.alike(L) == (width == 32) and cost["calls"]["main.verify"] > 1
    assert cost["nfe_a"] == pytest.approx(blocks if width == 32 else cost["nfe_c"])
    assert blocks > 1.05 * cost["nfe_c"]


def test_more_orders_of_one_draft_pass_mask_the_same_places_and_leave_the_loss_as_it_is():
    """The mean over many orders of one view is the mean over views of the same places; the 0th is the view's own."""
    rows, x = torch.arange(6), torch.randint(0, V, (6, L), generator=torch.Generator().manual_seed(0))
    i = torch.tensor([0, 1, 3, 4, 6, L - 1])
    _, order, hidden = masked_batch(x, i, rows, 7, V)
    assert torch.equal(reordered(order, hidden, rows, 7, 0), order)
    seen = {tuple(reordered(order, hidden, rows, 7, k)[2].tolist()) for k in range(40)}
    for k in range(1, 40):
        other = reordered(order, hidden, rows, 7, k)
        assert torch.equal(other.sort(1).values, torch.arange(L).expand(6, L))
        assert all(not hidden[r, other[r, : i[r]]].any() and hidden[r, other[r, i[r] :]].all() for r in range(6))
    assert len(seen) > 20
    net = roughened(fresh(trunk_of(plain()), 16, 2, 1, 0))
    many, once = (losses(net, x, rows, Straight(), 7, 0, orders=k) for k in (5, 1))
    h = net.hidden(masked_batch(x, *mask_counts(Straight(), rows, L, 7, 0)[:1], rows, 7, V)[0])
    i, weight = mask_counts(Straight(), rows, L, 7, 0)
    _, order, hidden = masked_batch(x, i, rows, 7, V)
    each = [target_loss(net.target_logits(net.target_hidden(h, x, sigma, L)), x, sigma, i, weight)
            for sigma in (reordered(order, hidden, rows, 7, k) for k in range(5))]
    assert torch.equal(many["draft"], once["draft"]) and torch.equal(each[0], once["target"])
    assert torch.allclose(many["target"], torch.stack(each).mean(), rtol=1e-6) and not torch.equal(each[0], each[1])


def test_a_blind_block_reads_no_tokens(trained):
    """A control: what it gains over the draft cannot come from tokens."""
    net = roughened(fresh(trunk_of(plain()), 16, 2, 1, 0, blind=True))
    x, y, order, at = inputs()
    p, kept = net.draft(x)
    first = net.verify(kept, y, order, at)
    assert torch.equal(first, net.verify(net.draft(x)[1], (y + 1) % V, order, at))
    assert not torch.allclose(first, p.gather(1, order[..., None].expand_as(p)), atol=1e-2)


def test_the_card_says_what_the_training_took(trained):
    card = checkpoint.load(trained).card
    assert 0 < card["processor_seconds"] < 600 and 0 < card["seconds"]


def test_a_taught_block_is_at_its_optimum_where_its_target_is_the_drafts_law_one_token_a_pass():
    """Cross-entropy is least there, and is then the entropy of that law; the text's own tokens do not enter."""
    net = fresh(trunk_of(plain()), 16, 2, 1, 0).eval()
    rows, x = torch.arange(6), torch.randint(0, V, (6, L), generator=torch.Generator().manual_seed(0))
    i, weight = mask_counts(Straight(), rows, L, 7, 0)
    _, order, _ = masked_batch(x, i, rows, 7, V)
    best = torch.stack([net.draft(torch.where(order.argsort(1) < k, x, V), order[:, k : k + 1])[0][:, 0]
                        for k in range(L)], 1)                                     # (B, L, V) by rank

    def loss(logits):
        return float(taught_loss(net, logits, x, order, i, weight, rows, 7, 0, 64))

    law = best.log_softmax(-1)
    entropy = -(law.exp() * law).sum(-1)                                           # (B, L)
    late = torch.arange(L) >= i[:, None]
    assert loss(best) == pytest.approx(float((weight[:, None] * entropy * late).sum() / x.numel()), rel=0.05)
    generator = torch.Generator().manual_seed(1)
    assert all(loss(best + 0.3 * torch.randn(best.shape, generator=generator)) > loss(best) for _ in range(5))
    found = losses(net, x, rows, Straight(), 7, 0, orders=2, taught=3)["target"]
    assert found.requires_grad and found.isfinite()
    with pytest.raises(ValueError, match="taught > 0 takes the draft as a teacher"):
        Training(taught=1)
