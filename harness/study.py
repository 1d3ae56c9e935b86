"""A study: a question, the networks and data it is asked of, arms of operating points. A cell is one point; its key is
what decides its samples.

    STUDY = Study(name="x", question=__doc__, data=WikipediaLeads(128), nets={"heavy": Checkpoint("...")},
                  arms=[Arm("ancestral", grid(Ancestral, steps=[8, 16]), {"main": "heavy"})], reference="heavy",
                  metrics=[Spelling()])
"""

import hashlib
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle
import torch

from harness.boundary import blame
from harness.boundary import fields as check
from harness.boundary.nearest import meant
from harness.kinds import Dataset, Identified, Metric, Sampler
from harness.nets import absent, checkpoint, nucleus
from harness.nets.chain import Chain
from harness.nets.class_chain import ClassChainOracle
from harness.nets.listed import Listed
from harness.nets.tabular import Tabular
from harness.records import provenance, study_path
from harness.spec import UnknownField, canonical


@dataclass(frozen=True)
class Checkpoint:
    """A network by the path of its safetensors file. The file is read when the network is loaded."""

    path: str

    def __post_init__(self):
        check.first("a Checkpoint", self, {"path": check.path})

    def load(self, device: str) -> Identified:
        """The network on the device; calls with one path share it. Raises ValueError, in a sentence, for a file that is
        absent or damaged, or that holds a network that only judges.
        """
        return _loaded(str(self.path), checkpoint.written(self.path), device)


@lru_cache(maxsize=16)
def _loaded(path: str, written: int, device: str) -> Identified:
    return checkpoint.denoiser(Path(path)).to(device)


def shipped(name: str, of: str = "") -> Checkpoint:
    """A network that ships: heavy, light, hybrid, hybrid_frozen, judge; of: the kind of data where it is not the text,
    such as "protein". Raises ValueError if there is no such network.
    """
    path = absent.FOLDER / of / f"{name}.safetensors"
    known = {f"{file.parent.name}/{file.stem}" if file.parent != absent.FOLDER else file.stem
             for file in absent.FOLDER.glob("**/*.json") if file.name != "absent.json"}
    if (asked := f"{of}/{name}" if of else name) not in known:
        raise ValueError(f"no network {asked!r} ships{meant(asked, known) or '; choose ' + ', '.join(sorted(known))}")
    return Checkpoint(str(path))


@dataclass(frozen=True)
class Table:
    """The exact law of a data set as a network: of one that is enumerable, of a world of listed states, of a Markov
    chain. power < 1 flattens it into a light one.
    """

    data: Any
    power: float = 1.0

    def __post_init__(self):
        known = ("stationary" if hasattr(self.data, "stationary") else "law", "identity")
        check.first("a Table", self, {"data": check.has(known, "data set whose law is known", "Table(Exact())"),
                                      "power": check.number(0, above=True)})

    def load(self, device: str) -> Identified:
        """The network on the device; calls with one table share it. Raises ValueError if the law to this power is no
        law in float64.
        """
        return _tabulated(self, device)


@lru_cache(maxsize=16)
def _tabulated(table: Table, device: str) -> Tabular:
    data: Any = table.data
    net: Tabular
    if hasattr(data, "factors"):
        a, b = data.factors()
        net = ClassChainOracle(a.to(device), b.to(device), data.length)
    elif hasattr(data, "transition"):
        net = Chain(data.transition().to(device), data.stationary().to(device), data.length)
    elif hasattr(data, "legal"):
        net = Listed(data.states().to(device), data.law().to(device), data.vocab)
    else:
        net = Tabular(data.law().to(device), data.vocab, data.length)
    net = net if table.power == 1 else net.flat(table.power)
    if not bool(net.draft(torch.full((1, data.length), data.vocab, device=device))[0].exp().isfinite().all()):
        raise ValueError(f"the law of {data.name} to the power {table.power:g} is no law in float64: choose a power "
                         "nearer to 1")
    net.sha256 = hashlib.sha256(canonical([table.data.identity(), table.power]).encode()).hexdigest()
    net.card = {"data": table.data.identity(), "power": table.power}
    return net


@dataclass(frozen=True)
class Arm:
    """One line of a comparison: a sampler at several settings (`points`), its networks and what is done to their laws.
    Logits are divided by `temperature`, then cut to `nucleus`. Each point is a cell of its own.
    """

    name: str
    points: Sequence[Sampler]                 # or controls (harness/data/control.py)
    # role of the sampler -> network of the study
    nets: Mapping[str, str] = field(default_factory=lambda: {"main": "main"})
    temperature: float = 1.0
    nucleus: float = 1.0  # mass of each law that is kept (harness/nets/nucleus.py), after the temperature
    nucleus_keep: str = "crossing"            # or "below"

    def __post_init__(self):
        """Raises ValueError for what no study could run."""
        who = f"the arm {self.name}" if isinstance(self.name, str) else "an arm"
        check.first(who, self, ARM)
        if wrong := nucleus.wrong(self.nucleus, self.nucleus_keep) or check.roles(self.nets, self.points):
            raise ValueError(f"{who}: {wrong}" if "role" not in wrong else f"{who} {wrong}")


@dataclass(frozen=True)
class Timing:
    """How the cells of a study are timed, in seconds on this machine. Each process is fresh and times every cell
    `repeats` times after one untimed run, in orders of its own, over the first `rows` rows.

    The defaults let the gate see a slow-down of 15 % (studies/gate_power).
    """

    processes: int = 8
    rows: int = 16
    repeats: int = 5

    def __post_init__(self):
        check.first("Timing", self, {"processes": check.whole(1, 2**16), "rows": check.whole(1, check.ROWS),
                                     "repeats": check.whole(1, 2**16)})


@dataclass(frozen=True)
class Study:
    """A question, and what is run to answer it: every point of every arm writes `n` rows of `data`, at most `batch` at
    a time. Row k of every arm draws from `seed` and k alone, and is given the same prompt, so that arms are compared by
    paired rows. One NFE is a whole pass of the network `reference`. With `timing` the cells are timed too.
    """

    name: str
    question: str
    data: Dataset
    nets: Mapping[str, Checkpoint | Table]
    arms: Sequence[Arm]
    reference: str                            # the network whose whole forward is the unit of NFE
    metrics: Sequence[Metric]
    n: int = 256
    batch: int = 64
    seed: int = 0
    dtype: str = "float32"                    # of the networks' passes, or "bfloat16"
    compiled: bool = False                    # blocks by torch.compile: faster, equal up to rounding
    prompt: float = 0.0                       # share of each row given, from held-out rows
    scattered: bool = False                   # at random places of each row; else its beginning
    timing: Timing | None = None
    limit_seconds: float = float("inf")       # of one cell

    def __post_init__(self):
        """Raises ValueError for what could not run as written."""
        check.first(f"the study {self.name}" if isinstance(self.name, str) else "the study", self, FIELDS)
        who, names = f"the study {self.name}", [arm.name for arm in self.arms]
        if self.reference not in self.nets:
            known = meant(self.reference, self.nets) or f"; choose {', '.join(self.nets)}"
            raise ValueError(f"{who}: the reference network {self.reference!r} is not one of its nets{known}")
        if self.prompt and hasattr(self.data, "prompts"):
            raise ValueError(f"{who}: {self.data.name} gives prompts of its own, and prompt={self.prompt:g} would take "
                             "the beginnings of rows: leave it out")
        if self.scattered and not self.prompt:
            raise ValueError(f"{who}: scattered=True says where a prompt stands, and there is none: give prompt=0.1, "
                             "for example")
        if len(set(names)) < len(names):
            raise ValueError(f"{who}: two arms share a name in {', '.join(names)}")
        for metric in self.metrics:
            if unfit := getattr(self.data, "unfit", lambda metric: "")(metric):
                raise ValueError(f"{who}: {unfit}")
        for arm in self.arms:
            if unknown := [net for net in arm.nets.values() if net not in self.nets
                           and not all(hasattr(p, "control") for p in arm.points)]:
                known = meant(unknown[0], self.nets) or f"; choose {', '.join(self.nets)}"
                raise ValueError(f"{who}: the arm {arm.name} names a network {unknown[0]!r} that the study does not "
                                 f"have{known}")


ARM: dict[str, check.Kind] = {
    "name": check.label, "points": check.many(check.point, "[Ancestral(8)]"),
    "nets": check.table(check.text("name a network of the study"), '{"main": "heavy"}'),
    "temperature": check.number(0, above=True), "nucleus": check.real,
    "nucleus_keep": check.text(f"choose {' | '.join(nucleus.RULES)}"),
}
FIELDS: dict[str, check.Kind] = {
    "name": check.file_name,
    "question": check.text("begin the file with a docstring that asks it, and give question=__doc__"),
    "data": check.has(("rows", "identity"), "data set", "WikipediaLeads(128)", ("name", "length", "vocab", "mask"),
                      settings=False),
    "nets": check.table(check.has(("load",), "network", 'Checkpoint("heavy.safetensors")'),
                        '{"heavy": Checkpoint("heavy.safetensors")}'),
    "arms": check.many(check.a(Arm, "an Arm(...)"), 'arms=[Arm("ancestral", [Ancestral(8)], {"main": "heavy"})]'),
    "reference": check.text("name the network whose whole pass is the unit of NFE"),
    "metrics": check.many(check.has(("score",), "metric", "Spelling()", ("name", "better", "unit")),
                          "metrics=[Spelling()]"),
    "n": check.whole(1, check.ROWS), "batch": check.whole(1, check.BATCH), "seed": check.whole(0, check.SEEDS - 1),
    "dtype": check.one_of("float32", "bfloat16"),
    "compiled": check.truth, "prompt": check.number(0, 1, below=True), "scattered": check.truth,
    "timing": check.a(Timing, "Timing(processes=3)", empty=True),
    "limit_seconds": check.number(0, above=True, endless=True),
}


def grid(cls: type, **values: Sequence) -> list[Sampler]:
    """Every combination of the values, in order: grid(Ancestral, steps=[8, 16]) gives two samplers."""
    return [cls(**dict(zip(values, combination))) for combination in product(*values.values())]


def load_module(path: str) -> ModuleType:
    """A study's file, executed. Raises ValueError, in a sentence, if it cannot be."""
    file = study_path.file_of(path)
    spec = importlib.util.spec_from_file_location(f"study_{study_path.name_of(file)}", file)
    assert spec is not None and spec.loader is not None, f"{path} is a file of Python by its name"
    module = importlib.util.module_from_spec(spec)
    provenance.forget(file)
    sys.modules[module.__name__] = module               # so that the classes of the file know where they stand
    if (beside := str(file.resolve().parent)) not in sys.path:
        sys.path.append(beside)                         # last: what stands beside the file hides nothing
    cloudpickle.register_pickle_by_value(module)        # other processes have no such module
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:    # any error of the user's file becomes one sentence with its line
        raise ValueError(blame.of_file(error, f"the study file {path} cannot be read")) from None
    return module


def load_study(path: str, **changes: Any) -> Study:
    """The STUDY of a file or of a folder, with some of its fields changed. Raises ValueError if there is none."""
    study = getattr(load_module(path), "STUDY", None)
    if not isinstance(study, Study):
        raise ValueError(f"{path} defines no STUDY = Study(...): see studies/smoke")
    return replace(study, **{k: v for k, v in changes.items() if v is not None})


def chosen(study: Study, only: Sequence[str]) -> Study:
    """The study with the named arms alone, and with the networks that they and the reference name; the whole study for
    no name. Raises ValueError for an arm that it does not have.
    """
    names = [arm.name for arm in study.arms]
    if unknown := set(only) - set(names):
        name = sorted(unknown)[0]
        raise ValueError(f"the study {study.name} has no arm {name!r}; it has {', '.join(names)}{meant(name, names)}")
    if not only:
        return study
    arms = [arm for arm in study.arms if arm.name in only]
    named = {study.reference, *(net for arm in arms for net in arm.nets.values())}
    return replace(study, arms=arms, nets={name: source for name, source in study.nets.items() if name in named})


def each_sampler(study: Study, change: Callable[[Sampler], Sampler]) -> Study:
    """The study with every sampler passed through `change`; one that lacks the field keeps its settings, unless all
    lack it.
    """
    changed, refused = 0, None

    def attempt(point):
        nonlocal changed, refused
        try:
            point = point if hasattr(point, "control") else change(point)
            changed += not hasattr(point, "control")
        except UnknownField as error:
            refused = error
        return point

    study = replace(study, arms=[replace(arm, points=[attempt(p) for p in arm.points]) for arm in study.arms])
    if refused and not changed:
        raise refused
    if not changed:
        raise ValueError(f"the study {study.name} has no sampler to change here, its arms are controls: leave --set "
                         "out, or choose another --only")
    return study
