"""What the tokens of a network are by its card, which names the data of its training.

A card holds the identity of a data set and not the data set itself. The letters of texts and of proteins are known by
its name, the tokens of a tokenizer by their hash. Of numbers, and of data of the user's own, nothing is known.
"""

from collections.abc import Mapping
from typing import Any

from harness import plugins
from harness.data.names import names_of
from harness.data.residues import Sequences
from harness.data.text import Text

Alphabet = tuple[str, ...] | str | None


def alphabet(identity: Mapping[str, Any]) -> Alphabet:
    """The tokens of data with this identity: in words, or by what they are known, or None where nobody says."""
    if isinstance(inner := identity.get("data"), Mapping):
        of_inner = alphabet(inner)
        return of_inner if of_inner is None or "left_out" not in identity else (
            f"{of_inner} without {identity['left_out']}")
    if found := identity.get("tokenizer_sha256") or identity.get("tokenizer"):
        return f"those of the tokenizer {str(found)[:12]}"
    cls = plugins.datasets().get(str(identity.get("name")))
    if cls is None or not issubclass(cls, Text | Sequences):
        return None
    bare: Any = object.__new__(cls)    # its letters do not depend on its fields
    return names_of(bare) or None
