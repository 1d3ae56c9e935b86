"""Data sets: what their cards say is what they hold, splits do not overlap, and known laws are the laws of their
rows.
"""

import doctest
import gzip
import importlib
import json
import lzma
import re
import runpy
import struct
import zipfile
import zlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from harness.data import text
from harness.data.austen import Austen
from harness.data.build import corpora as build
from harness.data.build import prose as build_prose
from harness.data.exact import Exact
from harness.data.markov import Markov
from harness.data.potts import Potts
from harness.data.prose import TOKENIZER_SHA256, Prose
from harness.data.text8 import Text8
from harness.data.wikipedia_leads import TITLES_SHA256, WikipediaLeads
from harness.metrics.grams import row_words
from harness.metrics.law import null_quantile, total_variation

ROOT = Path(__file__).parent.parent
CARDS = ROOT / "harness" / "data" / "cards"
CORPORA = [WikipediaLeads(), Austen()]
ALL = [*CORPORA, Exact(), Markov(), Potts(line=4), Prose()]


def by_name(data):
    return data.name


@pytest.fixture
def text8_file(tmp_path):
    path = tmp_path / "text8"
    path.write_bytes(b" " + Austen().content()[:100_000])
    return path


# text

@pytest.mark.parametrize("raw, plain", [
    ("Café, 1984!", "cafe one nine eight four"), ("  don't\n\tSTOP ", "don t stop"), ("x²", "x two"), ("Łódź", "odz"),
    ("", ""),
])
def test_normalisation_is_that_of_text8_after_nfkd(raw, plain):
    assert text.normalise(raw) == plain.encode()


def test_decode_undoes_encode_and_shows_the_mask():
    data = WikipediaLeads(length=4)
    assert data.decode(data.encode("ab z")[None]) == ["ab z"]
    assert data.decode(torch.tensor([[0, 27, 26, 25]])) == ["a_ z"]
    assert (data.vocab, data.mask) == (27, 27)


def test_encode_refuses_foreign_characters_with_a_remedy():
    with pytest.raises(ValueError, match="normalise"):
        WikipediaLeads().encode("Hello")


@pytest.mark.parametrize("data", CORPORA, ids=by_name)
def test_embedded_text_matches_its_card(data):
    card = (CARDS / f"{data.name}.md").read_text()
    assert re.search("sha256 of the text \\| `(.*?)`", card)[1] == data.identity()["sha256"]
    assert f"**{len(data.content()):,} characters**" in card
    for split, share in data.identity()["splits"].items():
        row = next(line for line in card.splitlines() if line.startswith(f"| {split} |"))
        cells = [float(cell.replace(",", "")) for cell in row.split("|")[2:6]]
        assert cells == [share, len(data.tokens(split)), len(data.words(split)), len(data.words(split, seen=5))]


def test_prose_matches_its_card():
    data, card = Prose(), (CARDS / "prose.md").read_text()
    assert (
        data.identity()["sha256"] in card
        and data.identity()["tokenizer"] == TOKENIZER_SHA256 in card
        and f"**{len(data.ids()):,} tokens**" in card
    )
    for split, share in data.identity()["splits"].items():
        assert f"| {split} | .{str(share)[2:]:0<2} | {len(data.tokens(split)):,} |" in card
    for seen in (1, 5):
        assert f"{len(data.words('test', seen)):,}" in card


def test_prose_is_written_as_it_is_read():
    data = Prose(length=64)
    rows = data.rows("test", 8, seed=0)
    text = data.decode(rows)[3]
    assert data.decode(data.encode(text)[None]) == [text]
    assert any(c.isupper() for c in "".join(data.decode(rows))) and data.vocab > rows.max() > 1000
    assert data.decode(torch.tensor([[data.mask, *data.encode("Two of them"), data.mask,
                                      data.mask]])) == ["_Two of them__"]
    assert data.spoken(data.encode("At 9, Mr. Darcy")[None]) == ["at nine mr darcy"]
    assert row_words(data.encode("At 9, Mr. Darcy")[None], data) == [["nine", "mr"]]


@pytest.mark.parametrize("data", CORPORA, ids=by_name)
def test_embedded_text_holds_the_alphabet_and_single_spaces_only(data):
    assert re.fullmatch(rb"[a-z]+( [a-z]+)*", data.content())


def test_every_wikipedia_article_is_attributed_by_its_title():
    titles = WikipediaLeads().titles()
    assert len(titles) == len(set(titles)) == 10_033
    assert TITLES_SHA256 in (CARDS / "wikipedia_leads.md").read_text()


def test_every_split_of_austen_has_every_novel():
    heroes = {"knightley", "crawford", "tilney", "wentworth", "darcy", "dashwood"}
    for split, _ in Austen.splits:
        assert heroes <= Austen().words(split)


@pytest.mark.parametrize("data", CORPORA, ids=by_name)
def test_splits_do_not_overlap(data):
    bounds = [data._bounds(split) for split, _ in data.splits]
    assert bounds[0][0] == 0 and bounds[-1][1] == len(data.content())
    assert all(before[1] == after[0] for before, after in pairwise(bounds))


@pytest.mark.parametrize("data", CORPORA, ids=by_name)
def test_rows_of_a_split_are_blocks_without_replacement(data):
    tokens = data.tokens("test")
    blocks = len(tokens) // data.length
    rows = data.rows("test", blocks, seed=5)
    assert sorted(data.decode(rows)) == sorted(data.decode(tokens[: blocks * data.length].view(blocks, -1)))
    assert torch.equal(rows[:7], data.rows("test", 7, seed=5))


def test_more_rows_than_exist_are_refused_with_their_number():
    data = WikipediaLeads(length=1000)
    with pytest.raises(ValueError, match="370 rows of length 1000 in 'test'"):
        data.rows("test", 371, seed=0)


def test_words_leave_out_the_fragments_at_the_ends(text8_file):
    text8_file.write_bytes(b"xx " + b"whole words here " * 20 + b"yy")
    for split, _ in Text8.splits:
        assert Text8(str(text8_file)).words(split) <= {"whole", "words", "here"}


def test_truncated_file_is_refused_with_a_sentence(tmp_path):
    packed = (text.FILES / "austen.txt.xz").read_bytes()
    for cut in (0, 1000, len(packed) - 1):
        (tmp_path / f"{cut}.xz").write_bytes(packed[:cut])
        with pytest.raises(ValueError, match=r"\d.xz cannot be read .* restore the file"):
            text.embedded(tmp_path / f"{cut}.xz", "")
    with pytest.raises(ValueError, match="cannot be read"):
        text.embedded(tmp_path / "absent.xz", "")


def test_altered_file_is_refused_with_a_sentence(tmp_path):
    (tmp_path / "austen.txt.xz").write_bytes(lzma.compress(b"other words"))
    with pytest.raises(ValueError, match="does not hold the text of its card"):
        text.embedded(tmp_path / "austen.txt.xz", Austen().identity()["sha256"])


# text8

def test_text8_is_the_same_corpus_plain_gzipped_and_zipped(text8_file, tmp_path):
    content = text8_file.read_bytes()
    (tmp_path / "t.gz").write_bytes(gzip.compress(content, mtime=0))
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("text8", content)
    found = [Text8(str(path)) for path in (text8_file, tmp_path / "t.gz", tmp_path / "t.zip")]
    assert found[0].identity() == found[1].identity() == found[2].identity()
    assert str(tmp_path) not in json.dumps(found[0].identity())
    assert torch.equal(found[0].rows("test", 3, seed=1), found[2].rows("test", 3, seed=1))


def test_text8_test_is_the_last_twentieth_and_validation_the_one_before(text8_file):
    data = Text8(str(text8_file), length=1)
    content = data.content()
    n = len(content)
    assert data.decode(data.tokens("test")[None])[0].encode() == content[n * 95 // 100:]
    assert data.decode(data.tokens("validation")[None])[0].encode() == content[n * 90 // 100: n * 95 // 100]
    assert len(data.tokens("judge")) == n * 90 // 100 - n * 75 // 100


@pytest.mark.parametrize("name, content", [
    ("absent", None), ("prose", b"Not text8."), ("empty", b""),
    ("cut.gz", gzip.compress(b"a b " * 999, mtime=0)[:-9]), ("plain.gz", b"a b c"), ("a.zip", b"a b c"),
])
def test_what_is_not_text8_is_refused_with_a_sentence(tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match="give the path of text8"):
        Text8(str(tmp_path / name)).tokens("test")


# known laws

def test_exact_law_sums_to_one_and_its_states_are_in_order():
    data = Exact()
    assert data.law().shape == (81,) and data.law().dtype == torch.float64
    assert torch.equal(data.index(data.states()), torch.arange(81))
    assert data.law().sum().item() == pytest.approx(1)
    assert torch.equal(data.log_prob(data.states()), data.law().log())


def test_exact_rows_follow_the_law():
    data, n = Exact(), 8192
    counts = torch.bincount(data.index(data.rows("test", n, seed=3)), minlength=81)
    assert 0.5 * (counts / n - data.law()).abs().sum() < 0.045
    other = Exact(law_seed=1).law()
    assert 0.5 * (counts / n - other).abs().sum() > 0.2


def test_exact_refuses_what_cannot_be_listed_or_still_holds_a_mask():
    with pytest.raises(ValueError, match="cannot be listed"):
        Exact(symbols=27, length=8)
    with pytest.raises(ValueError, match="mask"):
        Exact().index(torch.tensor([[0, 1, 2, 3]]))


def test_markov_likelihood_sums_to_one_over_all_sequences():
    states = Exact(symbols=3, length=5).states()
    assert Markov(symbols=3, length=5).log_prob(states).exp().sum().item() == pytest.approx(1)


def test_markov_entropy_matches_log_prob():
    data = Markov(symbols=5, length=32)
    surprise = -data.log_prob(data.rows("test", 4096, seed=2))
    assert abs(surprise.mean() - data.entropy_nats()) < 4 * surprise.std() / 64
    states = Exact(symbols=3, length=6).states()
    short = Markov(symbols=3, length=6)
    p = short.log_prob(states)
    assert -(p.exp() * p).sum().item() == pytest.approx(short.entropy_nats())


def test_markov_rows_are_stationary_from_the_first_place():
    data = Markov(symbols=4, length=8)
    torch.testing.assert_close(data.stationary() @ data.transition(), data.stationary())
    rows = data.rows("train", 8000, seed=9)
    for place in (0, 7):
        share = torch.bincount(rows[:, place], minlength=4) / len(rows)
        assert (share - data.stationary()).abs().max() < 0.025


@pytest.mark.parametrize("data", [Exact(), Markov(), Potts(length=12, line=4)], ids=by_name)
def test_drawn_rows_do_not_depend_on_how_many_are_asked(data):
    assert torch.equal(data.rows("test", 50, seed=1)[:7], data.rows("test", 7, seed=1))
    assert not torch.equal(data.rows("test", 50, seed=1), data.rows("train", 50, seed=1))
    assert not torch.equal(data.rows("test", 50, seed=1), data.rows("test", 50, seed=2))


@pytest.mark.parametrize(("symbols", "width", "length"), [(3, 3, 8), (2, 4, 10), (3, 1, 6), (2, 8, 7)])
def test_potts_is_the_law_of_its_bonds(symbols, width, length):
    """Against a list of all states: ln Z, entropy, and the law of what is drawn; the last line is short in two cases,
    and the only one in the last.
    """
    data = Potts(symbols=symbols, length=length, line=width, coupling=0.9)
    states = torch.cartesian_prod(*[torch.arange(symbols)] * length)
    sites = {(k // width, k % width): k for k in range(length)}
    pairs = [(k, sites[beside]) for (y, x), k in sites.items() for beside in ((y, x + 1), (y + 1, x))
             if beside in sites]
    bonds = sum((states[:, a] == states[:, b]).long() for a, b in pairs)
    assert torch.equal(data.bonds(states), bonds)
    law = torch.softmax(0.9 * bonds.double(), 0)
    torch.testing.assert_close(data.log_prob(states), law.log())
    assert -(law * law.log()).sum().item() == pytest.approx(data.entropy_nats())
    drawn = (data.rows("test", 2048, seed=3) * symbols ** torch.arange(length - 1, -1, -1)).sum(1)
    some = law.argsort(descending=True)[:64]  # the likeliest states one by one, the others together
    merged = torch.cat([law[some], 1 - law[some].sum()[None]])
    place = torch.full((len(law),), 64).index_put((some,), torch.arange(64))
    assert total_variation(torch.bincount(place[drawn], minlength=65), merged) < null_quantile(merged, 2048)


def test_potts_crops_are_rows_by_number():
    data = Potts(length=12, line=4)
    assert torch.equal(data.crops("train", torch.tensor([5, 2]), seed=1), data.rows("train", 6, seed=1)[[5, 2]])


def test_potts_refuses_a_line_of_too_many_states():
    with pytest.raises(ValueError, match="shorter line"):
        Potts(symbols=8, line=8)


# every data set

@pytest.mark.parametrize("data", ALL, ids=by_name)
def test_rows_are_tokens_and_never_the_mask(data):
    rows = data.rows("validation", 10, seed=0)
    assert rows.shape == (10, data.length) and rows.dtype == torch.int64
    assert rows.min() >= 0 and rows.max() < data.vocab <= data.mask
    assert torch.equal(rows, data.rows("validation", 10, seed=0))


@pytest.mark.parametrize("data", ALL, ids=by_name)
def test_unknown_split_is_refused_with_the_known_ones(data):
    with pytest.raises(ValueError, match=re.escape("choose train | judge | validation | test")):
        data.rows("dev", 1, seed=0)


@pytest.mark.parametrize("data", ALL, ids=by_name)
def test_identity_is_json_and_tells_lengths_apart(data):
    assert json.loads(json.dumps(data.identity())) == data.identity()
    assert type(data)(length=2).identity() != data.identity()


@pytest.mark.parametrize("kind", [WikipediaLeads, Austen, Exact, Markov, Potts, Prose])
def test_impossible_length_is_refused(kind):
    with pytest.raises(ValueError, match="length"):
        kind(length=0)


@pytest.mark.parametrize("name", ["text", "wikipedia_leads", "austen", "exact", "markov", "potts", "prose",
                                  "synthetic"])
def test_examples_of_the_docstrings_run(name):
    module = importlib.import_module(f"harness.data.{name}")
    result = doctest.testmod(module, extraglobs={"torch": torch})
    assert result.attempted and not result.failed


def test_example_of_the_data_page_runs(tmp_path, capsys):
    example = tmp_path / "example.py"
    example.write_text(re.search("```python\n(.*?)```", (ROOT / "docs" / "data.md").read_text(), re.DOTALL)[1])
    runpy.run_path(str(example))
    assert len(capsys.readouterr().out.rstrip("\n")) == 128


# the builder

def r_characters(lines):
    """An R character vector as a lazy-load database keeps it."""
    packed = b"X\n" + struct.pack(">iiii", 3, 0x40201, 0x30500, 5) + b"UTF-8" + struct.pack(">ii", 16, len(lines))
    packed += b"".join(struct.pack(">ii", 0x40009, len(line)) + line for line in lines)
    stream = zlib.compress(packed)
    return struct.pack(">i", len(packed)) + stream


def test_builder_reads_the_novels_and_cuts_between_words(tmp_path):
    database = r_characters([b"EMMA", b"It was 1815."]) + r_characters([b"Persuasion", b"", b"A NOTE ON THE TEXT",
                                                                        b"!"])
    (tmp_path / "Rdata.rdb").write_bytes(database)
    assert build.books(database)[0] == "EMMA\nIt was 1815."
    assert sorted(build.austen(tmp_path)["austen.txt.xz"].split()) == sorted(b"emma it was one eight one five "
                                                                             b"persuasion".split())
    assert build.pieces_of(b"one two three four", 4) == [b"one two", b"three", b"four"]


def test_builder_gives_the_same_bytes_twice_and_one_title_an_article(tmp_path):
    articles = {f"Title {i}": {"extract": f"Article {i}."} for i in range(20)}
    (tmp_path / "summaries_en-us.json").write_text(json.dumps(articles | {"Empty": {"extract": "..."}}))
    first = build.build("wikipedia_leads", tmp_path, tmp_path / "a")
    assert first == build.build("wikipedia_leads", tmp_path, tmp_path / "b")
    titles = lzma.decompress((tmp_path / "a" / "wikipedia_leads.titles.txt.xz").read_bytes()).decode().splitlines()
    assert sorted(titles) == sorted(articles) and titles != sorted(articles)


def test_prose_is_built_of_four_packages(tmp_path):
    """Small stand-ins of all four: what is dropped, what is kept, and that the tokenizer has not seen the documents
    behind the training split.
    """
    (tmp_path / "summaries_en-us.json").write_text(json.dumps({f"T{i}": {"extract": f"Article {i} was\n written."}
                                                               for i in range(200)}))
    (tmp_path / "Rdata.rdb").write_bytes(r_characters([b"EMMA", b"It was  1815."]))
    (tmp_path / "glosses.txt.gz").write_bytes(gzip.compress(b"cat\ta small animal | a whip\nfeline\ta small animal\n"
                                                            b"dog\tan animal | a small animal\n"))
    packed = zlib.compress(b"<title>PSALM 1</title> Blessed &amp; <hi>glad</hi>")
    (tmp_path / "ot.czs").write_bytes(struct.pack("<IIIIII", 0, 0, 0, 0, len(packed), 50))
    (tmp_path / "ot.czz").write_bytes(packed)
    assert sorted(build_prose.definitions(tmp_path)[0].rstrip(".").split(". ")) == [
        "cat: a small animal; a whip",
        "dog: an animal",
    ]
    assert build_prose.commentary(tmp_path) == ["PSALM 1 Blessed & glad"] and build_prose.novels(tmp_path) == [
        "EMMA It was 1815."
    ]
    files = build_prose.prose(tmp_path)
    own = Tokenizer.from_str(files["prose.tokenizer.json.xz"].decode())
    documents = own.decode(np.frombuffer(files["prose.ids.xz"], "<u2").tolist()).splitlines()
    assert len(documents) == 203 and {"EMMA It was 1815.", "Article 7 was written.",
                                      "PSALM 1 Blessed & glad"} <= set(documents)
    assert files == build_prose.prose(tmp_path)


def test_builder_says_what_is_missing(tmp_path):
    with pytest.raises(ValueError, match="unpack the package that the card names"):
        build.build("austen", tmp_path)


SOURCES = {
    "summaries_en-us.json": json.dumps({"T": {"extract": "An article."}}).encode(),
    "Rdata.rdb": r_characters([b"EMMA", b"It was 1815."]),
    "glosses.txt.gz": gzip.compress(b"cat\ta small animal\n", mtime=0),
    "ot.czs": struct.pack("<III", 0, 9, 50),
    "ot.czz": b"no stream",
}


@pytest.mark.parametrize(("name", "content", "says"), [
    ("summaries_en-us.json", b"{", "it is not valid JSON"),
    ("summaries_en-us.json", b'{"T": {"text": "x"}}', "the field `[...].extract` is missing"),
    ("summaries_en-us.json", b"[" * 100_000, "nested deeper"),
    ("Rdata.rdb", b"no database", "is damaged"),
    ("Rdata.rdb", SOURCES["Rdata.rdb"][:-3], "it ends within a record"),
    ("Rdata.rdb", struct.pack(">i", 4) + zlib.compress(b"X\n"), "is damaged"),
    ("glosses.txt.gz", b"no gzip", "is damaged"),
    ("glosses.txt.gz", gzip.compress(b"\xff\t", mtime=0), "is damaged"),
    ("ot.czs", b"odd", "is damaged"),
    ("ot.czz", b"no stream", "is damaged"),
])
def test_a_builder_of_what_is_damaged_ends_in_one_sentence(tmp_path, capsys, name, content, says):
    for other, whole in (SOURCES | {name: content}).items():
        (tmp_path / other).write_bytes(whole)
    words = ["--source", str(tmp_path), "--out", str(tmp_path / "out")]
    assert build_prose.main(words) == 2
    corpus = {"summaries_en-us.json": "wikipedia_leads", "Rdata.rdb": "austen"}.get(name)
    assert not corpus or build.main([corpus, *words]) == 2
    told = capsys.readouterr()
    lines = told.err.splitlines()
    assert len(lines) == 1 + bool(corpus) and told.out == "" and not (tmp_path / "out").exists()
    for line in lines:
        assert line.startswith(("harness.data.build.corpora: ",
                                "harness.data.build.prose: ")) and str(tmp_path / name) in line and says in line
        assert "the card in harness/data/cards" in line


@pytest.mark.parametrize(("words", "says"), [
    (["austin", "--source", "x"], "there is no corpus 'austin'; did you mean 'austen'?"),
    (["austen"], "harness.data.build.corpora needs --source"),
    (["austen", "--source", "x", "--to", "y"], "--to is no option here"),
])
def test_words_of_a_builder_that_cannot_be_used_are_one_sentence(capsys, words, says):
    assert build.main(words) == 2
    told = capsys.readouterr().err
    assert says in told and told.count("\n") == 1


def test_the_help_of_a_builder_is_no_error(capsys):
    assert build.main(["--help"]) == build_prose.main(["--help"]) == 0
    assert capsys.readouterr().out.count("--source SOURCE") == 4


def test_a_builder_on_a_full_disk_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    def full(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[:5])
        raise OSError(28, "No space left on device")

    (tmp_path / "Rdata.rdb").write_bytes(SOURCES["Rdata.rdb"])
    (tmp_path / "austen.txt.xz").write_bytes(b"old")
    monkeypatch.setattr(Path, "write_bytes", full)
    assert build.main(["austen", "--source", str(tmp_path), "--out", str(tmp_path)]) == 2
    assert (tmp_path / "austen.txt.xz").read_bytes() == b"old" and not list(tmp_path.glob("*.tmp"))
