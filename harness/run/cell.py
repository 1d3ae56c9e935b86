"""A cell: one point of a study. Its key is the sha256 of what decides its samples; whether they are those of the
present code is a matter of proof (harness/run/prove.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import zip_longest

import torch
from torch import Tensor

from harness.data.control import is_control
from harness.kinds import Denoiser, Identified, Sampler
from harness.nets.compiled import compilable, compiled
from harness.nets.finite import Finite
from harness.nets.halved import halved
from harness.nets.nucleus import Nucleus
from harness.nets.wrap import Half, Temper
from harness.random import Stream, uniform
from harness.records.keys import cell_key
from harness.spec import foreign, to_json
from harness.study import Arm, Study

PROMPT = 1 << 40    # index of the draws of a prompt's places, behind those of rows


@dataclass(frozen=True)
class Cell:
    study: Study
    arm: Arm
    sampler: Sampler    # or a control (harness/data/control.py)
    device: str
    also: tuple[str, ...] = ()    # other arms that have this very point

    @property
    def is_control(self) -> bool:
        return is_control(self.sampler)

    def nets(self) -> dict[str, Identified]:
        return (
            {}
            if self.is_control
            else {role: self.study.nets[name].load(self.device) for role, name in self.arm.nets.items()}
        )

    def wrapped_networks(self, looked_at: bool = False) -> dict[str, Denoiser]:
        """The networks, compiled or not, in the precision of the study, at the temperature of the arm, their logits
        looked at or not, then cut to its nucleus.
        """
        nets: dict[str, Denoiser] = {**self.nets()}
        if self.study.dtype == "bfloat16":
            nets = {role: halved(net) for role, net in nets.items()}
        if self.study.compiled:
            nets = {role: compiled(net) for role, net in nets.items()}
        if self.study.dtype == "bfloat16":
            nets = {role: Half(net) for role, net in nets.items()}
        if self.arm.temperature != 1:
            nets = {role: Temper(net, self.arm.temperature) for role, net in nets.items()}
        if looked_at:
            nets = {role: Finite(net, f"{self.arm.nets[role]!r} in the role {role!r}") for role, net in nets.items()}
        return (
            nets
            if self.arm.nucleus == 1
            else {role: Nucleus(net, self.arm.nucleus, self.arm.nucleus_keep) for role, net in nets.items()}
        )

    def prompts(self, first: int = 0, last: int | None = None) -> Tensor:
        """Rows first..last-1, by default all n: what the data set gives, or the share of its rows that the study says.
        """
        s = self.study
        last = s.n if last is None else last
        if hasattr(s.data, "prompts"):
            return s.data.prompts(first, last).to(self.device)
        shape, given = (last - first, s.data.length), int(s.prompt * s.data.length)
        if not given:
            return torch.full(shape, s.data.mask, device=self.device)
        place = torch.arange(s.data.length).expand(shape)
        if s.scattered:
            place = uniform(s.seed, torch.arange(first, last), Stream.DATA, place[0] + PROMPT).argsort(1).argsort(1)
        x = s.data.rows("test", s.n, s.seed)[first:last]                           # (n, L)
        return torch.where(place < given, x, s.data.mask).to(self.device)

    def describe(self) -> dict:
        """What decides the samples: the record's `cell`."""
        s, nets = self.study, self.nets()
        about = {"sampler": to_json(self.sampler), "nets": {role: net.sha256 for role, net in nets.items()},
                "net_names": {} if self.is_control else dict(self.arm.nets), "data": s.data.identity(),
                "prompt": {"share": s.prompt, "split": "test"} | ({"places": "scattered"} if s.scattered else {})
                if s.prompt else None, "n": s.n, "batch": s.batch,
                "seed": s.seed,
                "temperature": self.arm.temperature, "device": self.device.split(":")[0], "dtype": s.dtype,
                "draw_dtype": "float64"}
        about |= {"compiled": True} if s.compiled else {}
        return about | ({} if self.arm.nucleus == 1 else {"nucleus": self.arm.nucleus,
                                                          "nucleus_keep": self.arm.nucleus_keep})

    def key(self) -> str:
        return self._key

    @cached_property
    def _key(self) -> str:
        return cell_key(self.describe())

    def own(self) -> bool:
        """Whether classes of the user's own decide its samples: of sampler, data, or whoever makes its networks."""
        makers = [] if self.is_control else [self.study.nets[name] for name in self.arm.nets.values()]
        return bool(foreign(self.sampler, self.study.data, *makers))

    def missing(self) -> str:
        """Why the cell cannot run, or nothing: a role without a network, or a network without the pass that the sampler
        needs.
        """
        return "" if self.is_control else next(self._reasons(), "")

    def _reasons(self) -> Iterator[str]:
        nets = self.nets()
        for need in self.sampler.needs:
            role, _, kind = need.partition(".")
            if role not in nets:
                yield f"{self.sampler.name} needs a network {role!r}"
            elif kind and not nets[role].blocks(kind):
                yield f"{self.sampler.name} needs a {kind} pass, which {self.arm.nets[role]!r} does not have"
        for role, net in nets.items():
            if self.study.compiled and not compilable(net):
                yield f"{self.arm.nets[role]!r} has no blocks to compile: run it without --compile"


def cells_of(study: Study, device: str = "cpu") -> list[Cell]:
    """Every point of every arm, each key once, arms taken in turn so that a run cut short still compares."""
    return list(cells_by_key(study, device).values())


def cells_by_key(study: Study, device: str = "cpu") -> dict[str, Cell]:
    """The cells by key, in the same order. Points of equal settings are one cell, which names the other arms that have
    it.

    Raises ValueError if an arm has no cell of its own: its results would stand under other names alone.
    """
    made = [[Cell(study, arm, point, device) for point in arm.points] for arm in study.arms]
    once: dict[str, Cell] = {}
    for cell in (cell for group in zip_longest(*made) for cell in group if cell is not None):
        key, name = cell.key(), cell.arm.name
        first = once.setdefault(key, cell)
        if name not in (first.arm.name, *first.also):
            once[key] = replace(first, also=(*first.also, name))
    own = {cell.arm.name for cell in once.values()}
    for arm in study.arms:
        if arm.points and arm.name not in own:
            others = " and ".join(sorted({cell.arm.name for cell in once.values() if arm.name in cell.also}))
            raise ValueError(f"the study {study.name}: every point of the arm {arm.name} has settings and networks of "
                             f"{others}, so that nothing would bear its name: "
                             "take one of them out, change its settings, or run it alone with --only")
    return once
