"""Networks of molecules that begin as left-to-right ones, at three budgets of training, for studies/moses_left.

A judge of 4 blocks reads from left to right, and is trained on the judge's part of the data. The heavy network begins
as that judge, with two blocks more. All look left, and each place is told how far it is to the end of the molecule,
which is given. A training in the order of writing teaches it to draft from masks the next eight characters, and keeps
the law of the next one in every beginning. Long beginnings are more frequent (Polynomial), since one pass holds the law
of all shorter ones. Two causal blocks come on top of it, once it is frozen, for windows of up to eight characters; they
learn its own law of the next character, which one pass has of every beginning (ssmd/train/taught.py).

`python -m studies.moses_left.queue` trains them one after the other. It prints each command, goes on where it was
killed, and skips what is finished.
"""

from pathlib import Path

from harness.schedules.noise import Polynomial
from harness.schedules.order import LeftToRight
from ssmd.train.settings import Training
from studies.moses_frontier.family import DATA, SIZE
from studies.moses_frontier.family import FAMILY as FRONTIER

__all__ = ["DATA", "FAMILY", "FOLDERS", "OUT"]

OUT = Path("runs/moses_left")
# of a budget of training, in places that the heavy network read: the folders of its two networks
FOLDERS = {"3M": ("middle", "taught_3M"), "15M": ("high_first", "taught_15M"), "65M": ("high", "taught")}
MASKED = SIZE | dict(order=LeftToRight(), left=6, told=True, depth=8, schedule=Polynomial(3.0), lr=2e-3)
FAMILY = {
    "judge": FRONTIER["judge"],
    "heavy": Training("masked", blocks=6, **MASKED | {"tokens": 15e6}),
    "hybrid_frozen": Training("hybrid", blocks=8, causal=2, frozen=True, taught=1, **MASKED | {"tokens": 10e6}),
}
