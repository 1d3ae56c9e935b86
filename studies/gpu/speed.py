"""Passes, loops and waits of the host at batch 1 and at the batch that saturates the device; ancestral sampling against
SSMD in seconds.

Both samplers stand at the matched settings of studies/speed: ancestral sampling in 32 steps with the shipped network,
and SSMD at the setting of text_frontier nearest to it in quality. Rows have 128 tokens.
"""

import warnings
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any, NamedTuple

import torch
from torch import Tensor

from baselines.ancestral import Ancestral
from harness.kinds import Denoiser
from harness.nets.compiled import compiled
from harness.nets.halved import halved
from harness.nets.transformer import products
from harness.nets.wrap import Half
from harness.run.clock import timed
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.schedules.window import Linear
from ssmd.sampler import SelfSpeculative
from studies.analysis.script import Script
from studies.gpu.graphs import Graphed
from studies.gpu.plan import Ask
from studies.gpu.weights import SHIPPED, network

LENGTH, LARGEST, REPEATS = 128, 8192, 5
SMALL = 12    # tokens of a row in a rehearsal
ARMS = {"ancestral": (Ancestral(32), "heavy"), "ssmd": (SelfSpeculative(Linear(0.0625), 10), "hybrid_frozen")}
WAYS: dict[str, Callable[[Denoiser], Denoiser]] = {"eager": lambda net: net, "compiled": compiled, "graphs": Graphed}


class Run(NamedTuple):
    """One sampler on its network, so many rows at a time."""

    sampler: Any
    net: Denoiser
    batch: int
    device: str
    length: int
    n: int = 0    # rows; 0: one batch, at least two

    @property
    def rows(self) -> int:
        return self.n or max(2, self.batch)

    def go(self, net: Denoiser | None = None, ledger: Ledger | None = None) -> Tensor:
        prompts = torch.full((self.rows, self.length), self.net.mask, device=self.device)
        return sample(self.sampler, {"main": net or self.net}, prompts, 0, self.batch, ledger=ledger)


def nets(ask: Ask, way: str, dtype: str = "float32") -> dict[str, Denoiser]:
    torch.backends.cuda.matmul.allow_tf32 = False
    found = {}
    for arm, (_, name) in ARMS.items():
        net = network(SHIPPED / f"{name}.safetensors").to(ask.device)
        net = halved(net) if dtype == "bfloat16" else net
        inner = compiled(net) if way == "compiled" and ask.compiles else net
        inner = Half(inner) if dtype == "bfloat16" else inner
        found[arm] = Graphed(inner) if way == "graphs" else inner
    return found


def length(ask: Ask) -> int:
    return LENGTH if ask.scale >= 1 else SMALL


@torch.inference_mode()
def saturating(net: Denoiser, ask: Ask) -> int:
    """The smallest power of two beyond which a doubled batch of draft passes reads less than a twentieth more tokens a
    second.
    """
    net = net.net if isinstance(net, Graphed) else net    # graphs of the larger batches would only hold memory
    batch, speed, most = 1, 0.0, LARGEST if ask.scale >= 1 else 2
    while batch <= most:
        x = torch.full((batch, length(ask)), net.mask, device=ask.device)
        net.draft(x)
        now = x.numel() / min(timed(lambda x=x: net.draft(x), ask.device)[0] for _ in range(3))
        if now < 1.05 * speed and batch > 16:
            return batch // 2
        batch, speed = 2 * batch, now
    return batch // 2


def profile(ask: Ask, way: str) -> Iterator[dict[str, Any]]:
    """Seconds of the loop and of its passes alone, a draft pass, kernels, waits of the host; then in bfloat16."""
    for dtype in ("float32", *(["bfloat16"] if products(ask.kind) == "bfloat16" and ask.compiles else [])):
        made = nets(ask, way, dtype)
        for load, batch in (("b1", 1), ("saturated", saturating(made["ancestral"], ask))):
            for arm, (sampler, _) in ARMS.items():
                if ask.over():
                    yield {"what": "stopped", "before": f"{dtype} {load} {arm}"}
                    return
                run = Run(sampler, made[arm], batch, ask.device, length(ask))
                yield {"what": f"{arm}.{load}", "way": way, "dtype": dtype, "batch": batch, **measured(run, ask)}


def measured(run: Run, ask: Ask) -> dict[str, Any]:
    script = Script(run.net)
    run.go(script)    # untimed: compiles, captures
    kinds = [kind for kind, _ in script.calls]
    script.play()
    repeats = ask.of(REPEATS, 1)
    loops = [timed(run.go, ask.device)[0] for _ in range(repeats)]
    passes = [timed(script.play, ask.device)[0] for _ in range(repeats)]
    about = {"rows": run.rows, "drafts": kinds.count("draft"), "verifies": kinds.count("verify"),
             "loop_seconds": median(loops), "pass_seconds": median(passes), "tokens_per_second":
             run.rows * run.length / median(loops), "loop_over_passes": median(loops) / median(passes)}
    if isinstance(run.net, Graphed):
        about |= {"graphs": len(run.net.made), "replayed": run.net.replayed, "not_replayed": run.net.passed_on}
    return about | (waits(run, len(kinds), kinds.count("draft")) if ask.kind == "cuda" else {})


def waits(run: Run, calls: int, drafts: int) -> dict[str, Any]:
    """What CUDA alone tells: kernels a pass, waits of the host a draft pass, share of the time without a kernel."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        run.go()
        torch.cuda.set_sync_debug_mode("default")
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as seen:
        seconds, _ = timed(run.go, run.device)
    kernels = [e for e in seen.events() if e.device_type == torch.autograd.DeviceType.CUDA]
    at_work = sum(e.device_time_total for e in kernels) / 1e6
    return {"host_waits_a_draft": sum("synchroniz" in str(w.message) for w in said) / drafts,
            "kernels_a_pass": len(kernels) / calls, "waiting_share": max(0.0, 1 - at_work / seconds)}


def eager(ask: Ask) -> Iterator[dict[str, Any]]:
    yield from profile(ask, "eager")


def compiled_blocks(ask: Ask) -> Iterator[dict[str, Any]]:
    yield from profile(ask, "compiled")


def graphs(ask: Ask) -> Iterator[dict[str, Any]]:
    """Before the times, whether replayed passes give what the passes give."""
    yield {"what": "replayed", "largest_difference": apart(nets(ask, "graphs")["ssmd"], ask)}
    yield from profile(ask, "graphs")


@torch.inference_mode()
def apart(net: Graphed, ask: Ask) -> float:
    """The largest difference of a logit between passes through graphs and as ever: two draft passes, verified in turns
    while tokens change and a row is done.
    """
    rows, places = 3, length(ask)
    order = torch.arange(places, device=ask.device).expand(rows, places)           # (B, L)
    at, furthest = order[:, :5], 0.0                                               # (B, W)
    alive = (torch.arange(rows, device=ask.device) != 1)[:, None]                  # (B, 1)
    for turn in range(3):    # recorded, and replayed
        texts = [torch.where(order < k, order % net.vocab, net.mask) for k in (0, 2)]
        drafts = [(net.draft(x, at), net.net.draft(x, at)) for x in texts]
        furthest = max(furthest, *((mine[0] - plain[0]).abs().max().item() for mine, plain in drafts))
        for k in (0, 0, 1, 0, 1):
            (_, mine), (_, plain) = drafts[k]
            mine.promise(5, 5)
            asked = at.where((at >= k + turn) & alive, -1)
            y = (order + k + turn) % net.vocab
            found, known = net.verify(mine, y, order, asked), net.net.verify(plain, y, order, asked)
            furthest = max(furthest, ((found - known).abs() * (asked >= 0)[..., None]).max().item())
    return furthest


def side(ask: Ask) -> Iterator[dict[str, Any]]:
    """In turns in one process, eager and then with graphs; how many passes each takes (NFE A, a count) and whether rows
    hang on the batch that they ride in.
    """
    for way in ("eager", "graphs"):
        made = nets(ask, way)
        for load, batch in (("b1", 1), ("b32", 32 if ask.scale >= 1 else 2),
                            ("saturated", saturating(made["ancestral"], ask))):
            if ask.over():
                yield {"what": "stopped", "before": f"{way} {load}"}
                return
            runs = {arm: Run(sampler, made[arm], batch, ask.device, length(ask)) for arm, (sampler, _) in ARMS.items()}
            passes = {arm: _passes(run) for arm, run in runs.items()}    # untimed
            seconds: dict[str, list[float]] = {arm: [] for arm in ARMS}
            for _ in range(ask.of(REPEATS, 1)):
                for arm, run in runs.items():
                    seconds[arm].append(timed(run.go, ask.device)[0])
            ratios = [a / b for a, b in zip(*seconds.values())]
            yield {"what": load, "way": way, "batch": batch, "rows": runs["ssmd"].rows, "seconds": seconds,
                   "seconds_ratio": median(ratios), "lowest": min(ratios), "highest": max(ratios),
                   "passes_ratio": passes["ancestral"] / passes["ssmd"]}
    for arm, (sampler, _) in ARMS.items():
        n = 32 if ask.scale >= 1 else 3
        a, b = (Run(sampler, made[arm], batch, ask.device, length(ask), n).go() for batch in (2, n))
        yield {"what": f"batch_invariance.{arm}", "rows": n, "rows_differ": int((a != b).any(1).sum()),
               "tokens_differ": int((a != b).sum())}


def _passes(run: Run) -> float:
    ledger = Ledger(run.rows, run.length, run.net.mask)
    run.go(ledger=ledger)
    return float(ledger.blocks.sum())
