"""The verbs that look around: `list` and `doctor`."""

from argparse import Namespace
from dataclasses import MISSING, fields

from harness.boundary.arguments import LOOK, Parser, Verb, no_options, word
from harness.boundary.nearest import meant


def _list_options(parser: Parser) -> None:
    parser.add_argument("what", type=word, nargs="*", metavar="KIND|NAME",
                        help="a kind, such as samplers, or a name, such as ancestral; with --json everything known")


def list_plugins(options: Namespace) -> tuple[dict, int]:
    """All names; or, of a kind, the settings; or all that is known of one name, which may be of several kinds."""
    from harness.cli._listing import asked, kind_of, listing, names, overview, table, whole

    known, words, full = names(), options.what, "json" in options
    if not words:
        print("\n".join(overview(known)))
        print("`ssmd-bench list samplers` shows the settings of a kind, `ssmd-bench list ancestral` all of one")
        return listing() if full else {kind: len(found) for kind, found in known.items()}, 0
    kind = kind_of(words[0])
    if kind and len(words) == 1:
        document = listing(asked(kind))
        print("\n".join(table(document)))
        return document if full else {one: known[one] for one in document}, 0
    name, kinds = words[-1], asked(words[0]) or [*known]
    holding = [one for one in kinds if name in known[one]]
    if not holding or len(words) > 1 + bool(kind):
        every = [*known, *(each for one in kinds for each in known[one])]
        raise ValueError(f"there is no {kind or 'kind and no name'} {name!r}{meant(name, every) or ';'} `ssmd-bench "
                         "list` names all there is")
    document = {one: {name: listing([one])[one][name]} for one in holding}
    print("\n".join(line for one in holding for line in whole(f"{one} {name}", document[one][name])))
    return document if full else {one: [name] for one in holding}, 0


def doctor(options: Namespace) -> tuple[dict, int]:
    from harness import plugins
    from harness.nets.checkpoint import load
    from harness.records.machine import machine
    from harness.spec import ROOT

    about, troubles = machine(), []
    for _, cls in sorted(plugins.datasets().items()):
        try:
            if all(f.default is not MISSING and f.name != "path" for f in fields(cls)):    # others come by path
                cls().identity()
        except ValueError as error:
            troubles.append(str(error))
    for path in sorted((ROOT / "ssmd" / "checkpoints").glob("**/*.safetensors")):
        try:
            load(path)
        except ValueError as error:
            troubles.append(str(error))
    for key, value in about.items():
        print(f"{key:<14} {value}")
    print("\n".join(troubles) or "data and checkpoints are whole")
    return {"machine": about, "troubles": troubles}, 2 if troubles else 0


VERBS = (
    Verb("list", LOOK, "samplers, data, metrics, plots, studies and more, with fields, defaults, ranges and origin",
         "ssmd-bench list samplers", _list_options, list_plugins),
    Verb("doctor", LOOK, "what this machine is, and whether data and checkpoints are whole",
         "ssmd-bench doctor", no_options, doctor),
)
