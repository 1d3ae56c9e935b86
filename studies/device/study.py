"""How fast is sampling on this device, how near to its ceiling, and do fewer passes become less time there?

Design: ancestral sampling in 32 steps and the self-speculative sampler at about its quality (the pair of
studies/speed), on the networks that ship, at batch 1 and at the batch beyond which doubling gains less than a
twentieth. Five processes one after the other, the two samplers in turns within each; a process is one unit of an
interval. The ceiling is a product of square matrices in the precision of the networks, timed in the same process. On
CUDA also kernels a pass, the share of the time in which the device waits to be given work, and how often the host waits
for the device, a draft pass: the loop's condition is one such wait a round, and there should be no other. Expected: at
batch 1 a GPU waits for its host, so time follows calls and not FLOPs; at the saturating batch it follows FLOPs. On a
CPU the ratio of seconds is that of passes within a tenth. `ssmd-bench run studies/device --no-time --claims
[--device cuda --dtype bfloat16 --compile]`: about 10 minutes on two cores, on an otherwise idle machine.
"""

from baselines.ancestral import Ancestral
from harness.metrics.words import Spelling
from harness.study import Arm, Study
from studies.device.claims import claims, measure
from studies.families import TEXT, nets

__all__ = ["STUDY", "claims", "measure"]

STUDY = Study(
    name="device", question=__doc__, data=TEXT, nets=nets("heavy"), reference="heavy",
    arms=[Arm("ancestral", [Ancestral(8)], {"main": "heavy"})], metrics=[Spelling()], n=16, batch=16)
