"""Checkpoints: files that are none, headers of any length and content, wrong settings and cards, wrong tensors."""

import json
from pathlib import Path
from random import Random

import torch
from safetensors import safe_open
from safetensors.torch import save

from tests.fuzz import values
from tests.fuzz.base import STUDY, Base
from tests.fuzz.case import Case

NETS = ("masked", "hybrid", "judge")
KINDS = (torch.bfloat16, torch.float32, torch.float64, torch.int8, torch.int64, torch.bool, torch.complex64,
    torch.uint8, torch.float8_e4m3fn)
SIZES = ("0", "-1", "1", "3", "17", "1000000", "1000000000", "1e9", '"16"', "null", "true", "[]", "{}", "1.5", "NaN",
    "1e400", "1" * 400)
USE = '''
from dataclasses import replace
from harness.data.wikipedia_leads import WikipediaLeads
from harness.metrics.judge import Judge
STUDY = replace(STUDY, data=WikipediaLeads(8), nets={{"heavy": Checkpoint("{net}.safetensors")}}, metrics=[{metrics}],
                arms=[Arm("ancestral", [Ancestral(2)], {{"main": "heavy"}})], n=4, batch=4)
'''


def _study(base: Base, folder: Path, name: str, judge: bool = False) -> None:
    net, metrics = ("masked", f"Judge('{name}.safetensors')") if judge else (name, "")
    (folder / "toy.py").write_text(STUDY + USE.format(net=net, metrics=metrics))


def _case(rng: Random, base: Base, folder: Path, name: str) -> Case:
    how = rng.randrange(5)
    if how == 0:
        return Case(("score", f"{name}.safetensors", "--n", "2", "--length", "8"))
    if how == 1:
        return Case(("train", "light", "--length", "8", "--set", "width=16", "--set", "heads=2", "--set", "blocks=1",
            "--set", "batch=4", "--tokens", "64", "--init", f"{name}.safetensors", "--out", "trained", "--dry-run",
            "--seconds", "0.1"))
    if how == 2 and name != "masked":
        _study(base, folder, name, judge=True)
        base.put(folder, "masked.safetensors")
    else:
        _study(base, folder, name)
    return Case(("run", "toy.py", "--out", "run", "--no-time"))


def damaged(rng: Random, base: Base, folder: Path) -> Case:
    """The file cut, of another format, with a header of another length, or with other tensors."""
    name, how = rng.choice(NETS), rng.randrange(8)
    content, path = base.read(f"{name}.safetensors"), folder / f"{name}.safetensors"
    about, tensors = _open(base.folder / "work" / path.name)
    key = rng.choice(sorted(tensors))
    if how < 2:
        content = values.broken(rng, content)
    elif how == 2:
        content = rng.choice(values.TEXTS)
    elif how == 3:
        content = rng.choice((0, 1, 7, 2**20, 2**31, 2**40, 2**63, 2**64 - 1)).to_bytes(8, "little") + content[8:]
    elif how == 4:
        content = save({k: v.to(rng.choice(KINDS)) if rng.random() < 0.5 else v for k, v in tensors.items()}, about)
    elif how == 5:
        kind = rng.choice(KINDS)
        content = save({k: v.to(kind) for k, v in tensors.items()}, about)
    elif how == 6:
        wrong = rng.choice((None, torch.full_like(tensors[key], torch.nan), torch.full_like(tensors[key], torch.inf),
            tensors[key][:0], tensors[key][None], tensors[key].reshape(-1), torch.zeros(())))
        extra = {"extra": torch.zeros(2)} if rng.random() < 0.2 else {}
        content = save({k: wrong if k == key else v for k, v in tensors.items() if k != key or wrong is not None}
                       | extra, about)
    else:
        content = save(tensors if rng.random() < 0.5 else {}, None if rng.random() < 0.5 else {"note": "hers"})
    if rng.random() < 0.04:
        path.mkdir()
    else:
        path.write_bytes(content)
    return _case(rng, base, folder, name)


def headers(rng: Random, base: Base, folder: Path) -> Case:
    """The name of the network, its settings and its card, each with a wrong value."""
    name = rng.choice(NETS)
    about, tensors = _open(base.folder / "work" / f"{name}.safetensors")
    field, how = rng.choice(("network", "config", "config", "config", "config", "card")), rng.randrange(4)
    if field == "network":
        about["network"] = rng.choice(("", "transformer", "hybrid", "variant", "autoregressive", "tabular", "nowhere",
            "../x", "\0", "os.system", "Transformer"))
    elif how == 0 and field == "config":
        config = json.loads(about["config"])
        key = rng.choice(sorted(config))
        about["config"] = json.dumps(config | {key: "\0HERE"}).replace(json.dumps("\0HERE"), rng.choice(SIZES))
    elif how < 3:
        about[field] = values.changed(rng, json.loads(about[field]))
    else:
        about[field] = rng.choice((*values.JSON, values.broken(rng, about[field].encode()).decode("utf-8",
            "replace")))
    (folder / f"{name}.safetensors").write_bytes(save(tensors, {k: v.encode("utf-8", "replace").decode() for k,
        v in about.items()}))
    return _case(rng, base, folder, name)


def states(rng: Random, base: Base, folder: Path) -> Case:
    """The state of an unfinished training, and its log."""
    base.put(folder, "trained")
    path, how = folder / "trained" / "light" / "state.safetensors", rng.randrange(4)
    about, tensors = _open(path)
    if how == 0:
        path.write_bytes(rng.choice((rng.choice(values.TEXTS), values.broken(rng, path.read_bytes()))))
    elif how == 1:
        field = rng.choice(sorted(about))
        about[field] = rng.choice((values.changed(rng, json.loads(about[field])) if field != "step" else "x",
            *values.JSON, "-1", "10", "999999999999", "0.5"))
        path.write_bytes(save(tensors, {k: v.encode("utf-8", "replace").decode() for k, v in about.items()}))
    elif how == 2:
        key, wrong = rng.choice(sorted(tensors)), rng.choice((None, torch.zeros(()), torch.zeros(3),
            torch.full((2, 2), torch.nan), torch.zeros(2, dtype=torch.int64)))
        path.write_bytes(save({k: wrong if k == key else v for k,
            v in tensors.items() if k != key or wrong is not None}, about))
    else:
        path.rename(path.with_name("light.safetensors"))
    words = ("train", "light", "--length", "8", "--set", "width=16", "--set", "heads=2", "--set", "blocks=1", "--set",
        "batch=4", "--tokens", "512", "--out", "trained")
    return Case(words, changes=("trained/light/state.safetensors",))


def _open(path: Path) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    with safe_open(path, framework="pt") as file:
        return dict(file.metadata()), {k: file.get_tensor(k) for k in file.keys()}
