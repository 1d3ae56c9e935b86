"""The verb `prove`: rows of stored cells sampled again by the code that runs now."""

from argparse import Namespace

from harness.boundary.arguments import GUARD, JOBS, Parser, Verb, number_or_all, whole, word


def _prove_options(parser: Parser) -> None:
    parser.add_argument("runs", nargs="*", type=word, metavar="STUDY|RUN",
                        help="studies, whose kept run is meant, or runs (default: all that are kept)")
    parser.add_argument("--rows", type=number_or_all, default=16, metavar="N|all",
                        help="of each cell (default 16); which ones depends on the sources")
    against = "where floats differ: sample the same rows by the sources of that commit too, on this machine"
    parser.add_argument("--against", type=word, metavar="COMMIT", help=against)
    parser.add_argument("--share", type=word, metavar="K/N", help="look at the K-th of N parts of the cells alone")
    parser.add_argument("--check", action="store_true", help="look also at what is proven, and store nothing")
    parser.add_argument("--jobs", type=whole(1, JOBS), default=1, help="cells side by side")


def prove(options: Namespace) -> tuple[dict, int]:
    from harness.cli._proving import prove as work

    return work(options)


VERBS = (
    Verb("prove", GUARD, "sample some rows of stored cells again: does the code that runs now give the same?",
         "ssmd-bench prove studies/demo --rows 4", _prove_options, prove),
)
