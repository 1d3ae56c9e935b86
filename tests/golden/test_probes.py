"""Every probe gives what the file says, the probes cover what ships, and the file is rewritten for a reason only."""

import json
from dataclasses import dataclass, fields, replace

import pytest

from harness import plugins
from harness.param import Choice, space_of
from tests.golden import kept
from tests.golden.__main__ import main
from tests.golden.cells import PROBES, SEED, Probe
from tests.golden.draw import Seen, drawn
from tests.golden.toys import CHANGES, NETS

NOISE = 1e-5      # of a logit; another machine's float32 differs by a hundredth of it
OURS = {name: cls for name, cls in plugins.samplers().items() if cls.__module__.split(".")[0] in ("baselines", "ssmd")}


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_a_probe_gives_what_the_file_says(probe):
    change = kept.compared(probe.name, kept.load().probes.get(probe.name), kept.kept(probe, drawn(probe)))
    assert change is None, change.sentence


def test_the_file_is_of_these_toys_and_has_no_other_probes():
    file, names = kept.load(), [probe.name for probe in PROBES]
    assert file.toys == kept.TOYS and len(names) == len(set(names))
    assert set(file.probes) == set(names), "run `python -m tests.golden --write`"


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_no_draw_lies_so_near_an_edge_that_a_machine_could_turn_it(probe):
    was = kept.load().probes[probe.name]
    near = f"{probe.name}: give the probe another seed, SHIFTS in tests/golden/cells.py"
    assert drawn(probe, NOISE) == (was.tokens, was.counts), near


def lacking(probes: list[Probe], samplers: dict[str, type]) -> list[str]:
    """Samplers without a probe, and choices of theirs that no probe takes."""
    found = []
    for name, cls in samplers.items():
        mine = [probe.sampler for probe in probes if type(probe.sampler) is cls]
        if not mine:
            found.append(f"{name} has no probe: add one to tests/golden/cells.py")
            continue
        for f in fields(cls):
            space, values = space_of(f), [getattr(sampler, f.name) for sampler in mine]
            choices = space.values if isinstance(space, Choice) else ()
            taken = [type(v) if hasattr(v, "name") else v for v in values]
            found += [f"{name} has no probe with {f.name}={getattr(c, 'name', c)}: add one to tests/golden/cells.py"
                      for c in choices if (type(c) if hasattr(c, "name") else c) not in taken]
    return found


def test_every_sampler_and_every_choice_of_its_settings_has_a_probe():
    assert not lacking(PROBES, OURS)


def test_a_sampler_or_a_choice_without_a_probe_is_named():
    drew = [probe for probe in PROBES if getattr(probe.sampler, "tokens", "") != "greedy"]
    some = [probe for probe in drew if probe.sampler.name != "dfm"]
    found = [sentence.partition(":")[0] for sentence in lacking(some, OURS)]
    assert found[0] == "dfm has no probe" and "ordered has no probe with tokens=greedy" in found


def test_every_toy_network_and_every_change_of_it_is_used():
    assert {probe.net for probe in PROBES} == set(NETS) and {probe.change for probe in PROBES} == set(CHANGES)


@dataclass(frozen=True)
class Sampler:
    steps: int = 4
    name = "toy"
    version = 1


def other(one: kept.Kept, **changes) -> kept.Kept:
    return kept.Kept(**{f: getattr(one, f) for f in ("settings", "seed", "tokens", "counts")} | changes)


ONE = kept.kept(Probe(Sampler()), Seen("aa", "bb"))
RAISED = ONE.settings | {"version": 2}


@pytest.mark.parametrize("now, what, may", [
    (other(ONE, tokens="cc"), ("tokens",), False),
    (other(ONE, tokens="cc", counts="dd"), ("tokens", "counts"), False),
    (other(ONE, counts="dd"), ("counts",), True),
    (other(ONE, tokens="cc", settings=RAISED), ("tokens", "settings"), True),
    (other(ONE, settings=RAISED), ("settings",), True),
    (other(ONE, tokens="cc", seed=1), ("tokens", "seed"), True)])
def test_other_tokens_need_another_version(now, what, may):
    change = kept.compared("toy", ONE, now)
    assert change.what == what and bool(kept.refused([change])) is not may
    assert ("raise `version` of toy" in change.sentence) is not may
    assert "python -m tests.golden --write" in change.sentence
    assert kept.compared("toy", ONE, ONE) is None


def test_the_version_of_a_host_counts_for_what_wraps_it():
    wrapped = other(ONE, settings={"name": "outer", "version": 1, "host": ONE.settings})
    raised = other(wrapped, tokens="cc", settings=wrapped.settings | {"host": RAISED})
    assert not kept.refused([kept.compared("outer", wrapped, raised)])
    assert kept.refused([kept.compared("outer", wrapped, other(wrapped, tokens="cc"))])


@pytest.fixture
def few(monkeypatch, tmp_path):
    """A file of two probes, and the command on them."""
    monkeypatch.setattr("tests.golden.cells.PROBES", PROBES[:2])
    monkeypatch.setattr("tests.golden.__main__.working", lambda: None)
    path = tmp_path / "probes.json"
    assert main(["--write", "--file", str(path)]) == 0
    return path


def test_the_command_checks_writes_and_refuses(few, capsys):
    told, words = few.read_text(), ["--file", str(few)]
    assert main(words) == 0 and "2 of 2" in capsys.readouterr().out
    file = kept.load(few)
    first = next(iter(file.probes))
    few.write_text(told.replace(file.probes[first].tokens, "0" * 16))
    assert main(words) == 1 and "tokens differ" in capsys.readouterr().out
    with pytest.raises(ValueError, match="the samples of ssmd changed and `version` did not: raise it"):
        main([*words, "--write"])
    assert few.read_text() != told
    assert main([*words, "--write", "--machine"]) == 0 and few.read_text() == told
    assert "ssmd: tokens 1" in capsys.readouterr().out
    with pytest.raises(ValueError, match="give --write with it"):
        main([*words, "--machine"])


@pytest.mark.parametrize("text", ["", "[]", '{"toys": 1}', '{"toys": 1, "probes": {"a": {"seed": "x"}}}'])
def test_a_file_that_is_none_ends_in_a_sentence(tmp_path, text):
    path = tmp_path / "probes.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="take it from git"):
        kept.load(path)


def test_a_probe_is_a_line_of_the_file_and_its_name_says_what_differs_from_the_defaults():
    lines = kept.FILE.read_text().splitlines()
    assert len(lines) == len(PROBES) + 2 and json.loads(kept.FILE.read_text())
    assert PROBES[0].name == "ssmd(window=open, rounds=1) on hybrid" and PROBES[0].seed == SEED
    assert replace(PROBES[0], change="temperature 0.5").name.endswith("on hybrid, temperature 0.5")
