"""Every class and function that docs/reference shows has a docstring. The sources are read, nothing is built."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.spec import ROOT

PAGES = sorted((ROOT / "docs/reference").glob("*.md"))
SHOWN = re.compile(r"^::: ([\w.]+)\n((?:(?: {4}.*)?\n)*)", re.M)
Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def shown(text: str, root: Path = ROOT) -> Iterator[tuple[str, Definition]]:
    """The names that a page shows, with their definitions: `members` and `filters` are those of mkdocstrings."""
    for name, options in SHOWN.findall(text):
        members = re.search(r"^ +members: \[(.*)\]$", options, re.M)
        filters = re.search(r"^ +filters: (\[.*\])$", options, re.M)
        hidden = [rule.removeprefix("!") for rule in ast.literal_eval(filters[1])] if filters else ["^_"]
        parts = name.split(".")
        while not (file := root.joinpath(*parts).with_suffix(".py")).is_file():
            parts.pop()    # the name of a class in a module
        module, inner = ".".join(parts), name.split(".")[len(parts):]
        chosen = inner or (members[1].split(", ") if members else None)
        yield from within(ast.parse(file.read_text(encoding="utf-8")), module, hidden, chosen)


def within(tree: ast.AST, name: str, hidden: list[str], chosen: list[str] | None = None) -> Iterator[tuple[str,
                                                                                                          Definition]]:
    for node in ast.iter_child_nodes(tree):
        if (isinstance(node, Definition) and not any(re.search(rule, node.name) for rule in hidden)
                and (chosen is None or node.name in chosen)):
            yield f"{name}.{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from within(node, f"{name}.{node.name}", hidden)


def stub(node: Definition) -> bool:
    """A verb of a protocol, `...` alone: the docstring of the protocol says what it does."""
    return isinstance(node.body[0], ast.Expr) and getattr(node.body[0].value, "value", None) is ...


def lacking(text: str, root: Path = ROOT) -> list[str]:
    return [name for name, node in shown(text, root) if not ast.get_docstring(node) and not stub(node)]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_what_the_reference_shows_has_a_docstring(page):
    assert not lacking(page.read_text(encoding="utf-8"))


def test_it_looks_at_every_page_that_shows_a_module():
    texts = {page.stem: page.read_text(encoding="utf-8") for page in PAGES}
    assert all(text.count("\n::: ") == len(SHOWN.findall(text)) for text in texts.values())
    found = {name for text in texts.values() for name, _ in shown(text)}
    assert {"harness.study.Arm", "harness.kinds.Sampler", "harness.search.space.Place", "harness.nets.own.Own.draft",
            "baselines.klass.KLASS", "harness.stats.realised.matched"} <= found and len(found) > 300
    assert not {"harness.study.load_module", "baselines.klass.KLASS.step", "harness.data.text.Text.rows"} & found


def test_a_definition_without_one_is_seen(tmp_path):
    (tmp_path / "some").mkdir()
    (tmp_path / "some/thing.py").write_text('class A:\n    """Is told."""\n\n    def f(self):\n        return 1\n\n'
                                            '    def g(self): ...\n\n\ndef h():\n    return 2\n\n\n'
                                            'def _i():\n    return 3\n')
    assert lacking("\n::: some.thing\n    options:\n      members: [A, h]\n", tmp_path) == ["some.thing.A.f",
                                                                                           "some.thing.h"]
    assert lacking("\n::: some.thing.A\n", tmp_path) == ["some.thing.A.f"]
    assert lacking('\n::: some.thing\n    options:\n      filters: ["!^_", "!^(f|h)$"]\n', tmp_path) == []
