"""What a network reads beside its ids, the second argument of its call. It is a function of the row alone, so that
drafts, prompts and training ask it alike.

    ids        nothing
    timesteps  zeros (B,): its training knew no time, and its call wants one all the same (MDLM, arXiv 2406.07524)
    sigma      -log(1 - m), (B,), for m the share of the text that is masked: log-linear noise (SEDD, arXiv 2310.16834)
    mask3d     1 where a place (q) sees another (k), else 0, (1, T, T): one for all rows, as SDAR's attention spreads
               it over its heads
    mask4d     what is added to the scores of attention, 0 or the least number, (B, 1, T, T)

T counts all places: the ids before the text, its L tokens, the ids behind it. A place sees its own block of `block`
tokens and those before it; with block = 0 all see all, which frees a causal network whose attention takes such a mask.
What stands before the text is a block of its own, which all see; so is what stands behind it, which no token sees.

A network of the form sigma may give 0 for the very token that stands at a place, as SEDD does: only places that are
masked are drawn, and there that is the column of MASK, which is left out.

    >>> second("mask3d", torch.zeros(1, 4, dtype=torch.bool), block=2)[0].int().tolist()
    [[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1]]
"""

import torch
from torch import Tensor

FORMS = ("ids", "timesteps", "sigma", "mask3d", "mask4d")
LEAST = 1e-3    # share left unmasked at the end of SEDD's noise, so that sigma stays finite (its configs/config.yaml)


def checked_form(form: str, block: int) -> None:
    """Raises ValueError, in a sentence, for what is no form or no block."""
    if form not in FORMS:
        raise ValueError(f"a network is called in the form {form!r}, which is none of {', '.join(FORMS)}")
    if block < 0:
        raise ValueError(f"block={block}: give the tokens of a block, or 0 where all places see all")


def second(form: str, hidden: Tensor, before: int = 0, after: int = 0, block: int = 0,
           dtype: torch.dtype = torch.float32) -> Tensor | None:
    """hidden (B, L) bool: which tokens of the text are masked; `before` and `after` ids stand around it. None where the
    form has no second argument.
    """
    rows, length = hidden.shape
    if form == "ids":
        return None
    if form == "timesteps":
        return torch.zeros(rows, device=hidden.device)                             # (B,)
    if form == "sigma":
        return -torch.log1p(-hidden.double().mean(1).clamp_max(1 - LEAST)).float()     # (B,)
    sees = seen(length, before, after, block).to(hidden.device)                    # (T, T)
    if form == "mask3d":
        return sees[None].to(dtype)                                                # (1, T, T)
    added = torch.zeros(sees.shape, dtype=dtype, device=hidden.device).masked_fill(~sees, torch.finfo(dtype).min)
    return added.expand(rows, 1, -1, -1)                                           # (B, 1, T, T)


def seen(length: int, before: int, after: int, block: int) -> Tensor:
    """(T, T) bool: whether a place (the first index) sees another."""
    of = torch.arange(-before, length + after) // max(block, 1)                    # (T,)
    of[:before], of[before + length :] = -1, length + 1
    return of[:, None] >= of if block else torch.ones(len(of), len(of), dtype=torch.bool)
