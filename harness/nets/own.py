"""A network of your own as a Denoiser: any function of token ids x (B, L) that gives logits (B, L, V), or with more
columns. See docs/bring_your_own.md.

The harness counts tokens 0..V-1 and MASK = V, which is never an output. A model may count otherwise: `mask` is its own
id of MASK, `never` lists those of its ids that are not to be drawn, and the tokens are its other ids, ascending:

    a model of 7 ids, mask=4, never=(0, 1)     token  0 1 2 3  MASK
                                               ids    2 3 5 6  4

The columns of MASK and of `never` are left out, so that the softmax over the others is their law renormalised. The head
is taken to run at every position.

    >>> net = Own(lambda x: torch.zeros(*x.shape, 4), vocab=3, flops_per_token=8, identity="uniform")
    >>> net.draft(torch.full((2, 5), 3), at=torch.tensor([[0], [4]]))[0].shape
    torch.Size([2, 1, 3])
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache

import torch
from torch import Tensor, nn

from harness.nets.transformer import gather_rows
from harness.spec import sha256


class Own:
    """`module` holds the weights where `call` is not a module itself; from them come the hash and, unless it is given,
    the figure of FLOPs.

    Raises ValueError, in a sentence, for ids that overlap, and for a function without weights that does not say what it
    costs and what it is.
    """

    name = "own"

    def __init__(self, call: Callable[[Tensor], Tensor], vocab: int, mask: int | None = None, never: Sequence[int] = (),
                 blocks: int = 1,
                 flops_per_token: int | None = None, identity: str = "", module: nn.Module | None = None):
        module = call if module is None and isinstance(call, nn.Module) else module
        if module is None and (flops_per_token is None or not identity):
            raise ValueError("a function without weights has no hash and no size of its own: give identity=... and "
                             "flops_per_token=..., or the module=... that it calls")
        if module is not None:
            module.eval().requires_grad_(False)
        self.call, self.vocab, self.mask, self.depth = call, vocab, vocab, blocks
        self.size = vocab + 1 + len(never)                                         # of the model's own ids
        mask = self.size - 1 if mask is None else mask
        left_out = {mask, *never}
        if len(left_out) <= len(never) or not left_out <= set(range(self.size)):
            raise ValueError(f"mask={mask} and never={tuple(never)} must be different ids below {self.size}, which is "
                             f"vocab + 1 + {len(never)}")
        # (V + 1,) the model's id of each of ours
        self.ids = torch.tensor([*sorted(set(range(self.size)) - left_out), mask])
        if flops_per_token is None:
            assert module is not None    # as said above
            flops_per_token = flops_of(module)
        self.flops_per_token = flops_per_token
        self.sha256 = sha256([identity or repr(module), self.ids.tolist(), weights_of(module)])
        self.card = {"identity": identity or type(module).__name__, "vocab": vocab, "mask": mask,
                     "never": sorted(never), "blocks": blocks,
                     "flops_per_token": self.flops_per_token}

    def draft(self, x: Tensor, at: Tensor | None = None, alive: Tensor | None = None,
              clock: Tensor | None = None) -> tuple[Tensor, Tensor]:
        ids = self.ids.to(x.device)
        logits = self.call(ids[x])                                                 # (B, L, V or size)
        if logits.shape[:2] != x.shape or logits.shape[2:] not in ((self.vocab,), (self.size,)):
            raise ValueError(f"the network gave logits {tuple(logits.shape)} for ids {tuple(x.shape)}: it must give "
                             f"{(*x.shape, self.vocab)} or {(*x.shape, self.size)}")
        logits = logits if at is None else gather_rows(logits, at)
        return logits if logits.shape[-1] == self.vocab else logits[..., ids[:-1]], x

    def verify(self, hidden: Tensor, y: Tensor, order: Tensor, at: Tensor, alive: Tensor | None = None) -> Tensor:
        raise ValueError("a network of your own has no verify pass: write a class with `verify` for it "
                         "(harness/kinds.py)")

    def begin(self, hidden: Tensor, y: Tensor, order: Tensor, at: Tensor) -> Tensor:
        return torch.zeros_like(y[:, 0])    # nothing is kept

    def flops(self, kind: str, length: int, heads: int, tracks: int = 0, begin: int = 0) -> int:
        return length * self.flops_per_token

    def blocks(self, kind: str) -> int:
        return self.depth if kind == "draft" else 0


class Made:
    """The place of such a network in a study: a frozen dataclass that inherits from this and has `make(device) -> Own`,
    which is called once a process.
    """

    make: Callable[[str], Own]

    def load(self, device: str) -> Own:
        return _made(self, device)


@lru_cache(maxsize=16)
def _made(source: Made, device: str) -> Own:
    return source.make(device)


def flops_of(module: nn.Module) -> int:
    """A multiply-add for each entry of a matrix but those of embeddings, which are looked up. No parameter tells of
    attention scores or of a layer that runs twice.
    """
    matrices = (p for part in module.modules() if not isinstance(part, nn.Embedding)
                for p in part.parameters(recurse=False) if p.dim() > 1)
    return 2 * sum(p.numel() for p in matrices)


def weights_of(module: nn.Module | None) -> str:
    """sha256 of names, types, shapes and numbers of all parameters and buffers."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()) if module is not None else ():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
