"""The exact likelihood of the self-speculative sampler for a given order (arXiv 2510.03929, section on likelihood;
formulas ours).

With the data teacher-forced, write for the row that has i tokens revealed
    a_i^k = min(p_i^k(x), q_i^k(x))             the draft is x and is accepted
    r_i^k = max(0, q_i^k(x) - p_i^k(x))         something else was drafted, rejected, and x redrawn
    a + r = max(q, a) = q
Every path of the sampler that ends in x is a sequence of such events, so the likelihood is a sum over the places of
rejection:

    G(i, 1) = 1 inside the outer round that starts at i, e = i + W(i)
    from (j, n) with mass G:   all accepted       G * prod_{j<m<=e} a_i^m                 goes to L_e
                               rejected at k<=e   G * (prod_{j<m<k} a_i^m) r_i^k          goes to (k, n+1)
                                                                          if n < N and k < e, else to L_k
    L_D = 1;   p(x | sigma) = L_0

Everything is in log space: 128 tokens at 3 nats underflow a float64. log p(x) >= E_sigma log p(x | sigma); with K
orders the log of the mean is a tighter bound. The masked-diffusion bound of a draft is sum_i mean_{k>i} log p_i^k(x),
from the same tables.
"""

from math import log

import torch
from torch import Tensor

from harness.kinds import Denoiser, Window

NEVER = float("-inf")


@torch.inference_mode()
def tables(net: Denoiser, x: Tensor, order: Tensor, causal: bool = True,
           batch: int = 256) -> tuple[Tensor, Tensor | None]:
    """log p_i^k and log q_i^k of the true tokens, (n, D, D) float64 each, rows i revealed, columns rank k; -inf where k
    < i.

    x, order (n, D). D passes a row, batched. Without `causal` the second is None.
    """
    n, D = x.shape
    rank = order.argsort(1)
    token = x.gather(1, order)                                                             # (n, D) by rank
    logp = torch.full((n * D, D), NEVER, dtype=torch.float64, device=x.device)
    logq = torch.full_like(logp, NEVER) if causal else None
    for part in torch.arange(n * D, device=x.device).split(batch):
        row, i = part // D, part % D
        masked = torch.where(rank[row] >= i[:, None], net.mask, x[row])
        ranks = torch.arange(D, device=x.device).expand(len(part), D)
        late = ranks >= i[:, None]                                                         # (b, D)
        logits, hidden = net.draft(masked, order[row])
        true = token[row][..., None]
        logp[part] = logits.double().log_softmax(-1).gather(-1, true)[..., 0].where(late, NEVER)
        if logq is not None:
            q = net.verify(hidden, x[row], order[row], ranks)
            logq[part] = q.double().log_softmax(-1).gather(-1, true)[..., 0].where(late, NEVER)
    return logp.view(n, D, D), None if logq is None else logq.view(n, D, D)


def accepted_and_replaced(logp: Tensor, logq: Tensor) -> tuple[Tensor, Tensor]:
    """log a and log r; -inf minus -inf is kept out of them."""
    more = logq > logp
    ratio = torch.where(more, logp - logq.where(more, 0.0), NEVER)                         # log p/q < 0 where q > p
    return torch.minimum(logp, logq), torch.where(more, logq + torch.log1p(-ratio.exp()), NEVER)


def _logsumexp(terms: Tensor, dim: int) -> Tensor:
    """logsumexp whose empty sums are -inf and carry no NaN."""
    top = terms.amax(dim, keepdim=True)
    safe = torch.where(top == NEVER, 0.0, top)
    return ((terms - safe).exp().sum(dim, keepdim=True).log() + safe).squeeze(dim)


def recursion(logp: Tensor, logq: Tensor, window: Window, rounds: int) -> Tensor:
    """log p(x | sigma) of the windowed sampler with N = rounds, (n,) float64, from the tables (n, D, D) of the given
    order.
    """
    n, D, _ = logp.shape
    loga, logr = accepted_and_replaced(logp, logq)
    L = torch.full((n, D + 1), NEVER, dtype=torch.float64, device=logp.device)
    L[:, D] = 0
    for i in range(D - 1, -1, -1):
        W = int(window.width(torch.tensor([i]), D)[0])
        a, r = loga[:, i, i : i + W], logr[:, i, i : i + W]                                # (n, W)
        upper = torch.ones(W, W, dtype=torch.bool, device=logp.device).triu()              # j <= m
        running = torch.where(upper, a[:, None, :], 0.0).cumsum(-1)  # (n, W, W) sum of a over j..m
        before = torch.cat((running.new_zeros(n, W, 1), running[..., :-1]), -1)            # over j..k-1
        reject = torch.where(upper, before + r[:, None, :], NEVER)  # (n, W, W) from j, rejected at k
        G = torch.full((n, W), NEVER, dtype=torch.float64, device=logp.device)
        G[:, 0] = 0
        ends = []
        for round_ in range(1, rounds + 1):
            ends.append(_logsumexp(G + running[..., -1], 1) + L[:, i + W])
            moved = _logsumexp(G[..., None] + reject, 1)                                   # (n, W) mass rejected at k
            last = moved if round_ == rounds else torch.where(torch.arange(W, device=G.device) == W - 1, moved, NEVER)
            ends.append(_logsumexp(last + L[:, i + 1 : i + W + 1], 1))
            G = torch.cat((torch.full_like(moved[:, :1], NEVER), moved[:, :-1]), 1)  # rejected at k: go on from k + 1
        L[:, i] = _logsumexp(torch.stack(ends, 1), 1)
    return L[:, 0]


def masked_bound(logp: Tensor) -> Tensor:
    """The evidence bound of masked diffusion for this order, (n,): sum over i of the mean over masked positions."""
    D = logp.shape[-1]
    late = logp != NEVER
    left = torch.arange(D, 0, -1, dtype=torch.float64, device=logp.device)
    return (torch.where(late, logp, 0.0).sum(-1) / left).sum(-1)


def over_orders(log_likelihood: Tensor) -> Tensor:
    """K orders (K, n) -> (n,): log of the mean likelihood, a bound that tightens with K."""
    return _logsumexp(log_likelihood, 0) - log(len(log_likelihood))
