"""The gate before a hybrid is sampled from: on validation text its target must lose less than its draft at every depth
above 1.

Depth d of a verify pass is the d-th rank behind the revealed text, d = r - i + 1. At depth 1 the target sees nothing
that the draft did not see; from depth 2 on it knows tokens that the draft could not know. Where that does not help,
speculation cannot (ours).
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from harness.kinds import Dataset
from harness.schedules.noise import Linear
from harness.schedules.order import UNIFORM, OrderLaw
from ssmd.model import Hybrid
from ssmd.train.loss import mask_counts, masked_batch

ROUNDS = 4    # orders and mask counts a row


class Gate(NamedTuple):
    gain: Tensor      # (L,) draft minus target, nats, mean at depth 1..L
    error: Tensor     # (L,) its standard error, rows as units
    tested: Tensor    # (L,) tokens behind it

    @property
    def passed(self) -> bool:
        return bool((self.gain[1:][self.tested[1:] > 0] > 0).all())

    def card(self) -> dict:
        """What a card says: the verdict, the least gain above depth 1, and gains at a few depths."""
        deep = torch.where(self.tested[1:] > 0, self.gain[1:], torch.inf)
        least = int(deep.argmin()) + 1
        shown = [d for d in (1, 2, 3, 4, 8, 16, 32, 64, 128, 256) if d <= len(self.gain) and self.tested[d - 1]]
        return {"passed": self.passed, "least": {"depth": least + 1, "gain": round(float(self.gain[least]), 4),
                                                 "error": round(float(self.error[least]), 4)},
                "gain_by_depth": {str(d): round(float(self.gain[d - 1]), 4) for d in shown}}


@torch.no_grad()
def gate(net: Hybrid, data: Dataset, n: int = 256, seed: int = 2**31, given: int = 0,
         law: OrderLaw = UNIFORM) -> Gate:
    """Losses by depth on n validation rows, each under ROUNDS orders of a law and counts of known tokens, `given` or
    more.
    """
    device, L = next(net.parameters()).device, data.length
    x = data.rows("validation", n, seed=0).to(device)
    total = torch.zeros(n, L, dtype=torch.float64, device=device)  # (n, L) sum of draft - target at each depth
    count = torch.zeros_like(total)
    net.eval()
    for k, rows in enumerate(torch.arange(n * ROUNDS, device=device).split(64)):
        ids, true = rows % n, x[rows % n]
        known = true == shown if (shown := getattr(data, "shown", None)) is not None else None
        i, _ = mask_counts(Linear(), rows, L, seed, step=k, given=given if known is None else known.sum(1))
        masked, order, _ = masked_batch(true, i, rows, seed, net.mask, known, law)
        h = net.hidden(masked)                                                     # (B, L, d)
        token = true.gather(1, order)                                              # (B, L) by rank
        draft = F.cross_entropy(net.logits(h).float().transpose(1, 2), true, reduction="none").gather(1, order)
        target = F.cross_entropy(net.target_logits(net.target_hidden(h, true, order, L)).float().transpose(1, 2), token,
                                 reduction="none")
        depth = torch.arange(L, device=device) - i[:, None]                        # (B, L) from 0; negative: revealed
        late, at = depth >= 0, (ids[:, None].expand_as(depth), depth.clamp_min(0))
        total.index_put_(at, torch.where(late, draft - target, 0.0).double(), accumulate=True)
        count.index_put_(at, late.double(), accumulate=True)
    total, count = total.cpu(), count.cpu()
    tested = count.sum(0)
    gain = total.sum(0) / tested.clamp_min(1)
    error = ((total - gain * count).pow(2).sum(0)).sqrt() / tested.clamp_min(1)
    return Gate(gain, error, tested)
