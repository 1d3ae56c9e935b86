"""Records: what a line of the store may be. Every record has "schema", "type" and "time" (UTC); the store adds the
first and the last.

    study     the question, arms, reference network and command of a run
    network   sha256, name and card of a checkpoint
    machine   what ran where (harness/records/machine.py)
    counted   once a key: cost, hash of the samples, status
    timed     once a (key, process): seconds of bare runs
    scored    once a (key, metric): value, status
    measured  a table that a study computes from its cells
    shard     some rows of a cell, to be united

A status is done | skipped | failed | timeout, with a reason unless done. The fields that each must have, with their
types and limits, are declared in harness/records/types.py; a record may have more, and a type that is none of these is
nobody's: it is kept, and read by no one. A record of an older schema is read through `upgrade`, one step a version
(harness/records/steps.py), so that an old run never needs to be repeated for its format alone; one of a newer schema is
left alone.
"""

from harness.boundary.incoming import Wrong, fitted
from harness.records.steps import STEPS
from harness.records.types import KINDS, Headed

SCHEMA = 3


def upgrade(old: dict) -> dict | None:
    """The record in the present schema; None if a newer version of the program wrote it. Raises Wrong for a schema that
    never was.
    """
    schema = old.get("schema", 1)
    if type(schema) is not int or schema < 1:
        raise Wrong(f"the field `schema` is wrong (expected a whole number from 1 to {SCHEMA})")
    if schema > SCHEMA:
        return None
    for step in range(schema, SCHEMA):
        old = STEPS[step](old)    # from schema `step` to the next
    return old | {"schema": SCHEMA}


def whole(record: dict) -> dict:
    """The record as it is. Raises Wrong, with the field, if it lacks what every record of its type has."""
    fitted(record, KINDS.get(fitted(record, Headed).type, Headed))
    return record
