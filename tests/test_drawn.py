"""Rows that a network writes itself: their law, a kill, what is refused, and a block that is trained on them."""

import json

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

from baselines.first_hitting import FirstHitting
from harness.__main__ import main
from harness.data.drawn import Drawn, Written
from harness.data.markov import Markov
from harness.metrics.law import null_quantile, total_variation
from harness.nets import checkpoint
from harness.nets.own import Made, Own
from harness.sampling.loop import sample
from harness.schedules.noise import Linear as Straight
from ssmd import own_rows as module
from ssmd.attached import Attached, fresh
from ssmd.own_rows import Begun, own_rows
from ssmd.train.loop import train
from ssmd.train.loss import mask_counts, weighed
from ssmd.train.settings import Training
from ssmd.train.updates import Updates
from ssmd.train.written import soft_nll, written_losses
from tests.conformance.toys import D, V, table_nets
from tests.test_attach import Ours, plain, trunk_of

N = 4096


@pytest.fixture(scope="module")
def toy() -> Own:
    """The exact network of a small law, as one from outside."""
    net = table_nets()["main"]
    return Own(lambda x: net.draft(x)[0], V, flops_per_token=1, identity="toy", names=("a", "b", "c"))


def quiet(text: str) -> None:
    pass


def test_they_follow_the_law_of_first_hitting(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 512)
    data = own_rows(toy, N, D, 0, tmp_path, quiet)
    from tests.conformance.toys import DATA
    law = DATA.law().flatten()
    places = V ** torch.arange(D - 1, -1, -1)
    rows = torch.cat([data.rows(split, len(data._part(split)), 0) for split in ("train", "validation", "test")])
    assert len(rows) == N and total_variation(torch.bincount((rows * places).sum(1), minlength=V**D), law) < (
        null_quantile(law, N, draws=250))


def test_a_killed_drawing_goes_on_to_the_same_rows(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SAVE_SECONDS", -1.0)

    class Killed(Exception):
        pass

    def die(text):
        if " 96/" in text:
            raise Killed

    with pytest.raises(Killed):
        own_rows(toy, 128, D, 3, tmp_path / "a", die)
    said = []
    rows = own_rows(toy, 128, D, 3, tmp_path / "a", said.append)
    whole = own_rows(toy, 128, D, 3, tmp_path / "b", quiet)
    assert len(said) == 2 and not list((tmp_path / "a").glob("*.part.*"))
    assert torch.equal(rows.content.rows, whole.content.rows) and rows.identity() == whole.identity()
    assert own_rows(toy, 128, D, 3, tmp_path / "a", said.append).content == rows.content and len(said) == 2
    with pytest.raises(ValueError, match="holds rows of another network, seed, number or length"):
        own_rows(toy, 128, D, 4, tmp_path / "a", quiet)


def test_rows_are_whole_and_split_by_place(toy, tmp_path):
    data = own_rows(toy, 100, D, 0, tmp_path, quiet)
    assert (data.length, data.vocab, data.mask, data.names()) == (D, V, V, ("a", "b", "c"))
    every = {tuple(row) for row in data._part("train").tolist()}
    crops = data.crops("train", torch.arange(64), 5)
    assert {tuple(row) for row in crops.tolist()} <= every and torch.equal(crops[7:9],
                                                                           data.crops("train", torch.tensor([7, 8]), 5))
    assert len(data.rows("validation", 10, 0)) == 10 and torch.equal(data._part("validation"), data.content.rows[80:90])
    for call, says in ((lambda: data.rows("validation", 11, 0), "10 validation rows and 11 are wanted"),
                       (lambda: data.rows("judge", 1, 0), "no split 'judge'; choose train, validation, test"),
                       (lambda: Drawn(str(tmp_path / "none")).length, "draw the rows again")):
        with pytest.raises(ValueError, match=says):
            call()


@pytest.mark.parametrize("about", [{}, {"vocab": "2", "names": "[]", "about": "{}"},
                                   {"vocab": "x", "names": "[]", "about": "{}"}, None])
def test_a_file_that_holds_no_rows_is_one_sentence(tmp_path, about):
    path = tmp_path / "rows.safetensors"
    if about is None:
        path.write_bytes(b"")
    else:
        checkpoint.write({"rows": torch.tensor([[0, 5]])}, path, about)
    with pytest.raises(ValueError, match="draw the rows again") as refused:
        len(Drawn(str(path)).content.rows)
    assert "\n" not in str(refused.value)


def test_attach_trains_on_what_the_model_writes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("from tests.test_attach import Ours\nTRUNK = Ours()\n")
    given = ["attach", "mine.py", "--data", "self", "--rows", "60", "--length", "8", "--tokens", "2000", "--set",
             "batch=4", "--set", "heads=2", "--out", "out"]
    assert main(given) == 0
    assert "rows of the network itself: 60/60" in capsys.readouterr().err
    net = checkpoint.load(tmp_path / "out/block.safetensors")
    assert isinstance(net, Attached) and net.card["data"]["sampler"] == "first_hitting"
    assert json.loads((tmp_path / "out/block.json").read_text())["data"]["net"] == net.card["trunk"]
    for more, says in ((["--path", "x"], "would be ignored"), (["--data", "markov"], "would be ignored")):
        assert main([*given, *more]) == 2
        assert says in capsys.readouterr().err


def test_they_are_those_of_the_sampler_and_the_laws_are_those_it_met(toy, tmp_path):
    data = own_rows(toy, 40, D, 7, tmp_path, quiet)
    nothing = torch.full((40, D), V)
    assert torch.equal(data.content.rows, sample(FirstHitting(), {"main": toy}, nothing, 7, 8))
    story = data.written("train", torch.arange(64), 1)
    assert torch.equal(story.rows, data.crops("train", torch.arange(64), 1)) and not story.given
    rank = story.order.argsort(1)
    for k in range(D):
        place = story.order[:, k : k + 1]
        shown = torch.where(rank < k, story.rows, V)
        met = torch.zeros(64, V).scatter(1, story.likely[:, k], story.law[:, k])
        assert torch.allclose(met, toy.draft(shown, place)[0][:, 0].softmax(-1).float(), atol=1e-3)


def test_what_is_given_is_of_the_data_and_stands_first_in_the_order(toy, tmp_path):
    other = torch.randint(V, (60, D), generator=torch.Generator().manual_seed(1))
    begun = Begun(Markov(), lambda ids: other[ids], 0.5)
    content = own_rows(toy, 60, D, 0, tmp_path, quiet, begun).content
    known = content.order.long()[:, : D // 2]
    assert torch.equal(content.rows.gather(1, known), other.gather(1, known)) and content.about["given"] == D // 2
    assert not content.law[:, : D // 2].any() and torch.allclose(content.law[:, D // 2 :].float().sum(-1),
                                                                torch.ones(60, D - D // 2), atol=2e-3)
    with pytest.raises(ValueError, match="begun otherwise"):
        own_rows(toy, 60, D, 0, tmp_path, quiet)


def test_a_truncated_law_has_the_mean_of_the_whole():
    """Of 9 tokens 4 are kept: over many draws of the token the label is the law."""
    torch.manual_seed(0)
    law, logits, n = torch.randn(9).softmax(-1), torch.randn(9), 200_000
    rows = torch.multinomial(law, n, replacement=True)[:, None]                    # (n, 1)
    kept, likely = law.topk(4)
    story = Written(rows, torch.zeros_like(rows), likely.expand(n, 1, -1), kept.expand(n, 1, -1), 0)
    found = soft_nll(logits.expand(n, 1, -1), story)
    assert abs(found.mean() - F.cross_entropy(logits, law)) < 4 * found.std() / n**0.5


class Bound(Made):
    """A trunk whose tokens hang on each other."""

    def make(self, device):
        net = plain(3)
        for name, p in net.named_parameters():
            if p.dim() == 2 and name.startswith("blocks"):
                nn.init.normal_(p, std=0.4)
        return trunk_of(net.to(device))


def test_a_block_learns_the_law_of_its_trunk_along_the_order(tmp_path):
    """What its targets lack of the laws that were met, on rows that trained nothing, more than halves."""
    trunk = Bound().load("cpu")
    data = own_rows(trunk, 800, 8, 0, tmp_path, quiet)
    ids = torch.arange(400)
    story = data.written("validation", ids, 9)
    entropy = -(story.law * story.law.clamp_min(1e-9).log()).sum(-1)               # (B, L) by rank

    @torch.no_grad()
    def lacking(net) -> float:
        found = written_losses(net, story, ids, Straight(), 3, 0)["target"]
        i, weight = mask_counts(Straight(), ids, 8, 3, 0)
        return float(found - weighed(entropy, i, weight))

    config = Training(network="hybrid", frozen=True, width=32, heads=2, blocks=3, batch=16, tokens=1e5, warmup=50,
                      written=True)
    net = fresh(trunk, 32, 2, 1, 0)
    before = lacking(net)
    train(config, data, tmp_path, "block", say=quiet, net=net)
    after = lacking(checkpoint.load(tmp_path / "block.safetensors").on(trunk))
    assert 0 < after < before / 2, (before, after)


def test_attach_takes_the_laws_and_says_what_it_does_not_take(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("from tests.test_attach import Ours\nTRUNK = Ours()\n")
    given = ["attach", "mine.py", "--data", "self", "--rows", "60", "--length", "8", "--tokens", "2000", "--set",
             "batch=4", "--set", "heads=2", "--out"]
    for out, more in (("laws", []), ("tokens", ["--set", "written=False"])):
        assert main([*given, out, *more]) == 0
        assert json.loads((tmp_path / out / "block.json").read_text())["training"]["written"] == (out == "laws")
    capsys.readouterr()
    refusals = (([*given, "x", "--set", "orders=2"], "leave taught and orders out"),
                (["attach", "mine.py", "--prompts", "markov"], "would be ignored"),
                (["attach", "my_model", "--data", "markov", "--prompts", "markov"], "--prompts are of --data self"))
    for words, says in refusals:
        assert main(words) == 2
        assert says in capsys.readouterr().err
    with pytest.raises(ValueError, match="is of rows that the network wrote itself"):
        Updates(Training(frozen=True, written=True), Markov(), net=fresh(Ours().load("cpu"), 32, 2, 1, 0))


def test_a_damaged_part_is_drawn_again_and_a_damaged_file_is_said(toy, tmp_path):
    (tmp_path / "rows.part.safetensors").write_bytes(b"garbage")
    assert own_rows(toy, 40, D, 0, tmp_path, quiet).length == D
    (tmp_path / "rows.safetensors").write_bytes(b"garbage")
    with pytest.raises(ValueError, match="is damaged .* delete it, and give the same command again"):
        own_rows(toy, 40, D, 0, tmp_path, quiet)


@pytest.mark.parametrize("name, change", [
    ("law", lambda t: t * float("nan")), ("law", lambda t: t - 1), ("order", lambda t: t * 0),
    ("likely", lambda t: t + 99), ("likely", lambda t: t[..., :0]), ("law", lambda t: t[..., 0]), ("law", None)])
def test_a_story_that_is_none_is_one_sentence(toy, tmp_path, name, change):
    data = own_rows(toy, 40, D, 0, tmp_path, quiet)
    tensors, about = load_file(data.path), {"vocab": "3", "names": "[]", "about": "{}"}
    if change is None:
        del tensors[name]
    else:
        tensors[name] = change(tensors[name]).contiguous()
    checkpoint.write(tensors, tmp_path / "other.safetensors", about)
    with pytest.raises(ValueError, match="does not say in which order its rows were written: draw the rows again"):
        Drawn(str(tmp_path / "other.safetensors")).length  # noqa: B018


def test_rows_of_one_token_and_a_length_of_their_own(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("from tests.test_attach import SOURCE as DATA, Ours\nTRUNK = Ours()\n")
    given = ["attach", "mine.py", "--data", "self", "--rows", "60", "--tokens", "600", "--set", "batch=4", "--set",
             "heads=2"]
    assert main([*given, "--length", "1", "--out", "one"]) == 2
    assert main([*given, "--length", "2", "--out", "two"]) == 0
    assert main([*given, "--length", "4", "--set", "given=0.5", "--out", "two"]) == 2
    assert "--length 4 is not that of" in capsys.readouterr().err
