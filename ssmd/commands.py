"""The verbs that make, score and bring back networks: `train`, `score`, `checkpoints`."""

import os
import sys
from argparse import Namespace
from dataclasses import fields
from pathlib import Path
from typing import Any

from harness.boundary.arguments import JOBS, MAKE, MEASURE, Parser, Verb, number, path, whole, word
from harness.boundary.fields import ROWS
from ssmd.attach_verb import ATTACH


def _train_options(parser: Parser) -> None:
    parser.add_argument("member", type=word)
    parser.add_argument("--out", type=path, default=Path("runs/train"))
    parser.add_argument("--data", type=word, help="default: wikipedia_leads, or the recipe's")
    parser.add_argument("--path", type=word, help="of a corpus that does not ship, e.g. text8")
    parser.add_argument("--tokenizer", type=word,
                        help="of a corpus of tokens, e.g. openwebtext: tokenizer.json, or the folder of vocab.json "
                             "and merges.txt")
    parser.add_argument("--extra", type=word, metavar="PATH",
                        help="a text8 file whose train split is added to the judge's text")
    parser.add_argument("--length", type=whole(1, 65536), help="of a row, in tokens (default 128, or the recipe's)")
    parser.add_argument("--tokens", type=number(0, 1e15, above=True), help="in all, of the training")
    parser.add_argument("--set", action="append", type=word, default=[], metavar="FIELD=VALUE", dest="changes")
    parser.add_argument("--init", type=path,
                        help="start from the weights of a finished checkpoint: a further cosine cycle")
    parser.add_argument("--device", type=word, default="cpu")
    parser.add_argument("--jobs", type=whole(1, JOBS),
                        help="members of the family trained side by side, one thread each (default 2)")
    parser.add_argument("--threads", type=whole(1, JOBS), help="of this training (default: all cores; OMP_NUM_THREADS)")
    parser.add_argument("--compile", action="store_true", help="compile each block")
    parser.add_argument("--recipe", type=word, metavar="FILE",
                        help="a Python file with FAMILY and DATA in place of the shipped family, e.g. "
                             "studies/paper/text8.py")
    parser.add_argument("--dry-run", action="store_true",
                        help="check data, memory and --init, time a few updates, say how long the whole would take; "
                             "write nothing")
    parser.add_argument("--seconds", type=number(0, 1e6, above=True),
                        help="of updates that a dry run times (default 20)")
    parser.add_argument("--assume", type=number(0, 1e25, above=True), metavar="FLOPS",
                        help="a dry run also computes the hours at this many FLOP/s")


def _score_options(parser: Parser) -> None:
    parser.add_argument("checkpoints", nargs="*", type=path, help="default: the shipped hybrid, heavy and light")
    parser.add_argument("--data", type=word, default="wikipedia_leads")
    parser.add_argument("--path", type=word, help="of a corpus that does not ship")
    parser.add_argument("--length", type=whole(1, 65536), help="of a row, in tokens (default 128)")
    parser.add_argument("--n", type=whole(1, ROWS), default=64, help="test rows")
    parser.add_argument("--orders", type=whole(1, 65536), default=1, help="K orders a row")
    parser.add_argument("--window", type=word,
                        help="of the self-speculative sampler whose law is scored, with its default settings "
                             "(default cosine)")
    parser.add_argument("--set", action="append", type=word, default=[], metavar="FIELD=VALUE", dest="changes",
                        help="a field of the window, e.g. delta=0.04")
    parser.add_argument("--rounds", type=whole(1, 65536), help="of that sampler (default 2)")
    parser.add_argument("--device", type=word, default="cpu", help="of the passes and of the law, e.g. cuda:1")
    parser.add_argument("--claims", action="store_true", help="write bpc.NAME to studies/likelihood/claims.json")


def _checkpoints_options(parser: Parser) -> None:
    parser.add_argument("--restore", type=word, nargs="*", metavar="NAME",
                        help="take them from the history of this clone, e.g. protein, or potts/heavy (default: all)")


def _dataset(options: Namespace):
    from harness import plugins
    from harness.boundary.nearest import meant
    from harness.spec import from_json

    known = plugins.datasets()
    options.data = options.data or "wikipedia_leads"
    if options.data not in known:
        raise ValueError(f"there is no data set {options.data!r}; choose "
                         f"{', '.join(sorted(known))}{meant(options.data, known)}")
    given = {name: value for name in ("length", "path", "tokenizer") if (value := getattr(options, name, None))}
    own = {f.name for f in fields(known[options.data])}
    if "length" in own:
        given.setdefault("length", 128)
    if unknown := set(given) - own:
        raise ValueError(f"the data set {options.data!r} takes no --{sorted(unknown)[0]}: leave it out or choose "
                         "another --data")
    return from_json("rows", {"name": options.data} | given)


def score(options: Namespace) -> tuple[dict, int]:
    from harness import plugins
    from harness.boundary.addresses import command as typed
    from harness.boundary.nearest import meant
    from harness.claims import claim as claims_of
    from harness.cli._options import changed
    from harness.nets.checkpoint import load
    from harness.nets.device import entered
    from harness.run.guards import as_trained
    from harness.run.progress import tell
    from ssmd.bits import bits_per_character
    from ssmd.train.family import SHIPPED

    data, windows = _dataset(options), plugins.windows()
    if (name := options.window or "cosine") not in windows:
        raise ValueError(f"there is no window {name!r}; choose {', '.join(sorted(windows))}{meant(name, windows)}")
    window, rounds = changed(windows[name](), options.changes), options.rounds or 2
    paths = options.checkpoints or [SHIPPED / f"{name}.safetensors" for name in ("hybrid", "heavy", "light")]
    command, rows, document = typed(["ssmd-bench", *sys.argv[1:]]), [], {}
    device = entered(options.device)
    nets: list[Any] = [load(place).to(device) for place in paths]
    if (options.window or options.changes or options.rounds) and not any(hasattr(net, "draft") and net.blocks("verify")
                                                                         for net in nets):
        raise ValueError("--window, --set and --rounds are of a hybrid, and none of these networks is one: leave "
                         "them out, or score a hybrid")
    for place, net in zip(paths, nets):
        if not hasattr(net, "draft"):
            raise ValueError(f"{place} is a {net.name} network, which drafts nothing: score a hybrid or a "
                             "masked-diffusion network")
        if net.vocab != data.vocab:
            raise ValueError(f"{place} writes {net.vocab} symbols and {data.name} has {data.vocab}: choose data or a "
                             "checkpoint that fits")
        as_trained(net, place.name, data)
        hybrid = bool(net.blocks("verify"))
        found, _ = bits_per_character(net, data, options.n, options.orders, window if hybrid else None, rounds,
                                      device=device,
                                      say=lambda done, of, name=place.stem: tell(f"\r{name} {done}/{of}", end=""))
        tell("")
        law = f"recursion, {window}, N = {rounds}" if hybrid else "masked-diffusion bound"
        note = f"{law}, {options.orders} orders"
        rows.append(claims_of.claim(f"bpc.{place.stem}", found.value, found.low, found.high, "bits per character",
                                    found.n, command, [net.sha256], note))
        document[place.stem] = {"bits": found.value, "low": found.low, "high": found.high, "n": found.n}
    print(claims_of.table(rows))
    if options.claims:
        claims_of.write("likelihood", rows)
    return document, 0


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

    from harness import plugins
    from harness.boundary import surroundings
    from harness.boundary.addresses import command as typed
    from harness.cli._options import changed
    from harness.nets.device import can_compile, entered, of_rank
    from harness.run.progress import tell
    from ssmd.train.family import FAMILY, begins_from, member, queue, recipe
    from ssmd.train.loop import train as train_network

    for given, needs, there in ((options.data and "--data", "no --recipe, which has data of its own",
                                 not options.recipe),
                                (options.assume and "--assume", "--dry-run", options.dry_run),
                                (options.seconds and "--seconds", "--dry-run", options.dry_run),
                                (options.jobs and "--jobs", "the member `family`", options.member == "family")):
        if given and not there:
            raise ValueError(f"{given} would be ignored, it needs {needs}: leave it out, or give that")
    family, data = recipe(options.recipe) if options.recipe else (FAMILY, None)
    if options.member == "family":
        failed = queue(family, lambda name: ["-m", "ssmd_bench",
                                             *_of_member(sys.argv[1:], name, family[name].network == "judge")],
                       options.jobs or 2, options.out)
        return {"family": str(options.out), "failed": failed}, 3 if failed else 0
    config = changed(member(options.member, family), options.changes + ([f"tokens={options.tokens}"] if options.tokens
                                                                        else []))
    data = (
        _dataset(options)
        if data is None
        else changed(
            data, [f"{k}={v}" for k in ("path", "tokenizer", "length") if (v := getattr(options, k)) is not None]
        )
    )
    if options.extra and config.network != "judge":
        raise ValueError(f"--extra would be ignored, {options.member} is no judge: leave it out")
    extra = ((plugins.datasets()["text8"](path=options.extra, length=data.length), "train"),) if options.extra else ()
    if not hasattr(data, "tokens") and not hasattr(data, "crops"):
        raise ValueError(f"{data.name} is not a text to train on: choose a corpus with --data")
    if options.threads:
        torch.set_num_threads(options.threads)
    split, init = (
        "judge" if config.network == "judge" else "train",
        options.init or begins_from(options.member, options.out, family),
    )
    device, compiled = entered(of_rank(options.device)), can_compile(options.compile)
    if options.dry_run:
        from ssmd.train import dry_run as dry

        plan = dry.dry_run(config, data, split, device, compiled, init, options.seconds or 20.0, options.assume)
        if surroundings.speaks(os.environ):
            print(dry.sentence(options.member, plan))
        return {"member": options.member} | plan, 0
    trained = train_network(config, data, options.out / options.member, options.member, device, compiled, split,
                            say=tell, init=init, extra=extra, command=typed(["ssmd-bench", *sys.argv[1:]]))
    return {"checkpoint": str(trained)}, 0


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
    return {"here": here, "absent": [entry.name for entry in entries if entry.name not in here],
            "restored": restored}, 0


VERBS = (
    Verb("train", MAKE, "train a member of the family, or `family` for all",
         "ssmd-bench train family --compile --jobs 2", _train_options, train),
    ATTACH,
    Verb("checkpoints", MAKE, "the networks that left the tree: which of them are here, and what trains the others",
         "ssmd-bench checkpoints --restore protein", _checkpoints_options, checkpoints),
    Verb("score", MEASURE, "bits per character of networks on held-out text",
         "ssmd-bench score ssmd/checkpoints/hybrid.safetensors --n 16", _score_options, score),
)
