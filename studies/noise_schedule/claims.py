"""Networks trained under three laws of masking, and the front of the search. Claims noise_schedule.front_* and
noise_schedule.training_{cosine, polynomial}_minus_linear.
"""

import sys
from dataclasses import replace

import numpy as np
from scipy.stats import t as student

from harness.claims.claim import claim
from harness.nets import checkpoint
from harness.records.measured import cached_table, column, newest
from harness.records.points import done
from harness.records.store import Store
from harness.schedules.noise import Cosine, Linear, Polynomial
from harness.search.sweep import Sweep
from harness.spec import canonical, to_json
from harness.study import Study
from ssmd.train.family import member
from ssmd.train.loop import train
from studies.analysis.swept_front import front_claims

LAWS = {"linear": Linear(), "cosine": Cosine(), "polynomial": Polynomial(2.0)}
SEEDS = (1, 2, 3)
SMALLEST = member("light", tokens=1.5e6)
NAME = "loss by the law of training"


def _losses(study: Study, store: Store) -> list[list]:
    rows = []
    for seed in SEEDS:
        for law, schedule in LAWS.items():
            path = train(replace(SMALLEST, schedule=schedule, seed=seed), study.data, store.work() / "training"
                         / f"{law}_{seed}", law, say=_say)
            card = checkpoint.load(path).card
            rows.append([law, seed, card["tokens"], card["validation_nats_per_token"]["draft"]])
    return rows


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def measure(study: Study, store: Store) -> list[dict]:
    """Validation losses of the networks trained, which stay in the run folder; nothing where the data are no text to
    train on.
    """
    cells = [r for r in done(store, "held_out", study.n) if r["cell"]["data"] == study.data.identity()]
    if not cells or not hasattr(study.data, "tokens"):
        return []
    settings = {"training": canonical(to_json(SMALLEST)), "laws": {name: to_json(law) for name, law in LAWS.items()},
                "seeds": list(SEEDS)}
    return [cached_table(store, study.name, NAME, ("law", "seed", "tokens", "nats"),
                         lambda: _losses(study, store), cells[:1],
                 **settings)]


def claims(store: Store, command: str, sweep: Sweep) -> list[dict]:
    """noise_schedule.front_* of sampling; noise_schedule.training_{cosine, polynomial}_minus_linear, paired by seed,
    Student's interval over the seeds.
    """
    made, reason = front_claims(store, command, sweep, "linear", "noise_schedule")
    if reason:
        print(reason)
    record = newest(store, NAME)
    for law in [] if record is None else sorted({*column(record, "law")} - {"linear"}):
        d = np.subtract(*(column(record, "nats", law=name) for name in (law, "linear")))                # (seeds,)
        half = student.ppf(0.975, len(d) - 1) * d.std(ddof=1) / len(d) ** 0.5
        made.append(claim(f"noise_schedule.training_{law}_minus_linear", d.mean(), d.mean() - half, d.mean() + half,
                          "validation nats per token, paired by seed", len(d), command,
                          [record["key"]],
                          f"{column(record, 'tokens')[0] / 1e6:.1f} M tokens each; Student's interval over seeds"))
    return made
