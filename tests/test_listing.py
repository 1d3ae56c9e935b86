"""The listing shows everything that can be chosen, each with the line where it stands."""

from dataclasses import fields

import pytest

from harness import plugins
from harness.cli import _listing as listing
from harness.spec import ROOT


@pytest.fixture(scope="module")
def document():
    return listing.listing()


def test_every_plugin_plot_and_study_is_listed_with_its_fields(document):
    for kind, known in listing.KINDS.items():
        assert document[kind].keys() == known().keys()
    assert document["plot"].keys() == {p.stem for p in (ROOT / "reports" / "plots").glob("[!_]*.py")}
    assert {"smoke", "demo", "text_frontier"} <= document["study"].keys()
    for name, cls in plugins.samplers().items():
        assert (
            list(document["sampler"][name]["fields"]) == [f.name for f in fields(cls)]
            and document["sampler"][name]["about"]
        )
    assert (
        document["control"]["held_out"]["fields"] == {"split": "test"}
        and document["data"]["text8"]["fields"]["path"] == "required"
    )
    assert document["sampler"]["ssmd"]["notes"]["rounds"] == "N, verify passes a draft pass"
    assert (
        document["study"]["smoke"]["fields"]["n"].isdecimal()
        and "ancestral (" in document["study"]["smoke"]["fields"]["arms"]
    )
    assert "unreadable" not in {field for entry in document["study"].values() for field in entry["fields"]}


def test_every_origin_is_the_line_that_defines_it(document):
    words = {"plot": "def draw(", "study": "STUDY =", "checkpoint": "{"}
    for kind, found in document.items():
        for name, entry in found.items():
            path, _, line = entry["origin"].rpartition(":")
            text = (ROOT / path).read_text(encoding="utf-8").splitlines()[int(line) - 1]
            assert text.startswith((words.get(kind, "class "), "@dataclass")), (kind, name, entry["origin"], text)


def test_the_table_says_all_that_the_document_says(document):
    text = "\n".join(listing.table(document))
    for found in document.values():
        for name, entry in found.items():
            assert f"  {name} " in text and entry["origin"] in text
            assert all(f"{field} = {value}" in text for field, value in entry["fields"].items())


def test_a_summary_is_a_whole_sentence(document):
    for found in document.values():
        for name, entry in found.items():
            assert entry["about"].rpartition(" ")[2] not in listing.SHORT and entry["about"][-1:] != ".", name
            assert entry["about"].count("(") == entry["about"].count(")"), name
    assert "arXiv 2302.01318" in document["sampler"]["speculative"]["about"]


@pytest.mark.parametrize("text, sentence", [
    ("One thing. Another.", "One thing"), ("One alone.", "One alone"), ("No stop", "No stop"), ("", ""), (None, ""),
    ("By Alg. 1 of it, e.g. here. More.", "By Alg. 1 of it, e.g. here"),
    ("Of Gat et al. And more. X", "Of Gat et al. And more"),
    ("V is 0 to 1. `length` is L.", "V is 0 to 1"), ("A pass. tokens = 1 is all.", "A pass"),
    ("In two\nlines. And so on.", "In two lines"), ("About 0.5 of it; i.e. half. X", "About 0.5 of it; i.e. half")])
def test_a_full_stop_of_an_abbreviation_ends_no_summary(text, sentence):
    assert listing._first(text) == sentence


def test_a_network_that_ships_is_listed_with_its_card_and_its_call(document):
    for entry in document["checkpoint"].values():
        space = {}
        exec(entry["import"].replace("shipped(", "found = shipped("), space)
        assert space["found"].path.endswith(entry["origin"].rpartition(".")[0] + ".safetensors")
    heavy, protein = (document["checkpoint"][name] for name in ("heavy", "protein/heavy"))
    assert heavy["about"] == "transformer of 1,188,352 parameters, trained on wikipedia_leads"
    assert heavy["import"].endswith('shipped("heavy")') and protein["import"].endswith('shipped("heavy", "protein")')
    assert document["checkpoint"].keys() == set(listing.names()["checkpoint"])


def test_a_card_that_says_little_is_listed_with_what_it_says(tmp_path, monkeypatch):
    (tmp_path / "bare.json").write_text('{"network": "hybrid", "data": null, "validation_nats_per_token": 3}')
    monkeypatch.setattr(listing.ship, "FOLDER", tmp_path)
    monkeypatch.setattr(listing.ship, "ROOT", tmp_path)
    assert listing.ship.entry("bare")["about"] == "hybrid"
    assert listing.ship.entry("bare")["fields"] == {"kind": "hybrid"}


def test_a_study_that_cannot_be_read_is_listed_with_the_reason(tmp_path):
    (tmp_path / "bad.py").write_text("STUDY = 1 / 0\n")
    assert "ZeroDivisionError" in listing._study(tmp_path / "bad.py")["unreadable"]


@pytest.mark.parametrize("verb", ["score", "rows", "step"])
def test_no_setting_hides_what_the_harness_asks_of_a_plugin(verb):
    """A field named `identity` was taken for the method that says what a metric is."""
    for name, cls in plugins.find(verb).items():
        assert not {f.name for f in fields(cls)} & {"identity", "exact", "start", "done", "score", "rows", "step",
                                                    "about"}, name
