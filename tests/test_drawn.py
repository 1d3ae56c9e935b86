"""Rows that a network writes itself: their law, a kill, what is refused, and a block that is trained on them."""

import json

import pytest
import torch

from harness.__main__ import main
from harness.data.drawn import Drawn
from harness.metrics.law import null_quantile, total_variation
from harness.nets import checkpoint
from harness.nets.own import Own
from ssmd import own_rows as module
from ssmd.attached import Attached
from ssmd.own_rows import own_rows
from tests.conformance.toys import D, V, table_nets

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
