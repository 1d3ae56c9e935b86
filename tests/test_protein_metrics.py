"""Metrics of proteins: values worked out by hand, held-out rows against shuffled ones, and a prefilter that is held to
the exhaustive search.
"""

import doctest
import importlib
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import studies.protein_frontier.study as protein
from harness.data.build.npz import written
from harness.data.build.proteins import packed
from harness.data.control import HeldOut, Shuffled
from harness.data.proteins import Proteins, digest
from harness.data.residues import decode, encode
from harness.data.wikipedia_leads import WikipediaLeads
from harness.metrics.proteins import plddt
from harness.metrics.proteins.families import FamilyBits, FamilyHits
from harness.metrics.proteins.neighbours import aligner, candidates, identities, nearest, words
from harness.metrics.proteins.novelty import Clusters, NearestIdentity
from harness.metrics.proteins.plddt import Plddt
from harness.metrics.proteins.residue_grams import Composition, KmerDistance, distance
from harness.nets import checkpoint
from harness.nets.transformer import Transformer, TransformerConfig
from harness.records.store import Store
from harness.run import runner
from harness.study import Checkpoint
from studies.protein_frontier.proteins import leaks
from tests.test_proteins import chains, mutated


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Forty families of 8 relatives, each with one member in the test split and the others in train; so a held-out row
    has known relatives.
    """
    pytest.importorskip("pyhmmer")
    pytest.importorskip("pyfamsa")
    from harness.data.build.profiles import profiles

    ancestors = chains(40, 90, 110, seed=7)
    trained = [[mutated(a, 0.15, 50 * k + j).encode() for j in range(7)] for k, a in enumerate(ancestors)]
    tested = [mutated(a, 0.15, 50 * k + 40).encode() for k, a in enumerate(ancestors)]
    sequences = [s for family in trained for s in family] + tested
    groups = [list(range(7 * k, 7 * k + 7)) for k in range(40)] + [[280 + k] for k in range(40)]
    arrays = packed(sequences, groups, np.array([0] * 40 + [3] * 40, np.uint8))
    text = [profiles({f"F{k}": trained[k] for k in range(8)}), json.dumps({"sha256": digest(arrays)}).encode(),
            b"\n".join(b"A%d" % k for k in range(320))]
    arrays |= dict(zip(("profiles", "about", "accession"), (np.frombuffer(t, np.uint8) for t in text)))
    path = tmp_path_factory.mktemp("data") / "p.npz"
    written(path, arrays)
    return Proteins(str(path), length=60)


@pytest.fixture(scope="module")
def held_out(data):
    return HeldOut().control(data, 40, 1)


@pytest.fixture(scope="module")
def shuffled(data):
    return Shuffled().control(data, 40, 1)


def test_rows_with_a_near_relative_in_training_are_claimed(data, tmp_path):
    pytest.importorskip("pyopal")
    checkpoint.save(Transformer(TransformerConfig(20, 8, 2, 1)), tmp_path / "net.safetensors", {"name": "net"})
    small = replace(protein.STUDY, data=data, nets={"heavy": Checkpoint(str(tmp_path / "net.safetensors"))}, n=40,
                    batch=40,
                    metrics=[metric for metric in protein.STUDY.metrics if metric.name != "judge"],
                    arms=[arm for arm in protein.STUDY.arms if arm.name in ("held_out", "shuffled")])
    assert runner.run(small, tmp_path, timing=False)["failed"] == 0
    rows = {row["claim"]: row for row in leaks(Store(tmp_path), "a command")}
    assert (
        rows.keys() == {"proteins.leak.test", "proteins.leak.shuffled"} and rows["proteins.leak.test"]["value"] == 1
    ), "each held-out row has known relatives"
    assert rows["proteins.leak.test"]["low"] > 0.9 and rows["proteins.leak.shuffled"]["value"] < 0.1


def test_examples_of_the_docstrings_run():
    pytest.importorskip("pyopal")
    for name in ("residue_grams", "neighbours"):
        result = doctest.testmod(importlib.import_module(f"harness.metrics.proteins.{name}"),
                                 extraglobs={"encode": encode})
        assert result.attempted and not result.failed


def test_distances_by_hand_and_between_controls(data, held_out, shuffled):
    rows, others = np.array([[0, 1, 0, 1]]), np.array([[0, 1, 1, 1]])
    # 01 10 01 against 01 11 11
    assert distance(rows, others, 1) == 0.25 and distance(rows, others, 2) == pytest.approx(2 / 3)
    # order is not composition's
    assert Composition().score(held_out, data).value == pytest.approx(Composition().score(shuffled, data).value)
    assert Composition().score(torch.zeros(40, 60, dtype=torch.int64), data).value > 0.9
    assert KmerDistance(order=3).score(held_out, data).value < KmerDistance(order=3).score(shuffled, data).value - 0.05


def test_identity_counts_identical_residues_of_the_best_local_alignment():
    pytest.importorskip("pyopal")
    row = encode(b"MKVLAWWHHCMKVLAWWHHC").numpy()
    others = [encode(s).numpy() for s in (b"GGGG" + b"MKVLAWWHHCMKVLAWWHHC" + b"PPP", b"MKVLAWWHHC",
                                          b"MKVLAWWHHCMKVLAWWHHD", b"MKVLAWWHHCGMKVLAWWHHC", b"PPPPPPPPPP")]
    assert identities(aligner(), row, others).tolist() == [1.0, 0.5, 0.95, 1.0, 0.0]


def test_a_gap_costs_eleven_and_one_a_residue():
    pytest.importorskip("pyopal")
    import pyopal

    whole, cut = "WWWWWWWWWWCCCHHHHHHHHHH", "WWWWWWWWWWHHHHHHHHHH"    # W scores 11, H 8
    assert [r.score for r in aligner().align(whole, pyopal.Database([cut]))] == [10 * 11 + 10 * 8 - (11 + 3)]


def test_candidates_are_those_with_most_distinct_words_in_common(data, held_out, monkeypatch):
    rows, proteins = held_out.numpy().astype(np.uint8), data.proteins("train")
    known = [set(words(p).tolist()) for p in proteins]
    for chunk in (1 << 22, 500):    # in one go, and a few proteins at a time
        monkeypatch.setattr("harness.metrics.proteins.neighbours.CHUNK", chunk)
        for row, found in zip(rows, candidates(rows, proteins, 5), strict=True):
            shared = np.array([len(set(words(row).tolist()) & some) for some in known])
            slow = [k for k in np.lexsort((np.arange(len(shared)), -shared)) if shared[k]][:5]
            assert found.tolist() == slow


def test_the_prefilter_finds_what_an_exhaustive_search_finds(data, held_out):
    pytest.importorskip("pyopal")
    rows, proteins = held_out.numpy().astype(np.uint8), data.proteins("train")
    fast, slow = nearest(rows, proteins), nearest(rows, proteins, keep=0)
    assert (fast <= slow + 1e-9).all() and np.abs(fast - slow).max() < 0.02 and slow.min() > 0.5
    scores = NearestIdentity().score(held_out, data)
    assert scores.numerator.tolist() == fast.tolist() and scores.denominator.tolist() == [1] * 40


def test_copies_of_training_are_at_one_new_relatives_below_and_noise_far_below(data, held_out, shuffled):
    pytest.importorskip("pyopal")
    copied, new, noise = (NearestIdentity().score(rows, data).value
                          for rows in (data.crops("train", torch.arange(40), 0), held_out, shuffled))
    assert copied == 1 > new > 0.6 > 0.3 > noise


def test_clusters_are_counted_by_hand(data):
    pytest.importorskip("pyopal")
    one, two, three = (torch.from_numpy(encode(s.encode()).numpy()).long() for s in chains(3, 60, 60, seed=9))
    like_one = encode(mutated(decode(one[None])[0], 0.2, 3).encode()).long()
    assert Clusters().score(torch.stack([one, two, like_one, three, two]), data).value == 3 / 5
    assert Clusters(alike=1.0).score(torch.stack([one, two, like_one, three, two]), data).value == 4 / 5
    assert Clusters().score(one.expand(10, -1), data).value == 1 / 10


def test_profiles_know_held_out_relatives_and_no_shuffled_rows(data, held_out, shuffled):
    content = data.content()
    known = {bytes(p.tobytes()): k for k, p in enumerate(data.proteins("test"))}
    family = [next(k for text, k in known.items() if row.astype(np.uint8).tobytes() in text)
              for row in held_out.numpy()]
    hits, bits = FamilyHits().score(held_out, data), FamilyBits().score(held_out, data)
    # eight families have a profile
    assert [bool(h) for h in hits.numerator] == [k < 8 for k in family] and hits.value == 8 / 40
    assert all((b > 30) == (k < 8) for b, k in zip(bits.numerator, family)) and len(content.split) == 80
    assert FamilyHits().score(shuffled, data).value == 0 and FamilyBits().score(shuffled, data).value < 1


def test_metrics_of_proteins_refuse_text_masks_and_data_without_profiles(data, held_out, tmp_path):
    for metric in (Composition(), KmerDistance(), NearestIdentity(), Clusters(), FamilyHits(), FamilyBits()):
        with pytest.raises(ValueError, match="holds no proteins: choose"):
            metric.score(torch.zeros(2, 16, dtype=torch.int64), WikipediaLeads(length=16))
        masked = held_out.clone()
        masked[1, 2] = data.mask
        with pytest.raises(ValueError, match="mask"):
            metric.score(masked, data)
    with pytest.raises(ValueError, match="hold no word of 3"):
        KmerDistance().score(held_out[:, :2], data)
    from harness.data.fasta import Fasta

    (tmp_path / "x.fasta").write_text(">a\n" + "MKVLAY" * 10)
    with pytest.raises(ValueError, match="has no profiles of families"):
        FamilyHits().score(held_out[:2], Fasta(str(tmp_path / "x.fasta"), length=60))


@pytest.fixture(scope="module")
def folding(tmp_path_factory):
    """An ESMFold of a few thousand random weights, saved as transformers saves one."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    symbols = ["<cls>", "<pad>", "<eos>", "<unk>", *"LAGVSERTIDPKQNFYMHWCXBUZO", ".", "-", "<null_1>", "<mask>"]
    structure = dict(sequence_dim=16, pairwise_dim=8, ipa_dim=4, resnet_dim=8, num_heads_ipa=2, num_qk_points=2,
                     num_v_points=2, num_blocks=1, num_transition_layers=1,
                     num_resnet_blocks=1)
    trunk = dict(num_blocks=1, sequence_state_dim=16, pairwise_state_dim=8, sequence_head_width=8,
                 pairwise_head_width=4, position_bins=4, max_recycles=1,
                 structure_module=structure)
    net = transformers.EsmForProteinFolding(transformers.EsmConfig(
        vocab_size=33, mask_token_id=32, pad_token_id=1, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, position_embedding_type="rotary",
        is_folding_model=True, vocab_list=symbols, esmfold_config=dict(fp16_esm=False, lddt_head_hid_dim=8,
                                                                       trunk=trunk)))
    with torch.no_grad():
        for parameter in net.lddt_head.parameters():
            parameter.mul_(30)
    path = tmp_path_factory.mktemp("folding") / "net"
    net.save_pretrained(path)
    return path, net.eval()


def test_plddt_is_that_of_the_folding_network_at_the_ca_atoms(folding, data, held_out):
    path, net = folding
    with torch.no_grad():
        expected = [100 * float(net.infer(text)["plddt"][0, :, 1].mean()) for text in data.decode(held_out[:9, :20])]
    scores = Plddt(str(path)).score(held_out[:9, :20], data)
    assert scores.numerator == pytest.approx(expected, abs=1e-3) and 0 < scores.value < 100 and np.ptp(expected) > 0
    assert len(Plddt(str(path)).identity()["sha256"]) == 64 and str(path) not in str(Plddt(str(path)).identity())


def test_a_folding_network_that_is_missing_or_in_parts_or_unsafe_is_refused(folding, data, held_out, tmp_path):
    from safetensors.torch import load_file, save_file

    with pytest.raises(ValueError, match="finds no ESMFold model with safetensors weights"):
        Plddt(str(tmp_path / "absent")).score(held_out[:1], data)
    weights = load_file(folding[0] / "model.safetensors")
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "config.json").write_text((folding[0] / "config.json").read_text())
    torch.save(weights, tmp_path / "part" / "pytorch_model.bin")
    with pytest.raises(ValueError, match="finds no ESMFold model with safetensors weights"):
        plddt._load(str(tmp_path / "part"), "main", "cpu")
    save_file({k: v for k, v in weights.items() if not k.startswith("lddt_head")}, tmp_path / "part"
              / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match="lack lddt_head"):
        plddt._load(str(tmp_path / "part"), "main", "cpu")
