"""What is guarded: the sampler at three settings, on a law that is known. A few seconds on one core."""

from confident import Confident

from harness.data.exact import Exact
from harness.metrics.exact_nll import ExactNll
from harness.study import Arm, Study, Table, grid

DATA = Exact()
STUDY = Study(name="guarded", question=__doc__, data=DATA, nets={"main": Table(DATA)}, reference="main",
              metrics=[ExactNll()], n=512, batch=128,
              arms=[Arm("confident", grid(Confident, tokens=[1, 2, 4]))])
