"""The functions that a study file may define beside STUDY, and what they must give back. Raises ValueError, in a
sentence, for anything else.

    measure(study, store) -> list of records    tables of its own (harness/records/measured.py)
    claims(store, command) -> list of claims    what the study found (harness/claims/claim.py)
"""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.boundary.incoming import Wrong, fitted
from harness.claims import claim
from harness.claims.claim import Claim
from harness.records.store import Store
from harness.study import load_module


def function(path: str, name: str, takes: str) -> Callable | None:
    """A function of the study file; None if it has none."""
    found = getattr(load_module(path), name, None)
    if found is not None and not callable(found):
        raise ValueError(f"{name} of {path} is {found!r:.60} and no function: write def {name}{takes}")
    if found is not None:
        try:
            inspect.signature(found).bind(*takes.split(","))
        except TypeError:
            raise ValueError(f"{name} of {path} takes {inspect.signature(found)} and is called with {takes}: write "
                             f"def {name}{takes}") from None
        except ValueError:    # one of C says nothing of its inputs
            pass
    return found


def claiming(path: str) -> Callable:
    found = function(path, "claims", "(store, command)")
    if found is None:
        raise ValueError(f"{path} makes no claims: give it a function claims(store, command), or leave --claims out")
    return found


def listed(found: Any, what: str, of: str) -> list:
    if not isinstance(found, (list, tuple)):
        raise ValueError(f"{what} gave {found!r:.60}, and must give {of}: correct it; what was sampled is stored")
    return list(found)


def claimed(found: Any, path: str) -> list[dict]:
    """What claims() gave, each with every field of a claim."""
    rows = listed(found, f"claims() of {path}", "a list of harness.claims.claim.claim(...)")
    try:
        fitted(rows, list[Claim])
    except Wrong as error:
        raise ValueError(f"claims() of {path} gave what is no list of claims ({error}): make each with "
                         "harness.claims.claim.claim(...); what was sampled is stored") from None
    return rows


def kept_claims(path: str, name: str, store: Store, command: str) -> Path:
    """Write what the study file claims of its run, and show it."""
    rows = claimed(claiming(path)(store, command), path)
    print(claim.table(rows))
    return claim.write(name, rows)
