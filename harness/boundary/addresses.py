"""Addresses without their secrets: what records, claims and messages may say of a data base or a server.

    postgresql://me:secret@host/db?sslpassword=x&sslmode=require  ->  postgresql://me:***@host/db?***&sslmode=require

The rule hides too much rather than too little. Of what stands before the last @, the user is shown; a parser of URLs
ends a password at its first @, / or ?, and would show the rest of it. Of a query only the fields of SHOWN are, with
plain values. Passwords written as `password=x` are hidden wherever they stand.

    >>> without_secrets("postgresql://:p@ss/word@host/db?user=me&token=t")
    'postgresql://:***@host/db?user=me&***'
"""

import os
import re
import shlex
from collections.abc import Sequence

HIDDEN = "***"
SHOWN = ("user", "host", "port", "dbname", "sslmode", "connect_timeout", "application_name", "mode", "uri", "timeout")
PLAIN = re.compile(r"[\w.:/+-]*\Z")    # a value that cannot hold a second field
FIELD = re.compile(r"""(?ix) (\b\w*(?:password|passwd|passphrase) |
                             \b(?:pass|pwd|secret|api_?key|(?:access_|auth_)?token))
                       (\s*=\s*) ('[^']*' | "[^"]*" | [^\s&;]+)""")


def without_secrets(address: str) -> str:
    """An address, or any other word of a command, with *** in the place of every secret."""
    scheme, there, rest = address.partition("://")
    if not there:
        return FIELD.sub(rf"\1\2{HIDDEN}", address)
    before, at, place = rest.rpartition("@")
    user, colon, _ = before.partition(":")
    if at and not colon and "?" in before:    # the @ belongs to the query
        user, at, place = "", "", rest
    path, mark, query = place.partition("?")
    fields = "&".join(dict.fromkeys(map(_field, re.split("[&;]", query)))) if mark else ""
    return f"{scheme}://{user}{colon and f':{HIDDEN}'}{at}" + FIELD.sub(rf"\1\2{HIDDEN}", path) + mark + fields


def command(words: Sequence[str]) -> str:
    """The words of a command as records keep them. A path in the folder at work is told from there: where that folder
    lies on a machine is nobody's business, and no other machine has it there.
    """
    here = os.path.join(os.getcwd(), "")
    return shlex.join(without_secrets(_from(here, word)) for word in words)


def _from(folder: str, word: str) -> str:
    """`/folder/x` as `x`, `--out=/folder/x` as `--out=x`; another word as it is."""
    before, mark, after = ("", "", word) if word.startswith(folder) else word.partition("=")
    return before + mark + after.removeprefix(folder) if mark or not before else word


def kept(text: str) -> str:
    """A command that a record has; it may be older than the rule."""
    try:
        return command(shlex.split(text)) if any(without_secrets(word) != word for word in shlex.split(text)) else text
    except ValueError:    # a quote without its end: it is no command of ours
        return without_secrets(text)


def _field(field: str) -> str:
    name, _, value = field.partition("=")
    return field if name in SHOWN and PLAIN.match(value) else HIDDEN
