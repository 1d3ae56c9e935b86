"""Networks whose code comes with their files: refused as they stand, and taken under code=True, each as it wants to be
called. The models are stand-ins (tests/remote_models.py); none is fetched.
"""

import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from baselines.first_hitting import FirstHitting
from harness.data.exact import Exact
from harness.nets.families import FAMILIES
from harness.nets.hub import Hub
from harness.nets.own import Own
from harness.run.guards import examined
from harness.sampling.loop import sample
from harness.schedules.order import Blocks
from harness.spec import ROOT
from ssmd.attached import fresh
from ssmd.sampler import SelfSpeculative
from tests.remote_models import AUTO, BEGIN, MASK, PAD, SIZE, standing_in
from tests.test_guards import library  # noqa: F401    # a fixture

LENGTH, V = 12, 36
COMMIT = "0123456789abcdef0123456789abcdef01234567"
# 36 tokens; what their configuration calls special is not drawn
TAKEN = {"code": True, "needs": "", "never": (BEGIN, PAD, 39), "also": ()}
BLOCK = {"llada2_moe": 4}    # shorter than its own, so that a row has several


class Letters(Exact):
    """Rows of 36 tokens; their law is of no account here."""

    def __init__(self):
        pass

    length, vocab, mask = LENGTH, V, V

    def rows(self, split, n, seed):
        return torch.randint(V, (n, LENGTH), generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def made(library, tmp_path_factory):    # noqa: F811
    """The stand-ins by kind; what transformers copies of their code lies beside them."""
    from transformers import dynamic_module_utils

    root = tmp_path_factory.mktemp("remote")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(root / "modules"))
        patch.setattr(sys, "path", [*sys.path])
        yield {kind: standing_in(root / f"my_{kind.lower()}", kind) for kind in AUTO}


def hub(made, kind: str, **more) -> Hub:
    block = {"block": BLOCK[kind]} if kind in BLOCK else {}
    return Hub(made[kind].folder, **(TAKEN | block | more))


def asked(kind: str, model, ids: torch.Tensor, masked: torch.Tensor) -> torch.Tensor:
    """The logits of a model by its own convention, as its authors call it."""
    blocks = torch.arange(ids.shape[1]) // 4
    sees = blocks[:, None] >= blocks
    with torch.no_grad():
        if kind == "mdlm":
            return model(ids, timesteps=torch.zeros(len(ids)))
        if kind == "sedd":
            return model(ids, -torch.log1p(-masked.float().mean(1).clamp_max(0.999)))
        if kind == "sdar":
            return model(input_ids=ids, attention_mask=sees[None].float()).logits
        if kind == "llada2_moe":
            added = sees[None, None].expand(len(ids), 1, -1, -1).float().log()
            return model(input_ids=ids, attention_mask=added).logits
        return model(input_ids=ids).logits


@pytest.mark.parametrize("kind", AUTO)
def test_each_kind_is_called_as_its_authors_call_it(made, kind, capsys):
    net = hub(made, kind).load("cpu")
    x = Letters().rows("test", 3, 0)
    x[:, ::3] = V
    x[0, 2:] = V
    ids = torch.where(x == V, MASK, x)
    if kind == "Dream":
        ids = torch.cat((torch.full((3, 1), BEGIN), ids), 1)
    wanted = asked(kind, made[kind].model, ids, x == V)[:, :LENGTH, :V]
    found = net.draft(x)[0]
    assert torch.allclose(found, wanted, atol=1e-5)
    at = torch.tensor([[0, 3], [9, -1], [6, 0]])
    assert torch.allclose(net.draft(x, at)[0][:, 0], wanted[torch.arange(3), at[:, 0]], atol=1e-5)
    examined(net, kind, Letters())
    [line] = capsys.readouterr().err.splitlines()
    family, block = FAMILIES[kind], BLOCK.get(kind, FAMILIES[kind].block)
    assert ("by its own code" in line and (f"called in the form {family.call}" in line) is (family.call != "ids")
            and (f"written in blocks of {block}" in line) is bool(block))
    assert net.card["code"].keys() == {made[kind].code.name} and (net.block, net.form) == (block, family.call)
    assert net.card.get("order", "any") == (f"blocks of {block}" if block else "any")
    assert net.blocks("draft") == 3 and net.flops("draft", LENGTH, LENGTH) > 0
    given = torch.full((5, LENGTH), V)
    given[:, :4] = x[1, :4].where(x[1, :4] < V, 0)
    sampler = FirstHitting(1, Blocks(block)) if block else FirstHitting()
    rows = [sample(sampler, {"main": net}, given, 0, batch) for batch in (1, 5)]
    assert torch.equal(*rows) and int(rows[0].max()) < V


@pytest.mark.parametrize("kind", AUTO)
def test_without_code_each_is_refused_with_the_flag_as_the_remedy(made, kind):
    with pytest.raises(ValueError, match="no code of a model is run: read it, then give code=True.*`Own`") as refused:
        Hub(made[kind].folder, needs="").load("cpu")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("kind", [kind for kind in AUTO if FAMILIES[kind].needs])
def test_another_version_of_transformers_is_said_before_anything_fails(made, kind, monkeypatch):
    monkeypatch.setattr("transformers.__version__", "5.0.0")
    wanted = re.escape(FAMILIES[kind].needs)
    with pytest.raises(ValueError, match=f"of the kind {kind}, which needs transformers {wanted}, and 5.0.0 is "
                                         f"installed: `pip install transformers=={wanted}`") as refused:
        hub(made, kind, needs=None).load("cpu")
    assert "\n" not in str(refused.value)


def test_the_facts_of_a_family_hold_where_nobody_gives_another(made, library):    # noqa: F811
    """At the true size of a vocabulary, from the configuration alone."""
    for kind, mask, drawn in (("llada", 126336, 126081), ("mdlm", 50257, 50256), ("Dream", 151666, 151643)):
        folder = Path(made[kind].folder).parent / f"large_{kind}"
        folder.mkdir()
        about = json.loads((Path(made[kind].folder) / "config.json").read_text())
        about |= {"vocab_size": 152064, "eos_token_id": drawn, "pad_token_id": drawn, "bos_token_id": BEGIN}
        (folder / "config.json").write_text(json.dumps(about | {"mask_token_id": None}))
        facts = Hub(str(folder), code=True, needs="")._facts()[2]
        assert facts.mask == mask and drawn in facts.ids and facts.never == (BEGIN,)
        assert facts.before == ((BEGIN,) if kind == "Dream" else ()) and facts.shift == (kind == "Dream")


def test_other_code_is_another_network(made, tmp_path):
    folder = tmp_path / "changed"
    shutil.copytree(made["mdlm"].folder, folder)
    code = folder / made["mdlm"].code.name
    code.write_text(code.read_text() + "\n# another word\n")
    assert hub(made, "mdlm").load("cpu").sha256 != Hub(str(folder), **TAKEN).load("cpu").sha256
    assert hub(made, "mdlm").load("cpu").sha256 == Hub(made["mdlm"].folder + "/", **TAKEN).load("cpu").sha256


def test_a_name_wants_a_commit_and_its_code_is_fetched_with_it_alone(made, monkeypatch, tmp_path):
    fetched = []

    def snapshot(model, revision, allow_patterns, ignore_patterns):
        fetched.append((model, revision, "*.py" in allow_patterns))
        return shutil.copytree(made["mdlm"].folder, tmp_path / revision, dirs_exist_ok=True)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    for revision in ("main", COMMIT[:12], "v1"):
        with pytest.raises(ValueError, match=f"revision='{revision}' is no commit: give the 40 digits") as refused:
            Hub("some/model", revision=revision, **TAKEN).load("cpu")
        assert "\n" not in str(refused.value)
    assert not fetched
    net = Hub("some/model", revision=COMMIT, **TAKEN).load("cpu")
    assert net.card["revision"] == COMMIT and net.card["code"] and fetched[0] == ("some/model", COMMIT, True)
    with pytest.raises(ValueError, match="no code of a model is run"):
        Hub("some/model").load("cpu")
    assert fetched[-1] == ("some/model", "main", False)


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_code_that_stands_in_another_repository_is_refused(made, tmp_path, file):
    folder = tmp_path / "elsewhere"
    shutil.copytree(made["mdlm"].folder, folder)
    about = json.loads((folder / "config.json").read_text())
    (folder / file).write_text(json.dumps(about | {"auto_map": {"AutoConfig": ["other/one--code.Config", None]}}))
    with pytest.raises(ValueError, match=f"{file} of .* takes its code from other/one, which no commit pins: .* write "
                                         "code.Config") as refused:
        Hub(str(folder), **TAKEN).load("cpu")
    assert "\n" not in str(refused.value)


def test_logits_of_more_columns_than_the_vocabulary_and_a_head_that_is_not_apart(made):
    """LLaDA's: its logits are as wide as its embedding is padded, and its inner model has no states to show."""
    net = hub(made, "llada").load("cpu")
    x = torch.full((2, LENGTH), V)
    assert net.states(x).shape == (2, LENGTH, 64) and net.draft(x)[0].shape == (2, LENGTH, V) and net.head is None
    with pytest.raises(ValueError, match="needs the hidden states, the head and the embedding of its trunk apart"):
        fresh(net, 8, 2, 1, 0)
    assert hub(made, "mdlm").load("cpu").embed is None, "which it does not tell"
    assert hub(made, "llada", never=(BEGIN, PAD)).load("cpu").vocab == V + 1


def test_a_model_whose_embedding_is_padded_is_taken_as_a_function_too(made):
    model = made["llada"].model
    net = Own(model, V, mask=MASK, never=(BEGIN, PAD, 39))
    x = torch.full((2, LENGTH), V)
    assert torch.allclose(net.draft(x)[0], hub(made, "llada").load("cpu").draft(x)[0], atol=1e-5)


def test_a_shifted_network_speaks_for_an_empty_prompt_and_a_block_is_attached_to_it(made):
    """As Hub and as Own, its states are those of the place before, the first of them those of the beginning."""
    hubs, model = hub(made, "Dream").load("cpu"), made["Dream"].model
    owns = Own(lambda ids: model.model(input_ids=ids).last_hidden_state, V, mask=MASK, never=(BEGIN, PAD, 39),
               module=model, head=model.lm_head, embed=model.model.table, before=(BEGIN,), shift=1)
    x = Letters().rows("test", 4, 0)
    x[:, 1::2] = V
    x[0] = V
    ids = torch.cat((torch.full((4, 1), BEGIN), hubs.ids[x]), 1)
    with torch.no_grad():
        states = model.model(input_ids=ids).last_hidden_state[:, :-1]
    order = torch.rand(4, LENGTH).argsort(1)
    for trunk in (hubs, owns):
        assert torch.allclose(trunk.states(x), states, atol=1e-5) and trunk.head is not None
        net = fresh(trunk, 8, 2, 1, 0).eval()
        p, kept = net.draft(x)
        assert torch.equal(kept.h, trunk.states(x)) and torch.equal(p, trunk.draft(x)[0])
        target = net.verify(kept, x % V, order, torch.arange(LENGTH).expand(4, -1))
        assert torch.allclose(target, p.gather(1, order[..., None].expand_as(p)), atol=1e-5)
        rows = [sample(SelfSpeculative(), {"main": net}, torch.full((3, LENGTH), V), 0, batch) for batch in (1, 3)]
        assert torch.equal(*rows)
    with pytest.raises(ValueError, match="an id stands before each row"):
        hub(made, "Dream", before=()).load("cpu")


@pytest.mark.parametrize("kind", ["llada2_moe", "sdar"])
def test_a_block_is_attached_to_a_network_of_blocks(made, kind):
    trunk = hub(made, kind).load("cpu")
    net = fresh(trunk, 8, 2, 1, 0).eval()
    rows = [sample(SelfSpeculative(order=Blocks(4)), {"main": net}, torch.full((3, LENGTH), V), 0, batch)
            for batch in (1, 3)]
    assert torch.equal(*rows) and trunk.head is not None


def test_a_network_of_blocks_called_without_its_mask_is_refused(made):
    with pytest.raises(ValueError, match="it is causal"):
        examined(hub(made, "llada2_moe", call="ids").load("cpu"), "n", Letters())
    with pytest.raises(ValueError, match="its first block sees the last"):
        examined(hub(made, "Dream", block=4).load("cpu"), "n", Letters())


def test_a_decoder_of_the_library_is_freed_by_a_mask_and_shifted(library, tmp_path):    # noqa: F811
    torch.manual_seed(0)
    config = library.LlamaConfig(vocab_size=SIZE, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
                                 intermediate_size=32, initializer_range=0.1, bos_token_id=BEGIN, eos_token_id=None)
    library.LlamaForCausalLM(config).eval().save_pretrained(tmp_path / "decoder")
    taken = Hub(str(tmp_path / "decoder"), auto="AutoModelForCausalLM", mask=MASK, never=(BEGIN, PAD, 39),
                before=(BEGIN,), shift=1)
    with pytest.raises(ValueError, match="it is causal, and no masked diffusion model"):
        examined(taken.load("cpu"), "n", Letters())
    for block in (0, 4):
        net = replace(taken, call="mask4d", block=block).load("cpu")
        examined(net, "n", Letters())
        assert net.head is not None and net.sha256 != taken.load("cpu").sha256
    half = replace(taken, call="mask4d", dtype="bfloat16").load("cpu")
    assert half.draft(torch.full((2, LENGTH), V))[0].dtype == torch.bfloat16


def test_the_block_of_the_page_names_a_model_with_its_code(made, monkeypatch):
    page = (ROOT / "docs/bring_your_own.md").read_text()
    block = next(block for block in re.findall(r"```python\n(.*?)```", page, re.S) if "code=True" in block)
    monkeypatch.chdir(Path(made["mdlm"].folder).parent)
    about: dict = {}
    exec(block, about)
    [(name, source)] = about["NETS"].items()
    net = source.load("cpu")
    examined(net, name, Letters())
    assert net.card["code"] and net.form == "timesteps"


@pytest.mark.parametrize("more, says", [({"auto": "AutoModelForVision"}, "is none of AutoModelForMaskedLM"),
                                        ({"call": "time"}, "'time', which is none of ids"),
                                        ({"block": -4}, "block=-4: give the tokens of a block")])
def test_what_is_said_wrongly_is_refused_in_a_sentence(made, more, says):
    with pytest.raises(ValueError, match=says):
        hub(made, "mdlm", **more).load("cpu")
