"""Generative NLL: nats per token of the samples under an autoregressive judge, trained on a split that no sampler saw.

Each row is judged whole, from BOS: nothing is truncated, no window slides, the first token counts as every other, and
there is no end of text. The network runs in float32, its log-softmax in float64. The judge can be gamed by text of low
entropy: print an entropy beside it. Its identity is the hash of its weights, not its path.

    Judge("judge.safetensors").score(samples, data)
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from harness.kinds import Dataset, Scores
from harness.metrics.form import ratio, tokens
from harness.nets import checkpoint
from harness.nets.autoregressive import Autoregressive
from harness.nets.device import checked
from harness.param import check, param

TOKENS_A_BATCH = 8192    # bounds the memory of the logits


@dataclass(frozen=True)
class Judge:
    """Generative NLL under an autoregressive network of ours, in nats per token, rows judged whole from BOS. Lower is
    better; print an entropy beside it. Raises ValueError for a network that is not autoregressive, or of another
    vocabulary.
    """

    name: ClassVar[str] = "judge"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "lower"
    unit: ClassVar[str] = "nats per token"

    checkpoint: str = param(note=".safetensors file of an autoregressive network")
    device: str = param("cpu", note="it runs there; not in the key")

    def __post_init__(self) -> None:
        check(self)

    def identity(self) -> dict[str, Any]:
        """What the key of a score holds in place of the path: the hash of the weights and the rule."""
        return {"name": self.name, "version": self.version, "sha256": self.network().sha256,
                "rule": "whole rows from BOS, every token"}

    def network(self) -> Autoregressive:
        """The judge, shared between calls: not to be changed."""
        path = Path(self.checkpoint).expanduser()
        return _load(path, checkpoint.written(path), checked(self.device))

    @torch.inference_mode()
    def score(self, samples: Tensor, data: Dataset) -> Scores:
        rows, net = tokens(samples, data).to(self.device), self.network()
        if net.vocab != data.vocab:
            raise ValueError(f"the judge {self.checkpoint} reads {net.vocab} tokens, {data.name} has {data.vocab}: "
                             "name another judge")
        batches = rows.split(max(1, TOKENS_A_BATCH // rows.shape[1]))
        nats = torch.cat([_nats(net, batch) for batch in batches]).cpu().numpy()   # (n,)
        return ratio(nats, np.full(len(rows), rows.shape[1]), self.name)


def _nats(net: Autoregressive, rows: Tensor) -> Tensor:
    log_p = net(rows).double().log_softmax(-1)                                     # (B, L, V)
    return -log_p.gather(-1, rows[..., None])[..., 0].sum(1)                       # (B,)


@lru_cache(maxsize=2)
def _load(path: Path, _modified_ns: int, device: str) -> Autoregressive:
    net = checkpoint.load(path)
    if not isinstance(net, Autoregressive):
        raise ValueError(f"{path} holds a network {net.name!r}, and a judge must be autoregressive: name another "
                         "checkpoint")
    return net.to(device)
