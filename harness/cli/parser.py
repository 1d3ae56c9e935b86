"""The parser of the command line, made of the verbs that are found (harness/cli/verbs.py)."""

import argparse
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version

from harness.boundary.arguments import GROUPS, Parser, Verb, word

DOES = "Measures samplers of masked-diffusion models against each other; the last line of stdout is one JSON document"


def parser(verbs: Mapping[str, Verb]) -> Parser:
    top = Parser(prog="ssmd-bench", description=DOES, epilog=_grouped(verbs),
                 formatter_class=argparse.RawDescriptionHelpFormatter)
    _everywhere(top, "plugins")
    below = top.add_subparsers(dest="verb", required=True, metavar="VERB", prog="ssmd-bench")
    for verb in verbs.values():
        parser = below.add_parser(verb.name, description=verb.does, epilog=f"example: {verb.example}",
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
        verb.options(parser)
        _everywhere(parser, "further")
    return top


def plugins_of(words: Sequence[str]) -> list[str]:
    """The packages of --plugins, before anything else is read: they may bring verbs."""
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    early.add_argument("--plugins", action="append", default=[])
    try:
        return [package for package in early.parse_known_args([*words])[0].plugins if package.strip()]
    except argparse.ArgumentError:    # said, with its remedy, by the parser proper
        return []


def _version() -> str:
    try:
        return version("ssmd-bench")
    except PackageNotFoundError:    # called by its path, without being installed
        return "0+source"


def _everywhere(parser: Parser, plugins: str) -> None:
    """What may stand before the verb and behind it."""
    silent = argparse.SUPPRESS
    parser.add_argument("--version", action="version", version=f"ssmd-bench {_version()}")
    parser.add_argument("--quiet", action="store_true", default=silent, help="no progress on stderr")
    parser.add_argument("--json", action="store_true", default=silent, help="nothing but the JSON document on stdout")
    parser.add_argument("--plugins", action="append", type=word, default=[], dest=plugins, metavar="PACKAGE",
                        help="scan one more package for plug-ins and verbs")


def _grouped(verbs: Mapping[str, Verb]) -> str:
    """The verbs by what a user wants to do, each with an example."""
    lines = []
    for group in [*GROUPS, *sorted({verb.group for verb in verbs.values()} - {*GROUPS})]:
        lines.append(f"\n{group}:")
        for verb in verbs.values():
            if verb.group == group:
                lines += [f"  {verb.name:<12} {verb.does}", f"  {'':<12} $ {verb.example}"]
    return "\n".join([*lines, "", "`ssmd-bench VERB --help` has the options of a verb"])
