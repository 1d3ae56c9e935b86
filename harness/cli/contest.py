"""The verb `contest`: its options, and what it does with them."""

from argparse import Namespace
from dataclasses import replace

from harness.boundary.arguments import GUARD, Parser, Verb, number, path, whole, word
from harness.boundary.fields import ROWS


def _options(parser: Parser) -> None:
    parser.add_argument("old", type=word, metavar="OLD", help="a commit of the study's repository, or a folder")
    parser.add_argument("new", type=word, metavar="NEW", help="the same; `.` is the working tree as it is")
    parser.add_argument("study", type=word, metavar="STUDY", help="its path in this tree; each tree loads its own")
    parser.add_argument("--only", action="append", type=word, default=[], metavar="ARM")
    parser.add_argument("--rows", type=whole(1, ROWS), help="timed of each cell (default: the study's, or 16)")
    parser.add_argument("--minutes", type=number(0, 10_000, above=True), default=5.0, help="at most (default 5)")
    parser.add_argument("--device", type=word, default="cpu")
    rules = "TOML, as of `compare`: time_ratio, also by arm, and inconclusive_time"
    parser.add_argument("--rules", type=path, metavar="FILE", help=rules)
    share = "of the repository and ignored by git, which worktrees are to have: networks, data"
    parser.add_argument("--share", action="append", type=word, default=[], metavar="PATH", help=share)


def contest(options: Namespace) -> tuple[dict, int]:
    from harness import plugins
    from harness.checks import rules as compare_rules
    from harness.contest.text import code, document, table
    from harness.contest.turns import Plan, fought
    from harness.run.progress import Progress
    from harness.run.trees import Stopped, stoppable, trees

    rules = compare_rules.read(options.rules) if options.rules else compare_rules.Rules()
    plan = Plan(tuple(options.only), options.rows, options.minutes, options.device, tuple(plugins.packages()))
    plan = replace(plan, threshold=rules.time_ratio, thresholds={arm: rules.of(arm).time_ratio for arm in rules.arms})
    progress = Progress(1, "contest")

    def told(planned: int, label: str) -> None:
        progress.total = planned
        progress.tick(label, "timed")

    try:
        with stoppable(), trees(options.old, options.new, options.study, options.share) as found:
            fight = fought(found, plan, told)
    except Stopped as signal:
        print(f"stopped by {signal}: nothing was decided, and the trees are removed; the same command begins anew")
        return {"old": options.old, "new": options.new, "end": "stopped"}, signal.code
    print(table(fight, rules))
    about = {"old": str(found[0]), "new": str(found[1]), "study": found[1].study}
    return about | document(fight, rules), code(fight, rules)


VERBS = (
    Verb("contest", GUARD, "time two trees in turns: is NEW slower than OLD? (docs/gate.md)",
         "ssmd-bench contest main . studies/smoke --only ancestral", _options, contest),
)
