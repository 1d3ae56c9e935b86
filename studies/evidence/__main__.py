"""How much does a look at 16 rows of a kept cell see, and how long does it take?

Design: every mutant of the conformance tests, a plausible slip in one of our own sources, is planted in turn. Of each
kind of setting two kept cells, the cheapest and the median by passes, are then looked at as `ssmd-bench prove` looks at
them, 16 rows each, until one is refuted. By the unharmed code the same cells are proven, or they are left out: a slip
counts as seen only where nothing differs without it. A mutant of a setting that no kept cell has cannot be seen, and
counts as missed.

Expected: nearly all are seen, since a slip that changes the law of samples changes some of 16 rows; those of settings
that no kept cell has are not.

Claims prove.mutants_refuted_share, with the interval of Clopper and Pearson, and prove.seconds_per_cell, of the looks
that the proofs beside the kept runs are of.

    python -m studies.evidence        the looks, about ten minutes; claims prove.* are made of them and of stored proofs
"""

import sys

from harness.boundary.ending import guarded
from studies.evidence.claims import main

if __name__ == "__main__":
    sys.exit(guarded("studies.evidence", main))
