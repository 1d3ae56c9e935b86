"""Corpora that come by path as tokens: the same from every kind of file, splits by document, rows wrapped and not,
GPT-2's tokenizer from its files.
"""

import gzip
import json
import re
import sys
from argparse import Namespace

import numpy as np
import pytest
import torch

from harness.data.lm1b import Lm1b
from harness.data.openwebtext import OpenWebText
from harness.metrics.ngram_judge import NgramJudge
from harness.metrics.words import Spelling
from harness.spec import from_json, to_json
from ssmd.commands import _dataset
from tests.language_models import TEXT, tokenizer

pytest.importorskip("tokenizers", reason="tokenizers is not installed: pip install ssmd-bench[judges]")
WORDS = TEXT.split()
DOCUMENTS = [" ".join(WORDS[(k * 7 + j) % len(WORDS)] for j in range(3 + k % 11)) + f" {k}" for k in range(200)]


@pytest.fixture(scope="module")
def bpe(tmp_path_factory):
    path = tmp_path_factory.mktemp("bpe") / "tokenizer.json"
    tokenizer().save(str(path))
    return str(path)


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    path = tmp_path_factory.mktemp("lines") / "news.txt"
    path.write_text("\n".join(DOCUMENTS) + "\n")
    return str(path)


def test_rows_are_documents_filled_up_or_blocks_of_documents_end_to_end(lines, bpe):
    filled, wrapped = Lm1b(lines, bpe, length=16), Lm1b(lines, bpe, length=16, wrapped=True)
    end = filled.encode("<|endoftext|>").tolist()
    mine = [filled.encode(text).tolist() for text in DOCUMENTS[176:196]]  # the tenth before the last two hundredths
    assert sorted(filled.rows("judge", 20, seed=0).tolist()) == sorted((ids + end * 16)[:16] for ids in mine)
    together = sum((ids + end for ids in mine), [])
    assert wrapped.tokens("judge").tolist() == together
    blocks = [together[k:k + 16] for k in range(0, len(together) - 15, 16)]
    assert sorted(wrapped.rows("judge", len(blocks), seed=3).tolist()) == sorted(blocks) and len(blocks) > 1
    assert filled.identity()["wrapped"] is False and len({str(data.identity())
                                                          for data in (filled, wrapped,
                                                                       Lm1b(lines, bpe, length=8))}) == 3


def test_splits_share_no_document_and_cover_all(lines, bpe):
    data = Lm1b(lines, bpe)
    text = "".join(data.decode(data.tokens(split)[None])[0] for split in ("train", "judge", "validation", "test"))
    assert text == "".join(f"{document}<|endoftext|>" for document in DOCUMENTS)
    assert torch.equal(data.rows("train", 30, 1)[:7],
                       data.rows("train", 7, 1)) and not torch.equal(data.rows("train", 7, 1), data.rows("train", 7, 2))
    rows = data.rows("judge", 20, 0)
    assert (
        rows.shape == (20, 128)
        and rows.dtype == torch.int64
        and 0 <= rows.min()
        and rows.max() < data.vocab == data.mask == 300
    )
    with pytest.raises(ValueError, match="has 20 rows of length 128 in 'judge', not 21"):
        data.rows("judge", 21, 0)
    with pytest.raises(ValueError, match=re.escape("choose train | judge | validation | test")):
        data.rows("dev", 1, 0)


def test_every_kind_of_file_gives_the_same_corpus(lines, bpe, tmp_path):
    whole = Lm1b(lines, bpe).identity()
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"story": text, "id": k}) + "\n" for k,
                                              text in enumerate(DOCUMENTS)))
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(("\n".join(DOCUMENTS) + "\n").encode()))
    folder = tmp_path / "parts"
    (folder / "deep").mkdir(parents=True)
    (folder / "0.txt").write_text("\n".join(DOCUMENTS[:90]) + "\n")
    (folder / "deep" / "1.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in DOCUMENTS[90:]))
    (folder / "readme.md").write_text("not read")
    pages = tmp_path / "pages"
    pages.mkdir()
    for k, text in enumerate(DOCUMENTS):
        (pages / f"{k:04d}.txt").write_text(text)
    assert (
        Lm1b(str(tmp_path / "a.jsonl"), bpe, column="story").identity()
        == Lm1b(str(tmp_path / "b.txt.gz"), bpe).identity()
        == Lm1b(str(folder), bpe).identity()
        == whole
    )
    assert OpenWebText(str(pages), bpe).identity()["sha256"] == whole["sha256"], "a file is a document"
    assert (
        Lm1b(lines, bpe, most=50).identity()["documents"] == 50
        and Lm1b(lines, bpe, most=50).identity()["sha256"] != whole["sha256"]
    )


def test_parquet_and_data_sets_by_name_are_read_by_datasets(lines, bpe, tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets", reason="datasets is not installed: pip install ssmd-bench[judges]")
    made = datasets.Dataset.from_dict({"text": DOCUMENTS})
    made.to_parquet(str(tmp_path / "part.parquet"))
    whole, asked = Lm1b(lines, bpe).identity(), []
    assert Lm1b(str(tmp_path / "part.parquet"), bpe).identity() == whole
    monkeypatch.setattr(datasets, "load_dataset", lambda *given, **more: (asked.append((given, more)), made)[1])
    assert OpenWebText("someone/webtext", bpe, length=128, wrapped=False,
                       config="plain").identity()["sha256"] == whole["sha256"]
    assert asked == [(("someone/webtext", "plain"), {"split": "train"})]


def test_the_tokenizer_of_gpt2_comes_from_its_files(bpe, lines, tmp_path):
    """vocab.json with merges.txt, under both names that they go by, cut text as tokenizer.json does."""
    tokenizer().model.save(str(tmp_path))
    whole = Lm1b(lines, bpe, length=32).rows("train", 40, 0)
    assert torch.equal(Lm1b(lines, str(tmp_path), length=32).rows("train", 40, 0), whole)
    (tmp_path / "vocab.json").rename(tmp_path / "encoder.json")
    (tmp_path / "merges.txt").rename(tmp_path / "vocab.bpe")
    data = Lm1b(lines, str(tmp_path), length=32)
    assert torch.equal(data.rows("train", 40, 0), whole)
    masked = whole[:1].clone()
    masked[0, 1] = data.mask
    assert data.decode(whole[:1])[0].rstrip("<|endoftx>") in DOCUMENTS and "_" in data.decode(masked)[0]


def test_metrics_of_text_take_its_rows(lines, bpe):
    data = Lm1b(lines, bpe, length=24)
    rows = data.rows("judge", 12, 0)
    assert Spelling().score(rows, data).value > 0.4
    shuffled = rows.gather(1, torch.arange(24).flip(0).expand(12, -1))
    assert NgramJudge(order=3).score(rows, data).value < NgramJudge(order=3).score(shuffled, data).value


def test_settings_go_through_json(lines, bpe):
    data = OpenWebText(lines, bpe, length=64, wrapped=False)
    assert from_json("rows", to_json(data)) == data and json.loads(json.dumps(data.identity())) == data.identity()
    assert lines not in str(data.identity()) and np.isclose(sum(data.identity()["splits"].values()), 1)


@pytest.mark.parametrize("name, content, says", [
    ("nowhere", None, "correct the path or the name"), ("a.jsonl", b'{"text": 3}\n', "no column 'text'"),
    ("a.jsonl", b"{", "cannot be read as text"),
    ("a.jsonl", b'{"text": "the cat \\ud800"}\n', "holds half a character, a lone surrogate"),
    ("a.jsonl", b"[" * 100_000, "cannot be read as text"),
    ("a.txt.gz", gzip.compress(b"a b " * 999, mtime=0)[:-9], "cannot be read as text"),
    ("a.txt", b"\xff\xfe\xfa", "cannot be read as text"), ("a.txt", b"", "finds no text"),
    ("a.pdf", b"text", "it is none of .txt"), ("a.parquet", b"PAR1", "cannot be read as text"),
])
def test_what_is_no_corpus_is_refused_in_a_sentence(bpe, tmp_path, monkeypatch, name, content, says):
    def absent(*given, **more):
        raise ConnectionError("offline")

    if name in ("nowhere", "a.parquet"):
        monkeypatch.setattr(pytest.importorskip("datasets",
                                                reason="datasets is not installed: pip install ssmd-bench[judges]"),
                            "load_dataset", absent)
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=says) as error:
        OpenWebText(str(tmp_path / name), bpe).identity()
    assert "\n" not in str(error.value)


def test_what_is_no_tokenizer_is_refused_and_packages_that_are_missing_are_named(lines, bpe, tmp_path, monkeypatch):
    (tmp_path / "bad.json").write_text("{}")
    for path, says in ((tmp_path / "none", "give the path of a tokenizer.json"), (tmp_path, "has no tokenizer.json"),
                       (tmp_path / "bad.json", "not a tokenizer that can be read")):
        with pytest.raises(ValueError, match=says):
            Lm1b(lines, str(path)).rows("test", 1, 0)
    with pytest.raises(ValueError, match="has no token '</s>'"):
        Lm1b(lines, bpe, end="</s>").rows("test", 1, 0)
    monkeypatch.setitem(sys.modules, "datasets", None)
    (tmp_path / "p.parquet").write_bytes(b"PAR1")
    for path in ("someone/elsewhere", str(tmp_path / "p.parquet")):
        with pytest.raises(ValueError, match=re.escape("not installed: `pip install ssmd-bench[judges]`")):
            Lm1b(path, bpe).identity()


def test_the_command_line_reaches_the_corpus_by_its_files(lines, bpe):
    given = Namespace(data="lm1b", path=lines, tokenizer=bpe, length=16)
    assert _dataset(given) == Lm1b(lines, bpe, length=16)
    with pytest.raises(ValueError, match="needs a value for each of path, tokenizer"):
        _dataset(Namespace(data="lm1b", path=lines, tokenizer=None, length=16))
    with pytest.raises(ValueError, match="takes no --tokenizer"):
        _dataset(Namespace(data="austen", path=None, tokenizer=bpe, length=16))


def test_entropies_are_refused_where_documents_are_filled_up(lines, bpe):
    from baselines.ancestral import Ancestral
    from harness.metrics.entropy import CorpusEntropy, SampleEntropy
    from harness.study import Arm, Checkpoint, Study

    for metric in (SampleEntropy(), CorpusEntropy()):
        asked = {"name": "x", "question": "?", "nets": {"main": Checkpoint("x")}, "arms": [Arm("a", [Ancestral(2)])],
                 "reference": "main", "metrics": [metric]}
        with pytest.raises(ValueError,
                           match=f"{metric.name} would count the .* tokens that fill up the rows of lm1b as text: "
                                 "take them wrapped=True"):
            Study(data=Lm1b(lines, bpe, length=16), **asked)
        Study(data=Lm1b(lines, bpe, length=16, wrapped=True), **asked)
