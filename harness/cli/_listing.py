"""What there is to choose from: plug-ins, plots and studies, with fields, defaults, ranges and origin. Plots are read,
not imported: drawing is slow to load.
"""

import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import partial
from pathlib import Path

from harness import plugins
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


def listing() -> dict:
    """kind -> name -> {"origin", "about", "fields", "notes"}; a field is its default and its range."""
    found = {kind: {name: _plugin(cls) for name, cls in sorted(known().items())} for kind, known in KINDS.items()}
    return found | {"plot": dict(_plots()), "study": dict(_studies())}


def table(document: dict) -> Iterator[str]:
    for kind, found in document.items():
        yield f"\n{kind}"
        for name, entry in found.items():
            yield f"  {name:<18} {entry['origin']:<34} {entry['about']}".rstrip()
            yield from (f"      {field} = {text}  {entry.get('notes', {}).get(field, '')}".rstrip() for field,
                        text in entry["fields"].items())


def _first(text: str | None) -> str:
    """The first sentence of a docstring, in one line."""
    return " ".join((text or "").strip().split("\n\n")[0].split()).partition(". ")[0]


def _plugin(cls: type) -> dict:
    settings, own = fields(cls) if is_dataclass(cls) else (), cls.__dict__.get("__doc__") or ""
    made_up = own.startswith(f"{cls.__name__}(")    # by the dataclass
    return {"origin": plugins.origin(cls), "about": _first(sys.modules[cls.__module__].__doc__ if made_up else own),
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
            yield path.stem, {"origin": f"{place}:{line}", "about": _first(ast.get_docstring(tree)), "fields": given}


def _studies() -> Iterator[tuple[str, dict]]:
    for path in sorted((ROOT / "studies").glob(f"*/{study_path.FILE}")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if line := _line(tree, "STUDY"):
            yield path.parent.name, {"origin": f"{path.relative_to(ROOT)}:{line}",
                                     "about": _first(ast.get_docstring(tree)), "fields": _study(path)}


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
