"""Texts as vectors, for metrics that compare two sets of them (harness/metrics/mauve.py): what a network makes of a
text before it predicts.

    Hidden        a layer of any model of transformers, by path or name; the paper's is the last of gpt2-large at the
                  last token
    JudgeStates   the judge that ships, or another checkpoint of an autoregressive network: works without anything to
                  fetch

`embed(rows, data)` gives (n, d) float64, each row by itself; `identity()` what decides them: hashes, never a path.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from harness.kinds import Dataset
from harness.nets import causal_lm, checkpoint
from harness.nets.autoregressive import Autoregressive
from harness.nets.device import checked
from harness.param import Choice, Range, check, param
from harness.spec import ROOT

TOKENS_A_BATCH = 8192


@dataclass(frozen=True)
class JudgeStates:
    """The judge's states before its head, their mean over the row. It reads tokens, not text."""

    name: ClassVar[str] = "judge_states"
    version: ClassVar[int] = 1

    checkpoint: str = param("", note=".safetensors file of an autoregressive network; empty: the judge that ships")

    def identity(self) -> dict[str, Any]:
        return {"name": self.name, "version": self.version, "sha256": self._network().sha256, "pool": "mean"}

    @torch.inference_mode()
    def embed(self, rows: Tensor, data: Dataset) -> Tensor:
        net, found = self._network(), []
        if net.vocab != data.vocab:
            raise ValueError(f"the network of the encoder reads {net.vocab} tokens, {data.name} has {data.vocab}: "
                             "name another checkpoint, or a model of transformers")
        hook = net.norm.register_forward_hook(lambda _, given, states: found.append(states.double().mean(1)))  # (B, d)
        try:
            for batch in rows.split(max(1, TOKENS_A_BATCH // rows.shape[1])):
                net(batch)
        finally:
            hook.remove()
        return torch.cat(found)

    def _network(self) -> Autoregressive:
        path = (
            Path(self.checkpoint).expanduser()
            if self.checkpoint
            else ROOT / "ssmd" / "checkpoints" / "judge.safetensors"
        )
        return _own(path, path.stat().st_mtime_ns if path.is_file() else 0)


@dataclass(frozen=True)
class Hidden:
    """A layer of a model of transformers, causal or masked; its tokenizer puts its special tokens around a text, if it
    has any.
    """

    name: ClassVar[str] = "hidden"
    version: ClassVar[int] = 1

    model: str = param("openai-community/gpt2-large",
                       note="folder of a model of transformers, or its name; safetensors")
    revision: str = param("main", note="of a name: branch, tag or commit")
    gguf: str = param("", note="file in the folder, where the weights are GGUF")
    layer: int = param(-1, Range(-1000, 1000), "-1: the last; 0: the embeddings")
    pool: str = param("last", Choice("last", "mean"), "the state at the last token, or the mean over tokens")
    limit: int = param(1024, Range(1, 2**20), "tokens of a row that are read")
    dtype: str = param("float32", Choice("float32", "bfloat16", "float16"))
    device: str = param("cpu", note="it runs there; not in the key")

    def __post_init__(self) -> None:
        check(self)

    def identity(self) -> dict[str, Any]:
        about = causal_lm.described(self.model, self.revision, self.gguf)
        return {"name": self.name, "version": self.version, **about, "layer": self.layer, "pool": self.pool,
                "limit": self.limit, "dtype": self.dtype}

    @torch.inference_mode()
    def embed(self, rows: Tensor, data: Dataset) -> Tensor:
        if not hasattr(data, "decode"):
            raise ValueError(f"the tokens of {data.name} are no text, which a language model reads: choose the "
                             "encoder judge_states")
        net, tokenizer = self._network()
        ids = tokenizer(data.decode(rows), verbose=False)["input_ids"]
        ids = [torch.tensor(row[: self.limit]) for row in ids]
        order, found = sorted(range(len(ids)), key=lambda k: len(ids[k])), [torch.empty(0)] * len(ids)
        while order:
            room = max(1, TOKENS_A_BATCH // max(1, len(ids[order[-1]])))
            now, order = order[-room:], order[:-room]
            x = torch.nn.utils.rnn.pad_sequence([ids[k] for k in now], batch_first=True).to(net.device)    # (b, T)
            lengths = torch.tensor([len(ids[k]) for k in now], device=net.device)
            if not lengths.all():
                raise ValueError(f"the tokenizer of {self.model} makes nothing of a row: choose a model of this "
                                 "alphabet")
            seen = torch.arange(x.shape[1], device=net.device) < lengths[:, None]      # (b, T)
            layers = net(input_ids=x, attention_mask=seen.long(), output_hidden_states=True).hidden_states
            if not -len(layers) <= self.layer < len(layers):
                raise ValueError(f"{self.model} has the layers 0 to {len(layers) - 1}, not {self.layer}: choose among "
                                 "them, or -1 for the last")
            states = layers[self.layer].double()                                   # (b, T, d)
            pooled = (
                states[torch.arange(len(now)), lengths - 1]
                if self.pool == "last"
                else (states * seen[..., None]).sum(1) / lengths[:, None]
            )
            for k, state in zip(now, pooled.cpu()):
                found[k] = state
        return torch.stack(found)

    def _network(self) -> tuple[causal_lm.Model, Any]:
        folder, _ = causal_lm.folder_of(self.model, self.revision)
        stamps = tuple((p.name, p.stat().st_mtime_ns) for p in sorted(folder.iterdir()) if p.is_file())
        return _hidden(folder, self.model, self.gguf, self.dtype, checked(self.device), stamps)


@lru_cache(maxsize=2)
def _own(path: Path, _modified_ns: int) -> Autoregressive:
    net = checkpoint.load(path)
    if not isinstance(net, Autoregressive):
        raise ValueError(f"{path} holds a network {net.name!r}, and this encoder takes an autoregressive one: name "
                         "another checkpoint")
    return net


@lru_cache(maxsize=2)
def _hidden(folder: Path, model: str, gguf: str, dtype: str, device: str,
            _stamps: tuple) -> tuple[causal_lm.Model, Any]:
    transformers = causal_lm.library()
    more: dict[str, Any] = {"gguf_file": gguf} if gguf else {}
    causal_lm.described(str(folder), "", gguf)    # says what is missing
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True,
                                                               **more)
        net = transformers.AutoModel.from_pretrained(folder, trust_remote_code=False, local_files_only=True,
                                                     **(more or {"use_safetensors": True}))
    except causal_lm.UNREADABLE as error:
        raise ValueError(f"transformers cannot read {model} ({causal_lm.first_line(error)}): correct the path or the "
                         "name, or copy it again") from None
    return net.to(device, getattr(torch, dtype)).eval().requires_grad_(False), tokenizer
