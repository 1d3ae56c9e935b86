"""A text of the user's as tokens of a tokenizer: rows, splits and names of a data set, and a block attached on it."""

import gzip
import json

import pytest
import torch

from harness.__main__ import main
from harness.data.openwebtext import OpenWebText
from harness.data.recounted import Recounted
from harness.data.text_file import TextFile
from harness.nets.hub import Hub
from harness.run.guards import examined
from tests.test_guards import library, saved, words  # noqa: F401    # a fixture

LINES = torch.randint(8, (800, 20), generator=torch.Generator().manual_seed(0)).tolist()
TEXT = "".join(" ".join("abcdefgh"[k] for k in line) + "\n" for line in LINES)


@pytest.fixture
def model(library, tmp_path):    # noqa: F811
    folder = saved(library, tmp_path / "my_model", "Bert", vocab_size=16)
    words(folder)
    (tmp_path / "corpus.txt").write_text(TEXT)
    return folder


def test_rows_are_blocks_of_the_text_and_splits_are_shares_of_it(model, tmp_path):
    data = TextFile(str(tmp_path / "corpus.txt"), str(model), length=10)
    assert (data.vocab, data.mask, data.names()[6:]) == (14, 14, tuple("abcdefgh"))
    rows = data.rows("train", 1120, 0)
    assert rows.shape == (1120, 10) and torch.equal(rows[:5], data.rows("train", 5, 0))
    assert sum(len(data.tokens(split)) for split, _ in data.splits) == 16000 == 800 * 20
    assert data.decode(data.tokens("train")[None])[0] == " ".join(TEXT.split()[:11200])
    assert data.encode("b a").tolist() == [7, 6] and data.decode(torch.tensor([[6, 14, 7]])) == ["a_b"]
    assert data.words("test", 2) == set("abcdefgh")
    with pytest.raises(ValueError, match="has 1120 rows of length 10 in 'train', not 1121"):
        data.rows("train", 1121, 0)


def test_its_identity_is_of_text_and_tokenizer_and_of_no_path(model, tmp_path):
    one = TextFile(str(tmp_path / "corpus.txt"), str(model))
    (tmp_path / "other.txt.gz").write_bytes(gzip.compress(TEXT.encode()))
    (tmp_path / "shorter.txt").write_text(TEXT[:-2])
    again, shorter = (TextFile(str(tmp_path / name), str(model / "tokenizer.json")) for name in ("other.txt.gz",
                                                                                              "shorter.txt"))
    assert one.identity() == again.identity() != shorter.identity()
    about = json.loads((model / "tokenizer.json").read_text())
    about["model"]["vocab"] |= {"i": 14}
    (tmp_path / "wider.json").write_text(json.dumps(about))
    wider = TextFile(str(tmp_path / "corpus.txt"), str(tmp_path / "wider.json"))
    assert wider.vocab == 15 and wider.identity() != one.identity()


@pytest.mark.parametrize("content, says", [(b"", "holds no text: name another"), (b"\xff\xfe", "save it in UTF-8"),
                                           (None, "there is no file")])
def test_a_text_that_cannot_be_read_is_one_sentence(model, tmp_path, content, says):
    if content is not None:
        (tmp_path / "odd.txt").write_bytes(content)
    with pytest.raises(ValueError, match=says) as refused:
        TextFile(str(tmp_path / "odd.txt"), str(model)).rows("train", 1, 0)
    assert "\n" not in str(refused.value)


def test_it_is_counted_as_the_network_counts(model, tmp_path):
    hub = Hub(str(model))
    data, net = Recounted(TextFile(str(tmp_path / "corpus.txt"), str(model), length=8), hub.left_out()), hub.load("cpu")
    assert data.names() == net.names and data.vocab == net.vocab == 9
    examined(net, "n", data)
    assert data.decode(data.rows("test", 2, 0)) == data.data.decode(data.data.rows("test", 2, 0))


def test_names_are_those_of_the_tokenizer_where_its_text_reads_otherwise(tmp_path):
    """A byte-level token with a space before it is written with a sign, and read with a space."""
    from tokenizers import Tokenizer, decoders, models

    made = Tokenizer(models.BPE({"Ġthe": 0, "<|endoftext|>": 1}, []))
    made.decoder = decoders.ByteLevel()
    made.save(str(tmp_path / "tokenizer.json"))
    data = OpenWebText(str(tmp_path), str(tmp_path))
    assert data.names() == ("Ġthe", "<|endoftext|>") and data.decode(torch.tensor([[0]])) == [" the"]


def test_attach_takes_the_tokenizer_of_the_model(model, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    asked = ["attach", "my_model", "--data", "text_file", "--length", "8", "--tokens", "640", "--set", "batch=8"]
    assert main([*asked, "--path", "corpus.txt"]) == 0
    card = json.loads((tmp_path / "runs/attach/block.json").read_text())
    assert card["data"]["data"] == TextFile("corpus.txt", "my_model", 8).identity() and card["data"]["left_out"]
    assert main([*asked, "--path", "nowhere.txt"]) == 2
    assert "there is no file 'nowhere.txt'" in capsys.readouterr().err
