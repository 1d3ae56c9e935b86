"""What a training would take, before it is begun: its data, its size, its speed on this machine by a few real updates,
and the hours to the end.

    ssmd-bench train hybrid --recipe studies/paper/text8.py --path text8.zip --dry-run

Nothing is written. Memory is that of updates with `micro` rows a forward pass; the logits of one pass are often the
largest table of all. FLOPs are those of harness/nets/flops.py, a forward pass and a backward pass of twice its cost; a
frozen draft has no backward pass. Hours at a stated speed (--assume) are computed and never measured.
"""

from pathlib import Path

from harness.kinds import Dataset
from harness.nets.flops import block_flops, causal_flops, head_flops
from harness.run.clock import MIB, peak, timed
from ssmd.train.loop import check_rows, held_out
from ssmd.train.settings import Training
from ssmd.train.updates import Updates, device_name

SECONDS = 20.0    # of updates that are timed


def flops_a_token(config: Training, vocab: int, length: int) -> float:
    """Of one update, per token of its rows."""
    d, head = config.width, head_flops(config.width, vocab)
    if config.network == "judge":
        return 3 * (config.blocks * block_flops(d, (length + 1) // 2) + head)
    if config.network == "masked":
        return 3 * (config.blocks * block_flops(d, length) + head)
    draft = (config.blocks - config.causal) * block_flops(d, length) + head
    verify = causal_flops(d, config.causal, 0, length, length) / length + head
    return draft + 3 * verify if config.frozen else 3 * (draft + verify)


def dry_run(config: Training, data: Dataset, split: str, device: str = "cpu", compiled: bool = False,
            init: Path | None = None, seconds: float = SECONDS,
            assume: float | None = None) -> dict:
    """The plan as a JSON document. Raises ValueError as training would: data that are missing, a checkpoint that does
    not fit, a device that is not there.
    """
    check_rows(config, data)
    text = len(data.tokens(split)) if hasattr(data, "tokens") else None
    judged = held_out(data)
    flops = flops_a_token(config, data.vocab, data.length)
    updates = Updates(config, data, split, device, compiled, init)

    def some() -> tuple[int, float]:
        updates.once()    # compiles, warms up
        done, spent = 0, 0.0
        while updates.agreed(spent < seconds or done < 2):
            spent += timed(updates.once, updates.device)[0]
            done += 1
        return done, spent

    mib, (done, spent) = peak(some, updates.device)
    speed = done * config.batch * data.length / spent                              # of all processes
    updates.leave()
    together = min(config.micro or config.batch, config.batch // updates.world)
    sizes = [(p.numel(), p.requires_grad) for p in updates.net.parameters()]
    plan = {
        "parameters": sum(n for n, _ in sizes), "trained_parameters": sum(n for n, trained in sizes if trained),
        "updates": updates.steps, "tokens": updates.steps * config.batch * data.length, "text_tokens": text,
        "validation_rows": judged,
        "epochs": text and round(config.tokens / text, 2),
        "flops_a_token": flops, "flops": flops * config.tokens, "processes": updates.world,
        "device": device_name(updates.device),
        "timed_updates": done, "tokens_per_second": round(speed, 1), "flops_per_second": speed * flops,
        "rows_a_forward": together, "logits_mib": round(together * data.length * data.vocab * 4 / MIB, 1),
        "peak_mib": round(mib), "hours": config.tokens / speed / 3600,
    }
    return plan | ({"assumed_flops_per_second": assume, "hours_assumed": flops * config.tokens / assume / 3600}
                   if assume else {})


def sentence(name: str, plan: dict) -> str:
    """The plan as a person reads it."""
    text = (
        f"{plan['text_tokens']:,} tokens of text, {plan['epochs']:g} times over"
        if plan["text_tokens"]
        else "rows drawn anew, without end"
    )
    assumed = (
        f"; at an assumed {plan['assumed_flops_per_second']:.3g} FLOP/s {plan['hours_assumed']:,.1f} h"
        if "hours_assumed" in plan
        else ""
    )
    return (f"{name}: {plan['parameters']:,} parameters, {plan['trained_parameters']:,} of them trained; "
            f"{plan['updates']:,} updates, {plan['tokens']:,} tokens ({text}); "
            f"{plan['flops']:.3g} FLOPs. Measured on {plan['device']} over {plan['timed_updates']} updates: "
            f"{plan['tokens_per_second']:,.0f} tokens/s, "
            f"{plan['flops_per_second']:.3g} FLOP/s, at most {plan['peak_mib']:,} MiB with "
            f"{plan['rows_a_forward']:,} rows a forward pass, whose logits in float32 are {plan['logits_mib']:,.0f} "
            f"MiB (--set micro=ROWS); that is {plan['hours']:,.2f} h "
            f"with {plan['processes']} process(es){assumed}.")
