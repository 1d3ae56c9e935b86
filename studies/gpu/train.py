"""Larger networks of text and of molecules, trained for what is left of the time; the next quarter goes on.

One hybrid a domain, 5 + 1 blocks of width 320: its draft alone is the masked-diffusion network. The recipe is that of
ssmd/train, in bfloat16 with compiled blocks, fused AdamW and Muon, but for the learning rate, which stays at its peak
after the warm-up: how many quarters will come is not known. The average of the weights stands for the cosine.

    NAME.safetensors             the average with the best validation loss, float16, a checkpoint as any other
    NAME.live.safetensors        the weights in training, float16: a resumed training has lost their last bits
    NAME.momentum.safetensors    of the optimisers, in bfloat16, whose range they need

Updates are those of ssmd/train/updates.py, which a bare image cannot import; tests/test_gpu_script.py holds the losses
to its.
"""

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from harness.data.moses import Moses
from harness.data.wikipedia_leads import WikipediaLeads
from harness.nets.transformer import Block, autocast
from harness.random import Stream, integers
from harness.schedules.noise import Linear
from ssmd.model import Hybrid
from ssmd.train.loss import draft_loss, mask_counts, masked_batch, target_loss
from ssmd.train.optim import Average, flatten, optimisers, unflatten
from ssmd.train.settings import Training
from studies.gpu.plan import Ask
from studies.gpu.weights import read, save, write

KEEP_SECONDS, CHECK = 20.0, 10    # between two validations; updates between two looks at the clock
LEAST = 3                         # updates of a rehearsal


def settings(ask: Ask, batch: int, dropout: float) -> Training:
    small = ask.scale < 1
    return Training("hybrid", width=32 if small else 320, heads=1 if small else 5, blocks=2 if small else 6,
                    batch=ask.of(batch, 4), dropout=dropout, lr=2e-3, warmup=200, average=0.999)


def text(ask: Ask) -> Iterator[dict[str, Any]]:
    data = WikipediaLeads(128)
    corpus = data.tokens("train").to(ask.device)

    def crops(rows: Tensor, seed: int) -> Tensor:
        place = torch.tensor([1 << 41], device=rows.device)
        start = integers(seed, rows, Stream.TRAIN, place, len(corpus) - data.length)        # (B, 1)
        return corpus[start + torch.arange(data.length, device=rows.device)].long()

    yield from trained("text", settings(ask, 512, 0.1), data, crops, ask)


def molecules(ask: Ask) -> Iterator[dict[str, Any]]:
    data = Moses(str(ask.moses))
    yield from trained("molecules", settings(ask, 1024, 0.0), data, partial(data.crops, "train"), ask)


def losses(net: Hybrid, x: Tensor, rows: Tensor, seed: int, step: int, batch: int,
           shown: int | None) -> dict[str, Tensor]:
    """x (B, L) -> {"draft", "target"}: nats per token that is not given (ssmd/train/loss.py)."""
    known = None if shown is None else x == shown                                  # (B, L)
    i, weight = mask_counts(Linear(), rows, x.shape[1], seed, step, batch, 0 if known is None else known.sum(1))
    masked, order, hidden = masked_batch(x, i, rows, seed, net.mask, known)
    h = net.hidden(masked)                                                         # (B, L, d)
    targets = net.target_logits(net.target_hidden(h, x, order, x.shape[1]))        # (B, L, V) by rank
    return {"draft": draft_loss(net.logits(h), x, hidden, weight), "target": target_loss(targets, x, order, i, weight)}


class Trainer:
    """`once` makes update number `step`: its batch, masks and dropout hang on that number alone."""

    def __init__(self, config: Training, vocab: int, draw: Callable, shown: int | None, ask: Ask):
        self.config, self.draw, self.shown, self.device, self.step = config, draw, shown, ask.device, 0
        self.net: Any = config.build(vocab).to(ask.device).train()
        if ask.compiles:
            for module in self.net.modules():
                if isinstance(module, Block):
                    module.compile(dynamic=False)
        self.optimisers = optimisers(self.net, config.optimiser, config.lr, config.decay, config.betas)
        self.begin(0)

    def begin(self, step: int) -> None:
        """Averages start anew from the weights that are there."""
        self.step, self.first = step, step
        self.average = Average(self.net, self.config.average)

    def once(self) -> dict[str, Tensor]:
        c = self.config
        torch.manual_seed((c.seed * 1_000_003 + self.step) % 2**63)    # dropout alone
        rows = self.step * c.batch + torch.arange(c.batch, device=self.device)
        x = self.draw(rows, seed=c.seed)
        with autocast(self.device.split(":")[0]):
            found = losses(self.net, x, rows, c.seed, self.step, c.batch, self.shown)
        sum(found.values()).backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), c.clip)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["peak_lr"] * min(1.0, (self.step + 1) / c.warmup)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.step += 1
        self.average.update(self.net, self.step - self.first)
        return {name: loss.detach() for name, loss in found.items()}

    def keep(self, path: Path) -> None:
        about = {"step": str(self.step)}
        write(path.with_suffix(".live.safetensors"), {k: v.half() for k, v in self.net.state_dict().items()}, about)
        state = {k: v if k.endswith("step") else v.bfloat16() for k, v in flatten(self.optimisers).items()}
        write(path.with_suffix(".momentum.safetensors"), state, about)

    def resume(self, path: Path) -> bool:
        """Whether there was something to go on with. Momenta of another step are left out, and begin at nothing."""
        live, momenta = path.with_suffix(".live.safetensors"), path.with_suffix(".momentum.safetensors")
        if not live.is_file():
            return False
        tensors, about = read(live)
        self.net.load_state_dict({k: v.float() for k, v in tensors.items()})
        if momenta.is_file():
            state, of = read(momenta)
            if of == about:
                unflatten(self.optimisers, {k: v.float().to(self.device) for k, v in state.items()})
        self.begin(int(about["step"]))
        return True


@torch.no_grad()
def validated(shown_net: Hybrid, weights: dict[str, Tensor], x: Tensor, given: int | None) -> dict[str, float]:
    """Mean losses on rows x (n, L), with fixed masks, of these weights as float16 stores them."""
    for name, p in shown_net.named_parameters():
        p.copy_(weights[name].half())
    shown_net.eval()
    total = {"draft": 0.0, "target": 0.0}
    for k, rows in enumerate(torch.arange(len(x), device=x.device).split(64)):
        for name, value in losses(shown_net, x[rows], rows, 2**31, k, 64, given).items():
            total[name] += float(value) * len(rows) / len(x)
    return total


def trained(name: str, config: Training, data: Any, draw: Callable, ask: Ask) -> Iterator[dict[str, Any]]:
    """Updates until the time is over, a validation and all files every KEEP_SECONDS and at the end."""
    path, given = ask.out / f"{name}.safetensors", getattr(data, "shown", None)
    other = config.build(data.vocab).to(ask.device)    # which is validated
    one = Trainer(config, data.vocab, draw, given, ask)
    resumed, best = one.resume(path), _best(path)
    x = data.rows("validation", ask.of(1024, 8), seed=0).to(ask.device)
    yield {"what": "begun", "update": one.step, "resumed": resumed, "parameters":
           sum(p.numel() for p in one.net.parameters()), "batch": config.batch, "best": best}
    first, kept, clock = one.step, time.monotonic(), Clock(one.step)
    while one.step < first + LEAST or not ask.over():
        found = one.once()
        if one.step % CHECK and not (ask.over() and one.step >= first + LEAST):
            continue
        now = {k: round(v.item(), 4) for k, v in found.items()}    # waits for the device
        clock.look(one.step)
        if time.monotonic() - kept > KEEP_SECONDS:
            best, row = _kept(one, other, x, given, path, best, data, config)
            kept = time.monotonic()
            clock.skip()
            yield row | {"updates_per_second": clock.speed(), "training": now}
    _, row = _kept(one, other, x, given, path, best, data, config)
    yield row | {"updates_per_second": clock.speed(), "training": now, "what": "ended"}


class Clock:
    """Updates a second behind the first look, before which blocks are compiled, and without what is skipped."""

    def __init__(self, step: int):
        self.step, self.seconds, self.updates, self.last = step, 0.0, 0, 0.0

    def look(self, step: int) -> None:
        now = time.monotonic()
        if self.last:
            self.seconds, self.updates = self.seconds + now - self.last, self.updates + step - self.step
        self.step, self.last = step, now

    def skip(self) -> None:
        self.last = time.monotonic()

    def speed(self) -> float | None:
        return round(self.updates / self.seconds, 2) if self.seconds else None


def _kept(one: Trainer, other: Hybrid, x: Tensor, given: int | None, path: Path, best: float | None, data: Any,
          config: Training) -> tuple[float | None, dict[str, Any]]:
    """The best loss so far, and a result."""
    found = validated(other, one.average.shadow, x, given)
    loss = sum(found.values())
    better = best is None or loss < best
    if better:
        card = {"name": path.stem, "step": one.step, "tokens": one.step * config.batch * data.length,
                "validation_nats_per_token": {k: round(v, 5) for k, v in found.items()}, "length": data.length,
                "torch": str(torch.__version__), "width": config.width, "blocks": config.blocks, "batch": config.batch}
        save(other, dict(other.state_dict()), path, card)
    one.keep(path)
    return min(loss, best or loss), {"what": "kept", "update": one.step, "validation": found, "best": better}


def _best(path: Path) -> float | None:
    if not path.is_file():
        return None
    return sum(json.loads(read(path)[1]["card"])["validation_nats_per_token"].values())
