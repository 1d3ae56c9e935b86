"""Good material, made once: a study and its run, a sweep, networks, corpora, a tokenizer, rules, expectations, claims.

Inputs are copies of it with something wrong.
"""

import json
import shutil
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from tests.fuzz.case import Case
from tests.fuzz.child import Running

STUDY = '''"""A tiny study."""
from baselines.ancestral import Ancestral
from harness.data.control import HeldOut
from harness.data.exact import Exact
from harness.metrics.entropy import CorpusEntropy
from harness.metrics.exact_nll import ExactNll
from harness.study import Arm, Checkpoint, Study, Table, Timing, grid
DATA = Exact()
STUDY = Study(name="toy", question=__doc__, data=DATA, nets={"heavy": Table(DATA)}, reference="heavy",
              arms=[Arm("ancestral", grid(Ancestral, steps=[1, 4]), {"main": "heavy"}), Arm("held_out", [HeldOut()])],
              metrics=[ExactNll(), CorpusEntropy()], n=16, batch=8)
'''
SWEEP = (
    STUDY
    + '''
from harness.param import Choice, Range
from harness.search.sweep import Band, Sweep
SWEEP = Sweep(STUDY, arm="ancestral", objectives=("exact_nll", "nfe_a"),
              space={"steps": Range(1, 8, log=True)}, trials=2, early=(8,),
              constraint=Band("corpus_entropy", width=9.0))
'''
)
RULES = '''tolerance = 0.0
margin = 0.05
samples = "never"
inconclusive = "pass"
missing = "pass"
time_ratio = 1.03
[counts]
nfe_a = 0.01
[margins]
exact_nll = 0.02
[arms.ancestral]
tolerance = 0.01
[arms.ancestral.margins]
exact_nll = 0.5
'''
PAGE = '''# Mine

before
<!-- claims -->
| claim | value |
| `toy.one` | 1 |
<!-- /claims -->
<!-- verify -->
old
<!-- /verify -->
after, which must stay
'''
CHANGELOG = "# Changelog\n\n## Unreleased\n- old\n\n## 1.0\n- older, which must stay\n"
WORDS = "the city is the capital of the country and the seat of its government in the north of the river "
PROTEINS = ["".join("ACDEFGHIKLMNPQRSTVWY"[(7 * k + 3 * j + j * j * (k + 1)) % 20] for j in range(60))
            for k in range(40)]


@dataclass(frozen=True)
class Base:
    folder: Path

    def __post_init__(self):
        self.folder.mkdir(parents=True)
        (self.folder / "work").mkdir()
        self.write("toy.py", STUDY)
        self.write("search.py", SWEEP)
        self.write("rules.toml", RULES)
        self.write("README.md", PAGE)
        self.write("CHANGELOG.md", CHANGELOG)
        self.do("run", "toy.py", "--out", "run")
        self.do("sweep", "search.py", "--out", "swept")
        self.do("expect", "run", "--write", "counts.jsonl", "--changelog", "CHANGELOG.md")
        self.write("CHANGELOG.md", CHANGELOG)
        self.do("summarise", "run", "--out", "kept.zip")
        self._claims()
        self._networks()
        self._corpora()

    def write(self, name: str, content: str | bytes) -> None:
        path = self.folder / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def do(self, *words: str) -> None:
        """A command that must go well."""
        process = Running(Case(words), self.folder)
        while not (ended := process.ended()):
            time.sleep(0.01)
        if ended.code:
            raise RuntimeError(f"the good input {' '.join(words)} ended with {ended.code}: {ended.stderr[-2000:]}")

    def read(self, name: str) -> bytes:
        return (self.folder / "work" / name).read_bytes()

    def put(self, folder: Path, *names: str) -> None:
        """Copies of files and folders, beside each other."""
        for name in names:
            source = self.folder / "work" / name
            if source.is_dir():
                shutil.copytree(source, folder / name)
            else:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, folder / name)

    @cached_property
    def records(self) -> list[dict]:
        return [json.loads(line) for line in self.read("run/records.jsonl").splitlines()]

    def _claims(self) -> None:
        from harness.claims.claim import claim

        rows = [claim(f"toy.{name}", 1.0, 0.5, 1.5, "things", 16, "ssmd-bench run toy.py --out runs/toy --claims",
            ["8cee83e7f9c4"], "a note") for name in ("one", "two")]
        self.write("results/toy/claims.json", json.dumps(rows, indent=1))

    def _networks(self) -> None:
        from harness.data.wikipedia_leads import WikipediaLeads
        from harness.nets import checkpoint
        from ssmd.train.loop import keep
        from ssmd.train.settings import Training
        from ssmd.train.updates import Updates

        work, small, data = self.folder / "work", dict(width=16, heads=2, tokens=512.0, batch=4), WikipediaLeads(8)
        for name, config in (("masked", Training("masked", blocks=1, **small)),
            ("hybrid", Training("hybrid", blocks=2, **small)), ("judge", Training("judge", blocks=1, **small))):
            checkpoint.save(config.build(27), work / f"{name}.safetensors",
                {"name": name, "training": {"tokens": 64.0}, "data": data.identity()})
        config = Training("masked", blocks=1, **small)
        checkpoint.save(config.build(20), work / "residues.safetensors", {"name": "residues"})
        source = {"data": data.identity(), "length": 8, "split": "train", "extra": []}
        keep_in = work / "trained" / "light"
        keep_in.mkdir(parents=True)
        keep(keep_in, source, Updates(config, data, "train", "cpu", False, None, ()))

    def _corpora(self) -> None:
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        from harness.data.build.proteins import packed
        from harness.data.proteins import digest

        made = Tokenizer(models.BPE())
        made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        made.train_from_iterator([WORDS], trainers.BpeTrainer(vocab_size=300, special_tokens=["<|endoftext|>"],
            initial_alphabet=alphabet, show_progress=False))
        self.write("tokenizer.json", made.to_str())
        self.write("text8", WORDS * 60)
        self.write("texts.jsonl", (json.dumps({"text": WORDS}) + "\n") * 200)
        self.write("lines.txt", (WORDS + "\n") * 200)
        self.write("mine.fasta", "".join(f">p{k}\n{sequence}\n" for k, sequence in enumerate(PROTEINS)))
        sequences = sorted(sequence.encode() for sequence in PROTEINS)
        split = np.array([0] * 20 + [1] * 5 + [2] * 5 + [3] * 10, np.uint8)
        arrays = packed(sequences, [[k] for k in range(len(sequences))], split)
        about = {"sha256": digest(arrays), "source": "mine.fasta", "counts": {}}
        arrays |= {"accession": _bytes("\n".join(f"P{k}" for k in range(len(sequences))).encode()),
            "profiles": _bytes(b""), "about": _bytes(json.dumps(about).encode())}
        with open(self.folder / "work" / "proteins.npz", "wb") as file:
            np.savez_compressed(file, **arrays)    # type: ignore[arg-type]
        from harness.search.time_grid import Grid, write

        grids = [Grid((0.0, 0.5, 1.0), 4), Grid((0.0, 0.2, 0.6, 1.0), 4)]
        document = {"net": {"name": "heavy", "sha256": "0" * 64}, "data": {"name": "exact"}, "rows": 4, "seed": 0,
                    "grids": [{"by": "information", "steps": g.steps, "alphas": list(g.alphas),
                        "passes": g.passes} for g in grids]}
        write(self.folder / "work" / "grids.json", document)
        torch.manual_seed(0)


def _bytes(content: bytes) -> np.ndarray:
    return np.frombuffer(content, np.uint8)
