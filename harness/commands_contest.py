"""The verb `contest`: its options, and what it does with them."""

from argparse import Namespace
from pathlib import Path


def options(verbs) -> None:
    """Add the verb to a parser."""
    contest = verbs.add_parser(
        "contest", help="time two trees of sources in turns: is NEW slower than OLD? (docs/gate.md)"
    )
    contest.add_argument("old", metavar="OLD", help="a commit of the study's repository, or a folder")
    contest.add_argument("new", metavar="NEW", help="the same; `.` is the working tree as it is")
    contest.add_argument("study", metavar="STUDY", help="its path in this tree; each tree loads its own")
    contest.add_argument("--only", action="append", default=[], metavar="ARM")
    contest.add_argument("--rows", type=int, help="timed of each cell (default: those of the study's Timing, or 16)")
    contest.add_argument("--minutes", type=float, default=5.0, help="at most; it ends earlier if it can (default 5)")
    contest.add_argument("--device", default="cpu")
    contest.add_argument(
        "--rules",
        type=Path,
        metavar="FILE",
        help="TOML, as of `compare`: time_ratio and inconclusive_time, also by arm",
    )
    contest.add_argument(
        "--share",
        action="append",
        default=[],
        metavar="PATH",
        help="of the repository and ignored by git, which worktrees are to have: networks, data",
    )


def contest(options: Namespace) -> tuple[dict, int]:
    from harness import compare_rules, plugins
    from harness.progress import Progress
    from harness.turns import Plan, fought
    from harness.turns_text import code, document, table
    from harness.turns_trees import Stopped, stoppable, trees

    if options.minutes <= 0 or options.rows is not None and options.rows < 1:
        raise ValueError("--minutes must be above 0 and --rows at least 1")
    rules = compare_rules.read(options.rules) if options.rules else compare_rules.Rules()
    own = {arm: rules.of(arm).time_ratio for arm in rules.arms}
    plan = Plan(
        tuple(options.only),
        options.rows,
        options.minutes,
        options.device,
        tuple(plugins.packages()),
        rules.time_ratio,
        own,
    )
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
    return {"old": str(found[0]), "new": str(found[1]), "study": found[0].study, **document(fight, rules)}, code(
        fight, rules
    )
