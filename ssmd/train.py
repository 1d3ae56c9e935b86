"""Training: the hybrid, the matched masked-diffusion baselines, and the autoregressive judge, by one recipe.

    ssmd-bench train hybrid --out runs/hybrid --tokens 16e6

Every draw of training is counter-based (stream TRAIN, row = step * batch + place), so a killed run that resumes sees the
batches it would have seen. State is kept in OUT/state.safetensors every `save_seconds` and written whole or not at all; the
finished network goes to OUT/NAME.safetensors with its card. With torchrun each process takes its share of the rows.

Loss: ssmd/loss.py. Recipe: spec values of small scale, AdamW or Muon, warm-up, cosine to 5 %, clip 1, weight average.
"""

import json
import os
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from harness.kinds import Dataset
from harness.nets import checkpoint
from harness.nets.autoregressive import Autoregressive
from harness.nets.transformer import Block, Transformer, TransformerConfig, autocast
from harness.param import Choice, Range, check, param
from harness.random import Stream, integers
from harness.schedule import Cosine, Linear, Polynomial
from harness.spec import canonical, to_json
from ssmd.gate import gate
from ssmd.loss import draft_loss, mask_counts, masked_batch, target_loss
from ssmd.model import Hybrid, HybridConfig
from ssmd.optim import Average, flatten, learning_rate, optimisers, unflatten

CAUSAL = ("bos", "project", "blocks_c", "norm_c", "head_c")    # weights that verify passes alone use


@dataclass(frozen=True)
class Training:
    """Everything that decides the weights, but for the data."""

    network: str = param("hybrid", Choice("hybrid", "masked", "judge"))
    width: int = param(128, Range(2, 1 << 16))
    heads: int = param(4, Range(1, 1 << 10))
    blocks: int = param(6, Range(1, 1 << 10), "in all: a hybrid has blocks - causal non-causal ones")
    causal: int = param(1, Range(1, 1 << 10))
    residual: bool = True
    shared_head: bool = True
    frozen: bool = False    # the draft: only what verify passes add is trained, as in the paper's protein model; needs init
    depth: int = param(0, Range(0, 1 << 20), "of the target term, in tokens: the window that verify passes will test; 0: all that is masked")
    dropout: float = param(0.0, Range(0.0, 0.5))
    schedule: Linear | Cosine | Polynomial = param(Linear(), Choice(Linear(), Cosine(), Polynomial()), "the law of i")
    tokens: float = param(12e6, Range(1, 1e13, log=True), "budget: rows x length summed over updates")
    batch: int = param(16, Range(1, 1 << 20))
    optimiser: str = param("muon", Choice("muon", "adamw"))
    lr: float = param(2e-3, Range(1e-6, 1.0, log=True))
    decay: float = param(0.03, Range(0.0, 1.0))
    betas: tuple[float, float] = (0.9, 0.95)
    warmup: int = param(200, Range(0, 1e9))
    clip: float = param(1.0, Range(1e-6, 1e6))
    average: float = param(0.999, Range(0.0, 1.0))
    seed: int = param(1, Range(0, 2**63 - 1))

    def __post_init__(self):
        check(self)
        if len(self.betas) != 2 or not all(isinstance(b, (int, float)) and 0 <= b < 1 for b in self.betas):
            raise ValueError(f"Training: betas={self.betas!r} is not allowed; choose two numbers in 0..1, below 1")
        if self.network == "hybrid" and self.causal >= self.blocks:
            raise ValueError(f"Training: causal={self.causal} of blocks={self.blocks} leaves no block for the draft; choose fewer")
        if self.frozen and self.network != "hybrid":
            raise ValueError(f"Training: frozen=True leaves a {self.network} network nothing to train; it is for hybrids")

    def build(self, vocab: int) -> nn.Module:
        torch.manual_seed(self.seed)    # initial weights only
        size = dict(vocab=vocab, width=self.width, heads=self.heads, dropout=self.dropout)
        if self.network == "hybrid":
            return Hybrid(HybridConfig(**size, blocks=self.blocks - self.causal, causal=self.causal, residual=self.residual, shared_head=self.shared_head))
        return (Transformer if self.network == "masked" else Autoregressive)(TransformerConfig(**size, blocks=self.blocks))


def losses(net: nn.Module, x: Tensor, rows: Tensor, schedule, seed: int, step: int, batch: int = 0, depth: int = 0) -> dict[str, Tensor]:
    """x (B, L) -> {"draft", "target"} or {"judge"}: nats per token; their sum is minimised."""
    if isinstance(net, Autoregressive):
        return {"judge": F.cross_entropy(net(x).float().transpose(1, 2), x)}
    i, weight = mask_counts(schedule, rows, x.shape[1], seed, step, batch)
    masked, order, hidden = masked_batch(x, i, rows, seed, net.mask)
    with torch.set_grad_enabled(torch.is_grad_enabled() and net.embed.weight.requires_grad):    # not through a frozen draft
        h = net.hidden(masked)                                                         # (B, L, d)
    found = {"draft": draft_loss(net.logits(h), x, hidden, weight)}
    if isinstance(net, Hybrid):
        state = net.target_hidden(h, x, order, x.shape[1])
        found["target"] = target_loss(net.target_logits(state), x, order, i, weight, depth)
    return found


class Trainable(nn.Module):
    """The losses as a forward pass, so that torch.compile and DistributedDataParallel see one call."""

    def __init__(self, net: nn.Module, config: Training):
        super().__init__()
        self.net, self.config = net, config

    def forward(self, x: Tensor, rows: Tensor, step: int) -> dict[str, Tensor]:
        with autocast(x.device.type):
            return losses(self.net, x, rows, self.config.schedule, self.config.seed, step, self.config.batch, self.config.depth)


def batch_of(text: Tensor, rows: Tensor, length: int, seed: int) -> Tensor:
    """Random crops of the training text, (B, L) int64."""
    start = integers(seed, rows, Stream.TRAIN, torch.tensor([1 << 41], device=rows.device), len(text) - length)   # (B, 1)
    return text[start + torch.arange(length, device=rows.device)].long()


@torch.no_grad()
def validate(net: nn.Module, data: Dataset, schedule, n: int = 512, rounds: int = 4) -> dict[str, float]:
    """Mean losses on validation rows, nats per token, with fixed masks: comparable between networks."""
    x = data.rows("validation", n, seed=0).to(next(net.parameters()).device)
    net.eval()
    total: dict[str, float] = {}
    for round_ in range(rounds):
        for k, rows in enumerate(torch.arange(n, device=x.device).split(64)):
            found = losses(net, x[rows], rows + round_ * n, schedule, seed=2**31, step=round_ * n + k)
            for name, value in found.items():
                total[name] = total.get(name, 0.0) + float(value) * len(rows) / (n * rounds)
    net.train()
    return total


def begin(net: nn.Module, init: Path) -> dict:
    """Take the weights of a finished checkpoint; a hybrid may take those of a masked-diffusion network, and its causal part then starts at zero. Its card."""
    start = checkpoint.load(init)
    weights, own = start.state_dict(), net.state_dict()
    if isinstance(net, Hybrid) and not isinstance(start, Hybrid):
        weights = {k: v for k, v in own.items() if k.startswith(CAUSAL)} | weights
    try:
        net.load_state_dict(weights)
    except RuntimeError:
        raise ValueError(f"the weights of {init} do not fit a network of these settings: choose another --init, or its settings with --set") from None
    return start.card


def train(config: Training, data: Dataset, out: Path, name: str, device: str = "cpu", compiled: bool = False, split: str = "train",
          save_seconds: float = 120.0, say=print, init: Path | None = None, extra: tuple[tuple[Dataset, str], ...] = (), command: str = "") -> Path:
    """Train to the token budget, resuming from OUT/state.safetensors if there is one; the path of the finished checkpoint.

    `init` starts from the weights of a finished checkpoint (a second cosine cycle, or a hybrid on the blocks of a masked-diffusion network): its card
    keeps the first cycle's story.
    Data with `crops(split, rows, seed)` draw the batches themselves (a protein before a place in it); others are one text, of which places are drawn.
    `extra` adds splits of other corpora of the same alphabet to a text. `compiled` compiles each block by itself.
    Under torchrun each process takes its share of every batch; the weights are those of one process, up to rounding.
    """
    world, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    if config.batch % world:
        raise ValueError(f"a batch of {config.batch} rows does not divide among {world} processes: give another --set batch")
    if world > 1 and device == "cuda":
        device = f"cuda:{os.environ['LOCAL_RANK']}"
    final = out / f"{name}.safetensors"
    source = {"data": data.identity(), "length": data.length, "split": split, "extra": [[other.identity(), part] for other, part in extra]}
    story = {"training": asdict(config) | {"schedule": config.schedule.name}, **source}
    if final.exists():
        card, asked = checkpoint.load(final).card, json.loads(json.dumps(story))
        asked["training"] = {k: v for k, v in asked["training"].items() if k in card.get("training", asked["training"])}    # older cards know fewer
        if any(card.get(k, v) != v for k, v in asked.items()):
            raise ValueError(f"{final} was trained by other settings or on other data: give another --out, or delete it")
        say(f"{final} is finished")
        return final
    if extra and hasattr(data, "crops"):
        raise ValueError(f"{data.name} draws its own batches and takes no extra text: leave it out")
    steps = int(config.tokens // (config.batch * data.length))
    if not steps:
        raise ValueError(f"tokens={config.tokens:g} is less than one update of {config.batch} rows x {data.length}: raise --tokens or lower the batch")
    net = config.build(data.vocab).to(device)
    before = begin(net, init) if init is not None else None
    if config.frozen:
        if init is None:
            raise ValueError("a frozen draft must come from a finished checkpoint: name one with --init")
        for k, p in net.named_parameters():
            p.requires_grad_(k.startswith(CAUSAL))
    out.mkdir(parents=True, exist_ok=True)
    if hasattr(data, "crops"):
        draw = partial(data.crops, split, seed=config.seed)
    else:
        text = torch.cat([data.tokens(split), *(other.tokens(part) for other, part in extra)]).to(device)
        draw = partial(batch_of, text, length=data.length, seed=config.seed)
    model = Trainable(net, config)
    if world > 1:
        if device.startswith("cuda"):
            torch.cuda.set_device(device)
        torch.distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")
        model = nn.parallel.DistributedDataParallel(model)
    if compiled:
        for module in net.modules():
            if isinstance(module, Block):
                module.compile(dynamic=False)
    optimiser_list = optimisers(net, config.optimiser, config.lr, config.decay, config.betas)
    average = Average(net, config.average)
    step = resume(out, config, source, net, average, optimiser_list)
    if step:
        say(f"resumed at step {step} of {steps}")

    begun, begun_step, saved = time.monotonic(), step, time.monotonic()
    net.train()
    while step < steps:
        if config.dropout:
            torch.manual_seed((config.seed * 1_000_003 + step * world + rank) % 2**63)    # dropout alone: a resumed run drops what it would have dropped
        rows = step * config.batch + torch.arange(rank * config.batch // world, (rank + 1) * config.batch // world, device=device)
        found = model(draw(rows), rows, step)
        sum(found.values()).backward()
        nn.utils.clip_grad_norm_(net.parameters(), config.clip)
        for optimiser in optimiser_list:
            for group in optimiser.param_groups:
                group["lr"] = group["peak_lr"] * learning_rate(step, steps, config.warmup)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        step += 1
        average.update(net, step)
        if step % 100 == 0 and rank == 0:
            seconds = time.monotonic() - begun
            speed = (step - begun_step) * config.batch * data.length / seconds
            left = (steps - step) * config.batch * data.length / speed
            shown = {k: round(v.item(), 4) for k, v in found.items()}
            row = {"step": step, "tokens": step * config.batch * data.length, **shown, "tokens_per_second": round(speed)}
            with open(out / "log.jsonl", "a") as log:
                log.write(json.dumps(row) + "\n")
            say(f"{name} {step}/{steps} " + " ".join(f"{k} {v:.3f}" for k, v in shown.items()) + f"  {speed:,.0f} tokens/s  {left / 60:.0f} min left")
        if rank == 0 and time.monotonic() - saved > save_seconds:
            keep(out, config, source, net, average, optimiser_list, step)
            saved = time.monotonic()
    if rank == 0:
        with torch.no_grad():
            for k, p in net.named_parameters():
                p.copy_(average.shadow[k].half().float())    # the stored numbers are the ones whose losses go on the card
        card = {"name": name, **story, "steps": steps, "tokens": steps * config.batch * data.length,
                "validation_nats_per_token": {k: round(v, 5) for k, v in validate(net, data, Linear()).items()},
                "device": torch.cuda.get_device_name() if device.startswith("cuda") else f"CPU, {torch.get_num_threads()} threads", "torch": torch.__version__,
                "parameters": sum(p.numel() for p in net.parameters()), "command": command, "earlier_cycle": before}
        if isinstance(net, Hybrid):
            card["gate"] = gate(net, data).card()
        checkpoint.save(net, final, card)
        (out / "state.safetensors").unlink(missing_ok=True)
        say(f"finished {final}: {card['validation_nats_per_token']} nats per token on validation")
    if world > 1:
        torch.distributed.destroy_process_group()
    return final


def _settings(config: Training, source: dict) -> dict[str, str]:
    """What a state must agree on with the run that takes it up."""
    return {"training": json.dumps(asdict(config), default=str), "source": canonical([to_json(config.schedule), source])}


def keep(out: Path, config: Training, source: dict, net: nn.Module, average: Average, optimiser_list: list, step: int) -> None:
    """Write the whole state under a scratch name, then rename: a kill leaves the old state or the new one."""
    tensors = {f"net.{k}": v.contiguous() for k, v in net.state_dict().items()}
    tensors |= {f"average.{k}": v for k, v in average.shadow.items()} | {f"optimiser.{k}": v for k, v in flatten(optimiser_list).items()}
    scratch = out / "state.tmp"
    checkpoint.write(tensors, scratch, {"step": str(step), **_settings(config, source)})
    scratch.replace(out / "state.safetensors")


def resume(out: Path, config: Training, source: dict, net: nn.Module, average: Average, optimiser_list: list) -> int:
    """Load the state of an unfinished run into the objects given; its step, or 0. Raises ValueError if other settings or data wrote it."""
    path = out / "state.safetensors"
    if not path.exists():
        return 0
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as f:
            about = f.metadata() or {}
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"the training state {path} is damaged ({error}): delete it to start this run again") from None
    asked = _settings(config, source)
    training = json.loads(_settings(Training(), source)["training"]) | json.loads(about.get("training", asked["training"]))    # an older state knows fewer settings
    if training != json.loads(asked["training"]) or about.get("source", asked["source"]) != asked["source"]:
        raise ValueError(f"{path} was written by other settings or on other data: give another --out, or delete it")
    part = {head: {k.split(".", 1)[1]: v for k, v in tensors.items() if k.startswith(head + ".")} for head in ("net", "average", "optimiser")}
    if "step" not in about or part["average"].keys() != average.shadow.keys():
        raise ValueError(f"the training state {path} is not whole: delete it to start this run again")
    net.load_state_dict(part["net"])
    average.shadow = {k: v.clone() for k, v in part["average"].items()}
    unflatten(optimiser_list, part["optimiser"])
    return int(about["step"])
