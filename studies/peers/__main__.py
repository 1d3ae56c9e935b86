"""The command: studies/peers/__init__.py says what it does, docs/peers.md how its results are read."""

import argparse
import json
import re
import sys
import warnings
from pathlib import Path

import torch

from harness.boundary.atomic import write_text
from harness.boundary.ending import guarded, working
from harness.claims.claim import renew
from harness.records.store import Store
from studies.peers import look, memory, timing
from studies.peers.claims import claims, law, peaks, seconds, shown
from studies.peers.peer import ADAPTERS, loaded

SIZES = ("processes", "repeats", "rows", "length", "steps")
LOOKS = ("law", "time", "memory")


def known() -> list[str]:
    return sorted(path.stem for path in ADAPTERS.glob("[!_]*.py") if path.stem != "plain")


def options(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m studies.peers", description="public samplers beside ours, on our network. The code in PATH "
        "runs as it stands, with your rights: read it first")
    parser.add_argument("--peer", action="append", metavar="NAME=PATH", required=True,
                        help=f"folder of a peer's code: {', '.join(known())}, or any other name for a folder with "
                        "loop.py (studies/peers/adapters/plain.py)")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--only", choices=LOOKS, help="one of the three looks")
    parser.add_argument("--law-rows", type=int, default=look.ROWS,
                        help="of each setting in the world of 81 texts; 0: without it")
    parser.add_argument("--wide-rows", type=int, default=look.WIDE_ROWS, help="0: without the world of many symbols")
    for size in SIZES:
        parser.add_argument(f"--{size}", type=int, default=getattr(timing, size.upper()), help="of what is timed")
    parser.add_argument("--memory-processes", type=int, default=memory.PROCESSES, help="for each peak of memory")
    parser.add_argument("--net", choices=[*timing.NETS], default="shipped", help="what is timed and "
                        "measured: the shipped network, or one of its shape over 50,257 tokens")
    parser.add_argument("--claims", action="store_true", help="write studies/peers/claims.json too, where those that "
                        "this run does not make stay")
    return parser.parse_args(words)


def named(words: list[str]) -> dict[str, Path]:
    """NAME -> PATH. Raises ValueError, in a sentence."""
    found: dict[str, Path] = {}
    for word in words:
        name, equals, path = word.partition("=")
        if not (equals and path and re.fullmatch(r"[a-z]\w*", name)) or name in ("plain", "ours"):
            raise ValueError(f"--peer {word!r:.80} is not NAME=PATH with a NAME of small letters, digits and _: write "
                             "--peer mdlm=FOLDER")
        if name in found:
            raise ValueError(f"two peers are named {name}: give each a name of its own")
        found[name] = Path(path)
    return found


def main(words: list[str] | None = None) -> int:
    """0 if every law is as it should be, 1 if one is not. Raises ValueError for what cannot be used."""
    asked = options(words)
    sizes = {size: getattr(asked, size) for size in SIZES}
    if min(*sizes.values(), asked.memory_processes) < 1 or min(asked.law_rows, asked.wide_rows) < 0:
        raise ValueError("what is timed must be at least 1 of each, rows of a law at least 0")
    folders = named(asked.peer)
    peers = {name: loaded(name, path) for name, path in folders.items()}    # all are there before one runs
    working()
    store, records = Store(asked.out), []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)    # as the processes of timing have
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")    # of the peers: old names of functions of torch
        for name, peer in peers.items():
            if asked.only in (None, "law"):
                for world, rows in (("small", asked.law_rows), ("wide", asked.wide_rows)):
                    if rows:
                        records.append(law(store, peer, world, rows))
                        print("\n".join(shown(records[-1])), flush=True)
            if asked.only in (None, "time"):
                records.append(seconds(store, peer, folders[name], asked.net, **sizes))
                print("\n".join(shown(records[-1])), flush=True)
            if asked.only in (None, "memory"):
                large = {size: sizes[size] for size in ("rows", "length", "steps")}
                records.append(peaks(store, peer, folders[name], asked.net, processes=asked.memory_processes, **large))
                print("\n".join(shown(records[-1])), flush=True)
    torch.set_num_threads(threads)
    command = " ".join(["python -m studies.peers", *(f"--peer {name}=PATH" for name in folders), "--out RUN",
                        *([f"--only {asked.only}"] if asked.only else []),
                        *([f"--net {asked.net}"] if asked.net != "shipped" else []),
                        *(f"--{size} {n}" for size, n in sizes.items() if n != getattr(timing, size.upper()))])
    made = claims(records, command)
    write_text(asked.out / "claims.json", json.dumps(made, indent=1, allow_nan=False) + "\n")
    if asked.claims:
        renew("peers", made)
    verdicts = [row[look.COLUMNS.index("verdict")] for record in records if record["columns"] == list(look.COLUMNS)
                for row in record["rows"]]
    return int("another law" in verdicts)


if __name__ == "__main__":
    sys.exit(guarded("studies.peers", main))
