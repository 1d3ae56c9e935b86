"""The fields that a record must have, by its type, with types and limits: those that some reader relies on. More may
stand beside them.

    KINDS["counted"]     of a store
    Expected             a counted record of a file of expectations, which keeps less of its cost
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from harness.boundary.incoming import Amount, Count, Name, Number, Size
from harness.records.provenance import Made

Sha = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Part = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,8}/[1-9][0-9]{0,8}\Z")]    # of shards
Status = Literal["done", "skipped", "failed", "timeout"]
Tables = dict[str, list[Count]]


class Headed(Struct, kw_only=True):
    """What every record has."""

    type: str
    time: str = ""


class Named(Struct):
    name: str


class Prompt(Struct):
    share: Annotated[float, Meta(ge=0, lt=1)]
    split: str
    places: str = "start"    # or scattered


class CellAbout(Struct):
    """What decides the samples (harness/run/cell.py, describe)."""

    sampler: dict[str, Any]
    nets: dict[str, str]
    net_names: dict[str, str]
    data: Any
    prompt: Prompt | None
    n: Size
    batch: Size
    seed: int
    temperature: Annotated[float, Meta(gt=0, le=1e100)]
    device: str
    dtype: str
    compiled: bool = False
    nucleus: Annotated[float, Meta(gt=0, le=1)] = 1.0
    nucleus_keep: str = ""

    def __post_init__(self) -> None:
        says_what_it_is(self.sampler, "cell.sampler")


class Forwards(Struct):
    """Of the currency of harness/stats/forwards.py: sums over rows; token_forwards, empty and order are means."""

    token_forwards: Amount
    tests: Count
    kept: Count
    rejected: Count
    generated: Count
    empty: Amount
    ordered: Count    # rows that have an order
    order: float | None


class Counts(Struct):
    """The means of a run, of which a gate knows the whole."""

    calls: dict[str, Amount]
    nfe_a: Amount
    nfe_b: Amount
    nfe_c: Amount
    executed_a: Amount
    gflop: Amount
    tokens: Count
    forwards: Forwards | UnsetType = UNSET    # not in old records


class Cost(Counts, kw_only=True):
    priced: bool | UnsetType = UNSET    # passes are billed as if keys and values were kept, and run whole
    executed_over_needed: Amount
    revealed: list[list[Count]]
    tested: Tables
    passed: Tables


class Cell(Headed, kw_only=True):
    """What a counted record and that of a shard share."""

    key: Name
    study: str
    arm: str
    control: bool
    cell: CellAbout
    made: Made
    status: Status
    reason: str


class Expected(Cell):
    cost: Counts | UnsetType = UNSET
    samples_sha256: Sha | UnsetType = UNSET
    machine: str = ""

    def __post_init__(self) -> None:
        needed(self, "cost", "samples_sha256")


class Counted(Cell, kw_only=True):
    machine: str
    cost: Cost | UnsetType = UNSET
    samples_sha256: Sha | UnsetType = UNSET
    rows_sha256: Sha | UnsetType = UNSET       # of records of schema 2
    counts_sha256: Sha | UnsetType = UNSET
    inert: bool | UnsetType = UNSET
    shards: dict[Part, str] = {}
    seconds: Amount | UnsetType = UNSET

    def __post_init__(self) -> None:
        needed(self, "cost", "samples_sha256", "inert", "seconds")


class ShardCounts(Struct):
    """The sums of a shard (harness/run/shard.py, counts)."""

    calls: list[str]
    executed_flops: Annotated[int, Meta(ge=0)]
    executed_blocks: Annotated[int, Meta(ge=0)]
    revealed: list[list[Count]]
    tested: Tables
    passed: Tables


class Sharded(Cell):
    shard: Part
    machine: str
    counts: ShardCounts | UnsetType = UNSET
    seconds: Amount | UnsetType = UNSET
    samples_sha256: Sha | None = None    # of those written since it is kept
    counts_sha256: Sha | None = None

    def __post_init__(self) -> None:
        k, of = map(int, self.shard.split("/"))
        if k > of:
            raise ValueError(f"the field `shard` is wrong (there is no part {k} of {of})")
        needed(self, "counts", "seconds")


class Timed(Headed):
    key: Name
    process: Count
    rows: Size
    seconds: Annotated[list[Amount], Meta(max_length=10**6)]
    same_output: bool
    machine: str
    made: Made
    samples_sha256: str    # of the counted record that it belongs to; empty where that is not known
    busy: Amount | None = None
    peak_mib: Amount | None = None


class Scored(Headed):
    key: Name
    score_key: Name
    metric: Named
    label: str
    better: str
    unit: str
    n: Size
    made: Made
    samples_sha256: str
    status: Status
    reason: str
    per: Literal["row", "set"]
    value: Number | None
    level: Number | None = None    # what as many held-out rows have, of a metric that tells of a collapse

    def __post_init__(self) -> None:
        if self.status == "done" and self.value is None:
            raise ValueError("the field `value` is wrong (a score that is done has one)")


class Study(Headed):
    name: str
    question: str
    reference: str
    arms: list[str]
    controls: list[str]
    command: str
    data: Named | None = None
    metrics: list[Named] = []
    asks: str = "all"
    n: Size | None = None
    seed: int | None = None
    prompt: Annotated[float, Meta(ge=0, lt=1)] | None = None
    labels: list[str] = []
    cells: dict[str, tuple[str, str]] = {}    # key -> arm and settings


class Network(Headed):
    sha256: str
    name: str
    card: dict[str, Any] | None
    path: str | None = None


class Machine(Headed):
    id: str
    commit: str | None = None
    dirty: bool | None = None
    diff_sha: str | None = None
    cpu: str | None = None
    instructions: str | None = None
    gpu: str | None = None
    threads: Count | None = None
    os: str | None = None
    python: str | None = None
    packages: dict[str, str] | None = None


class Measured(Headed):
    key: Name
    study: str
    name: str
    settings: dict[str, Any]
    cells: dict[str, str]
    columns: list[str]
    rows: list[list]
    made: Made

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"the field `rows` is wrong (each has {len(self.columns)} columns)")


class Proof(Headed):
    """Rows of a result sampled, or scored, again (harness/records/standing.py)."""

    key: Name
    of: str
    verdict: Literal["proven", "unproven", "refuted"]
    rows: Size
    seen: list[str]
    reason: str
    machine: str
    made: Made
    seconds: Amount = 0.0
    against: str | None = None


KINDS: dict[str, type[Headed]] = {"counted": Counted, "shard": Sharded, "timed": Timed, "scored": Scored,
                                  "study": Study, "network": Network, "machine": Machine,
                                  "measured": Measured, "proof": Proof}


def needed(record: Cell, *names: str) -> None:
    """Raises ValueError if a record that is done lacks one of these fields."""
    if record.status == "done" and (absent := next((name for name in names if getattr(record, name) is UNSET), None)):
        raise ValueError(f"the field `{absent}` is missing")


def says_what_it_is(settings: dict[str, Any], place: str) -> None:
    """Raises ValueError if settings, or those within them, have no name."""
    if not isinstance(settings.get("name"), str):
        raise ValueError(f"the field `{place}.name` is missing")
    for name, inner in settings.items():
        if isinstance(inner, dict):
            says_what_it_is(inner, f"{place}.{name}")
