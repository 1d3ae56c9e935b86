"""One update after another: batches, losses, gradients, optimisers, the average of the weights; with torchrun each
process takes its share of the rows, `micro` of them a forward pass.

Every draw is counter-based (stream TRAIN, row = step * batch + place), so that an update depends on its number and on
the weights before it alone. Loss: ssmd/train/loss.py.
"""

import os
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness.data.drawn import Drawn, Written
from harness.kinds import Dataset
from harness.nets import checkpoint
from harness.nets.autoregressive import Autoregressive
from harness.nets.device import of_rank
from harness.nets.transformer import Block, Transformer, autocast
from harness.random import Stream, integers
from harness.schedules.order import UNIFORM, LeftToRight, OrderLaw
from ssmd.model import Hybrid
from ssmd.train.grown import depth, grown, looking_left
from ssmd.train.loss import draft_loss, mask_counts, masked_batch, reordered, target_loss, weighed
from ssmd.train.optim import Average, learning_rate, optimisers
from ssmd.train.settings import Training
from ssmd.train.taught import taught_from_left, taught_loss
from ssmd.train.written import written_losses

# weight of a token that is not masked: the law of the next one is dearer than that of all behind it
FROM_LEFT, BEGINNINGS = LeftToRight(), 10.0
CAUSAL = ("bos", "project", "blocks_c", "norm_c", "head_c", "last")    # weights that verify passes alone use


def losses(net: Transformer | Autoregressive, x: Tensor, rows: Tensor, schedule, seed: int, step: int,
           batch: int = 0, depth: int = 0, power: float = 1.0, orders: int = 1, taught: int = 0,
           given: float = 0.0, shown: int | None = None, law: OrderLaw = UNIFORM) -> dict[str, Tensor]:
    """x (B, L) -> {"draft", "target"} or {"judge"}: nats per token that is not given; their sum is minimised. A
    share of each row is `given`, at any places, or the token `shown` wherever it stands. law: of the orders; from the
    left a draft, too, is asked for the next `depth` tokens alone.

    Where rows are written from the left and every block of the draft looks left, a token that is not masked is the
    first masked one of a shorter beginning: "beginnings" is the loss of those, of all in one pass (ours).
    """
    if isinstance(net, Autoregressive):
        return {"judge": F.cross_entropy(net(x).float().transpose(1, 2), x)}
    known = None if shown is None else x == shown                                  # (B, L)
    at_least = int(given * x.shape[1]) if known is None else known.sum(1)
    i, weight = mask_counts(schedule, rows, x.shape[1], seed, step, batch, at_least)
    masked, order, hidden = masked_batch(x, i, rows, seed, net.mask, known, law)
    # not through a frozen draft
    with torch.set_grad_enabled(torch.is_grad_enabled() and net.draft_trains):
        h = net.hidden(masked)                                                         # (B, L, d)
    logits = net.logits(h)                                                         # (B, L, V)
    found = {"draft": draft_loss(logits, x, hidden, weight)}
    if depth and law == FROM_LEFT:
        nll = F.cross_entropy(logits.float().transpose(1, 2), x, reduction="none")     # (B, L)
        found["draft"] = weighed(nll.gather(1, order), i, weight, depth)
    from_left = net.config.left == net.config.blocks and law == FROM_LEFT
    if from_left:
        written = ~hidden if known is None else ~(hidden | known)                  # (B, L)
        found["beginnings"] = draft_loss(logits, x, written, torch.full_like(weight, BEGINNINGS))
    if isinstance(net, Hybrid):
        found["target"] = x.new_zeros((), dtype=torch.float32)
        for k in range(orders):
            sigma = reordered(order, hidden, rows, seed, k)                            # (B, L)
            ranked = net.target_logits(net.target_hidden(h, x, sigma, x.shape[1]))     # (B, L, V) by rank
            if taught and from_left:
                term = taught_from_left(net, ranked, x, sigma, i, weight, depth)
            elif taught:
                term = taught_loss(net, ranked, x, sigma, i, weight, rows, seed, k, taught, depth)
            else:
                term = target_loss(ranked, x, sigma, i, weight, depth, power)
            found["target"] = found["target"] + term / orders
    return found


class Corpus(Dataset, Protocol):
    """A data set that is one text."""

    def tokens(self, split: str) -> Tensor: ...    # (characters,)


def batch_of(text: Tensor, rows: Tensor, length: int, seed: int) -> Tensor:
    """Random crops of the training text, (B, L) int64, each drawn by the number of its row."""
    # (B, 1)
    start = integers(seed, rows, Stream.TRAIN, torch.tensor([1 << 41], device=rows.device), len(text) - length)
    return text[start + torch.arange(length, device=rows.device)].long()


def batches(data: Dataset, split: str, seed: int, device: str = "cpu",
            extra: tuple[tuple[Corpus, str], ...] = ()) -> Callable[[Tensor], Tensor]:
    """What makes training rows (B, L) of row numbers (B,)."""
    if hasattr(data, "crops"):
        return partial(data.crops, split, seed=seed)
    if not hasattr(data, "tokens"):
        raise ValueError(f"{data.name} is no text and draws no batches to train on: choose a corpus, or data of crops")
    text = torch.cat([data.tokens(split), *(other.tokens(part) for other, part in extra)]).to(device)
    return partial(batch_of, text, length=data.length, seed=seed)


class Trainable(nn.Module):
    """The losses as a forward pass, so that torch.compile and DistributedDataParallel see one call."""

    def __init__(self, net: Transformer | Autoregressive, config: Training, shown: int | None = None):
        super().__init__()
        self.net, self.config, self.shown = net, config, shown

    def forward(self, x: Tensor | Written, rows: Tensor, step: int) -> dict[str, Tensor]:
        with autocast(rows.device.type):
            c = self.config
            if isinstance(x, Written):
                assert isinstance(self.net, Hybrid)    # Training sees to it
                return written_losses(self.net, x, rows, c.schedule, c.seed, step, c.batch, c.depth, c.power, c.given)
            return losses(self.net, x, rows, c.schedule, c.seed, step, c.batch, c.depth, c.power, c.orders,
                          c.taught, c.given, self.shown, c.order)


def begin(net: nn.Module, init: Path, frozen: bool = False) -> tuple[dict, str]:
    """Take the weights of a finished checkpoint; a hybrid may take those of a masked-diffusion network, and its causal
    part then starts at zero. A deeper network takes those of a shallower one (ssmd/train/grown.py), unless its draft is
    frozen: a block that was added would stay as it is, without effect. One whose first blocks look left takes those of
    a left-to-right network. The card and the hash of the checkpoint. Raises ValueError if they do not fit.
    """
    start = checkpoint.load(init)
    weights, own, left = start.state_dict(), net.state_dict(), 0
    if isinstance(net, Transformer):
        left = net.config.left
        weights = looking_left(start, weights, net, init)
    if isinstance(net, Hybrid) and not isinstance(start, Hybrid):
        weights = {k: v for k, v in own.items() if k.startswith(CAUSAL)} | weights
    if frozen and depth(weights) < depth(own):
        raise ValueError(f"the weights of {init} do not fit a frozen draft of {depth(own)} blocks: they have "
                         f"{depth(weights)}, and blocks that are added would never be trained: choose fewer with "
                         "--set blocks, or another --init")
    weights = grown(weights, own, last=left > 0)
    try:
        net.load_state_dict(weights)
    except RuntimeError:
        raise ValueError(f"the weights of {init} do not fit a network of these settings: choose another --init, or "
                         "its settings with --set") from None
    return start.card, start.sha256


def device_name(device: str) -> str:
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    return f"CPU, {torch.get_num_threads()} threads"


class Updates:
    """A network in training: `once` makes update number `step`, from 0, and returns its losses.

    Data with `crops(split, rows, seed)` draw the batches themselves (a protein before a place in it); others are one
    text, of which places are drawn. The token that data have as `shown` is never masked. `extra` adds splits of other
    corpora of the same alphabet to a text, `init` is a finished checkpoint to start from, `net` a network in place of
    that of the settings, `compiled` compiles each block by itself. Raises ValueError if they do not go together.
    """

    def __init__(self, config: Training, data: Dataset, split: str = "train", device: str = "cpu",
                 compiled: bool = False, init: Path | None = None,
                 extra: tuple[tuple[Corpus, str], ...] = (), net: Hybrid | None = None):
        self.config, self.length, self.step = config, data.length, 0
        self.spent = 0.0, 0.0    # seconds, and seconds of the processor, of all processes before and of this one
        self.world, self.rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
        if config.batch % self.world:
            raise ValueError(f"a batch of {config.batch} rows does not divide among {self.world} processes: give "
                             "another --set batch")
        self.device = of_rank(device)
        self.steps = int(config.tokens // (config.batch * data.length))
        if not self.steps:
            raise ValueError(f"tokens={config.tokens:g} is less than one update of {config.batch} rows x "
                             f"{data.length}: raise --tokens or lower the batch")
        if extra and hasattr(data, "crops"):
            raise ValueError(f"{data.name} draws its own batches and takes no extra text: leave it out")
        if config.blind and net is None:
            raise ValueError("blind=True is of a block on another network's trunk (ssmd-bench attach): leave it out")
        if self.world > 1 and self.device.startswith("cuda"):
            torch.cuda.set_device(self.device)    # before anything is there, or every process opens the first one too
        self.shown: int | None = getattr(data, "shown", None)
        if self.shown is not None and config.given:
            raise ValueError(f"{data.name} says itself what is given: leave --set given out")
        end = -1 if self.shown is None else self.shown
        self.net = (config.build(data.vocab, end, data.length) if net is None else net).to(self.device)
        self.before: dict | None    # the card of the checkpoint
        self.before, self.init = begin(self.net, init, config.frozen) if init is not None else (None, "")
        if config.frozen:
            if init is None and net is None:
                raise ValueError("a frozen draft must come from a finished checkpoint: name one with --init")
            for k, p in self.net.named_parameters():
                p.requires_grad_(k.startswith(CAUSAL))
        if not config.written:
            self.draw: Callable[[Tensor], Tensor | Written] = batches(data, split, config.seed, self.device, extra)
        elif isinstance(data, Drawn):
            self.draw = partial(data.written, split, seed=config.seed)
        else:
            raise ValueError(f"written=True is of rows that the network wrote itself, and {data.name} is no such data: "
                             "leave it out, or train on --data self")
        self.model: nn.Module = Trainable(self.net, config, self.shown)
        if self.world > 1:
            torch.distributed.init_process_group("nccl" if self.device.startswith("cuda") else "gloo")
            self.model = nn.parallel.DistributedDataParallel(self.model)
        if compiled:
            for module in self.net.modules():
                if isinstance(module, Block):
                    module.compile(dynamic=False)
        self.optimisers = optimisers(self.net, config.optimiser, config.lr, config.decay, config.betas)
        self.average = Average(self.net, config.average)
        self.net.train()

    def gradients(self, rows: Tensor, step: int) -> dict[str, Tensor]:
        """Add up those of the rows (B,), and return the losses. A loss is a mean over rows, so the losses of a part
        count by its share of them, and the sum is that of all at once. Processes exchange gradients at the last part.
        """
        total: dict[str, Tensor] = {}
        parts = rows.split(self.config.micro or len(rows))
        for part in parts:
            model, last = self.model, part is parts[-1]
            with (nullcontext() if last or not isinstance(model, nn.parallel.DistributedDataParallel)
                  else model.no_sync()):
                found = {k: v * (len(part) / len(rows)) for k, v in self.model(self.draw(part), part, step).items()}
                sum(found.values()).backward()
            total = {k: total.get(k, 0.0) + v.detach() for k, v in found.items()}
        return total

    def once(self) -> dict[str, Tensor]:
        config, step, share = self.config, self.step, self.config.batch // self.world
        if config.dropout:
            # dropout alone: a resumed run drops what it would have dropped
            torch.manual_seed((config.seed * 1_000_003 + step * self.world + self.rank) % 2**63)
        rows = step * config.batch + torch.arange(self.rank * share, (self.rank + 1) * share, device=self.device)
        found = self.gradients(rows, step)
        nn.utils.clip_grad_norm_(self.net.parameters(), config.clip)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["peak_lr"] * learning_rate(step, self.steps, config.warmup)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.step = step + 1
        self.average.update(self.net, self.step)
        return found

    def agreed(self, answer: bool) -> bool:
        """What the first process answers, in all of them: the others would wait for ever for one that goes its own
        way.
        """
        if self.world == 1:
            return answer
        told = torch.tensor([int(answer)], device=self.device)
        torch.distributed.broadcast(told, 0)
        return bool(told)

    def leave(self) -> None:
        """The end of a group of processes: all wait for the first, since one that leaves early can take the group
        down.
        """
        if self.world > 1:
            torch.distributed.barrier()
            torch.distributed.destroy_process_group()
