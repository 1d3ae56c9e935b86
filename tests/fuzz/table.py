"""The outcomes of many inputs: counts by kind, and every failure by its place."""

from collections import Counter
from collections.abc import Sequence

from tests.fuzz.case import text
from tests.fuzz.kinds import KINDS
from tests.fuzz.outcome import BARE, GOOD, OUTCOMES, Found


def counts(found: Sequence[Found]) -> dict[str, dict[str, int]]:
    """kind -> outcome -> number."""
    table = {name: Counter(f.outcome for f in found if f.kind == name) for name in KINDS}
    return {name: {outcome: of[outcome] for outcome in OUTCOMES if of[outcome]} for name, of in table.items() if of}


def report(found: Sequence[Found]) -> str:
    """Markdown: every failure, those of one place together."""
    lines, bad = [], [f for f in found if f.outcome not in GOOD]
    groups: dict[tuple, list[Found]] = {}
    for f in bad:
        groups.setdefault((f.outcome, f.place, f.detail[:60] if f.outcome in BARE else f.kind), []).append(f)
    for (outcome, place, about), group in sorted(groups.items(), key=lambda item: (list(OUTCOMES).index(item[0][0]),
        -len(item[1]))):
        lines.append(f"\n## {outcome} {place} {about} ({len(group)})\n")
        lines += [f"- {f.kind}-{f.number}: `{text(f.case.words)[:200]!a}` {dict(f.case.environment) or ''} "
                  f"{f.detail[:240]!a}" for f in group[:6]]
    spent = {name: [f.seconds for f in found if f.kind == name] for name in KINDS}
    lines += ["\n## seconds of the processor an input\n",
        *(f"- {name}: {sum(of) / len(of):.2f}, at most {max(of):.2f}" for name, of in spent.items() if of)]
    return "\n".join(lines) + "\n"
