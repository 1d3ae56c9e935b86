"""Variable domains: prompts give the frameworks and leave the loops; what is no domain is left out, or said."""

import sys

import pytest
import torch

from harness.data import antibodies as module
from harness.data.antibodies import Antibodies, regions
from harness.data.fasta import Fasta
from harness.data.residues import AMINO
from harness.data.wikipedia_leads import WikipediaLeads
from harness.metrics.proteins.antibody import Recognised

pytest.importorskip("anarcism", reason="anarcism is not installed: pip install ssmd-bench[antibodies]")

# trastuzumab's heavy chain, with other residues in its third loop
FRAMES = ("EVQLVESGGGLVQPGGSLRLSCAAS", "MHWVRQAPGKGLEWVAR", "RYADSVKGRFTISADTSKNTAYLQMNSLRAEDTAVYYC", "WGQGTLVTVSS")
LOOPS = ("GFNIKDTY", "IYPTNGYT", "SRWGGDGFYAMDY")


def chain(k: int) -> str:
    third = LOOPS[2][:3] + AMINO[k % 20] + AMINO[k // 20] + LOOPS[2][5:]
    return "".join(a + b for a, b in zip(FRAMES, (*LOOPS[:2], third, "")))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """60 chains, and 20 sequences of that length that are none."""
    out = tmp_path_factory.mktemp("antibodies") / "chains.fasta"
    out.write_text("".join(f">a{k}\n{chain(k) if k % 4 else (AMINO[k // 4] + 'G') * 60}\n" for k in range(80)))
    return str(out)


@pytest.mark.parametrize("written, loops", [("all", (0, 1, 2)), ("CDR3", (2,))])
def test_a_prompt_gives_the_frameworks(path, written, loops):
    data = Antibodies(path, length=len(chain(0)), written=written)
    prompts = data.prompts(0, 5)
    assert torch.equal(data.prompts(2, 4), prompts[2:4])
    wanted = "".join(frame + ("_" * len(loop) if k in loops else loop)
                     for k, (frame, loop) in enumerate(zip(FRAMES, (*LOOPS, ""))))
    for text in data.decode(prompts):
        assert [place for place, a in enumerate(text) if a == "_"] == [
            place for place, b in enumerate(wanted) if b == "_"]
    held = data.rows("test", 8, 0)
    for row in prompts:
        assert ((row == held) | (row == data.mask)).all(1).any()


def test_what_is_no_domain_is_left_out_and_too_few_are_said(path):
    data = Antibodies(path, length=len(chain(0)))
    assert regions([chain(3), "AG" * 60], "H")[1] is None and regions([chain(3)], "K") == [None]
    with pytest.raises(ValueError, match=r"of 8 held-out rows of .* are recognised as whole domains of chain H, and 9"):
        data.prompts(0, 9)
    assert len(data.prompts(0, 0)) == 0
    cut = Antibodies(path, length=len(chain(0)) - 8)    # 4 residues of a side may be lacking, and no region
    assert all({"FR1", "CDR3", "FR4"} <= {*where} for where in regions(cut.decode(torch.where(
        cut.prompts(0, 3) == cut.mask, 0, cut.prompts(0, 3))), "H") if where)
    assert data.identity()["sha256"] == Fasta(path, length=len(chain(0))).identity()["sha256"]


def test_the_share_of_rows_that_are_recognised(path):
    data = Fasta(path, length=len(chain(0)))
    rows = torch.stack([data.encode(text) for text in (chain(1), ("AG" * 60)[: len(chain(0))], chain(2)[::-1])])
    assert Recognised().score(rows, data).numerator.tolist() == [1, 0, 0]
    with pytest.raises(ValueError, match="wikipedia_leads"):
        Recognised().score(torch.zeros(1, 4).long(), WikipediaLeads(length=4))


def test_a_missing_package_is_one_sentence(path, monkeypatch):
    module.anarcism.cache_clear()
    monkeypatch.setitem(sys.modules, "anarcism", None)
    with pytest.raises(ValueError, match=r"which is not installed: `pip install ssmd-bench\[antibodies\]`"):
        regions(["MKV"], "H")
    data = Antibodies(path, length=len(chain(0)))
    assert data.identity()["numbering"] == "absent" and len(data.rows("test", 2, 0)) == 2
    with pytest.raises(ValueError, match="which is not installed"):
        data.prompts(0, 1)
    module.anarcism.cache_clear()


def test_shorter_sequences_of_the_file_are_no_rows(tmp_path):
    file = tmp_path / "mixed.fasta"
    file.write_text("".join(f">a{k}\n{chain(k)[: None if k % 3 else 90]}\n" for k in range(1, 80)))
    assert len(Antibodies(str(file), length=len(chain(0))).prompts(0, 2)) == 2
