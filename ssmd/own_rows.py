"""Rows of a network itself, for a block whose network's training data are gone (ours).

First-hitting sampling writes them, one token a pass in a uniform order sigma, so that with conditionals p of the
network a row has the law

    P(x) = E_sigma  prod_k  p(x at sigma(k) | x at sigma(1..k-1))

A block that is trained on them learns the conditionals of P, so self-speculation on it has the law P in every order and
window: that of first-hitting sampling, and never that of the data. A row of L tokens costs L passes.

The order of each row is kept, and at each rank the network's law: its TOP likeliest tokens. Trained along that order
with those laws as labels (ssmd/train/written.py), the block learns p itself. A network that is off its training where
nothing is known begins from `given` tokens of each row of a data set, the first ranks of the order.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from harness.data.drawn import STORY, Content, Drawn, read_rows
from harness.kinds import Dataset, Rows
from harness.nets import checkpoint
from harness.nets.own import Own
from harness.nets.transformer import autocast, products
from harness.random import Stream, from_logits, uniform
from harness.sampling.reveal import order_of, probabilities
from harness.schedules.order import UNIFORM

BATCH, SAVE_SECONDS, SAMPLER, TOP = 32, 60.0, "first_hitting", 32


class Begun(NamedTuple):
    """Rows of which a share is given, at any places."""

    data: Dataset
    draw: Callable[[Tensor], Tensor]    # row numbers (B,) -> (B, L)
    share: float


def own_rows(net: Own, n: int, length: int, seed: int, out: Path, say: Callable[[str], None],
             begun: Begun | None = None) -> Drawn:
    """Draw n rows of `length` tokens into OUT/rows.safetensors. A killed command goes on from the rows that it had.
    Raises ValueError for a file of other rows.
    """
    final, part = out / "rows.safetensors", out / "rows.part.safetensors"
    given = int(begun.share * length) if begun else 0
    about = {"net": net.sha256, "sampler": SAMPLER, "seed": seed, "n": n, "passes": products(net.device.type),
             "given": given, "begun": begun and begun.data.identity()}
    if final.exists():
        try:
            found = Drawn(str(final))
            length_there = found.length
        except ValueError as error:
            raise ValueError(f"{final} is damaged ({error}): delete it, and give the same command again") from None
        if _asked(found.content.about, about) != about or length_there != length:
            raise ValueError(f"{final} holds rows of another network, seed, number or length, or begun otherwise: give "
                             "another --out, or delete it")
        return found
    story = list[tuple[Tensor, ...]]()    # batches of rows, orders, tokens, laws
    if part.exists() and (kept := _kept(part)) and _asked(kept.about, about) == about and (
            kept.rows.shape[1] == length and len(kept.order)):
        story = [(kept.rows, kept.order, kept.likely, kept.law)]
    out.mkdir(parents=True, exist_ok=True)
    had = sum(len(batch[0]) for batch in story)
    first, start, saved = had, time.monotonic(), time.monotonic()
    while first < n:
        ids = torch.arange(first, min(first + BATCH, n), device=net.device)
        known = begun.draw(ids) if begun else torch.full((len(ids), length), net.mask, device=net.device)
        story.append(tuple(t.cpu() for t in _written(net, known, given, ids, seed)))
        first = int(ids[-1]) + 1
        left = (time.monotonic() - start) / (first - had) * (n - first)
        say(f"rows of the network itself: {first}/{n}  {left / 60:.0f} min left")
        if first < n and time.monotonic() - saved > SAVE_SECONDS:
            _write(part, story, net, about)
            saved = time.monotonic()
    _write(final, story, net, about)
    part.unlink(missing_ok=True)
    return Drawn(str(final))


def _kept(part: Path) -> Content | None:
    """What an earlier command had; nothing if that is damaged."""
    try:
        return read_rows(part, part.stat().st_mtime_ns)
    except ValueError:
        return None


def _asked(told: dict, about: dict) -> dict:
    return {name: told.get(name) for name in about}


@torch.inference_mode()
def _written(net: Own, known: Tensor, given: int, ids: Tensor, seed: int) -> tuple[Tensor, ...]:
    """First-hitting sampling behind the first `given` ranks of known (B, L), with the draws of that sampler: rows and
    orders (B, L), and by rank the likeliest tokens and their probabilities (B, L, K).
    """
    length, top = known.shape[1], min(TOP, net.vocab)
    nothing = torch.full_like(known, net.mask)
    order = order_of(Rows(nothing, nothing != net.mask, ids, torch.zeros_like(ids), seed, {}), UNIFORM)    # (B, L)
    x = torch.where(order.argsort(1) < given, known, net.mask)
    likely = torch.zeros(*x.shape, top, dtype=torch.int32, device=x.device)        # (B, L, K)
    law = torch.zeros(*x.shape, top, dtype=torch.float16, device=x.device)
    clock = torch.empty(len(x), dtype=torch.float64, device=x.device)
    for k in range(given, length):
        place = order[:, k : k + 1]                                                # (B, 1)
        with autocast(net.device.type):
            logits = net.draft(x, place, clock=clock.fill_(k / length))[0]         # (B, 1, V)
        token = from_logits(logits, uniform(seed, ids, Stream.TOKEN, place))[0]
        law[:, k], likely[:, k] = probabilities(logits[:, 0]).topk(top)
        x = x.scatter(1, place, token)
    return x, order.int(), likely, law


def _write(path: Path, story: list[tuple[Tensor, ...]], net: Own, about: dict) -> None:
    rows, *beside = (torch.cat(batches) for batches in zip(*story))
    checkpoint.write({"rows": rows.int()} | dict(zip(STORY, beside)), path,
                     {"vocab": json.dumps(net.vocab), "names": json.dumps(net.names), "about": json.dumps(about)})
