"""Made-up runs for the tests of the gate: records, scores and times without a network."""


import json
from pathlib import Path

import numpy as np

from harness.__main__ import main
from harness.checks.gate import Comparison, compare
from harness.checks.rules import checked
from harness.checks.side import side
from harness.checks.tiers import Verdict
from harness.records.record import SCHEMA
from harness.records.store import Store
from harness.spec import sha256

N = 64
FAST = [1.0, 1.1, 1.05, 1.02, 0.98]
COST = {"calls": {"main.draft": 8.0, "main.verify": 12.5}, "nfe_a": 8.5, "nfe_b": 8.0, "nfe_c": 7.75, "executed_a": 9.0,
        "gflop": 3.25, "tokens": 8192,
        "executed_over_needed": 1.0, "revealed": [], "tested": {}, "passed": {}}


def by(tree: str = "c0de") -> dict:
    """The sources that made a record."""
    return {"tree": tree, "torch": "2", "numpy": "2"}


def cell(steps: int = 8, arm: str = "ancestral", net: str = "a", cost: dict | None = None, **changes) -> dict:
    about = {"sampler": {"name": arm, "version": 1, "steps": steps}, "nets": {"main": net * 64},
             "net_names": {"main": "heavy"},
             "data": {"name": "made_up", "version": 1}, "prompt": None, "n": N, "batch": 32, "seed": 0,
             "temperature": 1.0, "device": "cpu",
             "dtype": "float32"}
    return {"type": "counted", "key": sha256({k: v for k, v in about.items() if k != "net_names"})[:24],
            "study": "made_up", "arm": arm, "control": False, "cell": about,
            "made": by(), "machine": "m0", "status": "done", "reason": "", "cost": COST | (cost or {}),
            "samples_sha256": "5" * 64,
            "inert": False, "seconds": 1.0} | changes


def failed(record: dict, status: str = "failed", reason: str = "RuntimeError: made up") -> dict:
    return {k: v for k, v in record.items()
            if k not in ("cost", "samples_sha256")} | {"status": status, "reason": reason}


def score(record: dict, numerator: np.ndarray, label: str = "judge", better: str = "lower",
          **changes) -> tuple[dict, np.ndarray]:
    """A scored record and its array (2, n); the denominators are 1."""
    return {"type": "scored", "key": record["key"], "samples_sha256": record.get("samples_sha256", ""),
            "score_key": sha256([record["key"], label])[:24], "metric": {"name": label, "version": 1}, "label": label,
            "better": better,
            "unit": "nats per token", "n": len(numerator), "made": by(), "status": "done", "reason": "",
            "value": float(numerator.mean()), "per": "row"} | changes, np.stack(
[numerator, np.ones(len(numerator))])


def times(record: dict, medians: list[float], hour: int = 0, **changes) -> list[dict]:
    return [{"type": "timed", "key": record["key"], "process": k, "rows": 32, "batch": 32,
             "seconds": [s * 0.9, s, s * 1.4], "machine": "m0", "made": by(),
             "samples_sha256": record.get("samples_sha256", ""), "same_output": True,
             "time": f"2026-01-01T{hour + k:02}:00:00+00:00"} | changes for k, s in enumerate(medians)]


def made(folder: Path, *records: dict | tuple[dict, np.ndarray] | list[dict]) -> Path:
    """A run folder with these records, written at once."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [r for record in records for r in (record if isinstance(record, list) else [record[0]]
                                               if isinstance(record, tuple) else [record])]
    text = "".join(json.dumps({"schema": SCHEMA} | r, ensure_ascii=False) + "\n" for r in lines)
    (folder / "records.jsonl").write_bytes(text.encode("utf-8", "replace"))    # as the store writes half a character
    for record, array in (r for r in records if isinstance(r, tuple)):
        Store(folder).put("scores", record["score_key"], array)
    return folder


def gate(base: Path, new: Path, **rules) -> Comparison:
    return compare(side(Store(base)), side(Store(new)), checked(rules, "rules"))


def against(tmp_path: Path, base: list, new: list, **rules) -> Comparison:
    return gate(made(tmp_path / "base", *base), made(tmp_path / "new", *new), **rules)


def one(found: Comparison, tier: str) -> Verdict:
    verdicts = [v for v in found.verdicts if v.tier == tier]
    assert len(verdicts) == 1, verdicts
    return verdicts[0]


def rows(seed: int = 0, n: int = N) -> np.ndarray:
    return np.random.default_rng(seed).normal(2.0, 0.3, n)


def called(capsys, *words: str | Path) -> tuple[int, dict, str]:
    code = main(["compare", *map(str, words)])
    captured = capsys.readouterr()
    assert not captured.err
    return code, json.loads(captured.out.splitlines()[-1]), captured.out


def refused(capsys, words: list[str | Path], says: str) -> None:
    assert main([*map(str, words)]) == 2
    captured = capsys.readouterr()
    assert (
        captured.err.startswith("ssmd-bench: ")
        and says in captured.err
        and captured.err.count("\n") == 1
        and captured.out == ""
    ), captured.err


def whole(seed: int = 0) -> list:
    """Three cells, counted, scored and timed."""
    cells = [cell(steps) for steps in (8, 16, 32)]
    return [*cells, *(score(c, rows(seed + k)) for k, c in enumerate(cells)),
            *(times(c, [1.0, 1.1, 1.05, 1.02, 0.98]) for c in cells)]


def many(folder: Path, seed: int, worse: int = 0, cells: int = 60) -> Path:
    """Cells whose rows are drawn anew; `worse` of them lie 0.5 higher."""
    rng = np.random.default_rng(seed)
    about = [cell(steps + 1) for steps in range(cells)]
    return made(folder, *about, *(score(c, rng.normal(2.0, 0.3, N) + 0.5 * (k < worse)) for k, c in enumerate(about)))
