"""What does a network lose that writes its ENDs itself, and what does one that reads from left to right write?

Design: two networks that are given no length. `ends_written` is masked diffusion, trained in the updates of
`ends_given` (studies/moses_ends_given), and is sampled one character a pass in a random order. The judge of molecules
writes from left to right; its 4 blocks of width 192 learned from other molecules, 15 M places. It says what this data,
hardware and budget give without the demand that any place may be asked for; it differs from the heavy network in
depth, dropout and budget too, so that the share of each is not told. Expected: ENDs inside cost the first a part of
its rows; the judge is far better than any masked network here.
"""

from baselines.first_hitting import FirstHitting
from harness.metrics.molecules.fcd import Fcd
from harness.metrics.molecules.validity import Validity
from harness.metrics.molecules.variety import Novelty
from harness.nets.causal import Causal
from harness.schedules.order import LeftToRight
from harness.study import Arm, Study
from studies.families import trained
from studies.moses_ends_written.claims import claims
from studies.moses_ends_written.family import DATA, FAMILY, OUT
from studies.moses_frontier.family import OUT as FRONTIER

__all__ = ["DATA", "FAMILY", "STUDY", "claims"]

STUDY = Study(
    name="moses_ends_written", question=__doc__, data=DATA, reference="ends_written",
    nets=trained(OUT, "ends_written") | {"autoregressive": Causal(str(FRONTIER / "judge" / "judge.safetensors"))},
    arms=[Arm("written", [FirstHitting()], {"main": "ends_written"}),
          Arm("autoregressive", [FirstHitting(order=LeftToRight())], {"main": "autoregressive"})],
    metrics=[Validity(), Fcd(split="test"), Novelty()], n=1024, batch=128)
