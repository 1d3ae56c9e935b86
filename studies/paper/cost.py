"""What the recipes cost, computed and not measured: parameters, tokens, FLOPs of training, GPU-hours at an assumed
speed.

    python -m studies.paper.cost

FLOPs are those of harness/nets/flops.py (ssmd/train/dry_run.py). The assumed speed is two fifths of 989 TFLOP/s, the
dense bfloat16 peak that NVIDIA states for an H100 or H200. `ssmd-bench train NAME --recipe FILE --dry-run` measures the
real speed of a machine.
"""

import sys

import torch

from harness.boundary.ending import guarded, working
from ssmd.train.dry_run import flops_a_token
from studies.paper import openwebtext, text8, uniref50

ASSUMED = 0.4 * 989e12    # FLOP/s
VOCAB = {text8: 27, openwebtext: 50_257, uniref50: 20}


def table() -> str:
    lines = ["| recipe | network | parameters | tokens | FLOPs | GPU-hours, computed |",
             "| --- | --- | --- | --- | --- | --- |"]
    for module, vocab in VOCAB.items():
        for name, config in module.FAMILY.items():
            with torch.device("meta"):
                size = sum(p.numel() for p in config.build(vocab).parameters())
            flops = flops_a_token(config, vocab, module.DATA.length) * config.tokens
            lines.append(f"| `{module.__name__.rpartition('.')[2]}` | {name} | {size / 1e6:.0f} M | "
                         f"{config.tokens / 1e9:.0f} G | {flops:.2g} | {flops / ASSUMED / 3600:,.0f} |")
    return "\n".join(lines)


def main() -> int:
    working()
    print(table())
    return 0


if __name__ == "__main__":
    sys.exit(guarded("studies.paper.cost", main))
