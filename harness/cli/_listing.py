"""What there is to choose from: plug-ins, networks that ship, plots and studies, with fields, defaults, ranges, origin
and the line that imports them. Plots are read, not imported: drawing is slow to load.
"""

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import partial
from pathlib import Path

from harness import plugins
from harness.cli import _ship as ship
from harness.param import space_of
from harness.records import study_path
from harness.spec import ROOT, brief, to_json
from harness.study import Study, load_study

KINDS: dict[str, Callable[[], dict[str, type]]] = {
    "sampler": plugins.samplers, "control": plugins.controls, "data": plugins.datasets, "metric": plugins.metrics,
    "schedule": plugins.schedules,
    "window": plugins.windows, "order": plugins.orders, "certainty": partial(plugins.find, "certainty"),
    "placement": plugins.placements, "network": plugins.networks,
}

SHORT = ("Alg", "App", "Ch", "Eq", "Eqs", "Fig", "Figs", "No", "Sec", "Tab", "al", "approx", "cf", "e.g", "etc", "i.e",
         "vs")    # what a full stop shortens
END = re.compile("".join(rf"(?<!\b{re.escape(word)})" for word in SHORT) + r"\.(?:\s+(?=[A-Z`\"'(]|\w+ = )|$)")
EVERY = (*KINDS, "checkpoint", "plot", "study")


def kind_of(word: str) -> str | None:
    """The kind that a word names, in the singular or in the plural."""
    short = {"nets": "network", "studies": "study", "datasets": "data", "certainties": "certainty"}
    return next((kind for kind in (short.get(word), word, word.removesuffix("s")) if kind in EVERY), None)


def asked(word: str) -> list[str]:
    """The kinds that a word names: a network is a class, and a checkpoint that ships."""
    kind = kind_of(word)
    return ["network", "checkpoint"] if kind == "network" else [kind] if kind else []


def listing(kinds: Sequence[str] = EVERY) -> dict:
    """kind -> name -> {"origin", "about", "fields", "notes", "import", "more"}; a field is its default and its
    range.
    """
    found = {kind: {name: _plugin(cls) for name, cls in sorted(KINDS[kind]().items())} for kind in kinds
             if kind in KINDS}
    return found | {kind: dict(known()) for kind, known in OTHERS.items() if kind in kinds}


def names() -> dict[str, list[str]]:
    """kind -> names. No study is loaded for it."""
    return {kind: sorted(known()) for kind, known in KINDS.items()} | {
        "checkpoint": [*ship.cards()], "plot": [name for name, _ in _plots()],
        "study": [path.parent.name for path in _study_files()]}


def overview(document: dict[str, list[str]]) -> Iterator[str]:
    for kind, known in document.items():
        yield f"{kind} ({len(known)})"
        yield textwrap.fill(", ".join(known), 100, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)


def table(document: dict) -> Iterator[str]:
    for kind, found in document.items():
        yield f"\n{kind}"
        for name, entry in found.items():
            yield f"  {name:<18} {entry['origin']:<34} {entry['about']}".rstrip()
            yield from _settings(entry)


def whole(name: str, entry: dict) -> Iterator[str]:
    """All that is known of one."""
    yield f"{name}  {entry['origin']}\n"
    yield from (entry["more"], "")
    if lines := entry.get("import"):
        yield textwrap.indent(lines, "    ") + "\n"
    yield from _settings(entry)


def _settings(entry: dict) -> Iterator[str]:
    for field, text in entry["fields"].items():
        yield f"      {field} = {text}  {entry.get('notes', {}).get(field, '')}".rstrip()


def _first(text: str | None) -> str:
    """The first sentence of a docstring, in one line, without its full stop: that is one before a capital letter, a
    name or the end. The stop of an abbreviation ends none.
    """
    paragraph = " ".join((text or "").strip().split("\n\n")[0].split())
    return END.split(paragraph, maxsplit=1)[0]


def _plugin(cls: type) -> dict:
    settings, own = fields(cls) if is_dataclass(cls) else (), cls.__dict__.get("__doc__") or ""
    made_up = own.startswith(f"{cls.__name__}(")    # by the dataclass
    told = [] if made_up or not own else [inspect.cleandoc(own)]
    told += [(sys.modules[cls.__module__].__doc__ or "").strip()]    # the box, the law, the cost
    return {"origin": plugins.origin(cls), "about": _first(told[0]), "more": "\n\n".join(told).strip(),
            "import": f"from {cls.__module__} import {cls.__name__}",
            "fields": {f.name: f"{_default(f)}  {space_of(f) or ''}".strip() for f in settings},
            "notes": {f.name: note for f in settings if (note := f.metadata.get("note"))}}


def _default(f: Field) -> str:
    if f.default_factory is not MISSING:
        return str(f.default_factory())
    return "required" if f.default is MISSING else str(f.default)


def _line(tree: ast.Module, name: str) -> int:
    """Where a module defines a name; 0 if it does not."""
    return next((node.lineno for node in tree.body
                 if name in (getattr(node, "name", ""), *(getattr(t, "id", "") for t in getattr(node, "targets", ())))),
                0)


def _plots() -> Iterator[tuple[str, dict]]:
    own = [Path(module.__file__ or "") for module in plugins.plots()]
    for path in [*sorted((ROOT / "reports" / "plots").glob("[!_]*.py")), *own]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if line := _line(tree, "draw"):
            assigned = ((getattr(t, "id", ""), node.value) for node in tree.body if isinstance(node, ast.Assign)
                        for t in node.targets)
            given = {name: ast.unparse(value) for name, value in assigned if name in ("needs", "SECTION", "PLACE")}
            place = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
            told = ast.get_docstring(tree) or ""
            yield path.stem, {"origin": f"{place}:{line}", "about": _first(told), "more": told, "fields": given}


def _checkpoints() -> Iterator[tuple[str, dict]]:
    for name in ship.cards():
        yield name, ship.entry(name)


def _study_files() -> list[Path]:
    return [path for path in study_path.own() if "\nSTUDY = " in path.read_text(encoding="utf-8")]


def _studies() -> Iterator[tuple[str, dict]]:
    for path in _study_files():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        told = ast.get_docstring(tree) or ""
        yield path.parent.name, {"origin": f"{path.relative_to(ROOT)}:{_line(tree, 'STUDY')}", "about": _first(told),
                                 "more": told, "import": f"ssmd-bench run {path.parent.name}", "fields": _study(path)}


def _study(path: Path) -> dict[str, str]:
    """The fields of a study as --n, --batch, --seed and --only would change them; of one that cannot be read, the
    reason.
    """
    try:
        study: Study = load_study(str(path))
    except ValueError as error:
        return {"unreadable": str(error)}
    plain = {f.name: str(getattr(study, f.name)) for f in fields(Study)
             if isinstance(getattr(study, f.name), (int, float, str)) and f.name not in ("name", "question")}
    points = ", ".join(f"{arm.name} ({len(arm.points)})" for arm in study.arms)
    return plain | {"data": brief(to_json(study.data)), "nets": ", ".join(study.nets), "arms": points,
                    "metrics": ", ".join(brief(to_json(m)) for m in study.metrics),
                    "timing": str(study.timing)}


OTHERS: dict[str, Callable[[], Iterator[tuple[str, dict]]]] = {
    "checkpoint": _checkpoints, "plot": _plots, "study": _studies}
