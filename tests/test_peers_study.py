"""Public samplers beside ours (studies/peers), on peers that the test writes: their laws, seconds and refusals."""

import json
import sys
from pathlib import Path

import pytest
import torch

from harness.claims import claim as written
from harness.nets.tabular import Tabular
from harness.random import Stream, categorical, uniform
from harness.records.store import Store
from studies.peers import look, memory, timing
from studies.peers.__main__ import main
from studies.peers.claims import MEMORY, claims
from studies.peers.laws import DATA, Counts, Rates, Surest, even, uniform_levels
from studies.peers.load import modules
from studies.peers.peer import Passes, loaded

RIGHT = '''
import torch

def sample(logits, x, mask, steps):
    for n in range(steps):
        told = logits(x)
        p = told.double().softmax(-1)
        {bug}
        token = torch.multinomial(p.flatten(0, 1), 1).view(x.shape)
        reveal = (x == mask) & (torch.rand(x.shape) < 1 / (steps - n))
        x = torch.where(reveal, token, x)
    return x
'''
NET = Tabular(DATA.law(), DATA.vocab, DATA.length)


def folder(where: Path, bug: str = "", name: str = "peer") -> Path:
    (where / name).mkdir()
    (where / name / "loop.py").write_text(RIGHT.format(bug=bug))
    return where / name


def test_the_law_of_a_token_a_step_is_that_of_the_data_and_of_one_step_that_of_its_marginals():
    torch.testing.assert_close(Counts((1, 1, 1, 1)).of(NET), DATA.law(), rtol=0, atol=1e-12)
    p = NET.marginals(torch.full((1, 4), NET.mask)).softmax(-1)[0]                 # (4, 3)
    apart = torch.stack([p[l, DATA.states()[:, l]] for l in range(4)]).prod(0)     # (81,)
    for law in (Rates((1.0,)), Counts((4,)), Surest((4,))):
        torch.testing.assert_close(law.of(NET), apart, rtol=0, atol=1e-12)
    many = Rates(uniform_levels(256)).of(NET)
    assert (many - DATA.law()).abs().sum() < 0.02 < (Rates((0.5, 1.0)).of(NET) - DATA.law()).abs().sum()
    assert even(7, 3) == (3, 2, 2)


def test_a_right_loop_has_the_law_of_its_algorithm_and_a_biased_one_has_not(tmp_path):
    right, cold = (loaded(name, folder(tmp_path, bug, name)) for name, bug in (("right", ""), ("cold", "p = p**1.2")))
    assert right.digest != cold.digest
    for peer, expected in ((right, "same law"), (cold, "another law")):
        rows = look.found_small(peer, rows=16_384)
        sides = {side: {row[look.COLUMNS.index("verdict")] for row in rows if row[4] == side}
                 for side in ("peer", "ours")}
        assert sides == {"peer": {expected}, "ours": {"same law"}}


def test_rare_symbols_that_are_lost_are_seen_in_the_wide_world():
    law = look.wide_law()
    assert len(law) == 50_257 and abs(float(law.sum()) - 1) < 1e-6 and law[0] > 700 * law[-1]
    u = uniform(0, torch.arange(4096), Stream.DATA, torch.arange(1))               # (4096, 1)
    rows = categorical(law.expand(len(u), 1, -1), u)                               # (4096, 1)
    assert look.wide(rows).verdict == "same law"
    lost = rows[(rows < look.COMMON)[:, 0]]
    seen = look.wide(lost)
    assert seen.verdict == "another law" and seen.rare == 0
    row = ["x", "wide", "w", 1, "peer", len(lost), 0.0, 0.0, 0.0, "another law", seen.rare]
    assert look.rare_share(row)[:2] == (0, 0) and 0 < look.rare_share(row)[2] < 0.05


def test_the_command_writes_tables_and_claims_and_the_loop_costs_more_than_its_passes(tmp_path, monkeypatch, capsys):
    slow = folder(tmp_path, "told.repeat(1, 1, 512).double().exp().log()", "slow")    # a loop that does useless work
    monkeypatch.setattr(timing, "elsewhere", lambda call, *given: call(*given))      # processes: of the command alone
    peaks = {"loop": 60.0, "bare": 20.0, "ours": 24.0, "ours_bare": 20.0}
    monkeypatch.setattr(memory, "elsewhere", lambda call, part, *given: call == memory.memory and peaks[part])
    monkeypatch.setattr(written, "RESULTS", tmp_path / "results")
    words = ["--peer", f"slow={slow}", "--out", str(tmp_path / "run"), "--law-rows", "2048", "--wide-rows", "0",
             "--processes", "5", "--repeats", "1", "--rows", "2", "--length", "16", "--steps", "4", "--claims"]
    assert main(words) == 0
    rows = {row["claim"]: row for row in json.loads((tmp_path / "run/claims.json").read_text())}
    assert [*rows] == ["peers.loop_ratio.slow", "peers.loop_ratio.slow.ours", "peers.seconds_ratio.slow",
                       "peers.memory_ratio.slow", "peers.memory_ratio.slow.ours"]
    assert [rows[f"peers.memory_ratio.slow{end}"]["value"] for end in ("", ".ours")] == pytest.approx([3.0, 1.2])
    assert rows["peers.loop_ratio.slow"]["low"] > 1 and rows["peers.loop_ratio.slow"]["n"] == 5
    assert json.loads((tmp_path / "results/peers/claims.json").read_text()) == [*rows.values()]
    assert str(tmp_path) not in json.dumps([*rows.values()])
    said = capsys.readouterr().out
    assert "| slow | small | sample | 2 | peer | 2,048 |" in said and "| slow | shipped | loop |" in said
    before = len(Store(tmp_path / "run").of("measured"))
    assert main(words) == 0 and len(Store(tmp_path / "run").of("measured")) == before == 3    # nothing anew
    found = tmp_path / "results/peers/claims.json"
    found.write_text(json.dumps([{**row, "value": row["low"]} for row in rows.values()]))
    assert main([*words, "--only", "memory"]) == 0
    changed = {row["claim"] for row in json.loads(found.read_text()) if row["value"] == rows[row["claim"]]["value"]}
    assert changed == {"peers.memory_ratio.slow", "peers.memory_ratio.slow.ours"}, "what was not looked at stays"


def test_what_a_loop_holds_beyond_its_passes_is_seen_in_a_fresh_process(tmp_path, capsys):
    holds = folder(tmp_path, "kept = torch.ones(64, 1 << 18)")    # 64 MiB
    given = ("holds", str(holds), "shipped", 2, 16, 4)
    loop, bare = (timing.elsewhere(memory.memory, part, memory.recorded(*given), *given) for part in ("loop", "bare"))
    assert 128 <= loop < 144 and bare < 16    # the next is made before the last is freed
    rows = [["holds", k, part, mib] for k in range(5) for part, mib in zip(timing.PARTS, (loop, bare, bare, bare))]
    record = {"name": MEMORY, "columns": memory.COLUMNS, "rows": rows, "key": "k",
              "settings": dict(peer="holds", net="shipped", steps=4, rows=2, length=16, code="c")}
    assert claims([record], "x") == [] and "peers.memory_ratio.holds: no claim, 5 processes" in capsys.readouterr().out


def test_a_biased_peer_ends_the_command_with_1(tmp_path):
    biased = folder(tmp_path, "p = p**1.5")
    assert main(["--peer", f"biased={biased}", "--out", str(tmp_path / "run"), "--law-rows", "8192", "--wide-rows",
                 "0", "--only", "law"]) == 1


@pytest.mark.parametrize(("peers", "words"), [
    (["mine=nowhere"], "there is no folder"), (["mdlm=."], "has no diffusion.py, which holds the peer's loop"),
    (["mdlm"], "is not NAME=PATH"), (["=x"], "is not NAME=PATH"), (["plain=x"], "is not NAME=PATH"),
    (["a=x", "a=y"], "two peers are named a"), (["none=none"], "loop.py of the peer has no sample"),
    (["broken=broken"], "cannot be loaded (NameError"), (["llada=old"], "generate.py of the peer has no generate")])
def test_what_cannot_be_used_is_one_sentence(peers, words, tmp_path, monkeypatch):
    for name, file, text in (("none", "loop.py", "x = 1\n"), ("broken", "loop.py", "y\n"),
                             ("old", "generate.py", "from transformers import AutoModel\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"^[^\n]*$") as error:
        main([*(word for peer in peers for word in ("--peer", peer)), "--out", str(tmp_path / "run")])
    assert words in str(error.value) and not (tmp_path / "run").exists()


def test_a_loop_that_gives_no_rows_is_a_sentence(tmp_path):
    (tmp_path / "loop.py").write_text("def sample(logits, x, mask, steps):\n    return x[:, 1:]\n")
    with pytest.raises(ValueError, match="correct its adapter"):
        loaded("short", tmp_path).sample(NET, 4, 4, loaded("short", tmp_path).ways[0], 0, 4)


def test_loading_leaves_nothing_behind_and_takes_nothing_of_ours(tmp_path):
    """Two peers with a `utils` each, a framework that is a stand-in, a package whose __init__ is not run."""
    for name in ("one", "two"):
        (tmp_path / name / "model").mkdir(parents=True)
        (tmp_path / name / "utils.py").write_text(f"WHO = {name!r}\n")
        (tmp_path / name / "model/__init__.py").write_text("raise SystemError\n")
        (tmp_path / name / "model/parts.py").write_text(f"PART = {name!r}\n")
        (tmp_path / name / "loop.py").write_text(
            "import absent.deep as deep\nimport json\nimport utils\nfrom model import parts\n"
            "class Net(deep.Module):\n    @deep.mark\n    def f(self): pass\n"
            "def who(): return utils.WHO, parts.PART, json.dumps(1)\n")
    before, path = dict(sys.modules), [*sys.path]
    found = [modules(tmp_path / name, ("loop",), ("absent",), ("model",)) for name in ("one", "two")]
    assert [module.who() for (module,), _ in found] == [("one", "one", "1"), ("two", "two", "1")]
    assert found[0][1] != found[1][1] and sys.path == path
    assert {name for name in sys.modules if name not in before} == set()
    assert all(sys.modules[name] is module for name, module in before.items())


# no peer's code: what the adapters ask of one, in the shape in which the loops are written there
MDLM = """
import lightning as L
import torch
import transformers
import utils
from noise_schedule import LogLinearNoise

class Diffusion(L.LightningModule):
    def __init__(self, tokenizer: transformers.PreTrainedTokenizer):
        raise SystemError

    def forward(self, x, sigma):
        return self._subs_parameterization(self.backbone(x, sigma), x)

    def _subs_parameterization(self, logits, xt):
        logits[..., self.mask_index] += self.neg_infinity
        return logits.log_softmax(-1)

    def _ddpm_caching_update(self, x, t, dt):
        p = self.forward(x, self.noise(t)[0]).exp() * dt
        p[..., self.mask_index] = t - dt
        token = torch.multinomial(p.flatten(0, 1), 1).view(x.shape)
        return torch.where(x == self.mask_index, token, x)

    def _sample(self, num_steps=None):
        x = torch.full((self.config.loader.eval_batch_size, self.config.model.length), self.mask_index)
        for n in range(num_steps):
            x = self._ddpm_caching_update(x, torch.tensor(1 - n / num_steps), 1 / num_steps)
        return x
"""
NOISE = "class LogLinearNoise:\n    def __call__(self, t):\n        return t, t\n"
LLADA = """
import torch
from transformers import AutoModel

def generate(model, prompt, steps, gen_length, block_length, temperature, remasking, mask_id, attention_mask=None):
    x = torch.full((len(prompt), gen_length), mask_id)
    for n in range(steps):
        p = model(x, attention_mask=attention_mask).logits.double().softmax(-1)
        token = p.argmax(-1) if not temperature else torch.multinomial(p.flatten(0, 1), 1).view(x.shape)
        sure = torch.rand(x.shape) if remasking == "random" else p.gather(-1, token[..., None])[..., 0]
        at = torch.where(x == mask_id, sure, -1.0).topk(gen_length // steps).indices
        x.scatter_(1, at, token.gather(1, at).long())    # in place
    return x
"""
SEDD = """
import torch
from model import utils as mutils

def get_pc_sampler(graph, noise, batch_dims, predictor, steps):
    def loop(model):
        x = torch.full(batch_dims, graph.dim)
        for n in range(steps):
            t = torch.full((len(x),), 1 - n / steps)
            p = mutils.told(model, x, (-torch.log1p(-0.999 * t)))[..., :-1].double().softmax(-1)
            token = torch.multinomial(p.flatten(0, 1), 1).view(x.shape)
            x = torch.where((x == graph.dim) & (torch.rand(x.shape) < 1 / (steps - n)), token, x)
        return x
    return loop
"""
SHAPES = {
    "mdlm": {"diffusion.py": MDLM, "noise_schedule.py": NOISE},
    "llada": {"generate.py": LLADA},
    "sedd": {"sampling.py": SEDD, "noise_lib.py": NOISE, "model/__init__.py": "raise SystemError\n",
             "graph_lib.py": "class Absorbing:\n    def __init__(self, dim):\n        self.dim = dim\n",
             "model/utils.py": "def told(model, x, sigma):\n    return model.eval()(x, sigma)\n"},
}


@pytest.mark.parametrize("name", SHAPES)
def test_an_adapter_calls_a_loop_of_the_shape_that_it_knows(name, tmp_path):
    for file, text in SHAPES[name].items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
    peer = loaded(name, tmp_path)
    verdicts = {(row[2], row[3], row[4]): row[look.COLUMNS.index("verdict")] for row in
                look.found_small(peer, rows=8192)}
    assert {*verdicts.values()} == {"same law"} and len(verdicts) == 2 * len(peer.ways)
    calls = Passes(peer.network(NET))
    calls.keeps = True
    with torch.inference_mode():
        peer.run(calls, NET.mask, 2, 4, peer.timed(4, 2))
        assert len(calls.kept) == 2 and bool((calls.kept[0][0] == NET.mask).all())    # as it was when it was asked
        calls.play()
    assert len(calls.kept) == 2


REAL = {"mdlm": "diffusion.py", "llada": "generate.py", "sedd": "sampling.py"}


def test_every_adapter_but_plain_names_what_it_needs_and_refuses_a_folder_without_it(tmp_path):
    from studies.peers.__main__ import known

    assert known() == sorted(REAL)
    for name, file in REAL.items():
        with pytest.raises(ValueError, match=file):
            loaded(name, tmp_path)
