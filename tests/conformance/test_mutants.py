"""The test of the test: plausible slips, each applied to the source and each killed by a law.

A mutant is a list of edits (module, old text, new text). The text must be there: a mutant that no longer applies fails.
Mutated modules are executed under their own names in a fresh import world, so that everything downstream sees the slip.
The last test prints who killed whom, and with `pytest tests/conformance/test_mutants.py --claims` writes the claim
mutants.killed_share.
"""

import importlib
import sys
from contextlib import contextmanager
from typing import NamedTuple

import pytest
import torch
from scipy.stats import binomtest

import tests.conformance.toys as toys
from harness.claims import claim as claims


class Mutant(NamedTuple):
    name: str
    module: str
    old: str
    new: str
    killers: tuple[str, ...]    # the checks that must fail


S, A, R, W, T = "ssmd.sampler", "harness.sampling.accept", "harness.random", "harness.nets.wrap", "harness.nets.tabular"
MUTANTS = [
    Mutant("own token leaks into its target", T, "rank < r[:, None], y", "rank <= r[:, None], y", ("ideal",)),
    Mutant("inverted ratio", A, "u * p >= q", "u * q >= p", ("ideal",)),
    Mutant("greedy acceptance", A, "u * p >= q", "p >= q", ("ideal",)),
    Mutant("residual from q alone", R, "(q - p).clamp_min(0)", "q.clone()", ("ideal",)),
    Mutant("redraw from the draft", R, "torch.where(degenerate, q, excess)", "p", ("ideal",)),
    Mutant("no stop at the first rejection", S, "torch.minimum(i + f + 1, e)", "e", ("ideal",)),
    Mutant("one too many accepted", S, "torch.minimum(i + f + 1, e)", "torch.minimum(i + f + 2, e)", ("ideal",)),
    Mutant("one uniform a row", S, "accept(p, q, u, j - i", "accept(p, q, u[:, :1].expand_as(u), j - i", ("ideal",)),
    Mutant("wrong conditioning order", S, "net.verify(hidden, y, order, untested, alive)",
           "net.verify(hidden, y, rows.memo['rank'], untested, alive)", ("ideal",)),
    Mutant("hidden states of an earlier draft pass", S,
           "logits, hidden = net.draft(rows.x, next_places(order, i, e, *rows.ahead[:1])[1])",
           "at = next_places(order, i, e)[1]; logits, hidden = net.draft(rows.x, at)[0], "
           "net.draft(torch.where(rows.given, rows.x, net.mask), at)[1]", ("inexact",)),
    Mutant("window from the batch maximum", S, "e = i + widths(self.window, i, length)",
           "e = i + torch.minimum(widths(self.window, i, length).max(), length - i)", ("batch",)),
    Mutant("first track without its residual", "ssmd.model", "hidden.at(order.gather(1, at.clamp_min(0))) + added",
           "hidden.at(order.gather(1, at.clamp_min(0))) * (at > 0)[..., None] + added", ("start",)),
    Mutant("a track that sees the token it judges", "ssmd.model", "<= asking.clamp_min(0)",
           "<= 1 + asking.clamp_min(0)", ("inexact",)),
    Mutant("a track that does not see itself", "ssmd.model", "<= asking.clamp_min(0)", "< asking.clamp_min(1)",
           ("inexact",)),
    Mutant("every track kept after the first round", "ssmd.model", "first.minimum(at.where(at >= 0, length).amin(1))",
           "first.maximum(at.where(at >= 0, -1).amax(1))", ("inexact",)),
    Mutant("light pass reused after a switch", W, "light = self.placement.light(share)",
           "light = self.placement.light(share - 1 / x.shape[1])", ("schedule",)),
    Mutant("one uniform for draft and acceptance", S, "TESTS = (Stream.ACCEPT", "TESTS = (Stream.DRAFT",
           ("ideal",)),
    Mutant("unverified drafts revealed when the rounds run out", S, "rank < j[:, None]", "rank < e[:, None]",
           ("ideal",)),
    Mutant("masks read in place of drafts", S, "net.verify(hidden, y, order", "net.verify(hidden, rows.x, order",
           ("ideal",)),
    Mutant("temperature on p but not on q", W, "self.net.verify(hidden, y, order, at, alive) / self.temperature",
           "self.net.verify(hidden, y, order, at, alive)", ("tempered",)),
    Mutant("order from left to right", "harness.sampling.reveal",
           "return reveal_times(rows, order).argsort(dim=1, stable=True)",
           "return torch.arange(rows.x.shape[1]).expand_as(rows.x)", ("inexact",)),
    Mutant("residual of the wrong track", S, "column = f[rejected]", "column = (f[rejected] - 1).clamp_min(0)",
           ("ideal",)),
    Mutant("row counted done with a mask left", "harness.sampling.loop", "else (rows.x != mask).all(1)",
           "else (rows.x != mask).sum(1) >= length - 1", ("written",)),
    Mutant("draws keyed by the place in the batch", R, "    if index.device.type ==",
           "    row = torch.arange(len(row), device=row.device)\n    if index.device.type ==", ("batch",)),
    Mutant("greedy tokens", R, "token = torch.searchsorted(cdf, u[..., None] * total, right=True)",
           "token = cdf.diff(dim=-1, prepend=torch.zeros_like(cdf[..., :1])).argmax(-1, keepdim=True)",
           ("ideal", "hitting")),
    Mutant("one token uniform for a whole row", "harness.sampling.reveal", "Stream.TOKEN, at.clamp_min(0))",
           "Stream.TOKEN, torch.zeros_like(at))", ("hitting",)),
    Mutant("step of a position off by one", "baselines.ancestral",
           "torch.searchsorted(self.levels(rows.x.device), reveal_times(rows))",
           "(torch.searchsorted(self.levels(rows.x.device), reveal_times(rows)) + 1).clamp_max(self.steps - 1)",
           ("stepped",)),
    Mutant("rejected light draft kept", "baselines.light_heavy",
           "y, j, _ = settle(light", "_, j, _ = settle(light", ("pair",)),
    Mutant("heavy states without the drafts before them", "baselines.light_heavy", "states.flatten(0, 1)",
           "states[:, :1].expand_as(states).flatten(0, 1)", ("pair",)),
    Mutant("sweep over what was drafted probable", "ssmd.corrected", "[:, None] & self.chosen(rows, u), u",
           "[:, None] & ((rows.x == 0) | self.chosen(rows, u)), u", ("mended",)),
    Mutant("dilated orders that all start at the first place", "harness.schedules.order",
           "(u[:, :1] * length).long()", "0 * (u[:, :1] * length).long()", ("dilated",)),
]
GOLDEN = tuple(f"tests.golden.{part}" for part in ("toys", "cells", "draw", "kept"))
ROOMS = ("harness", "baselines", "ssmd", "tests.conformance.toys", *GOLDEN)


def fresh(name: str) -> bool:
    """Whether a world has a module of its own by this name."""
    return any(name == room or name.startswith(f"{room}.") for room in ROOMS)


@contextmanager
def world(mutant: Mutant | None):
    """A fresh import of our packages in which one module's source was edited; torch and the old modules come back
    unharmed.
    """
    ours = {name: module for name, module in sys.modules.items() if fresh(name)}
    for name in ours:
        del sys.modules[name]
    try:
        if mutant is not None:
            spec = importlib.util.find_spec(mutant.module)
            source = open(spec.origin, encoding="utf-8").read()
            assert source.count(mutant.old) >= 1, f"the mutant {mutant.name!r} no longer applies to {mutant.module}"
            module = importlib.util.module_from_spec(spec)
            sys.modules[mutant.module] = module
            parent, _, child = mutant.module.rpartition(".")
            exec(compile(source.replace(mutant.old, mutant.new), spec.origin, "exec"), module.__dict__)
            setattr(importlib.import_module(parent), child, module)
        yield importlib.import_module("tests.conformance.toys")
    finally:
        for name in [n for n in sys.modules if fresh(n)]:
            del sys.modules[name]
        sys.modules.update(ours)
        for name, module in ours.items():
            parent, _, child = name.rpartition(".")
            if parent and not fresh(parent):    # a package that stays holds its modules by name, too
                setattr(sys.modules[parent], child, module)


LAW: dict = {}         # enumerated once, by the unharmed code
QUANTILE: dict = {}    # of total variation under each law


def enumerate_laws() -> None:
    if not LAW:
        net, light = toys.hybrid(0), toys.hybrid(1)
        table, other = toys.subset_table(net), toys.subset_table(light)
        from harness.nets.wrap import Temper
        from harness.schedules.window import Fixed, Open

        LAW["ideal"] = toys.DATA.law()
        LAW["inexact"] = toys.ssmd_law(net, Open(), 2)
        LAW["tempered"] = toys.ssmd_law(Temper(net, 0.5), Open(), 2)
        LAW["schedule"] = toys.ordered_law(lambda i: other if i in (0, 1) else table, [1] * 4)
        LAW["hitting"] = LAW["mended"] = toys.DATA.law()
        LAW["dilated"] = toys.ssmd_law(net, Fixed(2), 2, torch.tensor([[(place - start) % 4 for place in (0, 2, 1, 3)]
                                                                       for start in range(4)]))
        LAW["pair"] = toys.ordered_law(lambda i: table, [1] * 4)
        LAW["stepped"] = toys.stepped_law(lambda n: table, [0.25, 0.5, 0.75, 1.0])
        QUANTILE.update({name: toys.null_quantile(law, toys.N, draws=250) for name, law in LAW.items()})


def holds(check: str, t) -> bool:
    """Whether one of the laws holds in the world whose toys are `t`."""
    from baselines.ancestral import Ancestral
    from baselines.first_hitting import FirstHitting
    from baselines.light_heavy import LightHeavy
    from baselines.scheduled import Scheduled
    from harness.nets.wrap import Temper
    from harness.schedules.order import Dilated
    from harness.schedules.placement import Prefix
    from harness.schedules.window import Cosine, Fixed, Open
    from ssmd.corrected import Corrected
    from ssmd.sampler import SelfSpeculative

    def fits(sampler, nets, name: str) -> bool:
        counts = torch.bincount(toys.DATA.index(t.drawn(sampler, nets)), minlength=81)
        return toys.total_variation(counts, LAW[name]) < QUANTILE[name]

    if check == "ideal":    # open, so that several drafts of one round depend on each other; one round and several
        return all(fits(SelfSpeculative(window, rounds), t.table_nets(), "ideal") for window,
                   rounds in ((Open(), 1), (Open(), 4), (Fixed(3), 2)))
    if check == "inexact":
        return fits(SelfSpeculative(Open(), 2), {"main": t.hybrid(0)}, "inexact")
    if check == "tempered":
        return fits(SelfSpeculative(Open(), 2), {"main": Temper(t.hybrid(0), 0.5)}, "tempered")
    if check == "hitting":
        return fits(FirstHitting(), t.table_nets(), "hitting")
    if check == "stepped":
        return fits(Ancestral(4), {"main": t.hybrid(0)}, "stepped")
    if check == "schedule":
        return fits(Scheduled(FirstHitting(), Prefix(0.5)), {"main": t.hybrid(0), "light": t.hybrid(1)}, "schedule")
    if check == "pair":
        return fits(LightHeavy(3), {"main": t.hybrid(0), "light": t.hybrid(1)}, "pair")
    if check == "dilated":
        return fits(SelfSpeculative(Fixed(2), 2, order=Dilated()), {"main": t.hybrid()}, "dilated")
    if check == "mended":
        return fits(Corrected(SelfSpeculative(Open(), 2), 0.5, 3), t.table_nets(), "mended")
    if check == "batch":
        return all(torch.equal(t.drawn(SelfSpeculative(w, 1), t.table_nets(), 256, 1),
                               t.drawn(SelfSpeculative(w, 1), t.table_nets(), 256, 64)) for w in (Cosine(0.4), Open()))
    if check == "written":
        try:
            return bool((t.drawn(FirstHitting(), t.table_nets(), 64) != t.MASK).all())
        except AssertionError:    # of the loop, about masks that are left
            return False
    assert check == "start"
    from ssmd.model import Hybrid, HybridConfig

    net, x = Hybrid(HybridConfig(vocab=3, width=16, heads=2, blocks=1)), torch.full((2, 4), 3)
    p, hidden = net.draft(x)
    return torch.allclose(net.verify(hidden, torch.zeros_like(x), torch.arange(4).expand(2, 4),
                                     torch.arange(4).expand(2, 4)), p, atol=1e-6)


CHECKS = sorted({k for m in MUTANTS for k in m.killers})


@pytest.mark.parametrize("check", CHECKS)
def test_the_unharmed_code_passes(check):
    enumerate_laws()
    with world(None) as t:
        assert holds(check, t)


KILLED: dict[str, list[str]] = {}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_a_slip_is_killed(mutant):
    enumerate_laws()
    with world(mutant) as t:
        KILLED[mutant.name] = [check for check in mutant.killers if not holds(check, t)]
    assert set(KILLED[mutant.name]) == set(mutant.killers), (f"{mutant.name!r} survives "
                                                             f"{set(mutant.killers) - set(KILLED[mutant.name])}")


def test_every_mutant_ran_and_the_score_is_printed(capsys, request):
    if len(KILLED) < len(MUTANTS):
        pytest.skip("only some mutants were selected")
    with capsys.disabled():
        print("\nmutants killed by")
        for name, killers in KILLED.items():
            print(f"  {name:<52} {', '.join(killers)}")
        print(f"  {sum(map(bool, KILLED.values()))} of {len(MUTANTS)} killed")
    if request.config.getoption("--claims"):
        killed = sum(map(bool, KILLED.values()))
        share = binomtest(killed, len(MUTANTS)).proportion_ci(method="exact")
        claims.write("mutants", [claims.claim("mutants.killed_share", killed / len(MUTANTS), share.low, share.high,
                                              "share of mutants", len(MUTANTS),
                                              "pytest tests/conformance/test_mutants.py --claims",
                                              [m.name for m in MUTANTS],
                                              "exact binomial interval; the mutants were listed, not sampled")])
    assert all(KILLED.values())
