"""Rows of a network itself, for a block whose network's training data are gone (ours).

First-hitting sampling writes them, one token a pass in a uniform order sigma, so that with conditionals p of the
network a row has the law

    P(x) = E_sigma  prod_k  p(x at sigma(k) | x at sigma(1..k-1))

A block that is trained on them learns the conditionals of P, so self-speculation on it has the law P in every order and
window: that of first-hitting sampling, and never that of the data. A row of L tokens costs L passes.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from harness import plugins
from harness.data.drawn import Drawn, read_rows
from harness.nets import checkpoint
from harness.nets.own import Own
from harness.sampling.loop import sample

BATCH, SAVE_SECONDS, SAMPLER = 32, 60.0, "first_hitting"


def own_rows(net: Own, n: int, length: int, seed: int, out: Path, say: Callable[[str], None]) -> Drawn:
    """Draw n rows of `length` tokens into OUT/rows.safetensors. A killed command goes on from the rows that it had.
    Raises ValueError for a file of other rows.
    """
    final, part = out / "rows.safetensors", out / "rows.part.safetensors"
    about = {"net": net.sha256, "sampler": SAMPLER, "seed": seed, "n": n}
    if final.exists():
        found = Drawn(str(final))
        if {name: found.content.about.get(name) for name in about} != about or found.length != length:
            raise ValueError(f"{final} holds rows of another network, seed, number or length: give another --out, or "
                             "delete it")
        return found
    rows = torch.empty(0, length, dtype=torch.int64)
    if part.exists():
        kept = read_rows(part, part.stat().st_mtime_ns)
        if {name: kept.about.get(name) for name in about} == about and kept.rows.shape[1] == length:
            rows = kept.rows
    out.mkdir(parents=True, exist_ok=True)
    had, begun, saved = len(rows), time.monotonic(), time.monotonic()
    while len(rows) < n:
        first = len(rows)
        rows = torch.cat((rows, _drawn(net, torch.arange(first, min(first + BATCH, n)), length, seed)))
        left = (time.monotonic() - begun) / (len(rows) - had) * (n - len(rows))
        say(f"rows of the network itself: {len(rows)}/{n}  {left / 60:.0f} min left")
        if len(rows) < n and time.monotonic() - saved > SAVE_SECONDS:
            _write(part, rows, net, about)
            saved = time.monotonic()
    _write(final, rows, net, about)
    part.unlink(missing_ok=True)
    return Drawn(str(final))


@torch.inference_mode()
def _drawn(net: Own, ids: Tensor, length: int, seed: int) -> Tensor:
    """Rows by their numbers (B,) -> (B, L)."""
    prompts = torch.full((len(ids), length), net.mask, device=net.device)
    sampler = plugins.samplers()[SAMPLER]()
    return sample(sampler, {"main": net}, prompts, seed, BATCH, ids.to(net.device)).cpu()


def _write(path: Path, rows: Tensor, net: Own, about: dict) -> None:
    checkpoint.write({"rows": rows.int()}, path, {"vocab": json.dumps(net.vocab), "names": json.dumps(net.names),
                                                  "about": json.dumps(about)})
