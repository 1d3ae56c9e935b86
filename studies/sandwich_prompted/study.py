"""Does what studies/sandwich finds hold where the beginning of a text is given, the second case of arXiv 2604.02340?

Design: that study with the first quarter of each row given from held-out text, the same for all arms; the sandwich's
light eighths are those of the text that is written. Rows are scored whole, so that the given part, alike in all arms,
makes differences a quarter smaller than they are per written token. FLOPs are those of the passes that a row needs.
Expected, written before the run: the same signs, differences smaller throughout. `ssmd-bench run
studies/sandwich_prompted --compile --no-time --claims`: about half an hour on one core.
"""

from dataclasses import replace

from baselines.first_hitting import FirstHitting
from harness.study import grid
from studies.sandwich.claims import claims_of
from studies.sandwich.study import STUDY as WHOLE

__all__ = ["STUDY", "claims"]

FEWER = grid(FirstHitting, tokens=[4, 3])    # 96 tokens to write
STUDY = replace(WHOLE, name="sandwich_prompted", question=__doc__, prompt=0.25,
                arms=[replace(arm, points=FEWER) if arm.name == "first_hitting" else arm for arm in WHOLE.arms])
claims = claims_of("prompted")
