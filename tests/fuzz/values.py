"""Wrong values: of JSON, of Python source, of options, of names, and bytes with one thing broken."""

import json
from random import Random
from typing import Any

DEEP = "[" * 100_000
JSON = ("null", "true", "0", "-1", "1.5", "1e400", "-1e400", "NaN", "1" + "0" * 40, "1" * 5000, '""', '"x"', '"nan"',
    '"\\ud800"', '"../../x"', "[]", "[1]", '["x"]', "[[]]", "[null]", "{}",
    '{"name": "x"}', '{"name": null}', '{"": 1}', '[{"name": []}]', "[1, 2, 3, 4, 5, 6, 7, 8, 9]", DEEP, "{" * 3,
    '"' + "a" * 100_000 + '"')
PYTHON = ("None", "True", "0", "-1", "1.5", "float('nan')", "float('inf')", "10**40", "'x'", "''", "b'x'", "[]",
    "[None]", "[1]", "{}", "{1: 2}", "{'a': None}", "()", "object()", "lambda: 1",
    "Exception", "type", "...", "set()", "range(3)", "iter([])", "'\\ud800'", "1j",
    "__import__('torch').zeros(2)", "__import__('numpy').array([1.0])", "__import__('pathlib').Path('x')")
NUMBERS = ("0", "-1", "-0", "1.5", "1e22", "1e400", "nan", "inf", "-inf", "x", "", " ", "0x10", "1_000", "9" * 30,
    "9" * 5000, "٣", "1,5", "None", "true", "[]", "--", "18446744073709551616", "-9223372036854775809")
NAMES = ("", " ", ".", "..", "../../x", "/tmp/../x", "a/b", "a\\b", "US$ a_$ b", "$x", "--50% off_x", "-n",
    "<script>alert(1)</script>", "]]>", "&amp;", "a\nb", "a\tb", "a\0b", "\ud800", "é", "名前", "🦔", "a" * 300,
    "\\input{secret}", "{0}", "%s", "%(x)s", "{{ x }}", "{% x %}", "'", '"', "`x`", "|", "a|b", "*", "[x]",
    "_x_", "^x", "~", "#", "\x1b[31m", "\u202e", "CON", "a,b", "=1+1", "@x", "\\frac{", "$\\frac$", "$$")
TEXTS = (b"", b"\n", b" ", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"a", b"null", b"{}", b"[]", b"\r\n\r\n",
    b"\x80" * 100, b"PK\x03\x04", b"\x1f\x8b\x08", b"\xfd7zXZ\0", b"\x93NUMPY", b"SQLite format 3\0", b"<html>",
    b"a" * 100_000, DEEP.encode(), "\u202e名前\n".encode() * 50)


def broken(rng: Random, content: bytes) -> bytes:
    """Some bytes with one thing broken."""
    size, how = len(content), rng.randrange(9)
    place, other = (rng.randrange(size), rng.randrange(size)) if size else (0, 0)
    if how == 0:
        return content[:place]
    if how == 1:
        return content[place:]
    if how == 2:
        return content[:place] + bytes([rng.randrange(256)]) + content[place + 1 :]
    if how == 3:
        return content[: min(place, other)] + content[max(place, other) :]
    if how == 4:
        return content[:place] + rng.randbytes(rng.randrange(1, 40)) + content[place:]
    if how == 5:
        return content[:place] + b"\0" * (size - place)
    if how == 6:
        return content + rng.choice(TEXTS)
    if how == 7:
        return rng.choice(TEXTS) + content
    return content + content[place:]


def places(data: Any, path: tuple = ()) -> list[tuple]:
    """The path of every value in JSON data, the whole first; of long lists the first two."""
    found = [path]
    inner = data.items() if isinstance(data, dict) else list(enumerate(data))[:2] if isinstance(data, list) else ()
    for key, value in inner:
        found += places(value, (*path, key))
    return found


def changed(rng: Random, data: Any) -> str:
    """JSON text of the data with one value missing, wrong, or one too many."""
    path = rng.choice([path for path in places(data) if path])
    copy = json.loads(json.dumps(data))
    inside = copy
    for key in path[:-1]:
        inside = inside[key]
    how = rng.randrange(6)
    if how == 0:
        del inside[path[-1]]
        return json.dumps(copy)
    if how == 1 and isinstance(inside, dict):
        inside[rng.choice(("extra", "", "name", "type", "schema", "é"))] = inside.get(path[-1])
        return json.dumps(copy)
    inside[path[-1]] = "\0HERE\0"
    return json.dumps(copy).replace(json.dumps("\0HERE\0"), rng.choice(JSON))


def odd_number(rng: Random) -> str:
    return rng.choice(NUMBERS) if rng.random() < 0.8 else str(rng.randrange(-(10**12), 10**12))
