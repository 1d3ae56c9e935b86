"""Muon (Jordan et al. 2024; scaling of arXiv 2502.16982) with its iteration in the type of matrix products that the
machine has: bfloat16, or the parameters' own.

`torch.optim.Muon` iterates in bfloat16 whatever the machine, which a CPU without bfloat16 does by emulation: 4 s an
update of this project's family (studies/LOG.md). Its rule is otherwise the same, and tests/test_muon.py holds this one
to it.
"""

import torch
from torch import Tensor

from harness.nets.transformer import products

QUINTIC = (3.4445, -4.7750, 2.0315)    # coefficients of the published iteration


def orthogonal(stack: Tensor, steps: int = 5, dtype: torch.dtype | None = None) -> Tensor:
    """(..., m, n) -> the same shape with every singular value near 1, by Newton-Schulz iterations in `dtype`, or in the
    type of the stack.
    """
    a, b, c = QUINTIC
    tall = stack.shape[-2] > stack.shape[-1]
    x = stack.mT if tall else stack
    x = (x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)).to(dtype or stack.dtype)
    for _ in range(steps):
        gram = x @ x.mT                                                                # (..., m, m)
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.mT if tall else x).to(stack.dtype)


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, made orthogonal; the step of an (m, n) matrix has root mean square 0.2 x lr, as AdamW's
    has.
    """

    def __init__(self, params, lr: float, weight_decay: float = 0.1, momentum: float = 0.95,
                 dtype: torch.dtype | None = None):
        self.dtype = dtype    # of the iteration; that of the machine if none is given
        super().__init__(params, dict(lr=lr, weight_decay=weight_decay, momentum=momentum))

    @torch.no_grad()
    def step(self) -> None:    # type: ignore[override]  # it takes no closure, which torch's may
        for group in self.param_groups:
            alike: dict[torch.Size, tuple[list[Tensor], list[Tensor]]] = {}        # parameters and their gradients
            for p in group["params"]:
                if p.grad is not None:
                    params, grads = alike.setdefault(p.shape, ([], []))
                    params.append(p)
                    grads.append(p.grad)
            for shape, (params, grads) in alike.items():
                held = [self.state[p].setdefault("momentum_buffer", torch.zeros_like(p)) for p in params]
                torch._foreach_lerp_(held, grads, 1 - group["momentum"])
                ahead = torch._foreach_lerp(grads, held, group["momentum"])
                dtype = self.dtype or getattr(torch, products(params[0].device.type))
                steps = orthogonal(torch.stack(ahead), dtype=dtype)                    # (number, m, n)
                torch._foreach_mul_(params, 1 - group["lr"] * group["weight_decay"])
                torch._foreach_add_(params, list(steps.unbind()), alpha=-group["lr"] * 0.2 * max(shape) ** 0.5)
