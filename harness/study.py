"""A study: a question, the networks and data it is asked of, arms of operating points. A cell is one point; its key is what decides its samples.

    STUDY = Study(name="x", question=__doc__, data=WikipediaLeads(128), nets={"heavy": Checkpoint("...")},
                  arms=[Arm("ancestral", grid(Ancestral, steps=[8, 16]), {"main": "heavy"})], reference="heavy", metrics=[Spelling()])
"""

import hashlib
import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import product, zip_longest
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from harness.kinds import Dataset, Denoiser, Metric, Sampler
from harness.nets import checkpoint
from harness.nets.tabular import Tabular
from harness.spec import canonical, code_hash, sha256, to_json


@dataclass(frozen=True)
class Checkpoint:
    """A network by the path of its safetensors file."""

    path: str

    def load(self, device: str) -> Denoiser:
        return _loaded(str(self.path), device)


@lru_cache(maxsize=16)
def _loaded(path: str, device: str) -> Denoiser:
    return checkpoint.load(Path(path)).to(device)


@dataclass(frozen=True)
class Table:
    """The exact joint of an enumerable data set as a network; power < 1 flattens it into a light one."""

    data: Any
    power: float = 1.0

    def load(self, device: str) -> Denoiser:
        net = Tabular(self.data.law().to(device), self.data.vocab, self.data.length)
        net = net if self.power == 1 else net.flat(self.power)
        net.sha256 = hashlib.sha256(canonical([self.data.identity(), self.power]).encode()).hexdigest()
        net.card = {"data": self.data.identity(), "power": self.power}
        return net


@dataclass(frozen=True)
class Arm:
    name: str
    points: Sequence[Sampler]                 # or controls (harness/control.py)
    nets: Mapping[str, str] = field(default_factory=lambda: {"main": "main"})    # role of the sampler -> network of the study
    temperature: float = 1.0


@dataclass(frozen=True)
class Timing:
    """Each process is fresh and times every cell once after one untimed run, in an order of its own, over the first `rows` rows."""

    processes: int = 5
    rows: int = 16


@dataclass(frozen=True)
class Study:
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
    prompt: float = 0.0                       # share of each row given, from held-out rows
    timing: Timing | None = None
    limit_seconds: float = float("inf")       # of one cell

    def cells(self, device: str = "cpu") -> list["Cell"]:
        """Every point of every arm, arms taken in turn so that a run cut short still compares."""
        made = [[Cell(self, arm, point, device) for point in arm.points] for arm in self.arms]
        return [cell for group in zip_longest(*made) for cell in group if cell is not None]


@dataclass(frozen=True)
class Cell:
    study: Study
    arm: Arm
    sampler: Sampler
    device: str

    @property
    def is_control(self) -> bool:
        return hasattr(self.sampler, "control")

    def nets(self) -> dict[str, Denoiser]:
        return {} if self.is_control else {role: self.study.nets[name].load(self.device) for role, name in self.arm.nets.items()}

    def prompts(self) -> Tensor:
        s = self.study
        x = torch.full((s.n, s.data.length), s.data.mask)
        given = int(s.prompt * s.data.length)
        if given:
            x[:, :given] = s.data.rows("test", s.n, s.seed)[:, :given]
        return x.to(self.device)

    def describe(self) -> dict:
        """What decides the samples: the record's `cell`."""
        s, nets = self.study, self.nets()
        return {"sampler": to_json(self.sampler), "nets": {role: net.sha256 for role, net in nets.items()}, "net_names": {} if self.is_control else dict(self.arm.nets),
                "data": s.data.identity(), "prompt": {"share": s.prompt, "split": "test"} if s.prompt else None, "n": s.n, "batch": s.batch, "seed": s.seed,
                "temperature": self.arm.temperature, "device": self.device.split(":")[0], "dtype": "float32", "draw_dtype": "float64"}

    def code(self) -> str:
        """Hash of the code that decides the samples: sampler, networks, loop."""
        things = [self.sampler, *self.nets().values()]
        return code_hash(("harness.loop", *sorted({type(thing).__module__ for thing in things})))

    def key(self) -> str:
        about = self.describe()
        del about["net_names"]
        return sha256(about)[:24]


def grid(cls: type, **values: Sequence) -> list[Sampler]:
    """Every combination of the values, in order."""
    return [cls(**dict(zip(values, combination))) for combination in product(*values.values())]


def load_module(path: str) -> ModuleType:
    """A study file, executed. Raises ValueError, in a sentence, if it cannot be."""
    file = Path(path)
    if not file.is_file():
        raise ValueError(f"there is no study file {path}: see studies/ for examples, or `ssmd-bench list`")
    spec = importlib.util.spec_from_file_location(f"study_{file.stem}", file)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ValueError:
        raise
    except Exception as error:    # any error of the user's file becomes one sentence
        raise ValueError(f"the study file {path} cannot be read ({type(error).__name__}: {error}): correct it") from None
    return module


def load_study(path: str, **changes: Any) -> Study:
    """The STUDY of a Python file, with some of its fields changed. Raises ValueError if there is none."""
    study = getattr(load_module(path), "STUDY", None)
    if not isinstance(study, Study):
        raise ValueError(f"{path} defines no STUDY = Study(...): see studies/smoke.py")
    return replace(study, **{k: v for k, v in changes.items() if v is not None})


def chosen(study: Study, only: Sequence[str]) -> Study:
    """The study with the named arms alone."""
    names = [arm.name for arm in study.arms]
    if unknown := set(only) - set(names):
        raise ValueError(f"the study {study.name} has no arm {sorted(unknown)[0]!r}; it has {', '.join(names)}")
    return replace(study, arms=[arm for arm in study.arms if arm.name in only]) if only else study


def each_sampler(study: Study, change) -> Study:
    """The study with every sampler of every arm passed through `change`."""
    return replace(study, arms=[replace(arm, points=[p if hasattr(p, "control") else change(p) for p in arm.points]) for arm in study.arms])


def missing(cell: Cell, nets: Mapping[str, Denoiser]) -> str:
    """Why a cell cannot run, or nothing: roles without a network, or a network without a verify pass."""

    def reasons() -> Iterator[str]:
        for need in cell.sampler.needs:
            role, _, kind = need.partition(".")
            if role not in nets:
                yield f"{cell.sampler.name} needs a network {role!r}"
            elif kind and not nets[role].blocks(kind):
                yield f"{cell.sampler.name} needs a {kind} pass, which {cell.arm.nets[role]!r} does not have"

    return "" if cell.is_control else next(reasons(), "")
