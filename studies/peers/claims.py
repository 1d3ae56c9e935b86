"""Tables of the command, and what is claimed of them.

Claims peers.loop_ratio.NAME and .ours, peers.seconds_ratio.NAME, peers.memory_ratio.NAME and .ours (over 50,257 tokens
with .v50258 behind them); peers.rare_tokens.NAME and .ours.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from types import ModuleType

from harness.claims.claim import claim
from harness.records.machine import machine
from harness.records.measured import cached_table, column
from harness.records.store import Store
from harness.stats.intervals import FEWEST_PROCESSES, time_ratio
from studies.peers import look, memory, timing
from studies.peers.peer import Peer

LAW, SECONDS, MEMORY = "law of a peer", "seconds of a peer", "memory of a peer"
LEAST_MIB = 4    # a ratio of less is one of the allocator's steps


def law(store: Store, peer: Peer, world: str, rows: int) -> dict:
    """The record of a peer's law in a world, computed if the store has none of this code and these sizes."""
    ways = peer.ways if world == "small" else (peer.wide,)
    return cached_table(store, "peers", LAW, look.COLUMNS, lambda: look.WORLDS[world](peer, rows), [],
                        peer=peer.name, code=peer.digest, world=world, rows=rows, steps=[way.steps for way in ways])


def seconds(store: Store, peer: Peer, folder: Path, net: str, **sizes: int) -> dict:
    """The same of its seconds, on this machine."""
    return _here(store, SECONDS, timing, peer, folder, net, **sizes)


def peaks(store: Store, peer: Peer, folder: Path, net: str, **sizes: int) -> dict:
    """The same of its peak memory."""
    return _here(store, MEMORY, memory, peer, folder, net, **sizes)


def _here(store: Store, name: str, what: ModuleType, peer: Peer, folder: Path, net: str, **sizes: int) -> dict:
    return cached_table(store, "peers", name, what.COLUMNS, lambda: what.found(peer.name, folder, net, **sizes), [],
                        peer=peer.name, code=peer.digest, machine=machine()["id"], net=net, **sizes)


def claims(records: Sequence[dict], command: str) -> list[dict]:
    """peers.loop_ratio.NAME: seconds of the peer's loop over those of its bare passes; .ours: the same of our sampler
    of the same kind. peers.seconds_ratio.NAME: seconds of the peer's loop over those of ours, same rows and steps.
    peers.memory_ratio.NAME, .ours: peak memory of the loop over that of its bare passes. peers.rare_tokens.NAME, .ours:
    rare symbols, of 50,257, over those that the law expects.
    """
    kinds = {LAW: _rare, SECONDS: _ratios, MEMORY: _peaks}
    return [row for record in records for row in kinds[record["name"]](record, command)]


def _rare(record: dict, command: str) -> Iterator[dict]:
    for row in record["rows"]:
        of = dict(zip(record["columns"], row))
        if of["world"] == "wide":
            name = f"peers.rare_tokens.{of['peer']}{'.ours' if of['side'] == 'ours' else ''}"
            note = (f"{of['way']}, {of['steps']} steps; p = {of['p']:.2g}; code "
                    f"{record['settings']['code']}")
            yield claim(name, *look.rare_share(row), "tokens / tokens expected", of["n"], command, [record["key"]],
                        note)


def _peaks(record: dict, command: str) -> Iterator[dict]:
    s = record["settings"]
    for end, over, under in (("", "loop", "bare"), (".ours", "ours", "ours_bare")):
        mib, bare = (column(record, "mib", quantity=quantity) for quantity in (over, under))
        if min(*mib, *bare) < LEAST_MIB or len(mib) < FEWEST_PROCESSES:
            print(f"peers.memory_ratio.{s['peer']}{end}: no claim, {len(mib)} processes took {min(*mib, *bare):.1f} "
                  f"MiB and more; give {FEWEST_PROCESSES} processes or more, and rows that take {LEAST_MIB} MiB")
            continue
        v = time_ratio([[a] for a in mib], [[b] for b in bare])
        yield claim(f"peers.memory_ratio.{s['peer']}{end}{timing.NETS[s['net']]}", v.value, v.low, v.high, "MiB / MiB",
                    v.n, command, [record["key"]], f"{median(mib):.0f} MiB over {median(bare):.0f}, of {_sizes(s)}")


def _sizes(s: dict) -> str:
    return f"{s['steps']} steps, {s['rows']} rows of {s['length']} tokens; code {s['code']}"


def _ratios(record: dict, command: str) -> Iterator[dict]:
    s = record["settings"]
    others = max((x for x in column(record, "value", quantity="busy") if x is not None), default=None)
    note = _sizes(s) + (
        f"; others took up to {others:.0%} of the machine" if others is not None else "")

    def each(quantity: str) -> list[list[float]]:
        return [column(record, "value", quantity=quantity, process=k) for k in range(s["processes"])]

    for name, over, under in ((f"loop_ratio.{s['peer']}", "loop", "bare"),
                              (f"loop_ratio.{s['peer']}.ours", "ours", "ours_bare"),
                              (f"seconds_ratio.{s['peer']}", "loop", "ours")):
        pairs = [[a / b for a, b in zip(one, other)] for one, other in zip(each(over), each(under))]
        v = time_ratio(pairs, [[1.0]] * len(pairs))    # a process counts by the median of its pairs
        yield claim(f"peers.{name}{timing.NETS[s['net']]}", v.value, v.low, v.high, "seconds / seconds", v.n, command,
                    [record["key"]], note)


def shown(record: dict) -> Iterator[str]:
    """A record as lines of a Markdown table."""
    if record["name"] == LAW:
        yield "| peer | world | way | steps | side | rows | total variation | seen above | p | verdict |"
        yield "|---|---|---|---|---|---|---|---|---|---|"
        for row in record["rows"]:
            peer, world, way, steps, side, n, tv, seen, p, verdict, _ = row
            yield (f"| {peer} | {world} | {way} | {steps} | {side} | {n:,} | {tv:.4f} | {seen:.4f} | {p:.2g} | "
                   f"{verdict} |")
        return
    s, what = record["settings"], ("mib" if record["name"] == MEMORY else "value")
    yield f"| peer | network | part | {'peak MiB' if record['name'] == MEMORY else 'seconds'}, median |"
    yield "|---|---|---|---|"
    for part in timing.PARTS:
        yield f"| {s['peer']} | {s['net']} | {part} | {median(column(record, what, quantity=part)):.3f} |"
