"""A network of your own as a Denoiser: any function of token ids (B, L) that gives logits (B, L, V), or with more
columns. See docs/bring_your_own.md.

The harness counts tokens 0..V-1 and MASK = V, which is never an output. A model may count otherwise: `mask` is its own
id of MASK, `never` lists those of its ids that are not to be drawn, and the tokens are its other ids, ascending, or in
the order of `ids`:

    a model of 7 ids, mask=4, never=(0, 1)     token  0 1 2 3  MASK
                                               ids    2 3 5 6  4

The columns of MASK and of `never` are left out, so that the softmax over the others is their law renormalised. `before`
and `after` are ids that stand around every row, and `shift` is 1 where the logits at a place are of the token behind
it. `form` says what `call` reads beside its ids, a time or a mask of attention (harness/nets/calls.py); `block` is the
size of the blocks that the network writes one after the other, 0 where it takes any order. The head is taken to run at
every position, unless it is given apart.

    >>> net = Own(lambda x: torch.zeros(*x.shape, 4), vocab=3, flops_per_token=8, identity="uniform")
    >>> net.draft(torch.full((2, 5), 3), at=torch.tensor([[0], [4]]))[0].shape
    torch.Size([2, 1, 3])
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from harness.nets.calls import checked_form, second
from harness.nets.flops import counted
from harness.nets.transformer import gather_rows
from harness.spec import sha256

# of a configuration of transformers: where a model lay, and what wrote it
ASIDE = ("_name_or_path", "transformers_version")


class Own:
    """`module` holds the weights where `call` is not a module itself; from them, and from its configuration where it
    has one, comes the hash. `about` is what else decides its answers, as plain data; `weights`, where it is given,
    stands in the hash for the weights themselves.

    `head`, where it is given, makes the logits of what `call` gives, and runs where logits are wanted alone. With it,
    and with `embed`, which makes vectors (..., e) of ids, the network is a trunk for a causal block (ssmd/attached.py).
    `flops_per_token` is of the whole; where it is not given a pass of each length is counted once. `names` are the
    tokens in words, in the order of the harness, if they are known: a data set whose tokens have others is refused.

    Raises ValueError, in a sentence, for ids that overlap, and for a function without weights that does not say what it
    costs and what it is.
    """

    name = "own"
    reads_all = False    # whether each place must see all others, as in a masked language model

    def __init__(self, call: Callable[..., Any], vocab: int, mask: int | None = None, never: Sequence[int] = (),
                 blocks: int = 1, flops_per_token: int | None = None, identity: str = "",
                 module: nn.Module | None = None, *, head: Callable[[Tensor], Any] | None = None,
                 ids: Sequence[int] = (), before: Sequence[int] = (), after: Sequence[int] = (), shift: int = 0,
                 embed: Callable[[Tensor], Tensor] | None = None, about: Any = None, weights: str = "",
                 names: Sequence[str] = (), form: str = "ids", block: int = 0):
        module = call if module is None and isinstance(call, nn.Module) else module
        if module is None and (flops_per_token is None or not identity):
            raise ValueError("a function without weights has no hash and no size of its own: give identity=... and "
                             "flops_per_token=..., or the module=... that it calls")
        if shift not in (0, 1) or shift and not before:
            raise ValueError(f"shift={shift}, before={tuple(before)}: shift is 0 or 1, and where it is 1 an id stands "
                             "before each row, which speaks for the first place")
        checked_form(form, block)
        if module is not None:
            module.eval().requires_grad_(False)
        self.call, self.head, self.module, self.vocab, self.mask = call, head, module, vocab, vocab
        self.embed, self.depth, self._costs = embed, blocks, dict[int, tuple[int, int]]()
        self.size = vocab + 1 + len(never)                                         # of the model's own ids
        self.ids = _counted_ids(vocab, mask, never, ids)                           # (V + 1,) the model's id of each
        self.before, self.after, self.shift = torch.tensor(before).long(), torch.tensor(after).long(), shift
        self.flops_per_token, self.names = flops_per_token, tuple(names)
        self.form, self.block = form, block
        called = [] if (form, block) == ("ids", 0) else [form, block]    # networks of old keep their hash
        self.sha256 = sha256([identity or kind_of(module), about, [*before], [*after], shift, self.ids.tolist(),
                              weights or weights_of(module), *called])
        self.card = {"identity": identity or type(module).__name__, "vocab": vocab, "mask": int(self.ids[-1]),
                     "never": sorted(never), "blocks": blocks, "flops_per_token": flops_per_token,
                     "before": [*before], "after": [*after], "shift": shift}
        self.card |= {"form": form, "order": self.order} if called else {}

    def draft(self, x: Tensor, at: Tensor | None = None, alive: Tensor | None = None,
              clock: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x (B, L) -> logits (B, W, V) at the positions `at` (B, W), of all (B, L, V) where none are named, and x.
        Raises ValueError for a network that gives another shape.
        """
        states = self.states(x)                                                    # (B, L, V or more), or (B, L, d)
        return self.logits(states if at is None else gather_rows(states, at)), x

    def states(self, x: Tensor) -> Tensor:
        """What `call` gives for rows of tokens (B, L), at each place what speaks for its token, (B, L, ...)."""
        ids = self.ids.to(x.device)[x]
        around = [part.to(x.device).expand(len(x), -1) for part in (self.before, self.after)]
        beside = second(self.form, x == self.mask, len(self.before), len(self.after), self.block, self.dtype)
        found = answer_of(self.call(torch.cat((around[0], ids, around[1]), dim=1),
                                    *([] if beside is None else [beside])))
        length = x.shape[1]
        whole = length + len(self.before) + len(self.after)
        if found.dim() != 3 or found.shape[:2] != (len(x), whole):
            raise ValueError(f"the network gave {tuple(found.shape)} for ids {(len(x), whole)}: it must give a vector "
                             f"at each place, {(len(x), whole, self.vocab)} for example")
        first = len(self.before) - self.shift
        return found[:, first : first + length]

    def logits(self, states: Tensor) -> Tensor:
        """States (..., d) -> logits of the tokens (..., V)."""
        found = states if self.head is None else answer_of(self.head(states))
        if found.shape[-1] == self.vocab:
            return found
        if found.shape[-1] < self.size:
            raise ValueError(f"the network gave logits {tuple(found.shape)}: it must give {self.vocab} columns, or "
                             f"{self.size}, or more")
        return found[..., self.ids[:-1].to(found.device)]

    def embedded(self, y: Tensor) -> Tensor:
        """Tokens (...) -> the vectors that the network reads for them (..., e). Raises ValueError if nobody says."""
        if self.embed is None or self.head is None:
            raise ValueError("a causal block needs the hidden states, the head and the embedding of its trunk apart: "
                             "give Own(call, ..., head=..., embed=...) (docs/bring_your_own.md)")
        return self.embed(self.ids.to(y.device)[y])

    def verify(self, hidden: Tensor, y: Tensor, order: Tensor, at: Tensor, alive: Tensor | None = None) -> Tensor:
        """Raises ValueError: a network of one's own has none."""
        raise ValueError("a network of your own has no verify pass: write a class with `verify` for it "
                         "(harness/kinds.py)")

    def begin(self, hidden: Tensor, y: Tensor, order: Tensor, at: Tensor) -> Tensor:
        """Zeros (B,): a verify pass would keep nothing."""
        return torch.zeros_like(y[:, 0])    # nothing is kept

    def flops(self, kind: str, length: int, heads: int, tracks: int = 0, begin: int = 0) -> int:
        """Of a pass of one row with `heads` logits, a multiply-add as 2: `flops_per_token` times the length where it is
        given, else as counted once for rows of that length.
        """
        if self.flops_per_token is not None:
            return length * self.flops_per_token
        body, of_head = self._counted(length)
        return body + heads * of_head

    def _counted(self, length: int) -> tuple[int, int]:
        """FLOPs of one row, and of the head at one place, counted once a length."""
        if length not in self._costs:
            x = torch.full((1, length), self.mask, device=self.device)
            body, states = counted(lambda: self.states(x))
            of_head = counted(lambda: self.logits(states[:, :1]))[0] if self.head is not None else 0
            self._costs[length] = body, of_head
        return self._costs[length]

    @property
    def device(self) -> torch.device:
        """The device of its weights; the CPU where it has none."""
        found = next(iter(self.module.parameters()), None) if self.module is not None else None
        return found.device if found is not None else torch.device("cpu")

    @property
    def dtype(self) -> torch.dtype:
        """The type of its weights; float32 where it has none."""
        every = self.module.parameters() if self.module is not None else ()
        return next((p.dtype for p in every if p.is_floating_point()), torch.float32)

    @property
    def order(self) -> str:
        """Of its training, in words: samplers that write in another are refused (harness/run/orders.py)."""
        return f"blocks of {self.block}" if self.block else "any"

    def blocks(self, kind: str) -> int:
        """Blocks of a draft pass, 0 of a verify pass."""
        return self.depth if kind == "draft" else 0


class Made:
    """The place of such a network in a study: a frozen dataclass that inherits from this and has `make(device) -> Own`,
    which is called once a process.
    """

    make: Callable[[str], Own]

    def load(self, device: str) -> Own:
        """The network on the device; calls with one source share it."""
        return _made(self, device)


@lru_cache(maxsize=16)
def _made(source: Made, device: str) -> Own:
    return source.make(device)


def _counted_ids(vocab: int, mask: int | None, never: Sequence[int], ids: Sequence[int]) -> Tensor:
    """(V + 1,) The model's id of each token and of MASK. Raises ValueError for ids that overlap or are not there."""
    size = vocab + 1 + len(never)
    mask = size - 1 if mask is None else mask
    left_out = {mask, *never}
    if len(left_out) <= len(never) or not left_out <= set(range(size)):
        raise ValueError(f"mask={mask} and never={tuple(never)} must be different ids below {size}, which is vocab + 1 "
                         f"+ {len(never)}")
    rest = sorted(set(range(size)) - left_out)
    if ids and sorted(ids) != rest:
        raise ValueError(f"ids={tuple(ids)} must be the {len(rest)} ids that are neither mask nor never, in the order "
                         "of the tokens of the data")
    return torch.tensor([*(ids or rest), mask])


def answer_of(found: Any) -> Tensor:
    """Logits, or what holds them, as the models of transformers have it."""
    return getattr(found, "logits", found)


def kind_of(module: nn.Module | None) -> Any:
    """What a module is beside its weights: its form in words, or its class and configuration where it has one."""
    config: Any = getattr(module, "config", None)
    if not hasattr(config, "to_dict"):
        return repr(module)
    return [type(module).__qualname__, _plain(config.to_dict())]


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name): value if isinstance(value, str | int | float | bool | None) else repr(value)
            for name, value in sorted(config.items()) if name not in ASIDE}


def weights_of(module: nn.Module | None) -> str:
    """sha256 of names, types, shapes and numbers of all parameters and buffers."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()) if module is not None else ():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
