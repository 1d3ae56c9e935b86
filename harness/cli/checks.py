"""The verbs of the gate and of conformance: `compare`, `expect`, `verify`."""

from argparse import Namespace
from functools import partial
from pathlib import Path

from harness.boundary.arguments import GUARD, Parser, Verb, path, whole, word


def _compare_options(parser: Parser) -> None:
    parser.add_argument("base", type=path, metavar="BASE",
                        help="run folder, zip of a kept run, or expectations that `ssmd-bench expect` wrote")
    parser.add_argument("new", type=path, metavar="NEW", help="the same")
    parser.add_argument("--rules", type=path, metavar="FILE", help="TOML: tolerances, margins, thresholds")
    parser.add_argument("--junit", type=path, metavar="FILE", help="write JUnit XML there")
    parser.add_argument("--markdown", type=path, metavar="FILE", help="write a short table there, for a pull request")


def _expect_options(parser: Parser) -> None:
    parser.add_argument("run", type=path)
    parser.add_argument("--write", type=path, metavar="FILE", default=Path("studies/gate/counts.jsonl"))
    parser.add_argument("--changelog", type=path, metavar="FILE", default=Path("CHANGELOG.md"))


def _verify_options(parser: Parser) -> None:
    parser.add_argument("samplers", type=word, nargs="*", help="names (default: all)")
    parser.add_argument("--sharp", action="store_true",
                        help="a million rows on small worlds, of exact samplers and exact limits: sees a total "
                             "variation of .003")
    parser.add_argument("--rows", type=whole(2), help="of the sharp test (default 1,200,000)")
    parser.add_argument("--write", type=path, metavar="FILE", help="put the table between the marks of a Markdown file")


def compare(options: Namespace) -> tuple[dict, int]:
    from harness.boundary.atomic import write_text
    from harness.checks import rules as compare_rules
    from harness.checks import side as compare_side
    from harness.checks import text as compare_text
    from harness.checks.gate import compare as gate
    from harness.cli._options import opened
    from harness.records.places import is_zip

    rules = compare_rules.read(options.rules) if options.rules else compare_rules.Rules()
    base, new = (compare_side.expectations(place) if place.is_file() and not is_zip(place)
                 else compare_side.side(opened(place, strict=True))
                 for place in (options.base, options.new))
    found = gate(base, new, rules)
    for file, text in ((options.junit, compare_text.junit), (options.markdown, compare_text.markdown)):
        if file:
            write_text(file, text(found))
    print(compare_text.table(found))
    return {"base": str(options.base), "new": str(options.new),
            **compare_text.document(found, "json" in options)}, found.code


def expect(options: Namespace) -> tuple[dict, int]:
    from harness.checks.expect import expect as keep
    from harness.cli._options import opened

    return keep(opened(options.run, strict=True), options.write, options.changelog), 0


def verify(options: Namespace) -> tuple[dict, int]:
    from harness import plugins
    from harness.boundary.atomic import write_text
    from harness.boundary.nearest import meant
    from harness.checks import conformance, power
    from harness.cli._options import between_marks

    known = plugins.samplers()
    if unknown := set(options.samplers) - set(known):
        name = sorted(unknown)[0]
        raise ValueError(f"there is no sampler {name!r}{meant(name, known) or '; choose ' + ', '.join(sorted(known))}")
    if options.rows and not options.sharp:
        raise ValueError("--rows is of the sharp test: give --sharp too")
    check, table = (partial(power.sharp, n=options.rows or power.ROWS), power.table) if options.sharp else (
        conformance.verify, conformance.table)
    verdicts: list = []
    for name, cls in sorted(known.items()):
        if not options.samplers or name in options.samplers:
            try:
                verdicts += [found for variant in conformance.variants(cls()) if (found := check(variant))]
            except Exception as error:    # a sampler of one's own may raise whatever it likes
                raise ValueError(f"the sampler {name} cannot be verified ({type(error).__name__}: {error}): correct "
                                 f"{plugins.origin(cls)}; every field needs a default") from error
    print(table(verdicts))
    if options.write:
        write_text(options.write, between_marks(options.write, "verify", table(verdicts)))
    return {"passed": sum(v.passed for v in verdicts),
            "failed": sum(not v.passed for v in verdicts)}, int(not all(v.passed for v in verdicts))


VERBS = (
    Verb("compare", GUARD,
         "the regression gate: counts, quality and times of one run against those of another (docs/gate.md)",
         "ssmd-bench compare studies/gate/base.zip runs/gate --rules studies/gate/rules.toml", _compare_options,
         compare),
    Verb("expect", GUARD,
         "write the counts of a run as expectations to compare with, and what changed into the changelog",
         "ssmd-bench expect runs/gate --write studies/gate/counts.jsonl", _expect_options, expect),
    Verb("verify", GUARD, "hold samplers to the law of an ideal network",
         "ssmd-bench verify first_hitting", _verify_options, verify),
)
