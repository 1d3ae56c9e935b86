"""The names under which a store keeps what was sampled and scored: hashes of all that decides it, and of no source."""

import hashlib

from harness.spec import sha256


def cell_key(about: dict) -> str:
    """The key of what decides the samples of a cell (harness/run/cell.py, describe); the names of its networks do
    not.
    """
    return sha256({name: value for name, value in about.items() if name != "net_names"})[:24]


def score_key(key: str, samples_sha256: str, about: str) -> str:
    """sha256 of the canonical JSON of [key, samples_sha256, about], the last of them in this form; the first two are
    hexadecimal, so nothing in them is escaped.
    """
    return hashlib.sha256(f'["{key}","{samples_sha256}",{about}]'.encode()).hexdigest()[:24]
