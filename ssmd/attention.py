"""Where the causal block looks when it judges a draft.

    a[r, t] = softmax over tracks t <= r of  query(r) . key(t) / sqrt(d / heads)
              mean over heads, first causal block

Track 0 carries BOS, track t the token of rank t - 1: revealed if t <= i, drafted and not yet verified if t > i. Summed
over groups of tracks by the depth of the rank judged, d = r - i + 1, beside the share of the tracks that a group holds:
that of a block that looks everywhere alike.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from harness.nets.transformer import rotate
from ssmd.model import Hybrid, Kept

# beside: the track carries a neighbour of the place to be predicted
GROUPS = ("BOS", "revealed", "drafted", "beside, revealed", "beside, drafted")


@torch.inference_mode()
def attention(net: Hybrid, h: Tensor, y: Tensor, order: Tensor) -> Tensor:
    """a of every rank, (B, L, L), zero above the diagonal. h (B, L, d) hidden states of a draft pass, y and order (B,
    L).
    """
    B, L, d = h.shape
    block, tracks = net.blocks_c[0], torch.arange(L, device=h.device).expand(B, L)
    u = net._inputs(Kept(h), y, order, tracks)                                     # (B, L, d)
    keys, _ = block.keys_values(u, net.rotary(order.gather(1, (tracks - 1).clamp_min(0))))
    query = F.linear(block.norm1(u), block.qkv.weight[:d])
    query = query.view(B, L, block.heads, d // block.heads).transpose(1, 2)
    scores = rotate(query, net.rotary(order)) @ keys.transpose(2, 3) / (d // block.heads) ** 0.5    # (B, heads, L, L)
    later = torch.ones(L, L, dtype=torch.bool, device=h.device).triu(1)
    return scores.masked_fill(later, -torch.inf).softmax(-1).mean(1)


def by_group(a: Tensor, order: Tensor, i: Tensor, depths: Tensor) -> tuple[Tensor, Tensor]:
    """Attention and share of the tracks of each group at some depths, (B, len(depths), len(GROUPS)) each. a (B, L, L),
    i (B,) with i + max(depths) <= L.
    """
    B, L, _ = a.shape
    rank = i[:, None] + depths - 1                                                 # (B, K) judged at each depth
    # (B, L) place whose token a track carries; BOS: none
    track, carried = torch.arange(L), F.pad(order[:, :-1], (1, 0), value=-2)
    seen = track <= rank[:, :, None]                                               # (B, K, L)
    drafted = (track > i[:, None, None]) & seen
    revealed = (track >= 1) & seen & ~drafted
    beside = (carried[:, None] - order.gather(1, rank)[:, :, None]).abs() == 1
    # (B, K, L, groups)
    groups = torch.stack(((track == 0) & seen, revealed, drafted, revealed & beside, drafted & beside), -1).double()
    looked = a.double().gather(1, rank[:, :, None].expand(-1, -1, L))              # (B, K, L)
    return torch.einsum("bkl,bklg->bkg", looked, groups), groups.sum(2) / seen.sum(2, keepdim=True)
