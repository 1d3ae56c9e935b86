"""Networks and samplers from outside: any function of token ids, a masked language model of transformers, and `verify`
on packages of a user.
"""

import os
import re
import sys
from dataclasses import dataclass, replace
from functools import reduce

import cloudpickle
import numpy as np
import pytest
import torch
from torch import nn

from baselines.ancestral import Ancestral
from baselines.first_hitting import FirstHitting
from harness.data.exact import Exact
from harness.metrics.exact_nll import ExactNll
from harness.metrics.law import null_quantile, total_variation
from harness.nets.hub import Hub
from harness.nets.own import Made, Own
from harness.records import provenance
from harness.records.store import Store
from harness.run import runner
from harness.run.cell import cells_of
from harness.run.finished import reads
from harness.run.recorded_cell import cell_of
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.schedules.order import Blocks
from harness.spec import ROOT
from harness.study import Arm, Study, load_study
from ssmd.sampler import SelfSpeculative
from tests import warm
from tests.conformance.toys import MASK, D, V, drawn, table_nets

LAW = [0.1, 0.2, 0.3, 0.4]


def alike(logits: list[float]):
    """A function that gives the same logits everywhere."""
    return lambda x: torch.tensor(logits, dtype=torch.float64).expand(*x.shape, -1)


def own(call, vocab: int, **more) -> Own:
    return Own(call, vocab, **{"flops_per_token": 7, "identity": "test"} | more)


def test_the_column_of_mask_is_removed_and_the_rest_renormalised():
    """MASK has nine tenths of the model's mass, and no draw."""
    logits = [np.log(0.1 * p) for p in LAW] + [np.log(0.9)]
    x = sample(FirstHitting(), {"main": own(alike(logits), 4)}, torch.full((8192, 2), 4), 0, 2048)
    assert total_variation(torch.bincount(x.flatten(), minlength=5)[:4],
                           LAW) < null_quantile(LAW, 2 * 8192, draws=250) and int(x.max()) < 4
    assert torch.equal(own(alike(logits), 4).draft(x[:3])[0],
                       own(alike(logits[:4]), 4).draft(x[:3])[0]), "a model without a column for MASK is the same"


def test_ids_of_a_model_that_counts_otherwise_are_mapped_both_ways():
    """Ids 0 and 1 are never drawn, 4 is MASK: tokens 0..3 are 2, 3, 5, 6."""
    seen, logits = [], [90.0, 91.0, *(np.log(p) for p in LAW[:2]), 95.0, *(np.log(p) for p in LAW[2:])]
    net = own(lambda x: (seen.append(x), alike(logits)(x))[1], 4, mask=4, never=(0, 1))
    assert net.ids.tolist() == [2, 3, 5, 6, 4] and (net.vocab, net.mask) == (4, 4)
    found, _ = net.draft(torch.tensor([[0, 1, 2, 3, 4]]), at=torch.tensor([[4, -1]]))
    assert (
        seen[0].tolist() == [[2, 3, 5, 6, 4]]
        and found.shape == (1, 2, 4)
        and torch.allclose(found[0, 0].exp(), torch.tensor(LAW, dtype=torch.float64))
    )


def test_an_exact_network_wrapped_as_a_function_is_that_network_bit_for_bit():
    table = table_nets()["main"]
    net = own(lambda x: table.marginals(x), V)
    assert torch.equal(drawn(FirstHitting(), {"main": net}, 1024), drawn(FirstHitting(), {"main": table}, 1024))


class Small(nn.Module):
    def __init__(self, width: int = 4):
        super().__init__()
        torch.manual_seed(width)
        self.embed, self.up, self.head, self.drop = (
            nn.Embedding(V + 1, width),
            nn.Linear(width, 6),
            nn.Linear(6, V),
            nn.Dropout(0.9),
        )

    def forward(self, x):
        return self.head(self.drop(self.up(self.embed(x))))


def test_flops_are_given_or_those_of_the_products_that_run_and_the_ledger_charges_them():
    net, ledger, each = Own(Small(), V), Ledger(40, D, MASK), 2 * (4 * 6 + 6 * V)
    assert net.flops("draft", 5, 1) == 5 * each
    sample(FirstHitting(), {"main": net}, torch.full((40, D), MASK), 0, 8, ledger=ledger)
    assert ledger.flops.tolist() == [D * D * each] * 40 and ledger.blocks.tolist() == [D] * 40
    assert (
        Own(Small(), V, flops_per_token=11).flops("draft", 5, 1) == 55
        and Own(Small(), V, blocks=3).blocks("draft") == 3
    )


def test_a_module_answers_as_it_does_after_training_and_its_weights_are_its_hash():
    net, x = Own(Small().train(), V), torch.tensor([[0, MASK, 2]])
    assert torch.equal(net.draft(x)[0], net.draft(x)[0]), "no dropout"
    other = Small()
    other.head.bias.data[0] += 1e-6
    hashes = {Own(Small(), V).sha256, Own(other, V).sha256, Own(Small(5), V).sha256, Own(Small(), 2, never=(0,)).sha256,
              Own(Small(), V, identity="mine").sha256}
    assert len(hashes) == 5 and Own(Small(), V, flops_per_token=1).sha256 == net.sha256


@pytest.mark.parametrize("make, says", [
    (lambda: Own(alike(LAW), 4), "give identity=... and flops_per_token=..."),
    (lambda: Own(alike(LAW), 4, flops_per_token=3), "has no hash"),
    (lambda: own(alike(LAW), 4, mask=9), "must be different ids below 5"),
    (lambda: own(alike(LAW), 4, mask=0, never=(0,)), "must be different ids below 6"),
    (lambda: own(alike(LAW), 4, never=(1, 1)), "must be different ids below 7"),
    (lambda: own(alike(LAW), 3, never=(0,)).draft(torch.zeros(1, 2, dtype=torch.int64)),
     r"gave logits \(1, 2, 4\): it must give 3 columns, or 5, or more"),
    (lambda: own(lambda x: torch.zeros(1, 3, 4), 4).draft(torch.zeros(1, 2, dtype=torch.int64)),
     r"gave \(1, 3, 4\) for ids \(1, 2\): it must give a vector at each place"),
    (lambda: own(alike(LAW), 4, ids=(0, 1, 2)), "must be the 4 ids that are neither mask nor never"),
    (lambda: own(alike(LAW), 4).verify(None, None, None, None), "has no verify pass"),
])
def test_what_cannot_be_is_refused_in_a_sentence(make, says):
    with pytest.raises(ValueError, match=says) as refused:
        make()
    assert "\n" not in str(refused.value)


@dataclass(frozen=True)
class Toy(Made):
    width: int = 4

    def make(self, device):
        return Own(Small(self.width).to(device), V)


def study(**changes) -> Study:
    return Study(**{"name": "own", "question": "?", "data": Exact(), "nets": {"toy": Toy()}, "reference": "toy",
                    "metrics": [ExactNll()], "n": 16, "batch": 8,
                    "arms": [Arm("hitting", [FirstHitting()], {"main": "toy"})]} | changes)


def test_a_study_names_it_and_its_cells_have_keys_that_follow_the_weights(tmp_path):
    tally = runner.run(study(), tmp_path)
    assert (tally["done"], tally["scored"]) == (1, 1) and runner.run(study(), tmp_path)["cached"] == 1
    store = Store(tmp_path)
    [record], [network] = store.of("counted"), store.of("network")
    assert record["cell"]["nets"] == {"main": network["sha256"]} and network["card"]["identity"] == "Small"
    assert record["cost"]["nfe_a"] == D and cell_of(record, study()).key() == record["key"]
    assert cells_of(study(nets={"toy": Toy(5)}))[0].key() != record["key"]
    speculative = study(arms=[Arm("ssmd", [SelfSpeculative()], {"main": "toy"})])
    assert cells_of(speculative)[0].missing() == "ssmd needs a verify pass, which 'toy' does not have"


def test_the_file_that_makes_a_network_counts_among_the_sources_of_its_records(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "netfile.py").write_text("from tests.test_own import Toy\n\nclass Here(Toy):\n    pass\n")
    module = __import__("netfile")
    runner.run(study(nets={"toy": module.Here()}), tmp_path / "run")
    [record] = Store(tmp_path / "run").of("counted")
    assert provenance.surely(record["made"]) and "netfile" in record["made"]["modules"]
    (tmp_path / "netfile.py").write_text("from tests.test_own import Toy\n\nclass Here(Toy):\n    size = 2\n")
    provenance.forget(tmp_path / "netfile.py")    # as another process would see it
    assert not provenance.surely(record["made"])


BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs/bring_your_own.md").read_text(), re.S)


def test_the_first_blocks_of_the_page_are_a_study_that_runs(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    (tmp_path / "mine.py").write_text(BLOCKS[0])
    (tmp_path / "words.py").write_text(BLOCKS[1])
    tally = runner.run(load_study(str(tmp_path / "words.py")), tmp_path / "run")
    assert tally["done"] == tally["scored"] == 3
    record = Store(tmp_path / "run").of("counted")[0]
    assert record["cell"]["nets"]["main"] == sys.modules["mine"].Mine().load("cpu").sha256


def test_a_network_of_the_study_file_itself_travels_to_other_processes(tmp_path):
    """By value: they cannot import that file."""
    (tmp_path / "words.py").write_text('"""Does it travel?"""\n' + BLOCKS[0]
                                       + BLOCKS[1].replace("from mine import Mine\n", ""))
    [cell, *_] = cells_of(load_study(str(tmp_path / "words.py")))
    again = cloudpickle.loads(cloudpickle.dumps(cell))
    assert cell.key() == again.key() and type(again.study.nets["mine"]).__module__ == "study_words"


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """A folder with a tiny model of 32 ids, the model itself, and the library."""
    library = pytest.importorskip("transformers", reason="transformers is not installed: pip install ssmd-bench[hub]")
    library.logging.set_verbosity_error()
    torch.manual_seed(0)
    config = library.BertConfig(vocab_size=32, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
                                intermediate_size=32, max_position_embeddings=64, initializer_range=0.5)
    model, folder = library.BertForMaskedLM(config).eval(), tmp_path_factory.mktemp("bert") / "my_model"
    model.save_pretrained(folder)
    return folder, model, library


SPECIAL = (0, 1, 2, 3)


def test_a_masked_language_model_is_loaded_by_its_path_and_its_law_is_that_of_its_other_ids(bert):
    folder, model, library = bert
    net = Hub(str(folder), 4, SPECIAL).load("cpu")
    assert (net.vocab, net.mask, net.blocks("draft"), net.ids.tolist()) == (27, 27, 2, [*range(5, 32), 4])
    theirs = torch.tensor([[5, 4, 31, 4]])
    with torch.no_grad():
        wanted = model(input_ids=theirs).logits[0, :, 5:]
    found, _ = net.draft(torch.tensor([[0, 27, 26, 27]]))
    assert torch.allclose(found[0], wanted, atol=1e-6)
    layers = 2 * (2 * (4 * 16 * 16 + 2 * 16 * 32) * 4 + 4 * 16 * 4**2)    # two, with the scores of attention
    assert net.flops("draft", 4, 3) == layers + 3 * 2 * (16 * 16 + 32 * 16)   # the head's transform, and tied embedding
    x = sample(FirstHitting(), {"main": net}, torch.full((64, 6), 27), 0, 16)
    assert int(x.max()) < 27
    assert Hub(str(folder), 4, SPECIAL).load("cpu") is net and net.card["transformers"] == library.__version__
    hashes = {net.sha256, Hub(str(folder), 4, (0, 1, 2)).load("cpu").sha256,
              Hub(str(folder), 5, SPECIAL).load("cpu").sha256}
    assert len(hashes) == 3


def test_a_finished_run_asks_again_once_a_file_of_the_folder_has_changed(bert, tmp_path):
    folder, _, _ = bert
    assert {str(folder / "config.json"),
            str(folder / "model.safetensors")} <= set(reads(study(nets={"toy": Hub(str(folder), 4, SPECIAL)})))
    assert not reads(study()) and not reads(study(nets={"toy": Hub(str(tmp_path), 4, SPECIAL)}))


def test_weights_that_are_not_whole_or_not_safetensors_are_refused_in_a_sentence(bert, tmp_path):
    _, model, library = bert
    library.BertModel(model.config).save_pretrained(tmp_path / "headless")
    model.config.save_pretrained(tmp_path / "pickled")
    torch.save(model.state_dict(), tmp_path / "pickled" / "pytorch_model.bin")
    model.save_pretrained(tmp_path / "torn")
    weights = tmp_path / "torn" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    for path, says in (("headless", "was saved with its language-model head"),
                       ("pickled", "has no model.safetensors: .* weights in safetensors"),
                       ("nowhere", "correct the path or the name"),
                       ("torn", "correct the path or the name")):
        with pytest.raises(ValueError, match=says) as refused:
            Hub(str(tmp_path / path), 4, SPECIAL).load("cpu")
        assert "\n" not in str(refused.value)


def test_without_transformers_the_way_to_install_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ValueError,
                       match=r"needs transformers, which is not installed: `pip install ssmd-bench\[hub\]`"):
        Hub("anything", 4, SPECIAL).load("cpu")


def test_the_third_block_of_the_page_names_a_model_of_a_study(bert, tmp_path, monkeypatch):
    monkeypatch.chdir(bert[0].parent)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    monkeypatch.setattr(Own, "untrained", True, raising=False)
    (tmp_path / "mine.py").write_text(BLOCKS[0])
    (tmp_path / "words.py").write_text(BLOCKS[1])
    about = {}
    exec(BLOCKS[2], about)
    [name] = about["NETS"]
    words = load_study(str(tmp_path / "words.py"))
    tally = runner.run(replace(words, nets=about["NETS"], reference=name,
                               arms=[Arm("hitting", [FirstHitting()], {"main": name})]), tmp_path / "run")
    assert tally["done"] == tally["scored"] == 1 and len(BLOCKS) == 5


def test_the_block_of_the_page_on_blocks_is_a_network_that_is_asked_in_its_order(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, text in (("mine", BLOCKS[0]), ("words", BLOCKS[1]), ("mine_by_blocks", BLOCKS[3])):
        monkeypatch.delitem(sys.modules, name, raising=False)
        (tmp_path / f"{name}.py").write_text(text)
    words, net = load_study(str(tmp_path / "words.py")), __import__("mine_by_blocks").MineByBlocks()
    with pytest.raises(ValueError, match=r"'n' writes blocks of 8, .* and ancestral .* give it order=Blocks\(8\)"):
        runner.run(replace(words, nets={"n": net}, reference="n", arms=[Arm("a", [Ancestral(4)], {"main": "n"})]),
                   tmp_path / "no")
    tally = runner.run(replace(words, nets={"n": net}, reference="n", arms=[
        Arm("hitting", [FirstHitting(1, Blocks(8)), FirstHitting(1, Blocks(4))], {"main": "n"})]), tmp_path / "run")
    assert tally["done"] == tally["scored"] == 2


PACKAGE = '''
from dataclasses import dataclass
from typing import ClassVar
import torch
from harness.random import Stream, from_logits, uniform
from harness.sampling.reveal import anew, fill, order_of, places, positions, write
from harness.schedules.order import UNIFORM

@dataclass(frozen=True)
class Judged:
    """One token a round from the verify pass alone: exact."""
    name: ClassVar[str] = "judged"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main.verify",)
    def exact(self): return self
    def start(self, nets, rows): return {"order": order_of(rows, UNIFORM)}
    def step(self, nets, rows):
        net, order = nets["main"], rows.memo["order"]
        rank = (rows.x != net.mask).sum(1, keepdim=True)
        hidden = net.draft(rows.x, rank - rank - 1)[1]
        at = places(order, rank)
        logits, u = net.verify(hidden, rows.x, order, READ), uniform(rows.seed, rows.id, Stream.TOKEN, at)
        return rows._replace(x=fill(rows.x, at, from_logits(logits, u)[0]))

@dataclass(frozen=True)
class Gibbs:
    """A text written at once, then every token drawn anew given the others, SWEEPS times: a full row is not done."""
    sweeps: int = SWEEPS
    name: ClassVar[str] = "gibbs"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)
    def exact(self): return Gibbs(6)
    def step(self, nets, rows):
        net, length = nets["main"], rows.x.shape[1]
        place = torch.where(rows.given, -1, torch.arange(length)) == ((rows.n - 1) % length)[:, None]
        x = torch.where(torch.where((rows.n == 0)[:, None], ~rows.given, place), net.mask, rows.x)
        at = positions(x == net.mask)
        if not at.numel():
            return rows
        logits, _ = net.draft(x, at, alive=(at >= 0).any(1))
        return rows._replace(x=fill(x, at, from_logits(logits, anew(rows, Stream.TOKEN, at))[0]))
    def done(self, rows): return rows.n > self.sweeps * rows.x.shape[1]
'''


LIES = {"READ": "rank.clamp_max(2)", "SWEEPS": "0", "Gibbs(6)": "self", '"judged"': '"misjudged"', '"gibbs"': '"hasty"'}


def test_verify_takes_samplers_of_a_package_that_need_a_verify_pass_or_say_themselves_when_a_row_is_done(tmp_path):
    """And fails them where they lie: one reads the law of another rank, the other claims without any sweep what only
    several give.
    """
    package = tmp_path / "outside"
    package.mkdir()
    for file, parts in (("__init__", {}), ("right", {"READ": "rank", "SWEEPS": "1"}), ("wrong", LIES)):
        (package / f"{file}.py").write_text(reduce(lambda text, part: text.replace(*part), parts.items(),
                                                   PACKAGE if parts else ""))
    words = ["-m", "harness", "--plugins", "outside", "verify", "judged", "gibbs", "misjudged", "hasty"]
    done = warm.run(words, tmp_path, os.environ | {"PYTHONPATH": str(ROOT)})
    assert done.returncode == 1, done.stderr
    told = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith("| `")]
    assert [(line[0], line[1], line[-2]) for line in told] == [
        ("| `Gibbs(sweeps=1)`", "exact in its limit", "pass"), ("| `Gibbs(sweeps=0)`", "exact", "FAIL"),
        ("| `Judged()`", "exact", "pass"), ("| `Judged()`", "exact", "FAIL")]
