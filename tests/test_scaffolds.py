"""Prompts that give a scaffold: what is given, what is left, and how often."""

import pytest
import torch

from harness.data.moses import END
from harness.data.scaffolds import LEAST, Scaffolds, side_chains
from tests.test_moses_metrics import reference, wheels  # noqa: F401    # fixtures

pytest.importorskip("rdkit", reason="rdkit is not installed: pip install ssmd-bench[molecules]")


@pytest.mark.parametrize("text, left", [
    ("CCc1ccc(O)cc1", "__c1ccc___cc1"),
    ("c1ccccc1", "c1ccccc1"),
    ("CC(C)CO", "CC(C)CO"),                          # no ring, no scaffold: nothing is left to write
    ("O=C1CCC(C(=O)N[C-])C1Cl", "O=C1CCC____________C1__"),
    ("c1ccc(CCN2CCOCC2)cc1Br", "c1ccc(CCN2CCOCC2)cc1__"),
    ("CC(=O)Nc1ccc(OC(=O)c2ccccc2O)cc1", "_______c1ccc(OC(=O)c2ccccc2_)cc1"),
    ("CCn1cc2c(c1)-c1ccccc1C2", "__n1cc2c(c1)-c1ccccc1C2"),
    ("C1CC1/C=C/c1cc(N(C)C)ccn1", "C1CC1/C=C/c1cc_______ccn1"),
])
def test_characters_outside_the_scaffold_are_left(text, left):
    assert "".join("_" if side else one for one, side in zip(text, side_chains(text))) == left


def test_a_prompt_is_a_held_out_molecule_without_its_side_chains(reference):    # noqa: F811
    data = Scaffolds(reference[0].path, repeats=3)
    prompts = data.prompts(0, 30)
    assert prompts.shape == (30, 58) and torch.equal(data.prompts(7, 11), prompts[7:11])
    assert torch.equal(prompts[0], prompts[2]) and not torch.equal(prompts[2], prompts[3])
    known = data.rows("scaffolds", 120, 0)
    for prompt in prompts[::3]:
        hidden = prompt == data.mask
        (origin,) = [row for row in known if torch.equal(torch.where(hidden, data.mask, row), prompt)][:1]
        text = data.decode(origin[None])[0]
        assert hidden.sum() >= LEAST and hidden[: len(text)].tolist() == side_chains(text)
        assert (prompt[len(text) :] == END).all()
    assert data.identity() == reference[0].identity() | {"name": "scaffolds", "repeats": 3}
    assert len(data.prompts(0, 0)) == 0
    with pytest.raises(ValueError, match="characters outside their scaffold, and 400 are wanted"):
        data.prompts(0, 1200)
    with pytest.raises(ValueError, match="leave ends=False out"):
        Scaffolds(reference[0].path, ends=False)
