"""A causal language model in the format of transformers, by the path of its folder or by its name, with what identifies
it.

Weights are read from safetensors alone, or from one GGUF file where it is named; no code of a model is run. A name is
resolved to one commit before anything is read. `about` holds what decides the model's answers: the sha256 of every
weight file, of the configuration and of the tokenizer.

    lm = load("gpt2", "main", "", "float32", "cpu")
    lm.tokenizer("some text", add_special_tokens=False)["input_ids"]
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from msgspec import Struct

from harness.boundary.incoming import Name, read
from harness.nets.device import checked
from harness.spec import sha256

INSTALL = "`pip install ssmd-bench[judges]`"
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
             "merges.txt", "vocab.txt", "tokenizer.model", "spiece.model")
FETCHED = ["config.json", "*.safetensors", "model.safetensors.index.json", *TOKENIZER]
# what transformers raises for files that it cannot make a model of: of every kind, by what a field of theirs holds
UNREADABLE = Exception
AGAIN = "copy the model again"


class Index(Struct):
    """Which file of its folder holds which tensor."""

    weight_map: dict[str, Name]


class Model(Protocol):
    """A network of transformers."""

    @property
    def device(self) -> torch.device: ...
    @property
    def dtype(self) -> torch.dtype: ...
    def __call__(self, **given: Any) -> Any: ...


class Lm(NamedTuple):
    net: Model
    tokenizer: Any    # fast: it knows which characters a token stands for
    # the id that stands before a text: that of its beginning, or else of the end of the text before; None if it has
    # neither
    begin: int | None
    context: int | None  # the most tokens that it reads at once, where it says so
    about: dict[str, Any]


def library():
    """transformers. Raises ValueError, in one sentence, where it is missing."""
    try:
        import transformers
    except ImportError:
        raise ValueError(f"a language model needs transformers, which is not installed: {INSTALL}") from None
    return transformers


def load(model: str, revision: str, gguf: str, dtype: str, device: str) -> Lm:
    """The model, shared between calls: not to be changed. Raises ValueError, in one sentence, for what is missing, not
    whole, or no causal language model.
    """
    library()
    folder, commit = folder_of(model, revision)
    return _load(folder, model, commit, gguf, dtype, checked(device),
                 tuple((p.name, p.stat().st_mtime_ns) for p in sorted(folder.iterdir()) if p.is_file()))


def described(model: str, revision: str, gguf: str) -> dict[str, Any]:
    """`about` of the model, without loading it: files are hashed."""
    library()
    folder, commit = folder_of(model, revision)
    weights = {path.name: _digest(path, path.stat().st_mtime_ns) for path in _weights(folder, gguf, model)}
    told = {"sha256": sha256(weights), "weights": weights, **({"commit": commit} if commit else {})}
    if gguf:
        return told    # one file holds all
    config = {k: v for k, v in read(folder / "config.json", dict[str, Any], AGAIN).items()
              if k not in ("_name_or_path", "transformers_version")}
    files = {path.name: _digest(path, path.stat().st_mtime_ns) for path in (folder / name for name in TOKENIZER)
             if path.is_file()}
    return told | {"config_sha256": sha256(config), "tokenizer_sha256": sha256(files)}


def folder_of(model: str, revision: str, also: Sequence[str] = ()) -> tuple[Path, str | None]:
    """Where its files lie, and the commit if it was named and not given as a folder. `also` are patterns of files that
    are fetched beside the model.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        return path, None
    try:
        import huggingface_hub

        found = Path(huggingface_hub.snapshot_download(model, revision=revision,
                                                       allow_patterns=[*FETCHED, *also],
                                                       ignore_patterns=["*/*"]))
    except UNREADABLE as error:
        raise ValueError(f"there is no folder {model!r}, and no model of that name can be fetched or is kept here "
                         f"({first_line(error)}): correct the path or the name") from None
    return found, found.name


def _weights(folder: Path, gguf: str, model: str) -> list[Path]:
    """The files that transformers will read. Raises ValueError if one is not there."""
    index = folder / "model.safetensors.index.json"
    names = [gguf] if gguf else ["model.safetensors"]
    if not gguf and not (folder / names[0]).is_file() and index.is_file():
        names = sorted(set(read(index, Index, AGAIN).weight_map.values()))
    if lacking := [name for name in [*names, *([] if gguf else ["config.json"])] if not (folder / name).is_file()]:
        raise ValueError(f"{model} has no {lacking[0]}: name a folder or a model with its config.json and its weights "
                         "in safetensors, or a GGUF file of the folder")
    return [folder / name for name in names]


@lru_cache(maxsize=64)
def _digest(path: Path, _modified_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=2)
def _load(folder: Path, model: str, commit: str | None, gguf: str, dtype: str, device: str, _stamps: tuple) -> Lm:
    transformers, about = library(), described(str(folder), "", gguf) | ({"commit": commit} if commit else {})
    more: dict[str, Any] = {"gguf_file": gguf} if gguf else {}
    try:
        config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True, **more)
        _causal(config, model)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True,
                                                               **more)
        weights = more or {"use_safetensors": True}
        net, found = transformers.AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=False,
                                                                       local_files_only=True, output_loading_info=True,
                                                                       **weights)
    except Refused as error:
        raise ValueError(str(error)) from None
    except UNREADABLE as error:
        raise ValueError(f"transformers cannot read {model} as a causal language model ({first_line(error)}): correct "
                         "the path or the name, or copy it again") from None
    if found["missing_keys"]:
        raise ValueError(f"the weights of {model} lack {sorted(found['missing_keys'])[0]}: choose a model that was "
                         "saved with its language-model head")
    if not getattr(tokenizer, "is_fast", False) or not tokenizer("the", add_special_tokens=False)["input_ids"]:
        raise ValueError(f"the tokenizer of {model} cannot be used, it is slow or has no vocabulary: put its "
                         "tokenizer.json beside the weights")
    net = net.to(device, getattr(torch, dtype)).eval().requires_grad_(False)
    _never_ahead(net, model)
    begin = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    return Lm(net, tokenizer, begin, getattr(config, "max_position_embeddings", None), about)


class Refused(ValueError):
    """Said in our own words already."""


def _causal(config, model: str) -> None:
    if masked := next((name for name in config.architectures or () if name.endswith("ForMaskedLM")), None):
        raise Refused(f"{model} is a masked language model ({masked}), which judges no token from those before it "
                      "alone: choose a causal one, such as gpt2")


@torch.inference_mode()
def _never_ahead(net: Model, model: str) -> None:
    """Raises ValueError if the answers at a place change with the tokens behind it."""
    x = torch.arange(8, device=net.device).expand(2, -1).clone()
    x[1, -1] += 1
    a, b = net(input_ids=x).logits[:, :-1].float()
    if not torch.allclose(a, b, rtol=0, atol=1e-4 * (1 if net.dtype == torch.float32 else 100) * a.std().item()):
        raise ValueError(f"{model} reads tokens behind the one that it predicts, as a masked language model does: "
                         "choose a causal one, such as gpt2")


def first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
