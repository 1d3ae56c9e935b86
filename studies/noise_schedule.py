"""Which noise schedule: for sampling, and for training?

Sampling: 40 points of ancestral sampling with the shipped heavy network, schedule (linear, cosine, polynomial with its exponent) x steps, chosen by TPE for the
judge's likelihood and passes within a band of entropy; beside them, at the same n, the linear schedule at five numbers of steps. The network sees no clock,
so schedules differ by how many tokens each pass reveals and by nothing else. Training: the smallest network of the family from scratch under three laws of i
(linear, cosine, polynomial with exponent 2), three seeds each, equal tokens; the loss is the same evidence bound for all, on the same masked validation rows. Expected:
sampling, cosine ahead at few steps, since the first tokens are the hardest to write side by side; training, differences below 0.01 nats, within the seeds.

    ssmd-bench run studies/noise_schedule.py --only held_out             trains: about 20 minutes on one core; goes on where it was killed
    ssmd-bench sweep studies/noise_schedule.py --jobs 2 --claims         samples: about 20 minutes on two cores
"""

import sys
from dataclasses import replace

import numpy as np
from scipy.stats import t as student

from baselines.ancestral import Ancestral
from harness.claims import claim
from harness.contest import front_claims
from harness.measured import column, once
from harness.nets import checkpoint
from harness.param import Range
from harness.points import done
from harness.schedule import Cosine, Linear, Polynomial
from harness.spec import canonical, to_json
from harness.store import Store
from harness.study import Arm, Study, grid
from harness.sweep import Band, Sweep
from ssmd.family import member
from ssmd.train import train
from studies.demo import STUDY as DEMO

LAWS = {"linear": Linear(), "cosine": Cosine(), "polynomial": Polynomial(2.0)}
SEEDS = (1, 2, 3)
SMALLEST = member("light", tokens=1.5e6)
NAME = "loss by the law of training"

STUDY = Study(
    name="noise_schedule", question=__doc__, data=DEMO.data, nets={"heavy": DEMO.nets["heavy"]}, reference="heavy",
    arms=[Arm("ancestral", [Ancestral(16)], {"main": "heavy"}), Arm("linear", grid(Ancestral, steps=[4, 8, 16, 32, 64]), {"main": "heavy"}),
          next(arm for arm in DEMO.arms if arm.name == "held_out")],
    metrics=[m for m in DEMO.metrics if m.name in ("judge", "sample_entropy")], n=256, batch=64)

SWEEP = Sweep(STUDY, arm="ancestral", objectives=("judge", "nfe_a"), trials=40, constraint=Band("sample_entropy", width=0.05), beside=("linear",), space={
    "steps": Range(4, 64, log=True)})


def _losses(study: Study, store: Store) -> list[list]:
    rows = []
    for seed in SEEDS:
        for law, schedule in LAWS.items():
            path = train(replace(SMALLEST, schedule=schedule, seed=seed), study.data, store.folder / "training" / f"{law}_{seed}", law, say=_say)
            card = checkpoint.load(path).card
            rows.append([law, seed, card["tokens"], card["validation_nats_per_token"]["draft"]])
    return rows


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def measure(study: Study, store: Store) -> list[dict]:
    """Validation losses of the networks trained, which stay in the run folder; nothing where the data are no text to train on."""
    cells = [r for r in done(store, "held_out", study.n) if r["cell"]["data"] == study.data.identity()]
    if not cells or not hasattr(study.data, "tokens"):
        return []
    settings = {"training": canonical(to_json(SMALLEST)), "laws": {name: to_json(law) for name, law in LAWS.items()}, "seeds": list(SEEDS)}
    return [once(store, study.name, NAME, ("law", "seed", "tokens", "nats"), lambda: _losses(study, store), cells[:1], ("ssmd.train", __name__), **settings)]


def claims(store: Store, command: str) -> list[dict]:
    """noise_schedule.front_* of sampling; noise_schedule.training_{cosine, polynomial}_minus_linear, paired by seed, Student's interval over the seeds."""
    made, reason = front_claims(store, command, SWEEP, "linear", "noise_schedule", ("harness.loop", "harness.nets.transformer"))
    if reason:
        print(reason)
    record = next((r for r in reversed(store.of("measured")) if r["name"] == NAME), None)
    for law in [] if record is None else sorted({*column(record, "law")} - {"linear"}):
        d = np.subtract(*(column(record, "nats", law=name) for name in (law, "linear")))                # (seeds,)
        half = student.ppf(0.975, len(d) - 1) * d.std(ddof=1) / len(d) ** 0.5
        made.append(claim(f"noise_schedule.training_{law}_minus_linear", d.mean(), d.mean() - half, d.mean() + half, "validation nats per token, paired by seed", len(d), command,
                          [record["key"]], f"{column(record, 'tokens')[0] / 1e6:.1f} M tokens each; Student's interval over seeds", ("ssmd.train", "ssmd.loss")))
    return made
