"""The doors of the house hold: floors, circles, what stands in the hall. The claims house.* count the same
(tests/house.py).
"""

import ast
import re
from pathlib import Path

import pytest

from harness.spec import ROOT
from tests.house import ABOVE, arrows, circular, floor, longest_line, root_files, rows, tree, upward


@pytest.fixture(scope="module")
def found():
    return list(arrows())


def test_no_import_of_harness_leads_up(found):
    assert upward(found) == []


def test_no_imports_lead_in_a_circle(found):
    assert circular(found) == set()


def test_no_text_of_harness_names_a_module_above_it():
    """A path, or a dotted name, in a string: a door that the imports would not show."""
    name = re.compile(rf"(?:{'|'.join(ABOVE)})(?:(?:\.\w+)+|/[\w/]+\.py)")
    for path in sorted((ROOT / "harness").rglob("*.py")):
        texts = [node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Constant)
                 and isinstance(node.value, str)]
        assert not [text for text in texts if name.fullmatch(text)], path


def test_no_line_of_code_is_longer_than_120_characters():
    assert longest_line()[0] <= 120, longest_line()[1]


def test_every_folder_has_a_floor_and_few_files_stand_in_harness_itself(found):
    assert all(floor(arrow.module) >= 0 for arrow in found) and len(root_files()) <= 8


def test_a_door_that_is_broken_is_seen(tmp_path):
    """The test of the test: an import up, one out of harness, a circle, and a folder without a floor."""
    for name in ("stats", "run"):
        (tmp_path / "harness" / name).mkdir(parents=True)
    texts = {"stats/a.py": "from harness.run import b\n",
             "run/b.py": "def f():\n    import harness.stats.a\n    from ssmd import model\n"}
    for name, text in texts.items():
        (tmp_path / "harness" / name).write_text(text)
    made = list(arrows(tmp_path))
    assert {(a.module, a.imports) for a in upward(made)} == {("harness.stats.a", "harness.run.b"),
                                                             ("harness.run.b", "ssmd")}
    assert circular(made) == {"harness.stats.a", "harness.run.b"}
    with pytest.raises(ValueError, match="harness/attic stands on no floor"):
        floor("harness.attic.x")


def test_the_claims_count_what_the_tests_look_at():
    assert [row["claim"] for row in rows(Path(ROOT))] == ["house.up_arrows", "house.circles",
                                                          "house.harness_root_files", "house.longest_line"]
