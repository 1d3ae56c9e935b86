"""A sweep: a search for the operating points of one arm of a study that no other beats. `ssmd-bench sweep studies/x
--out runs/x`.

    SWEEP = Sweep(STUDY, arm="ssmd", objectives=("judge", "nfe_a"), space={"window": Choice(Cosine())},
    constraint=Band("sample_entropy", 0.05), early=(64, 256))

The search begins at the arm's first point. It changes the fields that `space` names and no other; without a space it
changes every field that declares a range (harness/search/space.py). An objective is the label of a metric of the study,
or a cost: nfe_a, nfe_b, nfe_c, executed_a, gflop, seconds. With `early`, a trial first runs with few rows, and goes on
to more only if no other trial beats it beyond doubt there, by paired rows; an early look is a cell of its own, since
the sums of a network may differ in their last bits with the company rows keep. Every value is read from the records of
the run folder, which are those of `ssmd-bench run`: the same cells, the same keys. Arms named `beside` are counted at
the last look too, so that what was found can be compared with them; the search does not see them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

import numpy as np

from harness.boundary import fields as check
from harness.kinds import Scores
from harness.records.points import COSTS, scores
from harness.records.store import Store
from harness.run.cell import Cell, cells_of
from harness.run.scoring import about, label
from harness.search.space import Place, Space, checked
from harness.spec import sha256, to_json
from harness.study import Arm, Study, load_module

OTHER_COSTS = ("executed_a", "gflop", "seconds")
SEARCHES = ("tpe", "nsga2", "gp", "random")

_NAME = check.text("give a name")


@dataclass(frozen=True)
class Band:
    """A metric must stay within `width` of its value on a control arm of the study, in the metric's unit, at the same
    number of rows.
    """

    metric: str
    width: float
    control: str = "held_out"

    def __post_init__(self):
        check.first("the constraint of a sweep", self, {"metric": _NAME, "width": check.number(0, endless=True),
                                                        "control": _NAME})


@dataclass(frozen=True)
class Sweep:
    """A search over the settings of one arm of a study, for the points that no other beats in all `objectives` at once.
    An objective is the label of a metric or a cost. With `early`, a trial that is beaten beyond `doubt` on few rows is
    given up.
    """

    study: Study
    arm: str
    objectives: Sequence[str]                                  # one or more
    # path -> Range, Choice or Subset: what is searched; nothing given: all that declares a range
    space: Mapping[str, Space] = field(default_factory=dict)
    search: str = "tpe"                                        # or nsga2, gp, random
    trials: int = 60
    early: Sequence[int] = ()  # rows of the first looks, rising; the last look has all rows of the study
    constraint: Band | None = None
    doubt: float = 2.0  # standard errors by which a trial must be beaten to be given up early
    beside: Sequence[str] = ()                                 # arms of fixed points
    seed: int = 0

    def __post_init__(self):
        """Raises ValueError for what could not run as written."""
        check.first("the sweep", self, FIELDS)
        arms, labels, costs = {arm.name: arm for arm in self.study.arms}, self.labels(), COSTS + OTHER_COSTS
        unknown = [name for name in self.objectives if name not in labels and name not in costs]
        aimless = [name for name in self.objectives if name in labels
                   and labels[name].better not in ("lower", "higher")]
        alone = [name for name in self.beside if name not in arms or name == self.arm]
        band = self.constraint
        for wrong, remedy in (
                (self.arm not in arms, f"there is no arm {self.arm!r} in {', '.join(arms)}"),
                (alone, f"there is no other arm {alone and alone[0]!r} to put beside it"),
                (self.search not in SEARCHES, f"there is no search {self.search!r}; choose {', '.join(SEARCHES)}"),
                (not self.objectives, "objectives must name at least one metric or cost"),
                (unknown,
                 f"{unknown and unknown[0]!r} is no metric of the study ({', '.join(labels)}) and no cost "
                 f"({', '.join(costs)})"),
                (aimless,
                 f"the metric {aimless and aimless[0]!r} is to match, not to be low or high: make it the constraint"),
                ("seconds" in self.objectives and self.study.timing is None,
                 "seconds need a study with timing=Timing(...)"),
                ("seconds" in self.objectives and self.early,
                 "seconds are measured at the last look alone: leave early out"),
                (self.trials < 1, "trials must be at least 1"),
                (list(self.early) != sorted({*self.early}) or min(self.early, default=1) < 1,
                 "early must be rising numbers of rows"),
                (band and band.metric not in labels,
                 f"the constraint is on {band and band.metric!r}, which is no metric of the study "
                 f"({', '.join(labels)})"),
                (band and not (band.control in arms and all(hasattr(p, "control") for p in arms[band.control].points)),
                 f"there is no control arm {band and band.control!r}")):
            if wrong:
                raise ValueError(f"the sweep of {self.study.name}: {remedy}")
        if not arms[self.arm].points or hasattr(self.start, "control"):
            raise ValueError(f"the sweep of {self.study.name}: the arm {self.arm!r} has no sampler to start from")
        self.places()

    @property
    def start(self) -> Any:
        """The sampler that the search begins at: the first point of the arm."""
        return self._arm(self.arm).points[0]

    def places(self) -> list[Place]:
        """What is searched. Raises ValueError for a space that the sampler or its text refuses."""
        return checked(self.start, self.space, self.study.data.length)

    @property
    def looks(self) -> list[int]:
        """Rows of each look, the last with all rows of the study."""
        return [n for n in self.early if n < self.study.n] + [self.study.n]

    def _arm(self, name: str) -> Arm:
        return next(arm for arm in self.study.arms if arm.name == name)

    def labels(self) -> dict:
        """The metrics of the study by their labels, as records have them."""
        return {label(metric, self.study.metrics): metric for metric in self.study.metrics}

    def at(self, n: int, sampler: Any = None, temperature: float = 1.0) -> Study:
        """The study of one look: this sampler, and the control if there is a constraint. Looks differ in n alone, so a
        report keeps them apart.
        """
        arms = [replace(self._arm(self.arm), temperature=temperature, points=[sampler] if sampler else [])]
        if self.constraint:
            arms.append(replace(self._arm(self.constraint.control),
                                points=self._arm(self.constraint.control).points[:1]))
        arms += [replace(self._arm(name), points=[]) for name in self.beside if name not in {arm.name for arm in arms}]
        timing = self.study.timing if "seconds" in self.objectives else None
        return replace(self.study, arms=arms, n=n, timing=timing)

    def compared(self) -> list[Study]:
        """For each point of the arms named `beside` the study in which it stands beside the search, as its last cell.
        """
        whole = self.at(self.study.n)
        return [replace(whole, arms=[replace(arm, points=[point]) if arm.name == name else arm for arm in whole.arms])
                for name in self.beside for point in self._arm(name).points]

    def cell(self, n: int, sampler: Any, temperature: float, device: str) -> Cell:
        """The cell of one trial at one look: the sampler at this temperature, `n` rows, networks on `device`."""
        return cells_of(self.at(n, sampler, temperature), device)[0]

    def identity(self, device: str) -> str:
        """Sweeps of one identity share their trials; a change of space, objectives or networks begins another. The
        number of trials may grow.
        """
        cell = self.cell(self.study.n, self.start, self._arm(self.arm).temperature, device)
        spaces = [[place.path, to_json(place.space)]
                  for place in self.places()] + [[path, to_json(s)] for path, s in sorted(self.space.items())]
        metrics = {name: about(metric) for name, metric in self.labels().items()
                   if name in (*self.objectives, self.constraint and self.constraint.metric)}
        band = self.constraint and [self.constraint.metric, self.constraint.width, self.constraint.control]
        return sha256([cell.describe(), spaces, list(self.objectives), metrics, self.search, self.looks, band or [],
                       self.doubt, self.seed])[:12]

    def lower(self) -> list[bool]:
        """Of each objective: whether it is better lower."""
        labels = self.labels()
        return [name not in labels or labels[name].better == "lower" for name in self.objectives]

    def read(self, store: Store, key: str, name: str) -> Scores:
        """One value of one cell, with its rows where there are any. Raises LookupError with the reason if it has
        none.
        """
        record = store.latest("counted", "key").get((key,))
        if record is None or record["status"] != "done":
            raise LookupError(record["reason"] if record else "it has no record")
        if name in COSTS:
            rows = store.get("costs", key)[:, COSTS.index(name)]               # (n,)
            return Scores(record["cost"][name], rows, np.ones(len(rows)))
        if name == "seconds":
            # rows that differ are a remark of the report: on a GPU a batch of another size rounds otherwise
            times = [median(r["seconds"]) / r["rows"] for r in store.of("timed") if r["key"] == key and r["seconds"]]
            if not times:
                raise LookupError("it could not be timed")
            return Scores(median(times))
        if name in OTHER_COSTS:
            return Scores(record["cost"][name], np.full(record["cell"]["n"], record["cost"][name]),
                          np.ones(record["cell"]["n"]))
        found = scores(store, key, name)
        if found is None:
            raise LookupError(next((r["reason"] for r in reversed(store.of("scored")) if r["key"] == key
                                    and r["label"] == name), f"it has no {name}"))
        return found


FIELDS: dict[str, check.Kind] = {
    "study": check.a(Study, "a Study(...)"), "arm": _NAME, "objectives": check.many(_NAME, '("judge", "nfe_a")'),
    "space": check.table(lambda value: "", '{"steps": Range(1, 64)}'), "search": _NAME, "trials": check.whole(1, 2**24),
    "early": check.many(check.whole(1, check.ROWS), "(64, 256)"),
    "constraint": check.a(Band, 'Band("sample_entropy", 0.05)', empty=True),
    # which is all that a sampler of Optuna takes
    "doubt": check.number(0), "beside": check.many(_NAME, '("ancestral",)'), "seed": check.whole(0, 2**32 - 1),
}


def load_sweep(path: str, n: int | None = None, compiled: bool = False, **changes: Any) -> Sweep:
    """The SWEEP of a Python file, with some of its fields and of its study's changed. Raises ValueError if there is
    none.
    """
    sweep = getattr(load_module(path), "SWEEP", None)
    if not isinstance(sweep, Sweep):
        raise ValueError(f"{path} defines no SWEEP = Sweep(...): see studies/sweep_smoke")
    study = sweep.study
    sweep = replace(sweep, study=replace(study, n=study.n if n is None else n, compiled=compiled or study.compiled))
    return replace(sweep, **{k: v for k, v in changes.items() if v is not None})
