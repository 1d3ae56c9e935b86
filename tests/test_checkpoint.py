"""Checkpoints of any origin: weights of every floating-point type load, an impossible configuration is one sentence at
once, and nothing is unpickled.
"""

import json
import time
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from harness.__main__ import main
from harness.nets import checkpoint
from harness.nets.transformer import Transformer, TransformerConfig
from harness.study import Checkpoint
from ssmd.train.family import SHIPPED
from tests.pace import paced
from tests.test_model import CONFIG, rough


@pytest.fixture
def small(tmp_path):
    torch.manual_seed(0)
    checkpoint.save(Transformer(TransformerConfig(vocab=27, width=16, heads=2, blocks=2)), tmp_path / "net.safetensors",
                    {"tokens": 3})
    return tmp_path / "net.safetensors"


def changed(path, tensors=None, change=None, **about) -> None:
    """The file with other tensors, another field of its configuration, or another text in its header."""
    with safe_open(path, "pt") as file:
        old, weights = file.metadata(), {k: file.get_tensor(k) for k in file.keys()}
    text = json.dumps(json.loads(old["config"]) | (change or {}))
    save_file(tensors(weights) if tensors else weights, path, metadata=old | {"config": text} | about)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_weights_of_every_floating_point_type_load_in_float32(small, dtype):
    before = checkpoint.load(small).state_dict()
    changed(small, lambda weights: {k: v.to(dtype) for k, v in weights.items()})
    for name, tensor in checkpoint.load(small).state_dict().items():
        assert tensor.dtype == torch.float32 and torch.equal(tensor, before[name].to(dtype).float())


def test_a_file_that_is_written_again_is_read_again(small):
    before = Checkpoint(str(small)).load("cpu")
    assert Checkpoint(str(small)).load("cpu") is before
    torch.manual_seed(1)
    checkpoint.save(Transformer(TransformerConfig(vocab=27, width=16, heads=2, blocks=2)), small, {})
    assert Checkpoint(str(small)).load("cpu").sha256 != before.sha256


def test_the_hash_of_a_network_is_that_of_its_configuration_and_numbers():
    """As records and claims hold it: it must not change with how the file is read."""
    assert checkpoint.load(SHIPPED / "light.safetensors").sha256.startswith("584ddd6f7671")


IMPOSSIBLE = [{"width": 10**9}, {"width": 2**16}, {"width": 10**40}, {"width": True}, {"vocab": -1}, {"vocab": 10**7},
              {"vocab": None},
              {"vocab": 27.5}, {"heads": 0}, {"heads": 3}, {"heads": -2}, {"blocks": 10**6}, {"blocks": 4000},
              {"blocks": 3}, {"blocks": -1},
              {"dropout": "x"}, {"dropout": 1.5}, {"base": 0}, {"norm": [1]}, {"norm": "z"}, {"speed": 3}]


@pytest.mark.parametrize("change", IMPOSSIBLE, ids=lambda change: json.dumps(change)[:24])
def test_an_impossible_configuration_is_refused_at_once(small, change):
    changed(small, change=change)
    with paced() as pace:
        begun = time.process_time()
        with pytest.raises(ValueError, match="net.safetensors .*(copy or )?train the checkpoint again$") as told:
            checkpoint.load(small)
        took = time.process_time() - begun
    assert took < 2 * pace.slower and "\n" not in str(told.value)


@pytest.mark.parametrize(("about", "says"), [
    ({"card": "[" * 100_000}, "nested deeper"), ({"config": "[" * 100_000}, "nested deeper"),
    ({"card": "[]"}, "expected object"), ({"card": '{"a": NaN}'}, "not valid JSON"),
    ({"card": '{"a": "\\ud800"}'}, "half a character"), ({"config": "null"}, "no JSON object"),
    ({"config": '{"vocab": 27}'}, "the field `width` is missing"),
    ({"network": "hybrid"}, "do not fit the configuration"),
    ({"network": "autoregressive"}, "do not fit the configuration"), ({"network": "x"}, "holds a network 'x'"),
])
def test_a_header_that_is_not_ours_is_one_sentence(small, about, says):
    changed(small, **about)
    with pytest.raises(ValueError, match=says):
        checkpoint.load(small)


@pytest.mark.parametrize(("tensors", "says"), [
    (lambda w: {k: v.int() for k, v in w.items()},
     "holds weights of the type I32: save them in float16, bfloat16 or float32"),
    (lambda w: w | {"head.weight": w["head.weight"] * float("nan")}, "the tensor head.weight .* no finite number"),
    (lambda w: {k: v for k, v in w.items() if k != "head.weight"}, r"head.weight is not there and not \(27, 16\)"),
    (lambda w: w | {"more": torch.zeros(2)}, r"more is \(2,\) and not there at all"),
])
def test_tensors_that_are_not_those_of_the_configuration_are_named(small, tensors, says):
    changed(small, tensors)
    with pytest.raises(ValueError, match=says):
        checkpoint.load(small)


def test_a_judge_is_no_network_of_a_study():
    with pytest.raises(ValueError,
                       match="'autoregressive', which judges text and drafts none: name a checkpoint of a masked or "
                             "hybrid network"):
        Checkpoint(str(SHIPPED / "judge.safetensors")).load("cpu")


def test_a_card_with_a_loss_that_is_no_number_can_be_read_back(tmp_path):
    checkpoint.save(Transformer(TransformerConfig(27, 16, 2, 1)), tmp_path / "net.safetensors",
                    {"loss": float("nan"), "rows": (1, 2)})
    assert checkpoint.load(tmp_path / "net.safetensors").card == {"loss": None, "rows": [1, 2]}


def test_from_the_command_line_it_is_one_sentence_too(small, capsys):
    changed(small, change={"blocks": 10**6})
    assert main(["score", str(small), "--n", "1", "--length", "4"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_card_with_the_version_of_torch_is_written_as_text(tmp_path):
    """torch.__version__ is a text of a class of its own, and every training writes it."""
    net = rough(replace(CONFIG, vocab=5))
    checkpoint.save(net, tmp_path / "net.safetensors", {"torch": torch.__version__})
    assert checkpoint.load(tmp_path / "net.safetensors").card["torch"] == str(torch.__version__)
    with pytest.raises(TypeError, match="plain data, and not object"):
        checkpoint.save(net, tmp_path / "other.safetensors", {"torch": object()})


def test_a_network_on_the_frozen_weights_of_another_holds_what_it_added(tmp_path):
    net, path = rough(CONFIG), tmp_path / "hybrid.safetensors"
    checkpoint.save(net, path, {})
    whole, size = checkpoint.load(path), path.stat().st_size
    base = Transformer(TransformerConfig(CONFIG.vocab, CONFIG.width, CONFIG.heads, CONFIG.blocks))
    base.load_state_dict({k: v for k, v in net.state_dict().items() if k in base.state_dict()})
    checkpoint.save(base, tmp_path / "heavy.safetensors", {})
    checkpoint.save(net, path, {}, base=tmp_path / "heavy.safetensors")
    again = checkpoint.load(path)
    assert again.sha256 == whole.sha256 and path.stat().st_size < size / 2
    assert all(torch.equal(v, whole.state_dict()[k]) for k, v in again.state_dict().items())
    with torch.no_grad():
        next(base.parameters()).add_(1)
    checkpoint.save(base, tmp_path / "heavy.safetensors", {})
    with pytest.raises(ValueError, match="heavy.safetensors is another network than the one that hybrid.safetensors"):
        checkpoint.load(path)
    (tmp_path / "heavy.safetensors").unlink()
    with pytest.raises(ValueError, match="only what was added to heavy.safetensors, which is not beside it"):
        checkpoint.load(path)
    changed(path, base="../heavy.safetensors")
    with pytest.raises(ValueError, match="copy or train it again"):
        checkpoint.load(path)
