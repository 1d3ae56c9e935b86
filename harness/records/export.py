"""A run as one table, for pandas and whatever reads CSV or Parquet: `ssmd-bench export RUN OUT.csv [--rows]`.

A row a cell: key, study, arm, status, what decides the samples (`sampler.*`, `net.*`, n, seed, ...), means of its costs
(`cost.nfe_a`, ...), values of its metrics (`score.LABEL`), and `seconds` a sequence on the machine that timed it most.

With --rows a row for each row of each finished cell: `row`, its `cost.nfe_a`, `cost.nfe_b`, `cost.nfe_c`, and for each
metric that has a score by row `score.LABEL.numerator` and `.denominator`, whose sums make up the value. What a store
lacks stays empty.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Any

from harness.boundary.atomic import replacing, sentence
from harness.records.arrays import COSTS
from harness.records.store import Store

if TYPE_CHECKING:
    from pandas import DataFrame

FORMATS = (".csv", ".parquet")
ABOUT = ("n", "batch", "seed", "temperature", "nucleus", "device", "dtype", "compiled")


def export(store: Store, out: Path, rows: bool = False) -> dict[str, int]:
    """Write the table, whole or not at all: how many rows and columns, and how many arrays are missing.

    Raises ValueError for another format, one whose package is not installed, a run without cells, or a full disk.
    """
    if out.suffix not in FORMATS:
        raise ValueError(f"{out} is of no format that is written: end its name in {' or '.join(FORMATS)}")
    found = frame(store, rows)
    if found.empty:
        raise ValueError(f"{store.folder} has no {'finished ' * rows}cell to export: run its study first")
    try:
        with replacing(out) as beside:
            if out.suffix == ".csv":
                found.to_csv(beside, index=False)
            else:
                found.to_parquet(beside, index=False)
    except ImportError:
        raise ValueError("Parquet needs pyarrow: pip install 'ssmd-bench[parquet]', or give a name that ends in .csv"
                         ) from None
    except OSError as error:
        raise ValueError(f"{out} cannot be written ({sentence(error)}): free the disk or choose another place; "
                         f"{store.folder} is as it was") from None
    return {"rows": len(found), "columns": len(found.columns), "missing": found.attrs.get("missing", 0)}


def frame(store: Store, rows: bool = False) -> "DataFrame":
    """The table; `attrs["missing"]` counts arrays that are not there or damaged."""
    import pandas as pd  # which few verbs need

    counted, scores = _newest(store)
    if not rows:
        timed = _seconds(store)
        cells = (_cell(record) | _values(scores.get(key, {})) | timed.get(key, {}) for key, record in counted.items())
        made = pd.DataFrame(map(_plain, cells))
        return made.convert_dtypes().reindex(columns=sorted(made.columns, key=_rank))
    missing: Counter[str] = Counter()
    tables = [pd.DataFrame(dict(_by_row(store, record, scores.get(key, {}), missing)))
              for key, record in counted.items() if record["status"] == "done"]
    made = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    made.attrs["missing"] = missing.total()
    return made


def _newest(store: Store) -> tuple[dict[str, dict], dict[str, dict[str, dict]]]:
    """Counted records by key, and done scores of their samples by key and label: not those of samples drawn before."""
    counted: dict[str, dict] = {}
    scores: dict[str, dict[str, dict]] = {}
    for record in store.records:
        if record["type"] == "counted":
            before = counted.get(record["key"], {}).get("samples_sha256")
            counted[record["key"]] = record
            if before != record.get("samples_sha256"):
                scores.pop(record["key"], None)
        elif record["type"] == "scored" and record["status"] == "done":
            scores.setdefault(record["key"], {})[record["label"]] = record
    return counted, scores


def _cell(record: dict) -> dict[str, Any]:
    about = record["cell"]
    named = {name: record.get(name) for name in ("key", "study", "arm", "control", "status", "reason", "machine")}
    data = about["data"]["name"] if isinstance(about["data"], dict) and "name" in about["data"] else about["data"]
    settings = {name: about[name] for name in ABOUT if name in about}
    prompt = (about["prompt"] or {}).get("share", 0.0)
    cost = {name: value for name, value in record.get("cost", {}).items() if isinstance(value, (int, float))}
    return (named | {"data": data} | settings | {"prompt": prompt} | dict(_flat("sampler", about["sampler"]))
            | dict(_flat("net", about["net_names"])) | dict(_flat("cost", cost)))


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Settings within settings, by names with dots."""
    if isinstance(value, dict):
        for field, inner in value.items():
            yield from _flat(f"{name}.{field}", inner)
    else:
        yield name, value


def _values(scores: dict[str, dict]) -> dict[str, float]:
    return {f"score.{label}": record["value"] for label, record in scores.items()}


def _seconds(store: Store) -> dict[str, dict[str, Any]]:
    """By key, seconds a sequence: the mean over processes of the median of each."""
    timed = [r for r in store.latest("timed", "key", "process", "machine").values() if r["seconds"]]
    often, found = Counter(r["machine"] for r in timed), dict[str, list[float]]()
    machine = max(sorted(often), key=lambda name: often[name], default=None)
    for r in timed:
        if r["machine"] == machine:
            found.setdefault(r["key"], []).append(median(r["seconds"]) / r["rows"])
    return {key: {"seconds": mean(values), "seconds.machine": machine} for key, values in found.items()}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Lists and the like as JSON text, which a column of a table can hold."""
    return {name: value if value is None or isinstance(value, (str, int, float)) else json.dumps(value)
            for name, value in row.items()}


def _rank(column: str) -> tuple[int, str]:
    """Where a column stands: what a cell is, its settings, its costs, its scores."""
    first = ("key", "study", "arm", "control", "status", "reason", "data", *ABOUT, "prompt", "machine")
    if column in first:
        return first.index(column), ""
    return 100 + ("sampler", "net", "cost", "score", "seconds").index(column.partition(".")[0]), column


def _by_row(store: Store, record: dict, scores: dict[str, dict], missing: Counter[str]) -> Iterator[tuple[str, Any]]:
    n = record["cell"]["n"]
    yield from {"key": record["key"], "study": record["study"], "arm": record["arm"], "row": range(n)}.items()
    try:
        yield from zip((f"cost.{name}" for name in COSTS), store.get("costs", record["key"]).T)
    except ValueError:
        missing["costs"] += 1
    for label, scored in sorted(scores.items()):
        try:
            if scored["per"] == "row":
                table = store.get("scores", scored["score_key"])    # (2, n)
                yield f"score.{label}.numerator", table[0]
                yield f"score.{label}.denominator", table[1]
        except ValueError:
            missing["scores"] += 1
