"""Which noise schedule: for sampling, and for training?

Sampling: 40 points of ancestral sampling with the shipped heavy network, schedule (linear, cosine, polynomial with its
exponent) x steps, chosen by TPE for the judge's likelihood and passes within a band of entropy; beside them, at the
same n, the linear schedule at five numbers of steps. The network sees no clock, so schedules differ by how many tokens
each pass reveals and by nothing else. Training: the smallest network of the family from scratch under three laws of i
(linear, cosine, polynomial with exponent 2), three seeds each, equal tokens; the loss is the same evidence bound for
all, on the same masked validation rows. Expected: sampling, cosine ahead at few steps, since the first tokens are the
hardest to write side by side; training, differences below 0.01 nats, within the seeds.

    ssmd-bench run studies/noise_schedule --only held_out             trains: about 20 minutes on one core; goes on
                                                                         where it was killed
    ssmd-bench sweep studies/noise_schedule --jobs 2 --claims         samples: about 20 minutes on two cores
"""

from baselines.ancestral import Ancestral
from harness.param import Choice, Range
from harness.records.store import Store
from harness.schedules.noise import Cosine, Linear, Polynomial
from harness.search.sweep import Band, Sweep
from harness.study import Arm, Study, grid
from studies.arms import HELD_OUT
from studies.families import TEXT, metrics, nets
from studies.noise_schedule import claims as found
from studies.noise_schedule.claims import measure

__all__ = ["STUDY", "SWEEP", "claims", "measure"]

STUDY = Study(
    name="noise_schedule", question=__doc__, data=TEXT, nets=nets("heavy"), reference="heavy",
    arms=[Arm("ancestral", [Ancestral(16)], {"main": "heavy"}), Arm("linear", grid(Ancestral, steps=[4, 8, 16, 32, 64]),
                                                                    {"main": "heavy"}),
          HELD_OUT],
    metrics=metrics("judge", "sample_entropy"), n=256, batch=64)

SWEEP = Sweep(STUDY, arm="ancestral", objectives=("judge", "nfe_a"), trials=40,
              constraint=Band("sample_entropy", width=0.05), beside=("linear",), space={
"steps": Range(4, 64, log=True), "schedule": Choice(Linear(), Cosine(), Polynomial()),
"schedule.polynomial.exponent": Range(0.25, 4.0, log=True)})


def claims(store: Store, command: str) -> list[dict]:
    return found.claims(store, command, SWEEP)
