"""Molecules of MOSES: a small wheel of the same form becomes a file; prompts give ENDs, which training never masks."""

import gzip
import zipfile

import numpy as np
import pytest
import torch

from harness.__main__ import main
from harness.data import moses
from harness.data.build import moses as built
from harness.data.moses import END, SYMBOLS, Moses
from harness.random import Stream, integers
from harness.schedules.noise import Cosine, Linear
from harness.spec import ROOT
from ssmd.train.loop import train
from ssmd.train.loss import mask_counts, masked_batch
from ssmd.train.settings import Training
from ssmd.train.updates import losses


def molecule(k: int) -> str:
    """A different text for each k, of 3 to 57 of the characters."""
    size = 3 + 7 * k % 55
    letters = integers(0, torch.tensor([k]), Stream.DATA, torch.arange(size), END)[0].tolist()
    return "".join(SYMBOLS[letter] for letter in letters)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    path = tmp_path_factory.mktemp("wheel") / "molsets-0.3.1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for first, name in ((0, "train"), (400, "test"), (440, "test_scaffolds")):
            lines = ["SMILES", *(molecule(k) for k in range(first, first + (400 if name == "train" else 40)))]
            archive.writestr(f"moses/dataset/data/{name}.csv.gz", gzip.compress("\n".join(lines).encode()))
    return path


@pytest.fixture(scope="module")
def data(wheel):
    out = wheel.parent / "moses.npz"
    assert main(["data", "moses", "--source", str(wheel), "--out", str(out)]) == 0
    return Moses(str(out))


def test_every_molecule_comes_back_in_its_split_and_the_same_wheel_gives_the_same_hash(wheel, data, tmp_path):
    parts = {name: data.smiles(name) for name in moses.SPLITS}
    assert parts["test"] == [molecule(k) for k in range(400, 440)]
    assert parts["scaffolds"] == [molecule(k) for k in range(440, 480)]
    assert [len(parts[name]) for name in moses.SPLITS] == [356, 40, 4, 40, 40]
    assert sorted(parts["train"] + parts["judge"] + parts["validation"]) == sorted(molecule(k) for k in range(400))
    assert built.build(wheel, tmp_path / "again.npz")["sha256"] == data.content().sha256
    assert data.content().sha256 in (wheel.parent / "moses.md").read_text()


def test_a_row_is_a_molecule_and_ends_and_reads_back(data):
    rows = data.rows("test", 40, 3)
    assert rows.shape == (40, 58) and sorted(data.decode(rows)) == sorted(data.smiles("test"))
    assert torch.equal(data.rows("test", 7, 3), rows[:7]) and (rows[:, -1] == END).all()
    text = data.decode(rows[:1])[0]
    assert torch.equal(data.encode(text), rows[0, : len(text)])
    odd = rows[:1].clone()
    odd[0, 57] = 0
    assert data.decode(odd)[0].startswith(f"{text}|") and data.names()[END] == "END"
    with pytest.raises(ValueError, match="has 40 molecules in 'test', not 41"):
        data.rows("test", 41, 0)
    with pytest.raises(ValueError, match="no split 'x'; choose train"):
        data.rows("x", 1, 0)
    with pytest.raises(ValueError, match="cannot encode 'X'"):
        data.encode("CCX")


def test_prompts_give_the_ends_of_a_length_that_training_molecules_have(data):
    given = data.prompts(0, 4000)
    sizes = (given == data.mask).sum(1)
    assert ((given == END) | (given == data.mask)).all() and torch.equal(data.prompts(5, 9), given[5:9])
    assert (given == data.mask).cummin(1).values.sum(1).equal(sizes)                # the ENDs are behind
    wanted = np.bincount([len(one) for one in data.smiles("train")], minlength=58) / 356
    found = np.bincount(sizes.numpy(), minlength=58) / 4000
    assert abs(wanted - found).sum() < 0.15
    free = Moses(data.path, ends=False)
    assert not hasattr(free, "prompts") and not hasattr(free, "shown") and free.identity() != data.identity()


@pytest.mark.parametrize("schedule", [Linear(), Cosine()], ids=str)
def test_ends_are_never_masked_and_the_loss_is_a_mean_over_the_rest(data, schedule):
    """By rows of one length: the weights make the mean over i of what a masked token loses."""
    x = data.rows("train", 300, 0)
    known = x == END
    i, weight = mask_counts(schedule, torch.arange(300), 58, 1, 0, given=known.sum(1))
    masked, order, hidden = masked_batch(x, i, torch.arange(300), 1, data.mask, known)
    assert not (hidden & known).any() and torch.equal(hidden.sum(1), 58 - i) and (masked[known] == END).all()
    assert torch.equal(order.sort(1).values, torch.arange(58).expand(300, -1))
    n, L, given = 8192, 58, torch.tensor([20, 40]).repeat(4096)
    i, weight = mask_counts(schedule, torch.arange(n), L, 1, 0, given=given)
    for k in (20, 40):
        f = torch.sin(torch.arange(L) * 0.7) + 2
        exact = (L / (L - torch.arange(L)) * f)[k:].mean()
        assert abs((weight * f[i])[given == k].mean() - exact) < 0.04 * exact


def test_a_training_takes_what_the_data_show(data, tmp_path):
    config = Training("hybrid", width=16, heads=2, blocks=2, tokens=58 * 8 * 3, batch=8, warmup=1)
    card = train(config, data, tmp_path, "net", judged=4).with_suffix(".json").read_text()
    assert '"passed"' in card
    net, x = config.build(data.vocab), data.rows("train", 8, 0)
    shown, other = (losses(net, x, torch.arange(8), Linear(), 1, 0, shown=token) for token in (END, None))
    assert shown["draft"].item() != other["draft"].item()
    with pytest.raises(ValueError, match="moses says itself what is given"):
        train(Training("masked", width=16, heads=2, blocks=1, given=0.5), data, tmp_path, "other")


def test_bits_are_of_a_network_that_has_these_letters(data, capsys):
    """As many letters are no guarantee."""
    heavy = str(ROOT / "ssmd" / "checkpoints" / "heavy.safetensors")
    assert main(["score", "--data", "moses", "--path", data.path, "--n", "2", heavy]) == 2
    assert "token 0 of the network 'heavy.safetensors' is 'a', and that of moses is '#'" in capsys.readouterr().err


def test_what_is_no_such_file_is_one_sentence(data, tmp_path, capsys):
    (tmp_path / "x.whl").write_bytes(b"no zip")
    assert main(["data", "moses", "--source", str(tmp_path / "x.whl"), "--out", str(tmp_path / "x.npz")]) == 2
    assert "is not the wheel of molsets==0.3.1" in capsys.readouterr().err and not (tmp_path / "x.npz").exists()
    assert main(["data", "moses", "--near", "0.5"]) == 2 and "--near is of proteins" in capsys.readouterr().err
    with pytest.raises(ValueError, match="there is no file .*: build it with `ssmd-bench data moses"):
        Moses(str(tmp_path / "x.npz")).rows("test", 1, 0)
    whole = (tmp_path / "y.npz")
    whole.write_bytes(open(data.path, "rb").read()[:-100])
    with pytest.raises(ValueError, match="cannot be read .*build it with"):
        Moses(str(whole)).rows("test", 1, 0)
    with np.load(data.path) as file:
        arrays = {name: file[name].copy() for name in file}
    arrays["symbols"][0] ^= 1
    np.savez(whole, **arrays)
    with pytest.raises(ValueError, match="the sha256 differs"):
        Moses(str(whole)).rows("test", 1, 0)
