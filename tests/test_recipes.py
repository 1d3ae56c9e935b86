"""The recipes of papers, each from end to end at a small size: trained by the command, sampled, scored; and what a dry
run says of the real size.
"""

import json
import zipfile
from dataclasses import replace

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from harness.__main__ import main
from harness.data.potts import Potts
from harness.data.wikipedia_leads import WikipediaLeads
from harness.metrics.entropy import SampleEntropy
from harness.records.store import Store
from harness.run import runner
from harness.spec import ROOT
from harness.study import load_module
from ssmd.train.dry_run import flops_a_token
from ssmd.train.settings import Training
from ssmd.train.updates import CAUSAL, losses
from studies.paper.cost import table

TEXT = WikipediaLeads().content()[:30_000].decode()
SMALL = [word for change in ("width=16", "heads=2", "blocks=3", "batch=8", "warmup=2") for word in ("--set", change)]


def text8(folder):
    with zipfile.ZipFile(folder / "text8.zip", "w") as file:
        file.writestr("text8", TEXT)
    return {"path": "text8.zip"}


def openwebtext(folder):
    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    letters = pre_tokenizers.ByteLevel.alphabet()
    words.train_from_iterator([TEXT], trainers.BpeTrainer(vocab_size=300, special_tokens=["<|endoftext|>"],
                                                          initial_alphabet=letters, show_progress=False))
    words.save(str(folder / "tokenizer.json"))
    (folder / "owt").mkdir()
    for k in range(100):
        (folder / "owt" / f"{k}.txt").write_text(TEXT[300 * k: 300 * (k + 1)])
    return {"path": "owt", "tokenizer": "tokenizer.json"}


def uniref50(folder):
    residues = TEXT.upper().translate(str.maketrans({c: "" for c in "BJOUXZ "}))
    (folder / "uniref50.fasta").write_text("".join(f">P{k}\n{residues[300 * k: 300 * (k + 1)]}\n" for k in range(70)))
    return {"path": "uniref50.fasta"}


@pytest.mark.parametrize("made", [text8, openwebtext, uniref50], ids=lambda made: made.__name__)
def test_a_recipe_runs_from_end_to_end_at_a_small_size(made, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    recipe, given = str(ROOT / f"studies/paper/{made.__name__}.py"), made(tmp_path)
    module = load_module(recipe)
    options = ["--recipe", recipe, "--length", "32", *(word for name, value in given.items()
                                                       for word in (f"--{name}", value)), *SMALL]
    for name, member in module.FAMILY.items():
        blocks = ["--set", "blocks=4"] if member.frozen else []
        assert main(["train", name, *options, *blocks, "--tokens", "2048", "--out", module.OUT]) == 0
        card = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert card == {"checkpoint": f"{module.OUT}/{name}/{name}.safetensors"}
    arms = [replace(arm, points=arm.points[-1:]) for arm in module.STUDY.arms]
    metrics = [SampleEntropy(), *(m for m in module.STUDY.metrics if m.name == "judge")]
    runner.run(replace(module.STUDY, data=replace(module.DATA, length=32, **given), arms=arms, metrics=metrics, n=4,
                       batch=4), tmp_path / "run")
    done = [r for r in Store(tmp_path / "run").of("counted") if r["status"] == "done"]
    assert {r["arm"] for r in done} == {arm.name for arm in arms}
    assert main(["train", next(iter(module.FAMILY)), *options, "--dry-run", "--seconds", "0.01", "--assume", "1e15",
                 "--out", "planned"]) == 0
    said = capsys.readouterr().out.splitlines()
    plan, member = json.loads(said[-1]), next(iter(module.FAMILY.values()))
    assert (
        plan["updates"] == member.tokens // (8 * 32)
        and plan["hours"] > 0
        and plan["peak_mib"] > 0
        and plan["rows_a_forward"] == min(member.micro, 8) > 0
        and plan["hours_assumed"] == plan["flops"] / 1e15 / 3600
    )
    assert "tokens/s" in said[0] and not (tmp_path / "planned").exists()


def test_a_dry_run_and_a_recipe_refuse_what_training_would_refuse(tmp_path, capsys):
    (tmp_path / "none.py").write_text("FAMILY = 3\n")
    (tmp_path / "words.py").write_text("from studies.demo.study import STUDY\nFAMILY, DATA = {'heavy': 'masked'}, "
                                       "STUDY.data\n")
    for words, says in (
        (["heavy", "--recipe", str(tmp_path / "none.py")], "is no recipe"),
        (["heavy", "--recipe", "nowhere.py"], "there is no study file nowhere.py"),
        (["heavy", "--recipe", str(tmp_path / "words.py")], "is no recipe"),
        (["light", "--recipe", str(ROOT / "studies/paper/text8.py")], "the family has no member 'light'"),
        (["heavy", "--recipe", str(ROOT / "studies/paper/text8.py"), "--path", "nowhere", "--dry-run"],
         "there is no file 'nowhere'"),
        (["hybrid", "--recipe", str(ROOT / "studies/paper/uniref50.py"), "--out", str(tmp_path)], "train heavy first"),
        (["heavy", "--tokens", "5", "--dry-run"], "less than one update"),
    ):
        assert main(["train", *words]) == 2
        assert says in capsys.readouterr().err


@pytest.mark.parametrize("changes", [{"network": "masked"}, {"causal": 2}, {"network": "judge"}, {"frozen": True}],
                         ids=str)
def test_flops_of_an_update_are_those_that_torch_counts(changes):
    """Forward and backward, within what the model leaves out: attention sees all keys where torch computes them all,
    and a causal pass is counted as needed.
    """
    config, data = Training(**{"width": 64, "heads": 2, "blocks": 3} | changes), Potts(length=32)
    net, x = config.build(data.vocab), data.rows("train", 4, 0)
    for name, p in net.named_parameters():
        p.requires_grad_(not config.frozen or name.startswith(CAUSAL))
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        sum(losses(net, x, torch.arange(4), config.schedule, 0, 0).values()).backward()
    assert flops_a_token(config, data.vocab, 32) * x.numel() == pytest.approx(counter.get_total_flops(), rel=0.08)


def test_data_that_draw_their_batches_are_trained_on(tmp_path, capsys):
    assert main(["train", "light", "--data", "potts", "--length", "24", *SMALL, "--tokens", "2000", "--out",
                 str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["checkpoint"].endswith("light.safetensors")


def test_the_page_shows_the_costs_that_are_computed():
    page = (ROOT / "docs/reproduce.md").read_text()
    assert page.partition("<!-- cost -->")[2].partition("<!-- /cost -->")[0].strip() == table()
