"""What is measured of a network from outside before a sampler draws from it, on rows of its data set:

    length       it can read a row as long as those of the data
    finite       its logits are numbers at a row that is masked throughout
    rows         its answer for a row does not depend on the rows beside it
    sees         a change behind a place reaches it: it is no causal network                 where `net.reads_all`
    blocks       a change in the last block reaches no token of the first, and one at the last place of the first block
                 reaches its first place                                                     where `net.block`
    shift        its logits at a place are of the token there, and not of the one behind or before
    names        its tokens and those of the data set have the same names, where both have some
    chance       where one has none: it gives the tokens of the data no fewer nats than chance, ln V, but for 0.25 nats
                 or four standard errors; a network that is untrained on purpose says so, `net.untrained = True`

Of a network of the harness its card is read: data whose tokens have other names than those of its training are refused,
and where nobody knows the names that is said on stderr. A causal block is examined by the trunk that it stands on.

A wrong answer to any of them gives samples without a word, and only the quality would tell.
"""

from math import log
from typing import Any

import torch
from torch import Tensor

from harness.data.names import names_of
from harness.data.trained_on import alphabet
from harness.kinds import Dataset
from harness.nets.causal_lm import first_line
from harness.run.progress import tell

ROWS, EACH = 4, 7          # rows that are looked at; every seventh place is masked
JUDGED = 64                # masked tokens, at least, by which a network is held against chance
SLACK = 1e-3               # of the largest logit: rounding of batches of another size
CLEARLY = 0.25, 4.0        # nats a token, and standard errors, by which another shift must be better


def examined(net: Any, name: str, data: Dataset) -> None:
    """Raises ValueError, in a sentence with the remedy, for a network that does not fit its data set."""
    as_trained(net, name, data)
    net = getattr(net, "trunk", None) or net
    if not hasattr(net, "reads_all"):    # of the harness's own, which tests hold
        return
    named = _same_names(net, name, data)
    blank = torch.full((1, data.length), net.mask)
    try:
        logits = _logits(net, blank)
    except (RuntimeError, IndexError, ValueError) as error:
        raise ValueError(f"the network {name!r} cannot read a row of {data.length} tokens ({first_line(error)}): "
                         f"choose shorter rows of {data.name}, or a network with more places") from None
    if not bool(logits.isfinite().all()):
        raise ValueError(f"the network {name!r} gives no number at a row that is masked throughout: put known tokens "
                         "around it, with before=... and after=..., or correct its weights")
    rows = _rows(data, ROWS)
    if rows is None:
        return
    masked = rows.clone()
    masked[:, ::EACH] = net.mask
    together, alone = _logits(net, masked), torch.cat([_logits(net, row[None]) for row in masked])
    if float((together - alone).abs().max()) > SLACK * (1 + float(alone.abs().max())):
        raise ValueError(f"the network {name!r} answers otherwise for a row when others stand beside it: its samples "
                         "would depend on the batch; take the part of it out that looks across rows")
    if getattr(net, "block", 0):
        _by_blocks(net, name, rows, masked, together)
    elif net.reads_all and data.length > 1:
        changed = masked.clone()
        changed[:, 1:] = (rows[:, 1:] + 1) % net.vocab
        if torch.equal(_logits(net, changed)[:, 0], together[:, 0]):
            raise ValueError(f"the network {name!r} does not see what stands behind a place: it is causal, and no "
                             "masked diffusion model; its attention must be freed in both directions")
    _unshifted(net, name, rows)
    if not named:
        _above_chance(net, name, data)


def _by_blocks(net: Any, name: str, rows: Tensor, masked: Tensor, answer: Tensor) -> None:
    """Whether it sees the right within its block alone; rows (n, L), their logits masked (n, L, V)."""
    length, size = rows.shape[1], min(net.block, rows.shape[1])
    other = (rows + 1) % net.vocab
    if length > size:
        start, changed = (length - 1) // size * size, masked.clone()
        changed[:, start:] = other[:, start:]
        if float((_logits(net, changed) - answer)[:, :size].abs().max()) > SLACK * (1 + float(answer.abs().max())):
            raise ValueError(f"the network {name!r} is said to write {net.order}, and its first block sees the last: "
                             "it does not heed the mask of its attention; correct the form of its call, or give "
                             "block=0 if it was trained to see all")
    first = net.shift    # where logits are shifted, the place before the block speaks for its first token
    if size > first + 1:
        changed = masked.clone()
        changed[:, size - 1] = other[:, size - 1]
        if torch.equal(_logits(net, changed)[:, first], answer[:, first]):
            raise ValueError(f"the network {name!r} is said to write {net.order}, and does not see what stands behind "
                             "a place of its block: it is causal; give it a mask of attention, with its form "
                             "\"mask3d\" or \"mask4d\"")


def _logits(net: Any, x: Tensor) -> Tensor:
    with torch.inference_mode():
        return net.draft(x.to(net.device))[0].double().cpu()


def _rows(data: Dataset, n: int) -> Tensor | None:
    for split in ("validation", "test", "train"):
        try:
            return data.rows(split, n, 0)
        except ValueError:    # it has no such split, or fewer rows
            continue
    return None


def _unshifted(net: Any, name: str, rows: Tensor) -> None:
    """Compares nats of masked tokens by the logits at their place and at those beside it."""
    if rows.shape[1] < 3:
        return
    places = torch.arange(1, rows.shape[1] - 1, EACH)                              # (W,)
    masked = rows.clone()
    masked[:, places] = net.mask
    logits, tokens = _logits(net, masked).log_softmax(-1), rows[:, places, None]   # (n, L, V), (n, W, 1)
    here, *beside = (-logits[:, places + step].gather(-1, tokens).flatten() for step in (0, -1, 1))    # (n W,) nats
    for step, nats in zip((-1, 1), beside):
        gain = here - nats
        error = float(gain.std()) / len(gain) ** 0.5 if len(gain) > 1 else float("inf")
        if float(gain.mean()) > max(CLEARLY[0], CLEARLY[1] * error):
            remedy = "give shift=1 and what stands before a row" if step == -1 else "shift them before they are given"
            raise ValueError(f"the logits of the network {name!r} at a place are of the token "
                             f"{'behind' if step == -1 else 'before'} it, {float(nats.mean()):.2f} nats against "
                             f"{float(here.mean()):.2f}: {remedy}")


def _same_names(net: Any, name: str, data: Dataset) -> bool:
    """Whether both have names."""
    ours, theirs = getattr(net, "names", ()), names_of(data)
    if not ours or not theirs or len(ours) != len(theirs):
        return False
    _alike(ours, theirs, name, data, "give the network tokens=... in the order of the data")
    return True


def _alike(ours: tuple[str, ...], theirs: tuple[str, ...], name: str, data: Dataset, remedy: str) -> None:
    if unlike := [k for k in range(len(ours)) if ours[k] != theirs[k]]:
        k = unlike[0]
        raise ValueError(f"token {k} of the network {name!r} is {ours[k]!r}, and that of {data.name} is {theirs[k]!r} "
                         f"({len(unlike)} of {len(ours)} differ): {remedy}")


def as_trained(net: Any, name: str, data: Dataset) -> None:
    """By the card, which names the data of its training. Raises ValueError where their tokens have other names."""
    said, here = (getattr(net, "card", None) or {}).get("data"), data.identity()
    if not isinstance(said, dict) or said == here or (ours := alphabet(said)) is None:
        return
    theirs = alphabet(here) or names_of(data) or None
    if isinstance(ours, tuple) and isinstance(theirs, tuple) and len(ours) == len(theirs):
        _alike(ours, theirs, name, data, f"choose data with the tokens of {said.get('name')}, on which it was trained")
    elif ours != theirs:
        tell(f"the network {name!r} was trained on {said.get('name')}, and nobody says whether its tokens are those "
             f"of {data.name}")


def _above_chance(net: Any, name: str, data: Dataset) -> None:
    """Compares nats of masked tokens with those of the uniform law."""
    each = -(-data.length // EACH)
    rows = _rows(data, max(ROWS, -(-JUDGED // each)))
    if rows is None or getattr(net, "untrained", False):
        return
    masked = rows.clone()
    masked[:, ::EACH] = net.mask
    logits = _logits(net, masked)[:, ::EACH].log_softmax(-1)                       # (n, W, V)
    nats = -logits.gather(-1, rows[:, ::EACH, None]).flatten()                      # (n W,)
    found, chance, error = float(nats.mean()), log(net.vocab), float(nats.std()) / len(nats) ** 0.5
    if found - chance > max(CLEARLY[0], CLEARLY[1] * error):
        raise ValueError(f"the network {name!r} gives the tokens of {data.name} {found:.2f} nats each, and chance "
                         f"{chance:.2f}: its tokens are not those of the data; give them in its order, or set "
                         "net.untrained = True if it is not trained")
