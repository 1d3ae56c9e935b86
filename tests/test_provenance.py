"""What a record says of the code that made it, and when that is surely the code that runs."""

import shutil
from importlib.metadata import version

import pytest

from harness.records import provenance, sources
from harness.spec import ROOMS, ROOT


@pytest.fixture
def rooms(tmp_path):
    """A copy of our own rooms: change(path, old, new) -> the hash of the sources there."""
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=lambda folder,
                        names: [n for n in names if "." in n and not n.endswith(".py")])

    def change(path: str = "", old: str = "", new: str = "") -> str:
        if path:
            text = (tmp_path / path).read_text()
            assert text.count(old) >= 1
            (tmp_path / path).write_text(text.replace(old, new, 1))
            provenance.forget(tmp_path / path)
        provenance.tree.cache_clear()
        return provenance.tree(tmp_path)

    yield change
    provenance.tree.cache_clear()


def test_the_hash_is_of_every_source_and_of_no_other_file(rooms):
    one = rooms()
    assert one == provenance.tree() and len(one) == provenance.DIGITS
    seen = {one, rooms("ssmd/sampler.py", "e = i + ", "e =  i + "), rooms("harness/cli/rescore.py", "import re",
                                                                          "import re\nimport os"),
            rooms("baselines/ancestral.py", '"""', '"""Another first sentence. ')}
    assert len(seen) == 4, "a remark too: it costs a proof, and no rule says which change matters"


def test_a_file_that_comes_or_moves_changes_it_and_data_do_not(rooms, tmp_path):
    one = rooms()
    (tmp_path / "harness" / "data" / "more.json").write_text("{}")
    assert rooms() == one
    (tmp_path / "ssmd" / "empty.py").touch()
    two = rooms()
    (tmp_path / "ssmd" / "empty.py").rename(tmp_path / "ssmd" / "other.py")
    assert len({one, two, rooms()}) == 3


def test_only_the_same_sources_torch_and_numpy_are_surely_the_same():
    here = provenance.made()
    assert provenance.surely(here) and here["torch"] == version("torch") and "modules" not in here
    assert not any(provenance.surely(here | {name: "other"})
                   for name in ("tree", "torch", "numpy")) and not provenance.surely(None)
    assert provenance.surely(here | {"commit": "another",
                                     "dirty": True}), "the commit is how to find them, and decides nothing"


def test_records_alike_are_those_of_the_same_sources():
    here = provenance.made()
    assert provenance.alike(here, here | {"commit": "x"}) and provenance.alike(None, here)
    assert not provenance.alike(here, here | {"tree": "x"}) and not provenance.alike(
        here, here | {"modules": {"mine": "x"}}
    )


def test_a_file_counts_as_it_was_when_this_process_loaded_it(tmp_path, monkeypatch):
    """What is written to it later does not run here."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "ownpart2.py").write_text("x = 1\n")
    __import__("ownpart2")
    before = provenance.made(own=True)["modules"]["ownpart2"]
    (tmp_path / "ownpart2.py").write_text("x = 2\n")
    assert provenance.made(own=True)["modules"]["ownpart2"] == before
    provenance.forget(tmp_path / "ownpart2.py")
    assert provenance.made(own=True)["modules"]["ownpart2"] != before


def test_modules_that_the_sampler_imports_when_it_is_called_are_added_and_change_none_that_were_there():
    before = {"tree": "t", "modules": {"tests": "as it was"}}
    after = provenance.with_later(before)["modules"]
    assert after["tests"] == "as it was" and __name__ in after and provenance.with_later({"tree": "t"}) == {"tree": "t"}


def test_a_file_that_the_standard_library_links_to_is_of_it(tmp_path, monkeypatch):
    """As sitecustomize of Debian, which lies in /etc."""
    library, elsewhere = tmp_path / "lib", tmp_path / "etc"
    for folder in (library, elsewhere):
        folder.mkdir()
    (elsewhere / "sitecustomize.py").write_text("")
    (library / "sitecustomize.py").symlink_to(elsewhere / "sitecustomize.py")
    monkeypatch.setattr(sources, "STANDARD", {library})
    assert sources.installed(library / "sitecustomize.py") and not sources.installed(elsewhere / "sitecustomize.py")
