"""The kinds of bad input: each a function that makes one, and its share of all."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.fuzz.base import Base
from tests.fuzz.case import Case
from tests.fuzz.kinds import (
    arrays,
    corpora,
    kept,
    networks,
    options,
    pages,
    plugs,
    records,
    rules,
    stated,
    studies,
    surroundings,
    sweeps,
)


class Kind(NamedTuple):
    share: int
    make: Callable[[Random, Base, Path], Case]


KINDS = {
    "records": Kind(20, records.lines), "torn": Kind(8, records.torn), "arrays": Kind(10, arrays.one),
    "finished": Kind(3, records.finished), "kept": Kind(6, kept.one),
    "study": Kind(16, studies.fields), "source": Kind(8, studies.sources), "functions": Kind(6, studies.functions),
    "recipe": Kind(4, studies.recipes), "names": Kind(6, studies.names),
    "plugins": Kind(6, plugs.one), "checkpoint": Kind(10, networks.damaged), "header": Kind(12, networks.headers),
    "state": Kind(3, networks.states),
    "rules": Kind(8, rules.toml), "expectations": Kind(6, rules.expectations), "claims": Kind(5, stated.claims),
    "pages": Kind(5, pages.one), "grids": Kind(3, stated.grids),
    "sweep": Kind(6, sweeps.fields), "journal": Kind(5, sweeps.journals), "storage": Kind(3, sweeps.storages),
    "text": Kind(5, corpora.texts), "documents": Kind(5, corpora.documents), "tokenizer": Kind(4, corpora.tokenizers),
    "proteins": Kind(5, corpora.proteins), "fasta": Kind(3, corpora.fasta),
    "options": Kind(20, options.one), "paths": Kind(8, options.paths), "environment": Kind(2, surroundings.one),
}
