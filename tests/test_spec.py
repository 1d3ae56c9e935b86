"""Settings survive the way to JSON and back, keys are stable, and the code hash sees code and nothing else."""

from dataclasses import dataclass, fields
from itertools import combinations
from pathlib import Path
from typing import ClassVar

import pytest

from baselines.ancestral import Ancestral
from baselines.scheduled import Scheduled
from harness import plugins
from harness.checks.conformance import variants
from harness.nets.device import checked
from harness.param import space_of
from harness.schedules.order import Blocks
from harness.schedules.placement import Segments
from harness.schedules.window import Cosine, Fixed
from harness.spec import brief, canonical, from_json, set_field, sha256, to_json
from harness.study import Checkpoint
from ssmd.sampler import SelfSpeculative


@pytest.mark.parametrize("name", sorted(plugins.samplers()))
def test_every_sampler_and_every_choice_of_it_survives_json(name):
    for sampler in variants(plugins.samplers()[name]()):
        assert from_json(type(sampler), to_json(sampler)) == sampler
        assert from_json("step", to_json(sampler)) == sampler


KINDS = {"step": plugins.samplers, "width": plugins.windows, "dalpha": plugins.schedules, "light": plugins.placements,
         "times": plugins.orders}


@pytest.mark.parametrize("verb", KINDS)
def test_every_window_schedule_and_placement_survives_json_and_only_equal_settings_share_a_key(verb):
    settings = [v for cls in KINDS[verb]().values() for v in variants(cls())]
    settings += [set_field(s, f.name, str(space_of(f).high)) for s in settings[:] for f in fields(s)
                 if hasattr(space_of(f), "high")]
    for s in settings:
        assert from_json(verb, to_json(s)) == s
    for a, b in combinations(settings, 2):
        assert (sha256(to_json(a)) == sha256(to_json(b))) == (a == b), f"{a} {b}"


def test_canonical_json_is_sorted_and_nested_with_names():
    assert (
        canonical(to_json(SelfSpeculative(Fixed(3))))
        == '{"name":"ssmd","order":{"name":"uniform"},"rounds":2,"version":1,"window":{"name":"fixed","tokens":3}}'
    )
    assert to_json(Scheduled(placement=Segments((0, 7))))["placement"]["chosen"] == [0, 7]
    assert sha256({"b": 1, "a": 2}) == sha256({"a": 2, "b": 1}) != sha256({"a": 2, "b": 2})


def test_settings_say_every_field_and_may_be_read_without_those_that_have_a_default():
    assert to_json(SelfSpeculative())["order"] == {"name": "uniform"} and to_json(SelfSpeculative(order=Blocks(8)))[
        "order"
    ] == {"name": "blocks", "tokens": 8}
    assert from_json("step", {"name": "ssmd", "rounds": 3}) == SelfSpeculative(rounds=3)


def test_what_is_not_settings_is_refused():
    with pytest.raises(ValueError, match="frozen dataclass"):
        to_json(object())
    with pytest.raises(ValueError, match="no plug-in 'nonsense'.*ancestral"):
        from_json("step", {"name": "nonsense"})
    with pytest.raises(ValueError, match="no field 'stepz'; it has schedule, steps"):
        from_json(Ancestral, {"name": "ancestral", "stepz": 3})
    with pytest.raises(ValueError, match="no plug-in 'speling'.*; did you mean 'spelling'"):
        from_json("score", {"name": "speling"})
    with pytest.raises(ValueError, match=r"Held.place: set cannot be kept as JSON"):
        to_json(Held(({1},)))
    with pytest.raises(ValueError, match="window cannot be 'round'; choose cosine"):
        from_json(SelfSpeculative, {"window": {"name": "round"}})
    with pytest.raises(ValueError, match="needs a value for each of path"):
        from_json("rows", {"name": "text8"})


@dataclass(frozen=True)
class Held:
    place: object


def test_a_path_is_kept_as_its_text():
    assert to_json(Held(Path("a/b.safetensors"))) == to_json(Held("a/b.safetensors")) == {"place": "a/b.safetensors"}
    assert sha256(to_json(Checkpoint(Path("a/b")))) == sha256(to_json(Checkpoint("a/b")))


def test_a_nested_field_that_is_misspelt_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="Cosine has no field 'delt'; it has delta .*; did you mean 'delta'?"):
        set_field(SelfSpeculative(Cosine()), "window.delt", "0.1")


def test_a_field_is_set_from_text_also_a_nested_one():
    assert set_field(Ancestral(), "steps", "12") == Ancestral(12)
    assert set_field(SelfSpeculative(), "window", "open").window.name == "open"
    assert set_field(SelfSpeculative(Fixed(3)), "window.tokens", "5").window == Fixed(5)
    assert set_field(Segments(), "chosen", "[1, 2]").chosen == (1, 2)
    assert set_field(Scheduled(), "by", "count").by == "count"
    assert set_field(SelfSpeculative(), "window.delta", "1").window.delta == 1.0


@pytest.mark.parametrize(("path", "text", "says"), [
    ("stepz", "3", r"no field 'stepz'; it has steps .1..4096 .log.., schedule .linear . cosine.*mean 'steps'\?"),
    ("schedule", "lineer", "choose linear | cosine | polynomial; did you mean 'linear'"),
    ("steps", "many", "not of type int"), ("steps", "2.5", "not of type int"), ("steps", "true", "not of type int"),
    ("steps", "0", "choose 1..4096"),
    ("schedule", "round", "choose linear | cosine | polynomial"),
    ("schedule.exponent", "2", "Linear has no field 'exponent'"), ("steps.x", "1", "has no field 'x'"),
])
def test_a_wrong_field_or_value_is_one_sentence_with_the_choices(path, text, says):
    with pytest.raises(ValueError, match=says) as caught:
        set_field(Ancestral(), path, text)
    assert "\n" not in str(caught.value)


def test_every_setting_outside_its_range_is_refused():
    for cls in plugins.samplers().values():
        for f in fields(cls):
            if hasattr(space_of(f), "low"):
                with pytest.raises(ValueError, match="choose"):
                    cls(**{f.name: space_of(f).high + 1})


def test_brief_form_names_what_differs():
    assert brief(to_json(SelfSpeculative(Fixed(3), 4))) == "ssmd(fixed(tokens=3), rounds=4)"


def test_two_plugins_of_one_name_are_refused(tmp_path, monkeypatch):
    (tmp_path / "twinplugin.py").write_text(
        "from dataclasses import dataclass\nfrom typing import ClassVar\n\n\n@dataclass(frozen=True)\nclass Twin:\n"
        "    name: ClassVar[str] = 'ancestral'\n\n    def step(self, nets, rows):\n        return rows\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(plugins, "_extra", [])
    try:
        plugins.add_package("twinplugin")
        with pytest.raises(ValueError, match="two plug-ins.*'ancestral'.*rename one"):
            plugins.samplers()
    finally:
        plugins.find.cache_clear()


@dataclass(frozen=True)
class Strict:
    name: ClassVar[str] = "strict"
    count: int = 1
    label: str = "a"
    share: float = 0.5
    wanted: bool = False


def test_plain_fields_keep_their_types():
    assert set_field(Strict(), "label", "3").label == "3"
    assert set_field(Strict(), "share", "1").share == 1.0
    assert set_field(Strict(), "wanted", "true").wanted is True
    for path, text in (("wanted", "1"), ("count", '"x"'), ("share", "half"), ("share", '"half"'), ("share", "[1]")):
        with pytest.raises(ValueError, match="is not of type"):
            set_field(Strict(), path, text)


@pytest.mark.parametrize("data", [float("nan"), {"delta": float("inf")}, [object()], {"x": {1, 2}}])
def test_what_json_cannot_hold_is_refused_with_a_sentence(data):
    with pytest.raises(ValueError, match="cannot be kept as JSON .*: settings are texts, finite numbers"):
        canonical(data)


@pytest.mark.parametrize("device", ["meta", "", "gpu", "cpu:x", "cuda:99"])
def test_a_device_that_holds_no_numbers_here_is_refused_with_a_sentence(device):
    with pytest.raises(ValueError, match=f"this machine has no device '{device}': choose cpu"):
        checked(device)


def test_a_whole_number_is_no_fraction():
    with pytest.raises(ValueError, match=r"steps=8.0 is not allowed; choose a whole number of 1..4096"):
        Ancestral(steps=8.0)
