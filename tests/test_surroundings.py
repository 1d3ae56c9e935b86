"""Variables of the environment that must be numbers are checked before a library meets them."""

import os

import pytest

from harness.__main__ import main
from harness.boundary import surroundings


@pytest.mark.parametrize("name", surroundings.NUMBERS)
@pytest.mark.parametrize("value", ["x", "", "-1", "1.5", "1e3", "9" * 30, "٣"])
def test_a_variable_that_is_no_number_is_named_with_the_remedy(name, value):
    with pytest.raises(ValueError, match=f"{name} is .* must be a whole number .*unset it"):
        surroundings.check({name: value}, False)


@pytest.mark.parametrize("group", [{"RANK": "3"}, {"WORLD_SIZE": "0"}, {"WORLD_SIZE": "2"},
                                   {"WORLD_SIZE": "2", "RANK": "2", "LOCAL_RANK": "0"}])
def test_ranks_that_make_no_group_are_refused(group):
    with pytest.raises(ValueError, match="do not make a group of processes: start it with torchrun"):
        surroundings.check(group, True)


def test_what_torchrun_sets_and_a_bare_environment_pass():
    surroundings.check({"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1", "SOURCE_DATE_EPOCH": "0"}, True)
    surroundings.check({"WORLD_SIZE": "2"}, False)
    surroundings.check({}, True)
    surroundings.check(os.environ, False)


def test_the_command_line_says_it(monkeypatch, capsys):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "x")
    assert main(["compare", "gone", "gone"]) == 2
    assert "SOURCE_DATE_EPOCH is 'x'" in capsys.readouterr().err
