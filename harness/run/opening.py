"""What a run writes down before its first cell: the study, its networks, the machine."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.boundary.atomic import remove_dead
from harness.nets.device import checked
from harness.records.machine import machine
from harness.records.store import Store
from harness.run import scoring
from harness.run.cell import Cell
from harness.run.guards import examined
from harness.run.hands import Hands
from harness.run.orders import in_their_order
from harness.run.shard import Shard
from harness.spec import ROOT, brief, to_json
from harness.study import Study


def networks(study: Study, device: str) -> dict[str, Any]:
    """The networks of a study by name, loaded. Raises ValueError for one that does not fit its data or is asked in
    another order than its own, and for a metric whose weights are not here: now, not after the sampling.
    """
    nets = {name: source.load(checked(device)) for name, source in study.nets.items()}
    for name, net in nets.items():
        if net.vocab != study.data.vocab:
            raise ValueError(f"the network {name!r} writes {net.vocab} symbols and {study.data.name} has "
                             f"{study.data.vocab}: choose data or a checkpoint that fits")
        examined(net, name, study.data)
    in_their_order(study, nets)
    for metric in study.metrics:
        scoring.about(metric)
    return nets


def opened(study: Study, nets: Mapping[str, Any], cells: Mapping[str, Cell], folder: Path, device: str, command: str,
           part: Shard, asks: str, store: Store | None = None) -> tuple[Store, str]:
    """The store, which may be open, with what a run begins with (`asks`: study_record), and the machine's id."""
    fingerprint = machine(device)
    if store is None:
        store = Store(folder, part.name)
        remove_dead(store.work())
    else:
        store.refresh()
    about = [*_networks(study, nets), study_record(study, cells, command, asks), {"type": "machine", **fingerprint}]
    if any(_lacks(store, record) for record in about):
        with Hands(store.folder) as hands, hands.alone("begun"):    # two runs that begin at once write it once
            store.refresh()
            for record in about:
                if _lacks(store, record):
                    store.append(record)
    return store, fingerprint["id"]


def _networks(study: Study, nets: Mapping[str, Any]) -> Iterator[dict]:
    for name, net in nets.items():
        path = Path(getattr(study.nets[name], "path", ROOT)).resolve()
        # so that a claim can see that the file has changed
        ours = {"path": str(path.relative_to(ROOT))} if ROOT in path.parents else {}
        yield {"type": "network", "sha256": net.sha256, "name": name, "card": net.card} | ours


def _lacks(store: Store, record: dict) -> bool:
    """Whether the store does not say it: of a study the last word counts, a network is known by name and hash."""
    said = store.of(record["type"])
    if record["type"] == "network":
        return (record["name"], record["sha256"]) not in {(r["name"], r["sha256"]) for r in said}
    said = said[-1:] if record["type"] == "study" else said
    return not any({k: v for k, v in r.items() if k not in ("schema", "time")} == record for r in said)


def study_record(study: Study, cells: Mapping[str, Cell], command: str, asks: str = "all") -> dict:
    """`data` and `metrics` are kept as plain JSON so that `ssmd-bench rescore` can score the run without its study
    file.

    `cells` says what the run was asked for, so that a report can tell what is missing: key -> arm and settings. `asks`
    is how they belong to the study: all of it | the chosen arms | a variant (other settings) beside it | search, where
    no list is known beforehand and none is kept.
    """
    controls = [arm.name for arm in study.arms if any(hasattr(point, "control") for point in arm.points)]
    metrics = scoring.metrics_of(study)
    about = {"type": "study", "name": study.name, "question": study.question.strip(), "reference": study.reference,
             "arms": [arm.name for arm in study.arms],
             "controls": controls, "command": command, "data": to_json(study.data),
             "metrics": [to_json(metric) for metric in metrics], "asks": asks}
    if asks == "search":
        return about
    return about | {"n": study.n, "seed": study.seed, "prompt": study.prompt,
                    "labels": [scoring.label(metric, metrics) for metric in metrics],
                    "cells": {key: [cell.arm.name, brief(to_json(cell.sampler))] for key, cell in cells.items()}}
