"""What a contest says: a table of ratios for people, notes, one sentence, and the JSON document. Exit codes are those
of the gate (docs/gate.md)."""

from statistics import mean

from harness.checks.gate import ENDS
from harness.checks.rules import Rules
from harness.contest.judge import LEVEL, NAMES, Judged, Ratio
from harness.contest.turns import Contest


def code(found: Contest, rules: Rules) -> int:
    """3 if a cell fails in NEW, 2 if there is nothing to compare, 1 for a regression, 4 for what is not shown, unless
    the rules let it pass, 0."""
    if found.failed:
        return 3
    if found.judged is None:
        return 2
    return {"regression": 1, "no regression": 0, "not shown": 4 if rules.inconclusive_time == "fail" else 0}[
        found.judged.end
    ]


def end(found: Contest) -> str:
    return ENDS[3] if found.failed else found.judged.end if found.judged else ENDS[2]


def busy(found: Contest) -> float | None:
    """The share of the machine that others took, over all blocks."""
    return _mean([b.busy for b in found.blocks])


def _mean(values: list[float | None]) -> float | None:
    known = [x for x in values if x is not None]
    return mean(known) if known else None


def table(found: Contest, rules: Rules) -> str:
    """A row for each cell and one for all, notes, and the headline last."""
    lines: list[tuple[str, ...]] = []
    if judged := found.judged:
        measures = [m for m in NAMES if m in judged.whole]
        seconds = {
            cell: [mean(b.seconds[cell][name] for b in found.blocks) for name in ("old", "new")]
            for cell in judged.cells
        }
        lines.append(("cell", "OLD s", "NEW s", *(f"NEW / OLD, {NAMES[m]}" for m in measures), "verdict"))
        for cell, own in judged.cells.items():
            lines.append(
                (cell, *(f"{x:.4g}" for x in seconds[cell]), *(_ratio(own[m]) for m in measures), _verdict(own, judged))
            )
        lines.append(("all", "", "", *(_ratio(judged.whole[m]) for m in measures), _verdict(judged.whole, judged)))
    widths = [max(map(len, column)) for column in zip(*lines)]
    body = ["  ".join(f"{text:<{width}}" for text, width in zip(line, widths)).rstrip() for line in lines]
    return "\n".join([*body, *found.notes, *_about(found), headline(found, rules)])


def _about(found: Contest) -> list[str]:
    share = busy(found)
    if not found.blocks:
        return []
    lines = [
        f"intervals are of all looks and cells together: a false slow-down comes in at most {LEVEL:.0%} of contests"
    ]
    shares = [b.busy for b in found.blocks if b.busy is not None]
    load = _mean([b.load for b in found.blocks])
    about = f", load average {load:.1f}" if load is not None else ""
    return lines + (
        [f"other work took {share:.0%} of the machine meanwhile ({min(shares):.0%} to {max(shares):.0%}{about})"]
        if shares
        else []
    )


def headline(found: Contest, rules: Rules) -> str:
    """One sentence."""
    if found.failed:
        first = next(iter(found.failed))
        return f"a run failed: {len(found.failed)} cells fail in NEW and not in OLD, the first is {first}"
    judged = found.judged
    if judged is None:
        return "nothing comparable: no cell can be sampled in both trees"
    whole, name, took = (
        judged.whole[judged.measure],
        NAMES[judged.measure],
        f"{len(found.blocks)} pairs of processes in {found.seconds:.0f} s",
    )
    over = f"{_ratio(whole)} times as long over all cells"
    if judged.end == "regression":
        return f"regression: {_slower(judged)}; {took}"
    if judged.end == "no regression":
        return f"no regression in {name}: {over}, and no cell at its threshold ({rules.time_ratio:g}) or above; {took}"
    open_ = sum(own[judged.measure].outcome == "not shown" for own in judged.cells.values())
    return (
        f"not shown: neither a regression nor its absence in {name}: {over}, "
        f"{open_} of {len(judged.cells)} cells undecided; "
        f"a slow-down of {judged.seen - 1:.0%} would have been found in four contests of five; {took}"
    )


def _slower(judged: Judged) -> str:
    """The gravest slow-down that was found: over all cells, and in the measure that decides, if it is there."""
    for m in dict.fromkeys((judged.measure, "wall")):
        if judged.whole[m].outcome == "slower":
            return f"NEW takes {_ratio(judged.whole[m])} times the {NAMES[m]} of OLD over all cells"
        worst = [(cell, own[m]) for cell, own in judged.cells.items() if own[m].outcome == "slower"]
        if worst:
            cell, ratio = max(worst, key=lambda pair: pair[1].low)
            return f"NEW takes {_ratio(ratio)} times the {NAMES[m]} of OLD for {cell}"
    raise AssertionError("a regression without a slow-down")


def _ratio(ratio: Ratio) -> str:
    return f"{ratio.value:.3f} ({ratio.low:.3f} to {ratio.high:.3f})"


def _verdict(own: dict[str, Ratio], judged: Judged) -> str:
    first, wall = own[judged.measure].outcome, own["wall"].outcome
    return f"{first}, wall slower" if wall == "slower" and first != "slower" else first


def document(found: Contest, rules: Rules) -> dict:
    """The last line of stdout. `blocks`: the logarithms of NEW / OLD of each pair of processes."""
    judged = found.judged
    about = {
        "end": end(found),
        "code": code(found, rules),
        "seconds": round(found.seconds, 1),
        "pairs": len(found.blocks),
        "planned": found.planned,
        "busy": busy(found),
        "load": _mean([b.load for b in found.blocks]),
        "notes": found.notes,
        "failed": found.failed,
    }
    if judged is None:
        return about
    return about | {
        "measure": judged.measure,
        "seen": judged.seen,
        "level": LEVEL,
        "whole": {m: r._asdict() for m, r in judged.whole.items()},
        "cells": {cell: {m: r._asdict() for m, r in own.items()} for cell, own in judged.cells.items()},
        "blocks": [b.logs for b in found.blocks],
        "threshold": rules.time_ratio,
    }
