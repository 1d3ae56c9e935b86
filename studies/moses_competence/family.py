"""Two weaker families of molecules, for studies/moses_competence; the third is that of studies/moses_frontier.

`low` had 8 M characters in large updates. `middle` is `low` after a second cycle of 30 M in small ones:

    ssmd-bench train heavy --recipe studies/moses_competence/family.py --out runs/moses_competence/low \
        --set batch=256 --set lr=2e-3 --set warmup=100 --tokens 8e6 --compile
    ssmd-bench train heavy --recipe studies/moses_competence/family.py --out runs/moses_competence/middle \
        --init runs/moses_competence/low/heavy/heavy.safetensors --compile

Then `train hybrid_frozen` with the same recipe and folder, for each.
"""

from pathlib import Path

from harness.data.moses import Moses
from ssmd.train.settings import Training

DATA = Moses("runs/moses.npz")
OUT = Path("runs/moses_competence")
SIZE = dict(width=256, heads=8, batch=64, lr=3e-3, warmup=100, optimiser="muon")
FAMILY = {"heavy": Training("masked", blocks=4, tokens=30e6, **SIZE),
          "hybrid_frozen": Training("hybrid", blocks=5, frozen=True, tokens=8e6, **SIZE)}
