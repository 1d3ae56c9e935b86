"""Chains that a causal model of antibodies writes, near the natural ones that AntiBERTy was trained on.

    python -m studies.antibody.written iglm-0.1.0-py3-none-any.whl --out runs/written.fasta --n 4000

IgLM-S (1.6 M parameters) was trained on the same public repertoires. It writes human heavy chains at temperature 1: a
chain with a gap, then what fills the gap. Half of the chains begin with EVQL and half with QVQL, as germline V genes
do, since many natural reads begin later. Kept are the last 120 residues of distinct chains of 120 to 124. The judge is
its larger sister, so a network that learns these chains may please it: they are a control of what a block gains, and no
judge's data.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from harness.boundary.arguments import Parser
from harness.boundary.atomic import write_text
from harness.boundary.ending import guarded
from harness.data.residues import AMINO
from harness.nets import causal_lm
from harness.random import Stream, from_logits, uniform
from harness.run.progress import tell
from studies.antibody.prepare import LENGTH, network

BEFORE, STARTS, BATCH = ["[HEAVY]", "[HUMAN]"], ("EVQL", "QVQL"), 512
GAP, FILL, END, LONGEST = "[MASK]", "[SEP]", "[CLS]", LENGTH + 4


@torch.inference_mode()
def written(lm: causal_lm.Lm, seed: int, rows: torch.Tensor) -> list[str]:
    """A chain a row of numbers (B,); empty where it is too long, or is no chain with one gap."""
    words = lm.tokenizer.convert_ids_to_tokens(range(len(lm.tokenizer)))
    begun = [STARTS[row % len(STARTS)] for row in rows.tolist()]
    x = torch.tensor([lm.tokenizer.convert_tokens_to_ids([*BEFORE, *start]) for start in begun])    # (B, 2 + 4)
    found, past = [], None
    for place in range(LONGEST + 3 - len(STARTS[0])):
        answer = lm.net(input_ids=x, past_key_values=past, use_cache=True)
        past, u = answer.past_key_values, uniform(seed, rows, Stream.DATA, torch.tensor([place]))[:, 0]
        x = from_logits(answer.logits[:, -1].double(), u)[0][:, None]              # (B, 1)
        found.append(x)
    return [filled(start + "".join(words[k] for k in row)) for start, row in zip(begun, torch.cat(found, 1).tolist())]


def filled(text: str) -> str:
    """`AB[MASK]EF[SEP]CD[CLS]...` -> ABCDEF; nothing for another form."""
    whole, ended, _ = text.partition(END)
    around, _, inside = whole.partition(FILL)
    before, gap, behind = around.partition(GAP)
    chain = before + inside + behind
    return chain if ended and gap and not set(chain) - set(AMINO) else ""


def chains(wheel: Path, out: Path, n: int, seed: int) -> dict:
    """A FASTA file of n distinct chains. Raises ValueError for a file that is no such wheel."""
    with TemporaryDirectory() as folder:
        network("writer", wheel, Path(folder))
        lm = causal_lm.load(folder, "main", "", "float32", "cpu")
        kept, begun = dict[str, None](), 0
        while len(kept) < n:
            for chain in written(lm, seed, torch.arange(begun, begun + BATCH)):
                if LENGTH <= len(chain) <= LONGEST and len(kept) < n:
                    kept[chain[-LENGTH:]] = None
            begun += BATCH
            tell(f"\r{len(kept)} of {n} chains, {begun} written", end="")
    tell("")
    write_text(out, "".join(f">written{k}\n{chain}\n" for k, chain in enumerate(kept)))
    return {"chains": str(out), "n": len(kept), "written": begun, "seed": seed}


def main(given: list[str] | None = None) -> int:
    parser = Parser(prog="python -m studies.antibody.written", description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--n", type=int, default=4_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(given)
    print(json.dumps(chains(options.wheel, options.out, options.n, options.seed)))
    return 0


if __name__ == "__main__":
    sys.exit(guarded("studies.antibody.written", main))
