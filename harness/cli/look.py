"""The verbs that look around: `list` and `doctor`."""

from argparse import Namespace
from dataclasses import MISSING, fields

from harness.boundary.arguments import LOOK, Verb, no_options


def list_plugins(options: Namespace) -> tuple[dict, int]:
    from harness.cli._listing import listing, table

    document = listing()
    print("\n".join(table(document)))
    return document, 0


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
         "ssmd-bench list", no_options, list_plugins),
    Verb("doctor", LOOK, "what this machine is, and whether data and checkpoints are whole",
         "ssmd-bench doctor", no_options, doctor),
)
