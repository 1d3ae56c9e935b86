"""What in the wiring and the training of the causal part carries the gain: its inputs, its blocks, how it adds to the
draft, the weight of its loss, a frozen trunk?

Design: one trunk, the shipped heavy network, and fifteen hybrids on it, each trained on 4 M tokens of the same batches
from the same start; each differs from `base` (one causal block, frozen trunk, weight D/(D-i)) in one thing. `seed`
differs in its seed alone and shows how far two trainings of the same settings lie apart: the yardstick for all others,
each of which is one training. The sampler, its settings and its rows are the same for all, so that differences are
paired. Questions of the reviewers of arXiv 2510.03929 that it is made for: S5 (more causal blocks), S7 (is D/(D-i)
right for the second term?), S9 (are hidden states needed in the causal input, beside the residual?), S12 (is a frozen
trunk worse?). Claims: the judge's nats a token, NAME minus base, at one setting; passes (NFE A) of NAME over those of
base at base's likelihood. Expected, written before the run: `weight_even` and `weight_late` within 0.01 nats of base;
without hidden states of the current place little changes (the token stands there), without those of the next place a
little more, the residual bringing them back; `projected` and `gated` learn more slowly (0.005 to 0.02 nats); two and
three blocks verify better and cost more, about even in passes; `joint` gains in the target and loses in the draft, and
is ahead of base, since all its weights have seen 4 M tokens more; `seed` within 0.01 nats; `halves` learns next to
nothing, since no product then holds the distance between the place to be predicted and a known token, and `learned` a
part.

    ssmd-bench train family --recipe studies/causal_part --init ssmd/checkpoints/heavy.safetensors \\
        --compile --jobs 2 --out runs/causal_part
        # about an hour on two cores
    ssmd-bench run studies/causal_part --compile --no-time --claims
        # about an hour on one core
"""

from dataclasses import replace
from pathlib import Path

from harness.schedules.window import Cosine
from harness.study import Arm, Study
from ssmd.sampler import SelfSpeculative
from ssmd.train.settings import Training
from studies.ablations.claims import COMPARED, claims_of, measure_of
from studies.arms import HELD_OUT
from studies.families import TEXT, metrics, nets, trained

__all__ = ["DATA", "FAMILY", "STUDY", "claims", "measure"]

BASE, TRAINED = Training("hybrid", blocks=7, frozen=True, tokens=4e6), Path("runs/causal_part")
CHANGES = {
    "base": {}, "seed": dict(seed=2), "joint": dict(frozen=False),
    "weight_even": dict(power=0.0), "weight_late": dict(power=2.0), "weight_window": dict(depth=16),
    "reads_current": dict(inputs="current"), "reads_next": dict(inputs="next"), "reads_token": dict(inputs="none"),
    "projected": dict(contribution="projected"), "gated": dict(contribution="gated"),
    "halves": dict(positions="halves"), "learned": dict(positions="learned"),
    "two_blocks": dict(blocks=8, causal=2), "three_blocks": dict(blocks=9, causal=3),
}
DATA, FAMILY = TEXT, {name: replace(BASE, **changes) for name, changes in CHANGES.items()}
STUDY = Study(
    name="causal_part", question=__doc__, data=DATA, reference="heavy",
    nets=nets("heavy") | trained(TRAINED, *FAMILY),
    arms=[*(Arm(name, [SelfSpeculative(Cosine(0.16), 10), COMPARED, SelfSpeculative(Cosine(0.04), 4)], {"main": name})
            for name in FAMILY),
          HELD_OUT],
    metrics=metrics("judge", "spelling", "sample_entropy"), n=512, batch=64)
BASES = {name: "base" for name in FAMILY if name != "base"}
claims, measure = claims_of("causal_part", BASES), measure_of(BASES)
