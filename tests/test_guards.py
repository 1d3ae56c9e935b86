"""Networks from outside are measured before they are drawn from. Each test here is a fault that once gave samples, and
a wrong number, without a word.
"""

import json
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest
import torch
from torch import nn

from baselines.first_hitting import FirstHitting
from harness.data.austen import Austen
from harness.data.exact import Exact
from harness.data.fasta import Fasta
from harness.data.markov import Markov
from harness.data.names import names_of
from harness.data.openwebtext import OpenWebText
from harness.data.prose import Prose
from harness.data.proteins import Proteins
from harness.data.recounted import Recounted
from harness.data.residues import AMINO
from harness.data.text import ALPHABET, Text
from harness.data.text8 import Text8
from harness.data.trained_on import alphabet
from harness.data.wikipedia_leads import WikipediaLeads
from harness.nets import checkpoint
from harness.nets.families import FAMILIES
from harness.nets.hub import Hub
from harness.nets.own import Made, Own
from harness.nets.transformer import Transformer, TransformerConfig
from harness.run import opening, runner
from harness.run.guards import _above_chance, examined
from harness.sampling.loop import sample
from harness.spec import ROOT
from harness.study import Arm, Study

LENGTH, V = 12, 5
SMALL = {"vocab_size": 33, "pad_token_id": 0, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
         "intermediate_size": 32, "initializer_range": 0.5}
ESM = ["<cls>", "<pad>", "<eos>", "<unk>", *"LAGVSERTIDPKQNFYMHWCXBUZO.-", "<null_1>", "<mask>"]


@dataclass(frozen=True)
class Stairs:
    """Row r holds the tokens r, r + 1, ... of V: what stands at a place says what stands beside it."""

    length: int = LENGTH
    name: ClassVar[str] = "stairs"
    version: ClassVar[int] = 1
    vocab: ClassVar[int] = V
    mask: ClassVar[int] = V

    def rows(self, split, n, seed):
        return (torch.arange(n)[:, None] + torch.arange(self.length)) % V

    def identity(self):
        return {"name": self.name, "version": 1, "length": self.length}


def climbing(step: int = 0):
    """A function that knows the stairs by the last token, and gives at each place the token `step` behind it."""
    def logits(x):
        last, place = x[:, -1:], torch.arange(x.shape[1])
        return 8.0 * nn.functional.one_hot((last + place + step - x.shape[1] + 1) % V, V).double()
    return logits


def own(call, **more) -> Own:
    return Own(call, V, flops_per_token=1, identity="test", **more)


def test_logits_of_the_next_token_are_known_by_the_text_and_taken_when_that_is_said():
    examined(own(climbing()), "right", Stairs())
    with pytest.raises(ValueError, match="'early' at a place are of the token behind it, .*: give shift=1"):
        examined(own(climbing(1)), "early", Stairs())
    with pytest.raises(ValueError, match="are of the token before it, .*: shift them before they are given"):
        examined(own(climbing(-1)), "late", Stairs())
    framed = own(climbing(1), before=(V,), shift=1)
    examined(framed, "framed", Stairs())
    x = Stairs().rows("train", 3, 0)
    assert (framed.draft(x)[0].argmax(-1) == x).all()
    with pytest.raises(ValueError, match="an id stands before each row"):
        own(climbing(1), shift=1)


def test_a_network_that_looks_across_rows_or_gives_no_numbers_is_refused():
    with pytest.raises(ValueError, match="answers otherwise for a row when others stand beside it"):
        examined(own(lambda x: climbing()(x) - x.double().mean() + torch.arange(V) * x.double().mean()), "n", Stairs())
    with pytest.raises(ValueError, match="no number at a row that is masked throughout: put known tokens around it"):
        examined(own(lambda x: climbing()(x) / (1 - (x == V).double().mean(1))[:, None, None]), "n", Stairs())
    with pytest.raises(ValueError, match=r"cannot read a row of 12 tokens \(only ten\): choose shorter rows of stairs"):
        examined(own(short), "n", Stairs())


def short(x):
    if x.shape[1] > 10:
        raise IndexError("only ten")
    return climbing()(x)


def test_tokens_of_other_names_are_an_error_and_no_worse_number():
    class Named(Stairs):
        def decode(self, rows):
            return ["".join("abcde"[k] for k in row) for row in rows.tolist()]

    examined(own(climbing(), names="abcde"), "n", Named())
    with pytest.raises(ValueError, match=r"token 0 of the network 'n' is 'e', and that of stairs is 'a' \(5 of 5"):
        examined(own(climbing(), names="eabcd"), "n", Named())


def certain(order):
    """A network that is nearly sure of the stairs and counts their tokens in another order."""
    return lambda x: climbing()(x)[..., order]


def test_tokens_without_names_are_held_against_chance():
    order = [4, 0, 1, 2, 3]
    with pytest.raises(ValueError, match="'n' gives the tokens of stairs 8.00 nats each, and chance 1.61: its tokens"):
        _above_chance(own(certain(order)), "n", Stairs())
    _above_chance(own(certain([0, 1, 2, 3, 4])), "n", Stairs())
    _above_chance(own(lambda x: torch.zeros(*x.shape, V)), "n", Stairs())
    meant = own(certain(order))
    meant.untrained = True
    _above_chance(meant, "n", Stairs())


class Shifted(Text):
    """Letters as in text8, but that the space is symbol 0."""

    name, version, length = "shifted", 1, 8

    def content(self):
        return b"ab cd " * 1000

    def decode(self, rows):
        return ["".join((" " + ALPHABET)[k] for k in row) for row in rows.tolist()]


def test_a_checkpoint_on_another_alphabet_of_the_same_size_is_refused_by_its_card(capsys):
    net = checkpoint.load(ROOT / "ssmd/checkpoints/light.safetensors")
    for data in (WikipediaLeads(8), Austen(8)):
        examined(net, "light", data)
    assert capsys.readouterr().err == ""
    with pytest.raises(ValueError, match=r"token 0 of the network 'light' is 'a', and that of shifted is ' ' \(27 of 27"
                                         r" differ\): choose data with the tokens of wikipedia_leads"):
        examined(net, "light", Shifted())
    examined(net, "light", Markov(symbols=27, length=8))
    assert "nobody says whether its tokens are those of markov" in capsys.readouterr().err


def test_every_data_set_that_reads_as_text_has_names(tmp_path):
    letters = tuple(ALPHABET)
    for data in (WikipediaLeads(), Austen(), Text8(str(tmp_path))):
        assert names_of(data) == letters == alphabet({"name": data.name})
    for data in (Fasta(str(tmp_path)), Proteins(str(tmp_path))):
        assert names_of(data) == tuple(AMINO) == alphabet({"name": data.name})
    assert len(names_of(Prose())) == Prose().vocab
    assert alphabet({"name": "recounted", "data": {"name": "x", "tokenizer_sha256": "abc"}, "left_out": [0]}) == (
        "those of the tokenizer abc without [0]")
    assert alphabet({"name": "markov"}) is alphabet({"name": "of my own"}) is None


def test_a_causal_block_is_examined_by_its_trunk():
    block = SimpleNamespace(trunk=own(climbing(1)), card={})
    with pytest.raises(ValueError, match="give shift=1"):
        examined(block, "n", Stairs())


def test_a_study_is_refused_before_its_first_cell(tmp_path):
    study = Study(name="n", question="?", data=Stairs(), nets={"early": Early()}, reference="early", metrics=[], n=4,
                  batch=2, arms=[Arm("hitting", [FirstHitting()], {"main": "early"})])
    with pytest.raises(ValueError, match="give shift=1"):
        runner.run(study, tmp_path / "run")
    assert not list(tmp_path.glob("run/samples/*"))
    with pytest.raises(ValueError, match="give shift=1"):
        opening.networks(study, "cpu")


@dataclass(frozen=True)
class Early(Made):
    def make(self, device):
        return own(climbing(1))


def test_flops_are_those_of_the_products_that_run():
    """Of our own transformer, to the last digit; and of a layer that runs three times, with the head where it is."""
    torch.manual_seed(0)
    heavy = Transformer(TransformerConfig(vocab=V, width=16, heads=2, blocks=3)).eval()
    net = Own(lambda x: heavy.draft(x)[0], V, module=heavy)
    for length in (4, 12):
        assert net.flops("draft", length, 2) == heavy.flops("draft", length, length)
    layer, head = nn.Linear(16, 16, bias=False), nn.Linear(16, V, bias=False)
    table = nn.Embedding(V + 1, 16)
    apart = Own(lambda x: layer(layer(layer(table(x)))), V, module=nn.ModuleList([layer, head, table]), head=head)
    assert apart.flops("draft", 10, 3) == 2 * (3 * 16 * 16 * 10 + 3 * 16 * V)
    x, at = torch.full((2, 4), V), torch.tensor([[0, 3], [1, -1]])
    whole = Own(lambda x: head(layer(layer(layer(table(x))))), V, module=nn.ModuleList([layer, head, table]))
    assert torch.allclose(apart.draft(x, at)[0], whole.draft(x, at)[0])
    with torch.inference_mode():
        assert apart.flops("draft", 11, 0) == 2 * 3 * 16 * 16 * 11


@pytest.fixture(scope="module")
def library():
    found = pytest.importorskip("transformers", reason="transformers is not installed: pip install ssmd-bench[hub]")
    found.logging.set_verbosity_error()
    return found


def saved(library, folder: Path, kind: str, **changes) -> Path:
    """A small random model of a kind, saved."""
    torch.manual_seed(0)
    config = getattr(library, f"{kind}Config")(**(SMALL | {"max_position_embeddings": 64} | changes))
    getattr(library, f"{kind}ForMaskedLM")(config).eval().save_pretrained(folder)
    return folder


def esm(library, folder: Path, tokenizer: bool = True) -> Path:
    saved(library, folder, "Esm", pad_token_id=1, mask_token_id=32, token_dropout=True,
          position_embedding_type="rotary")
    if tokenizer:
        (folder / "vocab.txt").write_text("\n".join(ESM))
        library.EsmTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def proteins(tmp_path_factory) -> Fasta:
    path = tmp_path_factory.mktemp("fasta") / "some.fasta"
    rows = torch.randint(20, (400, 24), generator=torch.Generator().manual_seed(0)).tolist()
    path.write_text("".join(f">p{k}\n{''.join(AMINO[a] for a in row)}\n" for k, row in enumerate(rows)))
    return Fasta(str(path), length=16)


def test_what_a_configuration_decides_is_in_the_hash(library, tmp_path):
    """Equal weights, equal form in words, other answers."""
    one = saved(library, tmp_path / "one", "EuroBert", head_dim=8)
    other = saved(library, tmp_path / "other", "EuroBert", head_dim=8)
    about = json.loads((other / "config.json").read_text())
    about["rope_parameters" if "rope_parameters" in about else "rope_theta"] = (
        about["rope_parameters"] | {"rope_theta": 17.0} if "rope_parameters" in about else 17.0)
    (other / "config.json").write_text(json.dumps(about))
    a, b = (Hub(str(folder), mask=4, never=(0, 1, 2, 3), also=tuple(range(33))) for folder in (one, other))
    x = torch.arange(10)[None] + 5
    assert not torch.equal(a.load("cpu").draft(x)[0], b.load("cpu").draft(x)[0])
    assert a.load("cpu").sha256 != b.load("cpu").sha256
    models = [library.AutoModelForMaskedLM.from_pretrained(folder) for folder in (one, other)]
    assert len({Own(model, 28, mask=4, never=(0, 1, 2, 3)).sha256 for model in models}) == 2


def test_a_model_that_is_not_finite_when_all_is_masked_is_framed_or_refused(library, tmp_path, proteins):
    folder = esm(library, tmp_path / "esm")
    framed, bare = Hub(str(folder), tokens=AMINO), Hub(str(folder), tokens=AMINO, before=(), after=())
    net = framed.load("cpu")
    assert (net.before.tolist(), net.after.tolist()) == ([0], [2])
    examined(net, "esm", proteins)
    x = sample(FirstHitting(), {"main": net}, torch.full((4, 16), 20), 0, 4)
    assert int(x.max()) < 20
    with pytest.raises(ValueError, match="masked throughout: put known tokens around it, with before"):
        examined(bare.load("cpu"), "esm", proteins)


def test_residues_are_not_scrambled_by_the_order_of_ids(library, tmp_path, proteins):
    folder = esm(library, tmp_path / "esm")
    ascending = Hub(str(folder)).load("cpu")
    assert "".join(ascending.names) == "LAGVSERTIDPKQNFYMHWC" and ascending.vocab == proteins.vocab
    with pytest.raises(ValueError, match="token 0 of the network 'esm' is 'L', and that of fasta is 'A'.*tokens=..."):
        examined(ascending, "esm", proteins)
    right = Hub(str(folder), tokens=AMINO).load("cpu")
    assert right.ids.tolist()[:4] == [ESM.index(letter) for letter in "ACDE"] and right.ids[-1] == 32
    with pytest.raises(ValueError, match="has no token 'J': correct `tokens`"):
        Hub(str(folder), tokens="ACJ").load("cpu")


CODE = "open('EXECUTED', 'w')\nfrom transformers import BertConfig as C, BertForMaskedLM as M\n"


def test_no_code_of_a_model_runs_and_nobody_is_asked(library, tmp_path):
    folder = saved(library, tmp_path / "foreign", "Bert")
    about = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(about | {"model_type": "foreign", "auto_map": {
        "AutoConfig": "code.C", "AutoModelForMaskedLM": "code.M"}}))
    (folder / "code.py").write_text(CODE)
    call = f"from harness.nets.hub import Hub; Hub({str(folder)!r}, mask=4).load('cpu')"
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-c", call], input="y\n" * 5, capture_output=True, text=True, cwd=tmp_path,
                          env={"PYTHONPATH": str(ROOT), "HF_HOME": str(tmp_path / "home"), "PATH": ""})
    assert "brings code of its own, and no code of a model is run" in done.stderr and done.returncode
    assert not (tmp_path / "EXECUTED").exists() and "[y/N]" not in done.stdout + done.stderr
    assert time.monotonic() - begun < 60


@pytest.mark.parametrize("kind", [kind for kind, family in FAMILIES.items() if family.refused])
def test_a_kind_that_cannot_be_taken_says_why(library, tmp_path, kind):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind, "vocab_size": 33}))
    with pytest.raises(ValueError, match=f"is of the kind {kind}: ") as refused:
        Hub(str(tmp_path), mask=4).load("cpu")
    assert "\n" not in str(refused.value)


def words(folder: Path) -> Path:
    """A tokenizer that counts padding, unknown and MASK among its ids, and some text of it."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    known = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<|endoftext|>", *"abcdefgh"]
    tokenizer = Tokenizer(models.WordLevel({word: k for k, word in enumerate(known)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]",
        "sep_token": "[SEP]", "mask_token": "[MASK]"}))
    text = folder / "text"
    text.mkdir()
    letters = torch.randint(8, (800, 20), generator=torch.Generator().manual_seed(0)).tolist()
    (text / "some.jsonl").write_text("".join(json.dumps({"text": " ".join("abcdefgh"[k] for k in line)}) + "\n"
                                             for line in letters))
    return text


def test_data_of_a_tokenizer_are_counted_as_its_network_counts_and_a_run_goes_through(library, tmp_path):
    folder = saved(library, tmp_path / "bert", "Bert", vocab_size=16)    # two columns behind the tokenizer
    hub, text = Hub(str(folder)), words(folder)
    data = OpenWebText(str(text), str(folder / "tokenizer.json"), length=8)
    net = hub.load("cpu")
    assert (net.vocab, data.vocab, net.card["never"]) == (9, 14, [0, 1, 2, 3, 14, 15])
    recounted = Recounted(data, hub.left_out())
    assert recounted.vocab == 9 and recounted.names() == net.names == ("<|endoftext|>", *"abcdefgh")
    rows = recounted.rows("train", 4, 0)
    assert recounted.decode(rows) == data.decode(data.rows("train", 4, 0)) and int(rows.max()) < 9
    study = Study(name="bert", question="?", data=recounted, nets={"bert": hub}, reference="bert", metrics=[], n=4,
                  batch=4, arms=[Arm("hitting", [FirstHitting()], {"main": "bert"})])
    assert runner.run(study, tmp_path / "run", timing=False)["done"] == 1
    with pytest.raises(ValueError, match="writes 9 symbols and openwebtext has 14"):
        runner.run(replace(study, data=data), tmp_path / "other", timing=False)
    assert not hasattr(Recounted(Exact(), ()), "tokens") and hasattr(recounted, "tokens")
    with pytest.raises(ValueError, match="holds the token 1, which the network never writes"):
        recounted.encode("a z")


def test_special_ids_are_never_drawn_unless_that_is_said(library, tmp_path):
    folder = saved(library, tmp_path / "bert", "Bert", pad_token_id=0, bos_token_id=1)
    with pytest.raises(ValueError, match=r"calls 0 1 special, and never=nothing lets them be drawn: put them among"):
        Hub(str(folder), mask=4, never=()).load("cpu")
    assert Hub(str(folder), mask=4, never=(), also=(0, 1)).load("cpu").vocab == 32
    assert Hub(str(folder), mask=4).load("cpu").card["never"] == [0, 1]
    with pytest.raises(ValueError, match="nobody says which of the 33 ids .* is MASK"):
        Hub(str(folder)).load("cpu")


def test_rows_longer_than_the_places_are_one_sentence(library, tmp_path, monkeypatch):
    monkeypatch.setattr(Own, "untrained", True, raising=False)
    for kind in ("Bert", "Roberta"):
        folder = str(saved(library, tmp_path / kind, kind, max_position_embeddings=18))
        net = Hub(folder, mask=4, never=(0, 1, 2, 3)).load("cpu")
        examined(net, "n", replace(Exact(symbols=28, length=2)))
        with pytest.raises(ValueError, match="cannot read a row of 24 tokens .*: choose shorter rows") as refused:
            examined(net, "n", Long())
        assert "\n" not in str(refused.value)


class Long(Stairs):
    length = 24
    vocab = mask = 28

    def __init__(self):
        pass


def test_a_causal_network_is_refused_and_an_answer_that_holds_logits_is_taken(library, tmp_path):
    folder = saved(library, tmp_path / "causal", "Bert", is_decoder=True)
    with pytest.raises(ValueError, match="does not see what stands behind a place: it is causal"):
        examined(Hub(str(folder), mask=4, never=(0, 1, 2, 3)).load("cpu"), "n", Exact(symbols=28, length=3))
    model = library.BertForMaskedLM.from_pretrained(saved(library, tmp_path / "bert", "Bert"))
    net = Own(model, 28, mask=4, never=(0, 1, 2, 3))
    assert net.draft(torch.full((2, 3), 28))[0].shape == (2, 3, 28)


def test_layers_that_share_weights_are_counted_as_often_as_they_run(library, tmp_path):
    folder = saved(library, tmp_path / "albert", "Albert", num_hidden_layers=12, embedding_size=8)
    net, length = Hub(str(folder), mask=4, never=(0, 1, 2, 3)).load("cpu"), 10
    blocks = 12 * (2 * (4 * 16 * 16 + 2 * 16 * 32) * length + 4 * 16 * length**2)
    rest = 2 * (8 * 16 + 16 * 8 + 8 * 33) * length
    assert net.flops("draft", length, length) == blocks + rest


def test_a_model_may_be_loaded_in_half(library, tmp_path):
    folder = str(saved(library, tmp_path / "bert", "Bert"))
    whole, half = (Hub(folder, mask=4, never=(0, 1, 2, 3), dtype=dtype).load("cpu")
                   for dtype in ("float32", "bfloat16"))
    x = torch.full((1, 4), 28)
    assert half.draft(x)[0].dtype == torch.bfloat16 and whole.sha256 != half.sha256
    assert torch.allclose(half.draft(x)[0].float(), whole.draft(x)[0], atol=0.3)
    with pytest.raises(ValueError, match="dtype='int4' is none of float32"):
        Hub(folder, mask=4, dtype="int4").load("cpu")


def test_a_toy_of_the_harness_is_left_to_its_own_tests():
    examined(Transformer(TransformerConfig(vocab=3, width=16, heads=2, blocks=1)), "ours", Exact())


def test_tokens_of_prose_are_named_as_its_tokenizer_writes_them():
    """A network with that tokenizer was refused: one side wrote ` the`, the other what stands in the vocabulary."""
    pytest.importorskip("tokenizers")
    from harness.data.prose import Prose, tokenizer
    names = names_of(Prose())
    assert len(names) == Prose().vocab and [tokenizer().token_to_id(name) for name in names[:500]] == [*range(500)]
