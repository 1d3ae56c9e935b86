"""What the gate says: a table for people, one for a pull request, JUnit for a build server, and the JSON document."""

import re
from collections import defaultdict
from html import escape
from xml.etree import ElementTree

from harness.checks.gate import TIERS, Comparison
from harness.checks.tiers import OUTCOMES, Verdict

FEW = 3          # more verdicts than these with one reason are one line
LONGEST = 25     # rows of the Markdown table
SKIPPED = ("missing", "not shown", "too few processes", "not comparable")
# what XML 1.0 cannot hold, in any spelling
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def headline(found: Comparison) -> str:
    """One sentence: the end and what it is of, how many cells were compared, how many stand on one side only."""
    alone = f"{found.only_base} finished in BASE alone, {found.only_new} in NEW alone"
    counted = f"{found.compared} cells compared, {alone}"
    decided = _listed(found.decided)
    if found.end == "no regression":
        return f"no regression in {decided}: {counted}"
    if found.end == "not shown":
        open_ = _listed([f"{tier} ({number} undecided)" for tier, number in found.undecided.items()])
        order = f"; {decided} in order" if decided else ""
        return f"not shown: neither a regression nor its absence in {open_}{order}: {counted}"
    return f"{found.end}: {counted}"


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def document(found: Comparison, whole: bool) -> dict:
    """The last line of stdout; every verdict if `whole`."""
    about = {"end": found.end, "decided": found.decided, "undecided": found.undecided, "compared": found.compared,
             "only_base": found.only_base, "only_new": found.only_new, "totals": found.totals(), "notes": found.notes}
    return about | ({"verdicts": [v._asdict() for v in found.verdicts]} if whole else {})


def rows(found: Comparison) -> list[tuple[str, ...]]:
    """(tier, outcome, cell, detail) of all that is not plainly equal, gravest first; many verdicts with one reason are
    one row.
    """
    groups: dict[tuple, list[Verdict]] = defaultdict(list)
    for v in found.verdicts:
        if v.outcome != "equal":
            groups[v.tier, v.outcome, v.fails, v.what, v.detail].append(v)
    made = []
    for (tier, outcome, _, what, detail), group in groups.items():
        cells = [f"{len(group)} cells"] if len(group) > FEW else [f"{v.cell} [{v.key[:8]}]" for v in group]
        made += [(tier, outcome, cell, f"{what}: {detail}" if what else detail, group[0].fails) for cell in cells]
    made.sort(key=lambda row: (not row[4], OUTCOMES.index(row[1]), TIERS.index(row[0])))
    return [tuple(_plain(text) for text in row[:4]) for row in made]


def totals(found: Comparison) -> list[str]:
    """A line for each tier: how many of each outcome."""
    return [f"{tier}: {', '.join(f'{number} {outcome}' for outcome, number in outcomes.items()) or 'nothing'}" for tier,
            outcomes in found.totals().items()]


def table(found: Comparison) -> str:
    """For people: what is not equal, totals, notes, and the headline last."""
    lines = rows(found)
    widths = [max((len(line[k]) for line in lines), default=0) for k in range(3)]
    body = ["  ".join(f"{text:<{width}}" for text, width in zip(line, (*widths, 0))).rstrip() for line in lines]
    return "\n".join([*body, *totals(found), *map(_plain, found.notes), headline(found)])


def markdown(found: Comparison) -> str:
    """For a comment on a pull request: the headline, totals, and the gravest rows."""
    lines = rows(found)
    text = [f"**ssmd-bench compare: {headline(found)}**", "",
            *(f"- {line}" for line in [*totals(found), *map(_marked, found.notes)])]
    if lines:
        shown = [("tier", "verdict", "cell", "what"), ("---",) * 4,
                 *(tuple(map(_marked, line)) for line in lines[:LONGEST])]
        text += ["", *("| " + " | ".join(line) + " |" for line in shown)]
    if len(lines) > LONGEST:
        text += ["", f"and {len(lines) - LONGEST} rows more"]
    return "\n".join(text) + "\n"


def junit(found: Comparison) -> str:
    """JUnit XML: one test case for each cell and tier; what could not be compared is skipped."""
    cases: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for v in found.verdicts:
        cases[v.tier, v.key].append(v)
    suite = ElementTree.Element("testsuite", name="ssmd-bench compare")
    for (tier, key), verdicts in cases.items():
        case = ElementTree.SubElement(suite, "testcase", classname=f"compare.{tier}",
                                      name=_xml(f"{verdicts[0].cell} [{key}]"), time="0")
        said = "\n".join(_xml(f"{f'{v.what}: ' if v.what else ''}{v.outcome}{f': {v.detail}' if v.detail else ''}")
                         for v in verdicts if v.outcome != "equal")
        failing = [v for v in verdicts if v.fails]
        if failing:
            gravest = min((v.outcome for v in failing), key=OUTCOMES.index)
            ElementTree.SubElement(case, "error" if gravest == "failed" else "failure", message=gravest,
                                   type=gravest).text = said
        elif all(v.outcome in SKIPPED for v in verdicts):
            ElementTree.SubElement(case, "skipped", message=said)
        elif said:
            ElementTree.SubElement(case, "system-out").text = said
    numbers = {"tests": len(cases)} | {name: len(suite.findall(f"testcase/{tag}")) for name,
                                       tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))}
    for name, number in numbers.items():
        suite.set(name, str(number))
    suites = ElementTree.Element("testsuites", suite.attrib)
    suites.append(suite)
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"


def _xml(text: str) -> str:
    return _UNFIT.sub("?", text)


def _plain(text: str) -> str:
    """In one line, without what steers a terminal."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))


def _marked(text: str) -> str:
    """Markdown in a cell of a table: nothing in the text means anything."""
    return re.sub(r"([\\|`*_\[\]~])", r"\\\1", escape(_plain(text), quote=False))
