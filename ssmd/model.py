"""The hybrid network of self-speculative masked diffusion (arXiv 2510.03929; details where it is silent are ours).

A stack of non-causal blocks reads the masked text once: its hidden states give the draft p for every masked position,
all at once and factorised. A short causal stack then reads those hidden states along an order sigma, with the tokens
drafted so far, and gives the target q, which does not factorise. Track k carries the token at sigma(k) and predicts
sigma(k+1):

    u       = W_in [N(h at sigma(k)) ; N(h at sigma(k+1)) ; N(embedding of y at sigma(k))]    N: layer norm, no weights
    c       = Blocks(u) - u                              only what the blocks add: zero at the start
    Q[k+1]  = Head(Norm(h at sigma(k+1) + c))            same head and norm as the draft, so Q = P at the start

Queries are rotated by the position to be predicted, sigma(k+1), keys by the position of the token carried, sigma(k).
Read the other way round - both halves from the track's own pair - no product holds the distance between the place to be
predicted and a known token; in studies/causal_part the stack had learned nothing that way after 4 M tokens of one
training. Track 0 carries BOS and predicts sigma(1).

A draft pass is verified several times, and from one pass to the next a track changes only if a token at or before the
one it carries did. Keys and values of the others are kept beside the hidden states (class Kept), and the last block
asks only where logits are wanted: `target_hidden`, which training uses, computes every track and is the oracle of that
path.

Ranks count from 0 in this code: track r predicts the token of rank r, at position order[r].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness.nets.flops import causal_flops, head_flops
from harness.nets.transformer import NORMS, Block, Transformer, TransformerConfig, gather_rows
from harness.sampling.reveal import ranks_between


@dataclass(frozen=True)
class HybridConfig(TransformerConfig):
    """`blocks` non-causal blocks and `causal` causal ones; total depth is their sum."""

    causal: int = 1
    residual: bool = True       # add the hidden state of the next position to the causal output
    shared_head: bool = True    # one head and final norm for draft and target


class Kept:
    """The hidden states of one draft pass, and what verify passes on them have left behind.

    whole    (B, L, d) the states
    memory   shared by all that is taken from this: `made_of` (B, L), what each track read when its keys and values were
             computed, NOTHING before; keys and values of each causal block, (B, heads, L + 1, d / heads), whose last
             slot takes the padding; what was promised of passes to come, and whether one was made

    `kept[rows]` is those rows of it, in the same memory.
    """

    NOTHING = -1

    def __init__(self, whole: Tensor, rows: Tensor | None = None, memory: dict | None = None):
        self.whole, self.rows, self.memory = whole, rows, {} if memory is None else memory

    def __getitem__(self, rows: Tensor) -> "Kept":
        return Kept(self.whole, rows if self.rows is None else self.rows[rows], self.memory)

    @property
    def h(self) -> Tensor:
        """(B, L, d) of these rows."""
        return self._of(self.whole)

    def at(self, places: Tensor) -> Tensor:
        """States at places (B, W), -1 as padding, which reads place 0 -> (B, W, d)."""
        return (
            gather_rows(self.whole, places)
            if self.rows is None
            else self.whole[self.rows[:, None], places.clamp_min(0)]
        )

    def begin(self, made_of: Tensor, at: Tensor) -> Tensor:
        """(B,) the first track that has changed or is wanted; those before it are kept."""
        changed, length = self._of(self._made_of()) != made_of, made_of.shape[1]                           # (B, L)
        # (B,) length where all is kept
        first = F.pad(changed.int(), (0, 1), value=1).argmax(1)
        return first.minimum(at.where(at >= 0, length).amin(1))

    def promise(self, width: int, longest: int) -> None:
        """No pass wants a track from number `longest` on, and only the first wants more than `width` new ones."""
        self.memory["promised"] = width, longest

    @property
    def promised(self) -> tuple[int, int] | None:
        """Width and longest; None where nothing was promised."""
        return self.memory.get("promised")

    def extent(self, begin: Tensor, stop: Tensor) -> tuple[int, int]:
        """How many tracks a pass computes at most and how many it sees, where it computes begin..stop-1 (B,) of each
        row. The host waits for its device to say so, unless it was promised.
        """
        if self.promised is None:
            return int((stop - begin).max()), int(stop.max())
        width, longest = self.promised
        return width if self.memory.get("passed") else longest, longest

    def spread(self, rows: Tensor, batch: int) -> "Kept":
        """These rows within a batch of others, which hold zeros."""
        return Kept(self.whole.new_zeros(batch, *self.whole.shape[1:]).index_copy(0, rows, self.h))

    def update(self, name: str, tracks: Tensor, new: Tensor, longest: int) -> Tensor:
        """Write new (B, heads, C, width) at `tracks` (B, C), -1 as padding; what these rows then hold before `longest`,
        (B, heads, T, width).
        """
        batch, length = self.whole.shape[:2]
        if name not in self.memory:
            self.memory[name] = new.new_zeros(batch, new.shape[1], length + 1, new.shape[3])
        whole = self.memory[name]                                                  # (B, heads, L + 1, width)
        rows = torch.arange(batch, device=new.device) if self.rows is None else self.rows
        whole[rows[:, None], :, tracks.where(tracks >= 0, length)] = new.transpose(1, 2)
        return self._of(whole[:, :, :longest])

    def note(self, made_of: Tensor, stop: Tensor) -> None:
        """Tracks before `stop` are made of this; later ones are forgotten, for a track before them may have changed."""
        known = torch.where(torch.arange(made_of.shape[1], device=made_of.device) < stop[:, None], made_of,
                            self.NOTHING)
        self.memory["passed"] = True
        if self.rows is None:
            self.memory["made_of"] = known
        else:
            self._made_of()[self.rows] = known

    def _made_of(self) -> Tensor:
        """Of the whole batch."""
        if "made_of" not in self.memory:
            self.memory["made_of"] = torch.full(self.whole.shape[:2], self.NOTHING, device=self.whole.device)
        return self.memory["made_of"]

    def _of(self, whole: Tensor) -> Tensor:
        return whole if self.rows is None else whole[self.rows]


class Hybrid(Transformer):
    name = "hybrid"
    config_type = HybridConfig
    config: HybridConfig
    blocks_c: Sequence[Block]    # a ModuleList

    def __init__(self, config: HybridConfig):
        super().__init__(config)
        d = config.width
        self.bos = nn.Parameter(nn.init.normal_(torch.empty(d), std=0.02))
        self.project = nn.Linear(3 * d, d, bias=False)
        nn.init.normal_(self.project.weight, std=(3 * d) ** -0.5)
        stack = nn.ModuleList(Block(config, zero_start=True) for _ in range(config.causal))
        self.blocks_c = cast(Sequence[Block], stack)
        if not config.shared_head:
            self.norm_c = NORMS[config.norm](d)
            self.head_c = nn.Linear(d, config.vocab, bias=False)
            self.head_c.load_state_dict(self.head.state_dict())    # so that Q = P at the start here too

    def target_hidden(self, h: Tensor, y: Tensor, order: Tensor, tracks: int) -> Tensor:
        """h (B, L, d), y and order (B, L) -> (B, tracks, d): the state whose head gives the target of ranks
        0..tracks-1.
        """
        order = order[:, :tracks]
        nxt = gather_rows(h, order)  # (B, T, d) of the place predicted
        carried = order[:, : tracks - 1]  # (B, T-1) tracks 1.. carry these places
        cur = torch.cat((torch.zeros_like(nxt[:, :1]), nxt[:, :-1]), dim=1)                # (B, T, d)
        bos = self.bos.to(nxt.dtype).expand(len(y), 1, -1)
        tok = torch.cat((bos, self.embed(y.gather(1, carried)).to(nxt.dtype)), dim=1)      # (B, T, d)
        u = self.project(torch.cat([F.layer_norm(part, part.shape[-1:]) for part in (cur, nxt, tok)], dim=-1))
        query = self.rotary(order)
        key = self.rotary(torch.cat((order[:, :1], carried), dim=1))
        c = u
        for block in self.blocks_c:
            c = block(c, query, key, causal=True)
        return nxt + self.added(c - u) if self.config.residual else c                      # (B, T, d)

    def added(self, c: Tensor) -> Tensor:
        """What the causal blocks add, as a state."""
        return c

    def target_logits(self, state: Tensor) -> Tensor:
        return self.logits(state) if self.config.shared_head else self.head_c(self.norm_c(state))

    def draft(self, x: Tensor, at: Tensor | None = None, alive: Tensor | None = None,
              clock: Tensor | None = None) -> tuple[Tensor, Kept]:
        logits, h = super().draft(x, at, alive, clock)
        return logits, Kept(h)

    def verify(self, hidden: Kept, y: Tensor, order: Tensor, at: Tensor,
               alive: Tensor | None = None) -> Tensor:
        del alive    # see harness/nets/wrap.py
        begin, stop = self.begin(hidden, y, order, at), at.amax(1) + 1                     # (B,)
        width, longest = hidden.extent(begin, stop)
        tracks = ranks_between(begin, stop, width)  # (B, C): later tracks cannot reach the ranks wanted
        u = self._inputs(hidden, y, order, tracks)                                         # (B, C, d)
        key = self.rotary(order.gather(1, (tracks - 1).clamp_min(0)))
        c, columns = u, (at - begin[:, None]).where(at >= 0, -1)  # (B, W) where in u the wanted ones stand
        for k, block in enumerate(self.blocks_c):
            fresh = zip(("keys", "values"), block.keys_values(c, key))
            # (B, heads, T, d / heads)
            keys, values = (hidden.update(f"{name}{k}", tracks, new, longest) for name, new in fresh)
            last = k == len(self.blocks_c) - 1  # which needs no track that nobody wants
            asking, c = (at, gather_rows(c, columns)) if last else (tracks, c)
            seen = torch.arange(longest, device=u.device) <= asking.clamp_min(0)[:, None, :, None]  # (B, 1, W, T)
            c = block.ask(c, keys, values, self.rotary(order.gather(1, asking.clamp_min(0))), seen)
        hidden.note(self._made_of(y, order), stop)
        added = self.added(c - gather_rows(u, columns))                                    # (B, W, d)
        state = hidden.at(order.gather(1, at.clamp_min(0))) + added if self.config.residual else c
        return self.target_logits(state)                                                   # (B, W, V)

    def begin(self, hidden: Kept, y: Tensor, order: Tensor, at: Tensor) -> Tensor:
        """(B,) the first track that a verify pass computes."""
        return hidden.begin(self._made_of(y, order), at)

    def _made_of(self, y: Tensor, order: Tensor) -> Tensor:
        """(B, L) a number for what each track reads: the place and token it carries, track 0 none, and the place it
        predicts.
        """
        carried = y.gather(1, order).add(order, alpha=order.shape[1] * self.vocab)
        return F.pad(carried[:, :-1], (1, 0)).add(order, alpha=self.vocab)

    def _inputs(self, hidden: Kept, y: Tensor, order: Tensor, tracks: Tensor) -> Tensor:
        """u of these tracks (B, C), -1 as padding -> (B, C, d)."""
        nxt, before = order.gather(1, tracks.clamp_min(0)), order.gather(1, (tracks - 1).clamp_min(0))
        first = (tracks <= 0)[..., None]
        cur = hidden.at(before).masked_fill(first, 0)
        tok = torch.where(first, self.bos, self.embed(y.gather(1, before))).to(cur.dtype)
        return self.project(torch.cat([F.layer_norm(part, part.shape[-1:]) for part in (cur, hidden.at(nxt), tok)],
                                      dim=-1))

    def flops(self, kind: str, length: int, heads: int, tracks: int = 0, begin: int = 0) -> int:
        if kind == "draft":
            return super().flops(kind, length, heads)
        c = self.config
        return causal_flops(c.width, c.causal, begin, tracks, heads) + heads * head_flops(c.width, c.vocab)

    def blocks(self, kind: str) -> int:
        return self.config.blocks if kind == "draft" else self.config.causal
