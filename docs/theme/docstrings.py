"""An extension of griffe: docstrings in columns, `name   what it is`, become lists, and the fields of a class stand as
its source has them, with their comments.
"""

import ast
import re
import textwrap

import griffe

ROW = re.compile(r"^(\S(?:.{0,38}?\S)?) {2,}(\S.*)$")
INDENT = re.compile(r"^ {2,}(\S.*)$")


class Columns(griffe.Extension):
    def on_module_members(self, *, mod, **kwargs):
        for name in [name for name, member in mod.members.items() if name.isupper()
                     and not member.is_alias and member.is_attribute]:
            mod.members.pop(name)    # a constant is no part of what is offered

    def on_class_members(self, *, node, cls, **kwargs):
        if isinstance(node, ast.ClassDef) and (lines := fields(node, cls)):
            for statement in _fields(node):
                cls.members.pop(statement.target.id, None)
            text = cls.docstring.value.rstrip("\n") + "\n\n" if cls.docstring else ""
            cls.docstring = griffe.Docstring("\n".join([f"{text}```python", *lines, "```"]), parent=cls)

    def on_object(self, *, obj, **kwargs):
        if obj.docstring is not None:
            obj.docstring.value = listed(obj.docstring.value)


def _fields(node: ast.ClassDef) -> list[ast.AnnAssign]:
    return [statement for statement in node.body if isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name) and not statement.target.id.startswith("_")]


def fields(node: ast.ClassDef, cls) -> list[str]:
    """The lines of the class that declare its fields, but those that belong to the class and have a value, with what is
    noted above them.
    """
    source, found = cls.filepath.read_text(encoding="utf-8").splitlines(), []
    for statement in _fields(node):
        if statement.value is None or "ClassVar" not in ast.unparse(statement.annotation):
            first = statement.lineno - 1
            while source[first - 1].lstrip().startswith("#"):
                first -= 1
            found += [line[statement.col_offset:] for line in source[first:statement.end_lineno]]
    return found


def listed(text: str) -> str:
    """The text, with each paragraph that begins with a row of two columns as a list, and what stands in the second
    column below it as part of the last item.
    """
    found, column = [], 0    # the column where the text of the last list stands
    for part in re.split(r"\n{2,}", text):
        plain = textwrap.dedent(part)
        if column and part.startswith(" "):
            inside = part.startswith(" " * column)
            found.append(textwrap.indent(part.replace("\n" + " " * column, "\n")[column:], "    ") if inside
                         else f"```\n{plain}\n```")
            continue
        found.append(_paragraph(part))
        rows = [row for row in map(ROW.match, part.splitlines()) if row]
        column = rows[-1].start(2) if rows and found[-1] != part else 0
    return "\n\n".join(found)


def _paragraph(text: str) -> str:
    lines = text.splitlines()
    if text.startswith((" ", "```")) or not any(map(ROW.match, lines)):
        return text
    found: list[str] = []
    for line in lines:
        if row := ROW.match(line):
            found += ["", f"- `{row[1]}` {row[2]}"]
        elif (more := INDENT.match(line)) and any(part.startswith("- ") for part in found):
            found.append(f"    {more[1]}")
        else:
            found.append(line)
    return "\n".join(found).strip("\n")
