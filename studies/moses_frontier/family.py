"""Networks of molecules (MOSES, SMILES by characters), by the recipe of the family of text: `ssmd-bench train family
--recipe studies/moses_frontier/family.py --out runs/moses_family` queues them, each resumable.

Heavy is masked diffusion, hybrid_frozen one causal block on its frozen blocks, light the cheap half of a schedule. The
judge reads left to right, and learned from molecules that no other network has seen.

Heavy was trained in two cycles. The second begins from the first, `shallow`, with three blocks more:

    ssmd-bench train heavy --recipe studies/moses_frontier/family.py --compile --out runs/moses_family \
        --init runs/moses_family/shallow/shallow.safetensors
"""

from pathlib import Path

from harness.data.moses import Moses
from ssmd.train.settings import Training

DATA = Moses("runs/moses.npz")
OUT = Path("runs/moses_family")
SIZE = dict(width=192, heads=6, batch=32, tokens=45e6, lr=3e-3, warmup=200, optimiser="muon")
FAMILY = {
    "shallow": Training("masked", blocks=5, **SIZE), "light": Training("masked", blocks=1, **SIZE),
    "heavy": Training("masked", blocks=8, **SIZE | dict(batch=64, tokens=24e6, lr=2e-3)),
    "hybrid_frozen": Training("hybrid", blocks=9, frozen=True, **SIZE | {"tokens": 15e6}),
    "judge": Training("judge", blocks=4, dropout=0.1, **SIZE | {"tokens": 15e6}),
}
