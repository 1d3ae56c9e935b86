"""What the probes see: every mutant of tests/conformance, and slips planted in the parts that most records rest on."""

import importlib

import pytest

from tests.conformance.test_mutants import MUTANTS, A, Mutant, R, S, world

PLANTED = [
    Mutant("uniforms of acceptance used for the residual", S,
           "(Stream.ACCEPT, Stream.RESIDUAL)", "(Stream.ACCEPT, Stream.ACCEPT)", ()),
    Mutant("keys turned by the place to be predicted", "ssmd.model",
           "key = self.rotary(order.gather(1, (tracks - 1)", "key = self.rotary(order.gather(1, tracks", ()),
    Mutant("the high half of a seed is lost", R, "seed >> 32 & _M32", "0", ()),
    Mutant("drafts accepted one time in a hundred too often", A, "u * p >= q", "u * p >= q * 1.01", ()),
]


def seen(mutant: Mutant) -> str:
    """The first probe that differs from the file, those of the module that was changed first; "" if none does."""
    with world(mutant):
        cells, draw, kept = (importlib.import_module(f"tests.golden.{part}") for part in ("cells", "draw", "kept"))
        file = kept.load().probes
        for probe in sorted(cells.PROBES, key=lambda probe: type(probe.sampler).__module__ != mutant.module):
            try:
                now = kept.kept(probe, draw.drawn(probe))
            except Exception as error:    # as good as other tokens
                return f"{probe.name} raises {type(error).__name__}"
            if kept.compared(probe.name, file[probe.name], now):
                return probe.name
    return ""


@pytest.mark.parametrize("mutant", [*MUTANTS, *PLANTED], ids=lambda mutant: mutant.name)
def test_a_slip_is_seen(mutant):
    remedy = f"add one to tests/golden/cells.py that passes through {mutant.module}"
    assert seen(mutant), f"{mutant.name!r} changes no probe: {remedy}"


def test_probes_of_unharmed_code_are_no_false_alarm():
    with world(None):
        cells, draw, kept = (importlib.import_module(f"tests.golden.{part}") for part in ("cells", "draw", "kept"))
        assert all(kept.load().probes[p.name].tokens == draw.drawn(p).tokens for p in cells.PROBES[:5])
