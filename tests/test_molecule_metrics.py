"""Metrics of molecules: values worked out by hand, and those of held-out rows against shuffled ones."""

import sys

import pytest
import torch

from harness.data import smiles
from harness.data.moses import END
from harness.data.wikipedia_leads import WikipediaLeads
from harness.metrics.molecules.similarity import InternalDiversity
from harness.metrics.molecules.validity import Validity
from harness.metrics.molecules.variety import Novelty, Unique
from reports import molecules
from tests.test_moses import data, wheel  # noqa: F401    # fixtures

pytest.importorskip("rdkit", reason="rdkit is not installed: pip install ssmd-bench[molecules]")


def rows(data, *texts):    # noqa: F811
    x = torch.full((len(texts), data.length), END)
    for row, text in zip(x, texts):
        row[: len(text)] = data.encode(text)
    return x


def test_a_row_is_valid_where_its_rings_close_and_its_valences_hold(data):    # noqa: F811
    texts = ("CCO", "c1ccccc1", "C1CC", "C(C)(C)(C)(C)C", "CC(", "", "cc")
    found = Validity().score(rows(data, *texts), data)
    assert found.numerator.tolist() == [1, 1, 0, 0, 0, 0, 0] and found.value == pytest.approx(2 / 7)
    broken = rows(data, "CCO")
    broken[0, 40] = data.encode("C")[0]
    assert Validity().score(broken, data).value == 0, "an END within"


def test_two_texts_of_one_molecule_are_one(data):    # noqa: F811
    x = rows(data, "CCO", "OCC", "C1CC", "CCN", "CO")
    assert Unique(k=3).score(x, data).value == pytest.approx(2 / 3), "of CCO, OCC and CCN; C1CC is none"
    assert Unique(k=4).score(x, data).value == 3 / 4
    with pytest.raises(ValueError, match="needs so many valid molecules, and 4 of 5 rows"):
        Unique(k=5).score(x, data)


def test_novelty_is_of_distinct_molecules_that_training_lacks(data, monkeypatch):    # noqa: F811
    from harness.metrics.molecules import variety

    monkeypatch.setattr(variety, "_known", lambda data: frozenset({"CCO", "CCN"}))
    assert Novelty().score(rows(data, "OCC", "CO", "CO", "CCCC", "C1"), data).value == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="no row is a valid molecule"):
        Novelty().score(rows(data, "C1"), data)
    monkeypatch.undo()
    known = variety._known(data)
    assert len(known) == 400 and not known & {*data.smiles("test")}


def test_shuffled_molecules_are_hardly_valid(data):    # noqa: F811
    x = rows(data, *["CC(=O)Nc1ccc(O)cc1", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "CC(C)Cc1ccc(cc1)C(C)C(=O)O"] * 20)
    assert Validity().score(x, data).value == 1
    mixed = x.clone()
    for row in mixed:
        size = int((row != END).sum())
        row[:size] = row[torch.randperm(size, generator=torch.Generator().manual_seed(int(row[:size].sum())))]
    assert Validity().score(mixed, data).value < 0.2


def test_other_data_and_a_missing_library_are_one_sentence(data, monkeypatch):    # noqa: F811
    with pytest.raises(ValueError, match="wikipedia_leads holds no molecules"):
        Validity().score(torch.zeros(1, 4).long(), WikipediaLeads(length=4))
    smiles.chem.cache_clear()
    monkeypatch.setitem(sys.modules, "rdkit", None)
    with pytest.raises(ValueError, match=r"rdkit, which is not installed: `pip install ssmd-bench\[molecules\]`"):
        Validity().score(rows(data, "CC"), data)
    smiles.chem.cache_clear()


def test_a_molecule_that_rdkit_cannot_read_back_stands_as_its_text(data):    # noqa: F811
    text = "COc1ccc(C=2sc3nc4ccccc4n3c2=O)cc1O"
    assert smiles.canonical(text) == text and smiles.sound([text])[0] is not None
    found = InternalDiversity().score(rows(data, text, "CCO", "CCN"), data)
    assert found.denominator.sum() == 3 and molecules.drawing(text).startswith("<svg")


def test_hydrogen_in_brackets_is_known_from_training(data, monkeypatch):    # noqa: F811
    from harness.metrics.molecules import variety

    monkeypatch.setattr(type(data), "smiles", lambda self, split: ["[H]OCC"] if split == "train" else [])
    variety._known.cache_clear()
    assert Novelty().score(rows(data, "OCC", "CCN"), data).value == 0.5
    variety._known.cache_clear()
