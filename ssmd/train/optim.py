"""Optimisers, learning-rate law and weight average of training (AdamW or Muon, warm-up, cosine to 5 %, clip 1, EMA)."""

from math import cos, pi

import torch
from torch import Tensor, nn

from ssmd.train.muon import Muon


def optimisers(net: nn.Module, kind: str, lr: float, decay: float,
               betas: tuple[float, float]) -> list[torch.optim.Optimizer]:
    """`adamw`: one group for all. `muon`: the matrices inside blocks by Muon (arXiv 2502.16982 scaling), the rest by
    AdamW at lr/4.
    """
    matrices = (
        [p for name, p in net.named_parameters() if p.requires_grad and p.dim() == 2 and "blocks" in name]
        if kind == "muon"
        else []
    )
    chosen = {id(p) for p in matrices}
    rest = [p for p in net.parameters() if p.requires_grad and id(p) not in chosen]
    fused = rest[0].device.type in ("cpu", "cuda")
    found: list[torch.optim.Optimizer] = [torch.optim.AdamW(rest, lr=lr / 4 if matrices else lr, betas=betas,
                                                            weight_decay=decay, fused=fused)]
    if matrices:
        found.append(Muon(matrices, lr=lr, weight_decay=decay))
    for optimiser in found:
        for group in optimiser.param_groups:
            group["peak_lr"] = group["lr"]
    return found


def learning_rate(step: int, steps: int, warmup: int) -> float:
    """Share of the peak: linear warm-up, then a cosine to 5 %."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.05 + 0.95 * 0.5 * (1 + cos(pi * (step - warmup) / max(1, steps - warmup)))


class Average:
    """Exponential moving average of the parameters; its decay warms up with the step, so that the start is
    forgotten.
    """

    def __init__(self, net: nn.Module, decay: float):
        self.decay = decay
        self.shadow = {k: p.detach().clone() for k, p in net.named_parameters()}

    def update(self, net: nn.Module, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        names, live = zip(*((k, p.detach()) for k, p in net.named_parameters()))
        torch._foreach_lerp_([self.shadow[k] for k in names], list(live), 1 - decay)


def flatten(optimiser_list: list[torch.optim.Optimizer]) -> dict[str, Tensor]:
    """Optimiser state as named tensors, for safetensors."""
    tensors = {}
    for o, optimiser in enumerate(optimiser_list):
        for index, state in optimiser.state_dict()["state"].items():
            for key, value in state.items():
                tensors[f"{o}.{index}.{key}"] = torch.as_tensor(value).contiguous()
    return tensors


def unflatten(optimiser_list: list[torch.optim.Optimizer], tensors: dict[str, Tensor]) -> None:
    for o, optimiser in enumerate(optimiser_list):
        whole = optimiser.state_dict()
        whole["state"] = {}
        for name, value in tensors.items():
            number, index, key = name.split(".")
            if int(number) == o:
                whole["state"].setdefault(int(index), {})[key] = value
        optimiser.load_state_dict(whole)
