"""The verb `new`: a first file of a study, a sampler or a metric of one's own, that runs as it is."""

from argparse import Namespace
from pathlib import Path

from harness.boundary.arguments import MEASURE, Parser, Verb, word

STUDY = '''"""What does this study ask? Write it here: it stands at the top of the report."""

from baselines.ancestral import Ancestral
from harness.data.control import HeldOut
from harness.data.wikipedia_leads import WikipediaLeads
from harness.metrics.ngram_judge import NgramJudge
from harness.metrics.words import Spelling
from harness.schedules.window import Linear
from harness.study import Arm, Study, grid, shipped
from ssmd.sampler import SelfSpeculative

STUDY = Study(
    name="NAME", question=__doc__, data=WikipediaLeads(length=128),
    nets={"heavy": shipped("heavy"), "hybrid": shipped("hybrid_frozen")}, reference="heavy",
    arms=[Arm("ancestral", grid(Ancestral, steps=[8, 16, 32]), {"main": "heavy"}),
          Arm("ssmd", [SelfSpeculative(Linear(delta), 10) for delta in (0.25, 0.125)], {"main": "hybrid"}),
          Arm("held_out", [HeldOut()])],
    metrics=[Spelling(), NgramJudge()], n=64, batch=32)
'''
SAMPLER = '''"""Writes `tokens` random places a pass: say here what your sampler does, and where it comes from."""

from dataclasses import dataclass
from typing import ClassVar

from harness.param import Range, check, param
from harness.sampling.reveal import positions, reveal_times, write


@dataclass(frozen=True)
class CLASS:
    tokens: int = param(4, Range(1, 4096, log=True), "places written a pass")

    name: ClassVar[str] = "NAME"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)    # roles of the networks that it calls

    def __post_init__(self):
        check(self)

    def exact(self):
        return CLASS(tokens=1)    # the setting whose rows have the law of an ideal network; None if there is none

    def start(self, nets, rows):
        return {"time": reveal_times(rows)}    # what is kept of each row: here a random order, (B, L)

    def step(self, nets, rows):
        masked = rows.x == nets["main"].mask                                           # (B, L)
        rank = rows.memo["time"].where(masked, 2.0).argsort(1).argsort(1)              # (B, L)
        return write(nets["main"], rows, positions(masked & (rank < self.tokens)))
'''
METRIC = '''"""The share of distinct tokens of a row: say here what your metric measures."""

from dataclasses import dataclass
from typing import ClassVar

from harness.metrics.form import ratio


@dataclass(frozen=True)
class CLASS:
    name: ClassVar[str] = "NAME"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "higher"    # or "lower", or "match": as near to held-out rows as can be
    unit: ClassVar[str] = "share of tokens"

    def score(self, samples, data):
        """samples (n, L) token ids -> a numerator and a denominator of each row; the value is their ratio."""
        return ratio([len(row.unique()) for row in samples], [samples.shape[1]] * len(samples), self.name)
'''
KINDS = {
    "study": (STUDY, "ssmd-bench run NAME.py --out runs/NAME --report runs/NAME/report"),
    "sampler": (SAMPLER, "ssmd-bench --plugins NAME verify NAME"),
    "metric": (METRIC, "ssmd-bench --plugins NAME rescore runs/demo --metric NAME"),
}


def _options(parser: Parser) -> None:
    parser.add_argument("kind", choices=tuple(KINDS))
    parser.add_argument("name", type=word, help="small letters, digits and _; the file is NAME.py in this folder")


def new(options: Namespace) -> tuple[dict, int]:
    """Raises ValueError for a name that cannot be used, and where something stands already."""
    from harness.boundary.atomic import write_text

    name, (text, then) = options.name, KINDS[options.kind]
    path = Path(f"{name}.py")
    if name.isidentifier() and (path.exists() or Path(name).exists()):
        raise ValueError(f"{path if path.exists() else name} is there already: choose another name")
    check_name(name, options.kind)
    classed = "".join(part.capitalize() for part in name.split("_"))
    write_text(path, text.replace("NAME", name).replace("CLASS", classed))
    then = then.replace("NAME", name)
    print(f"{path} is written and runs as it is:\n    {then}")
    return {"file": str(path), "then": then}, 0


def check_name(name: str, kind: str) -> None:
    """Raises ValueError for a name that is none, or taken."""
    import importlib.util
    import keyword

    from harness.cli._listing import names

    if keyword.iskeyword(name):
        raise ValueError(f"{name} is a word of Python itself: choose another name")
    if not name.isidentifier() or name != name.lower() or name.startswith("_"):
        raise ValueError(f"{name!r} is no name of a module: use small letters, digits and _, and begin with a letter")
    if name in names()[kind]:
        raise ValueError(f"there is a {kind} {name} already (ssmd-bench list {name}): choose another name")
    if importlib.util.find_spec(name):
        raise ValueError(f"Python has a module {name} already, which would be hidden: choose another name")


VERBS = (
    Verb("new", MEASURE, "write a first file of a study, a sampler or a metric of your own",
         "ssmd-bench new study my_study", _options, new),
)
