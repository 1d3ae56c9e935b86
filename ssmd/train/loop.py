"""Training: the hybrid, the matched masked-diffusion baselines, and the autoregressive judge, by one recipe.

    ssmd-bench train hybrid --out runs/hybrid --tokens 16e6

Updates are counter-based (ssmd/train/updates.py), so a killed run that resumes sees the batches it would have seen.
State is kept in OUT/state.safetensors every `save_seconds` and written whole or not at all; the finished network goes
to OUT/NAME.safetensors with its card.

Recipe: AdamW or Muon, warm-up, cosine to 5 %, clip 1, weight average.
"""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from harness.boundary import incoming
from harness.kinds import Dataset
from harness.nets import checkpoint
from harness.nets.autoregressive import Autoregressive
from harness.nets.transformer import Transformer
from harness.schedules.noise import Linear
from harness.schedules.order import UNIFORM, OrderLaw
from harness.spec import canonical, to_json
from ssmd.attached import Attached
from ssmd.model import Hybrid
from ssmd.state import fits, parted, step_of
from ssmd.train.depth_gain import gate
from ssmd.train.optim import flatten, unflatten
from ssmd.train.settings import Training
from ssmd.train.updates import Corpus, Updates, device_name, losses
from ssmd.variants import LONGEST

SAY_SECONDS = 15    # between two lines of a training whose updates are long


def held_out(data: Dataset, n: int = 512) -> int:
    """How many validation rows a network is judged on: n, or the largest half, quarter, ... of it that the split holds.
    Raises ValueError if that is none.
    """
    while n > 1:
        try:
            return len(data.rows("validation", n, seed=0))
        except ValueError:
            n //= 2
    return len(data.rows("validation", 1, seed=0))


def check_rows(config: Training, data: Dataset) -> None:
    """Raises ValueError if rows are longer than the positions that the network would learn."""
    if config.positions == "learned" and data.length > LONGEST:
        raise ValueError(f"rows of {data.length} tokens are longer than the {LONGEST} that positions=learned reaches: "
                         "choose shorter rows, or --set positions=split")


@torch.no_grad()
def validate(net: Transformer | Autoregressive, data: Dataset, schedule, n: int = 512, rounds: int = 4,
             given: float = 0.0, law: OrderLaw = UNIFORM) -> dict[str, float]:
    """Mean losses on n validation rows, nats per token not given, with fixed masks: comparable between networks."""
    x = data.rows("validation", n, seed=0).to(next(net.parameters()).device)
    net.eval()
    total: dict[str, float] = {}
    for round_ in range(rounds):
        for k, rows in enumerate(torch.arange(n, device=x.device).split(64)):
            found = losses(net, x[rows], rows + round_ * n, schedule, seed=2**31, step=round_ * n + k, given=given,
                           shown=getattr(data, "shown", None), law=law)
            for name, value in found.items():
                total[name] = total.get(name, 0.0) + float(value) * len(rows) / (n * rounds)
    net.train()
    return total


def train(config: Training, data: Dataset, out: Path, name: str, device: str = "cpu", compiled: bool = False,
          split: str = "train",
          save_seconds: float = 120.0, say=print, init: Path | None = None, extra: tuple[tuple[Corpus, str], ...] = (),
          command: str = "", net: Attached | None = None, judged: int = 512) -> Path:
    """Train to the token budget, resuming from OUT/state.safetensors if there is one; the path of the finished
    checkpoint.

    `init` starts from the weights of a finished checkpoint (a second cosine cycle, or a hybrid on the blocks of a
    masked-diffusion network): its card keeps the first cycle's story. `net` is a causal block on a trunk of another
    make. `judged` validation rows at most say how good it became. `extra`, `compiled`: see Updates. Under torchrun each
    process takes its share of every batch; the weights are those of one process, up to rounding.
    """
    final = out / f"{name}.safetensors"
    source = {"data": data.identity(), "length": data.length, "split": split,
              "extra": [[other.identity(), part] for other, part in extra]}
    if net is not None:
        source["trunk"] = net.config.trunk
    story = {"training": in_card(config), **source}
    if init is None or init.exists():
        story["init"] = checkpoint.load(init).sha256 if init else None
    if final.exists():
        done: Any = checkpoint.load(final)
        card, asked = done.card, json.loads(json.dumps(story))
        usual, knows = json.loads(json.dumps(in_card(Training()))), card.get("training", asked["training"])
        # older cards know fewer, whose value was what is usual now
        asked["training"] = {k: v for k, v in asked["training"].items() if k in knows or v != usual[k]}
        if any(card.get(k, v) != v for k, v in asked.items()):
            raise ValueError(f"{final} was trained by other settings, on other data or from another --init: give "
                             "another --out, or delete it")
        say(f"{final} is finished")
        return final
    check_rows(config, data)
    judged = held_out(data, judged)    # before hours of training, not after them
    updates = Updates(config, data, split, device, compiled, init, extra, net)
    steps, trained = updates.steps, updates.net
    out.mkdir(parents=True, exist_ok=True)
    resume(out, source, updates)
    if updates.step:
        say(f"resumed at step {updates.step} of {steps}")

    begun_step, before = updates.step, updates.spent
    begun, begun_cpu = time.monotonic(), time.process_time()
    saved = told = begun
    while updates.step < steps:
        found = updates.once()
        step = updates.step
        updates.spent = (before[0] + time.monotonic() - begun, before[1] + time.process_time() - begun_cpu)
        if updates.rank == 0 and (step % 100 == 0 or time.monotonic() - told > SAY_SECONDS):
            seconds, told = time.monotonic() - begun, time.monotonic()
            speed = (step - begun_step) * config.batch * data.length / seconds
            left = (steps - step) * config.batch * data.length / speed
            shown = {k: round(v.item(), 4) for k, v in found.items()}
            if step % 100 == 0:
                row = {"step": step, "tokens": step * config.batch * data.length, **shown,
                       "tokens_per_second": round(speed)}
                with open(out / "log.jsonl", "a") as log:
                    log.write(json.dumps(row) + "\n")
            say(f"{name} {step}/{steps} " + " ".join(f"{k} {v:.3f}" for k, v in shown.items())
                + f"  {speed:,.0f} tokens/s  {left / 60:.0f} min left")
        if updates.rank == 0 and time.monotonic() - saved > save_seconds:
            keep(out, source, updates)
            saved = time.monotonic()
    if updates.rank == 0:
        say(f"{name}: {judged} validation rows are read")
        with torch.no_grad():
            for k, p in trained.named_parameters():
                # the stored numbers are the ones whose losses go on the card
                p.copy_(updates.average.shadow[k].half().float())
        card = {
            "name": name,
            **story,
            "steps": steps,
            "tokens": steps * config.batch * data.length,
            "validation_rows": judged,
            "validation_nats_per_token": {k: round(v, 5) for k, v in validate(trained, data, Linear(), judged,
                                                                              given=config.given,
                                                                              law=config.order).items()},
            "seconds": round(updates.spent[0], 1),
            "processor_seconds": round(updates.spent[1], 1),
            "device": device_name(updates.device),
            "torch": torch.__version__,
            "parameters": sum(p.numel() for p in trained.parameters()),
            "command": command,
            "earlier_cycle": updates.before,
        }
        if isinstance(trained, Hybrid):
            card["gate"] = gate(trained, data, min(256, judged), given=int(config.given * data.length),
                                law=config.order).card()
        checkpoint.save(trained, final, card, base=_beside(final, init) if config.frozen else None)
        (out / "state.safetensors").unlink(missing_ok=True)
        say(f"finished {final}: {card['validation_nats_per_token']} nats per token on validation")
    updates.leave()
    return final


def in_card(config: Training) -> dict:
    """Settings as a card has them."""
    return asdict(config) | {"schedule": config.schedule.name, "order": to_json(config.order)}


def _beside(final: Path, init: Path | None) -> Path | None:
    """The whole checkpoint in the same folder whose weights stayed as they were."""
    if init is None or init.resolve().parent != final.resolve().parent:
        return None
    with safe_open(init, framework="pt") as f:
        return checkpoint.base_of(init, f.metadata() or {}) or init


def _settings(config: Training, source: dict, init: str) -> dict[str, str]:
    """What a state must agree on with the run that takes it up."""
    return {"training": json.dumps(asdict(config), default=str), "init": init,
            "source": canonical([to_json(config.schedule), to_json(config.order), source])}


def keep(out: Path, source: dict, updates: Updates) -> None:
    """Write the whole state; a kill leaves the old one or the new one."""
    tensors = {f"net.{k}": v for k, v in updates.net.state_dict().items()}
    tensors |= {f"average.{k}": v for k,
                v in updates.average.shadow.items()} | {f"optimiser.{k}": v for k,
                                                        v in flatten(updates.optimisers).items()}
    tensors = {k: v.cpu().contiguous() for k, v in tensors.items()}
    checkpoint.write(tensors, out / "state.safetensors", {"step": str(updates.step), "spent": json.dumps(updates.spent),
                                                          **_settings(updates.config, source, updates.init)})


def resume(out: Path, source: dict, updates: Updates) -> None:
    """Take up the state of an unfinished run, if there is one. Raises ValueError if other settings or data wrote it, or
    a run that began from another network.
    """
    path = out / "state.safetensors"
    if not path.exists():
        return
    try:
        with safe_open(path, framework="pt") as f:
            about = f.metadata() or {}
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"the training state {path} is damaged ({error}): delete it to start this run again") from None
    asked = _settings(updates.config, source, updates.init)
    told = incoming.decode(about.get("training", asked["training"]).encode(), dict[str, Any], f"the settings in {path}",
                           "delete it to start this run again")
    # an older state knows fewer settings, or does not say whence it came
    training = json.loads(_settings(Training(), source, "")["training"]) | told
    if training != json.loads(asked["training"]) or any(about.get(k, asked[k]) != asked[k] for k in ("source", "init")):
        raise ValueError(f"{path} was written by other settings, on other data or from another --init: give another "
                         "--out, or delete it")
    part, step = parted(tensors), step_of(about.get("step"), updates.steps)
    if step is None or not fits(part, step, updates):
        raise ValueError(f"the training state {path} is not whole: delete it to start this run again")
    updates.net.load_state_dict(part["net"])
    live = updates.average.shadow
    updates.average.shadow = {k: v.to(live[k].device, copy=True) for k, v in part["average"].items()}
    unflatten(updates.optimisers, part["optimiser"])
    updates.step = step
    # an older state does not say
    updates.spent = incoming.decode(about.get("spent", "[0, 0]").encode(), tuple[float, float], f"the times in {path}",
                                    "delete it to start this run again")
