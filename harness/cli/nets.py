"""The verbs of the command line that make, score and bring back networks: options -> (JSON document, exit code)."""

import sys
from argparse import Namespace
from dataclasses import fields
from typing import Any

from harness import plugins
from harness.boundary.addresses import command as typed
from harness.boundary.nearest import meant
from harness.claims import claim as claims_of
from harness.cli.options import changed
from harness.nets.device import can_compile, checked
from harness.spec import from_json


def _dataset(options: Namespace):
    known = plugins.datasets()
    options.data = options.data or "wikipedia_leads"
    if options.data not in known:
        raise ValueError(f"there is no data set {options.data!r}; choose {', '.join(sorted(known))}{meant(options.data, known)}")
    length = 128 if options.length is None else options.length
    given = {"length": length, **{name: value for name in ("path", "tokenizer") if (value := getattr(options, name, None))}}
    if unknown := set(given) - {f.name for f in fields(known[options.data])}:
        raise ValueError(f"the data set {options.data!r} takes no --{sorted(unknown)[0]}: leave it out or choose another --data")
    return from_json("rows", {"name": options.data} | given)


def score(options: Namespace) -> tuple[dict, int]:
    from harness.nets.checkpoint import load
    from ssmd.bits import bits_per_character
    from ssmd.train.family import SHIPPED

    data, windows = _dataset(options), plugins.windows()
    if (name := options.window or "cosine") not in windows:
        raise ValueError(f"there is no window {name!r}; choose {', '.join(sorted(windows))}{meant(name, windows)}")
    window, rounds = changed(windows[name](), options.changes), options.rounds or 2
    paths = options.checkpoints or [SHIPPED / f"{name}.safetensors" for name in ("hybrid", "heavy", "light")]
    command, rows, document = typed(["ssmd-bench", *sys.argv[1:]]), [], {}
    nets: list[Any] = [load(path) for path in paths]
    if (options.window or options.changes or options.rounds) and not any(hasattr(net, "draft") and net.blocks("verify") for net in nets):
        raise ValueError("--window, --set and --rounds are of a hybrid, and none of these networks is one: leave them out, or score a hybrid")
    for path, net in zip(paths, nets):
        if not hasattr(net, "draft"):
            raise ValueError(f"{path} is a {net.name} network, which drafts nothing: score a hybrid or a masked-diffusion network")
        if net.vocab != data.vocab:
            raise ValueError(f"{path} writes {net.vocab} symbols and {data.name} has {data.vocab}: choose data or a checkpoint that fits")
        hybrid = bool(net.blocks("verify"))
        found, _ = bits_per_character(net, data, options.n, options.orders, window if hybrid else None, rounds,
                                      say=lambda done, of, path=path: print(f"\r{path.stem} {done}/{of}", end="", file=sys.stderr, flush=True))
        print(file=sys.stderr)
        note = f"recursion, {window}, N = {rounds}, {options.orders} orders" if hybrid else f"masked-diffusion bound, {options.orders} orders"
        rows.append(claims_of.claim(f"bpc.{path.stem}", found.value, found.low, found.high, "bits per character", found.n, command, [net.sha256], note))
        document[path.stem] = {"bits": found.value, "low": found.low, "high": found.high, "n": found.n}
    print(claims_of.table(rows))
    if options.claims:
        claims_of.write("likelihood", rows)
    return document, 0


def grid(options: Namespace) -> tuple[dict, int]:
    """Both searches at every number of steps, as {"net", "data", "rows", "seed", "grids": [{"by", "steps", "alphas", "passes"}]}; harness/search/time_grid.py."""
    from harness.search.time_grid import SEARCHES, write
    from harness.study import load_study

    study, name = load_study(options.study), options.net
    name = name or study.reference
    if name not in study.nets:
        raise ValueError(f"the study {study.name} has no network {name!r}; choose {', '.join(study.nets)}{meant(name, study.nets)}")
    net: Any = study.nets[name].load(checked(options.device))
    rows = study.data.rows("validation", options.rows, options.seed).to(options.device)
    found = []
    for by, search in SEARCHES.items():
        for steps, (alphas, passes) in search(net, rows, sorted({*options.steps}), seed=options.seed).items():
            found.append({"by": by, "steps": steps, "alphas": list(alphas), "passes": passes})
            print(f"{by:<16} {steps:>4} steps  {passes:>8} passes  {' '.join(f'{a:.3f}' for a in alphas)}", flush=True)
    write(options.out, {"net": {"name": name, "sha256": net.sha256}, "data": study.data.identity(), "rows": options.rows, "seed": options.seed, "grids": found})
    return {"grids": str(options.out)}, 0


def _of_member(words: list[str], name: str, judge: bool) -> list[str]:
    """The command of a member from that of the family: without --jobs, and without --extra where it is no judge's."""
    own, dropped = [*words], ("--jobs",) if judge else ("--jobs", "--extra")
    own[own.index("family", own.index("train"))] = name
    for k in reversed(range(len(own))):
        if own[k].partition("=")[0] in dropped:
            del own[k : k + (1 if "=" in own[k] else 2)]
    return own


def train(options: Namespace) -> tuple[dict, int]:
    import torch

    from ssmd.train.family import FAMILY, begins_from, member, queue, recipe
    from ssmd.train.loop import train as train_network

    for given, needs, there in ((options.data and "--data", "no --recipe, which has data of its own", not options.recipe),
                                (options.assume and "--assume", "--dry-run", options.dry_run), (options.seconds and "--seconds", "--dry-run", options.dry_run),
                                (options.jobs and "--jobs", "the member `family`", options.member == "family")):
        if given and not there:
            raise ValueError(f"{given} would be ignored, it needs {needs}: leave it out, or give that")
    family, data = recipe(options.recipe) if options.recipe else (FAMILY, None)
    if options.member == "family":
        failed = queue(family, lambda name: ["-m", "harness", *_of_member(sys.argv[1:], name, family[name].network == "judge")], options.jobs or 2, options.out)
        return {"family": str(options.out), "failed": failed}, 3 if failed else 0
    config = changed(member(options.member, family), options.changes + ([f"tokens={options.tokens}"] if options.tokens else []))
    data = _dataset(options) if data is None else changed(data, [f"{k}={v}" for k in ("path", "tokenizer", "length") if (v := getattr(options, k)) is not None])
    if options.extra and config.network != "judge":
        raise ValueError(f"--extra would be ignored, {options.member} is no judge: leave it out")
    extra = ((plugins.datasets()["text8"](path=options.extra, length=data.length), "train"),) if options.extra else ()
    if not hasattr(data, "tokens") and not hasattr(data, "crops"):
        raise ValueError(f"{data.name} is not a text to train on: choose a corpus with --data")
    if options.threads:
        torch.set_num_threads(options.threads)
    split, init = "judge" if config.network == "judge" else "train", options.init or begins_from(options.member, options.out, family)
    device, compiled = checked(options.device), can_compile(options.compile)
    if options.dry_run:
        from ssmd.train import dry_run as dry

        plan = dry.dry_run(config, data, split, device, compiled, init, options.seconds or 20.0, options.assume)
        print(dry.sentence(options.member, plan))
        return {"member": options.member} | plan, 0
    path = train_network(config, data, options.out / options.member, options.member, device, compiled, split, say=lambda text: print(text, file=sys.stderr, flush=True),
                         init=init, extra=extra, command=typed(["ssmd-bench", *sys.argv[1:]]))
    return {"checkpoint": str(path)}, 0


def checkpoints(options: Namespace) -> tuple[dict, int]:
    """What left the tree, as {"here": [names], "absent": [names], "restored": [names]}; harness/nets/absent.py."""
    from harness.nets.absent import chosen
    from harness.nets.restore import restore

    entries = chosen(options.restore or [])
    restored = [entry.name for entry in entries if options.restore is not None and restore(entry)]
    for entry in entries:
        state = "restored" if entry.name in restored else "here" if entry.path.is_file() else "absent"
        print(f"{entry.name:<24} {entry.bytes / 2**20:6.1f} MiB  {state:<8}  {entry.train}")
    here = [entry.name for entry in entries if entry.path.is_file()]
    return {"here": here, "absent": [entry.name for entry in entries if entry.name not in here], "restored": restored}, 0
