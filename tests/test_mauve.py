"""MAUVE: areas in closed form, clusters that are known, states of networks row by row, and what is fixed stays
fixed.
"""

import doctest
import hashlib
from dataclasses import replace
from math import comb

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

from harness.data.control import Shuffled
from harness.data.markov import Markov
from harness.data.wikipedia_leads import WikipediaLeads
from harness.metrics import mauve as module
from harness.metrics.mauve import Mauve, area, mauve, quantised
from harness.nets.encoder import Hidden, JudgeStates
from harness.random import Stream, uniform
from harness.records.store import Store
from harness.run.scoring import described, score_records
from harness.spec import from_json, set_field, to_json
from tests import language_models

DATA = WikipediaLeads(length=32)
SMALL = Mauve(n=64)


def blobs(counts: list[int], seed: int = 0) -> np.ndarray:
    """Points about unit vectors that are far apart, so many about each."""
    noise = norm.ppf(uniform(seed, torch.arange(sum(counts)), Stream.DATA, torch.arange(8)).numpy())
    return np.eye(8)[np.repeat(np.arange(len(counts)), counts)] + 0.01 * noise


def test_equal_histograms_have_area_one_and_disjoint_ones_the_least_there_is():
    for scaling in (1, 2, 5):
        assert area([0.2, 0.3, 0.5], [2, 3, 5], scaling) == pytest.approx(1, abs=1e-12)
        assert area([1, 2, 0, 0], [0, 0, 3, 1], scaling) == pytest.approx(1 / comb(2 * scaling, scaling),
                                                                          rel=1e-4), "c B(c + 1, c)"


@pytest.mark.parametrize("p, q", [(0.3, 0.6), (0.05, 0.5), (0.9, 0.1)])
def test_two_cells_against_an_integral_of_the_frontier_written_out(p, q):
    """x and y as functions of the share l of P in R, and dx/dl by hand."""
    def r(l):
        return l * p + (1 - l) * q

    def kl(h, l):
        return h * np.log(h / r(l)) + (1 - h) * np.log((1 - h) / (1 - r(l)))

    def integrand(l):
        x, y = np.exp(-5 * kl(q, l)), np.exp(-5 * kl(p, l))
        return y * x * 5 * (q / r(l) - (1 - q) / (1 - r(l))) * (p - q)             # y dx/dl, which is negative

    wanted = -quad(integrand, 0, 1)[0] + np.exp(-5 * kl(q, 1))  # and the rectangle below (0, 1) - (x(1), 1)
    assert area([p, 1 - p], [q, 1 - q]) == pytest.approx(wanted, rel=1e-6) == area([q, 1 - q], [p, 1 - p])
    assert 1 / 252 < wanted < 1


def test_clusters_that_are_there_are_found_and_the_same_each_time():
    cells = quantised(blobs([40, 25, 15, 20]), 4, seed=3)
    assert len({(cell, place) for cell, place in zip(cells, np.repeat(range(4), [40, 25, 15, 20]))}) == 4
    many = blobs([50] * 6)
    assert (quantised(many, 20, 1) == quantised(many, 20, 1)).all() and len(set(quantised(many, 20, 1))) == 20


def test_sets_in_two_known_cells_have_the_area_of_their_shares():
    """60 of 100 about one place and 40 about the other, against 25 and 75."""
    found = mauve(blobs([60, 40]), blobs([25, 75], seed=1), bins=2)
    assert found == pytest.approx(area([0.6, 0.4], [0.25, 0.75]), abs=1e-12)


def test_a_set_is_like_itself_and_unlike_one_far_away():
    here, there = blobs([50, 50]), blobs([0, 0, 0, 50, 50], seed=2)
    assert mauve(here, here, 10) == pytest.approx(1) and mauve(here, there, 10) == pytest.approx(1 / 252, rel=1e-4)
    assert mauve(here, blobs([50, 50], seed=5), 2) == pytest.approx(1)
    assert 0.99 > mauve(here, blobs([20, 80]), 2) > mauve(here, blobs([2, 98]), 2) > 1 / 252
    with pytest.raises(ValueError, match="do not fill 10 cells"):
        mauve(np.ones((20, 3)), np.ones((20, 3)), 10)
    with pytest.raises(ValueError, match="not finite"):
        mauve(here, here * np.nan, 10)


@pytest.fixture(scope="module")
def real():
    return DATA.rows("test", 80, seed=1)


def test_held_out_text_is_nearer_to_the_reference_than_shuffled_text(real):
    held, shuffled = (SMALL.score(rows, DATA) for rows in (real, Shuffled().control(DATA, 80, 1)))
    assert held.value > 0.5 > 0.1 > shuffled.value >= 1 / 252 and len(held.numerator) == 0
    assert SMALL.score(DATA.rows("validation", 64, 0), DATA).value == pytest.approx(1), "the reference itself"


def test_n_is_fixed(real):
    assert SMALL.score(real[:64], DATA) == SMALL.score(real, DATA), "further samples are not looked at"
    with pytest.raises(ValueError, match="fixed at n=64, and there are 63"):
        SMALL.score(real[:63], DATA)
    with pytest.raises(ValueError, match="is not allowed"):
        Mauve(n=5)


def test_the_record_has_the_hash_of_reference_and_encoder_and_a_frozen_one_is_held_to(real, tmp_path):
    sha = hashlib.sha256(DATA.rows("validation", 64, 0).numpy().tobytes()).hexdigest()
    assert SMALL.reference(DATA) == {"split": "validation", "n": 64, "seed": 0, "sha256": sha}
    frozen = replace(SMALL, frozen=sha)
    about = described(frozen)
    assert (
        about["frozen"] == about["identity"]["frozen"] == sha
        and len(about["identity"]["encoder"]["sha256"]) == 64
        and about["identity"]["bins"] == 6
    )
    assert frozen.score(real, DATA) == SMALL.score(real, DATA)
    store = Store(tmp_path)
    store.put("samples", "k", real.numpy().astype(np.uint8))
    cell = {"key": "k", "status": "done", "samples_sha256": "s", "study": "x", "cell": {"n": 64, "seed": 0}}
    assert (
        score_records([frozen], DATA, store, [cell])["scored"] == 1
        and store.of("scored")[0]["metric"]["identity"]["frozen"] == sha
    )
    assert score_records([replace(SMALL, frozen="0" * 64)], DATA, store,
                         [cell | {"samples_sha256": "t"}])["unscored"] == 1
    assert "not the frozen 000000000000" in store.of("scored")[1]["reason"]


def test_a_score_is_known_by_its_rules():
    others = [replace(SMALL, **change) for change in ({"n": 32}, {"split": "test"}, {"bins": 7}, {"scaling": 2.0},
                                                      {"seed": 1})]
    assert len({str(metric.identity()) for metric in (SMALL, *others)}) == 6
    chosen = set_field(set_field(SMALL, "encoder", "hidden"), "encoder.model", "here")
    assert chosen == replace(SMALL, encoder=Hidden("here")) == from_json("score", to_json(chosen))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return language_models.save(tmp_path_factory.mktemp("lm") / "tiny")


@pytest.mark.parametrize("pool", ["last", "mean"])
def test_states_are_those_of_every_row_by_itself(folder, real, pool):
    transformers = language_models.library()
    net, tokenizer = transformers.AutoModel.from_pretrained(folder), transformers.AutoTokenizer.from_pretrained(folder)
    found = Hidden(str(folder), layer=1, pool=pool, limit=9).embed(real[:7], DATA)
    for row, text in zip(found, DATA.decode(real[:7])):
        with torch.no_grad():
            states = net(torch.tensor([tokenizer(text)["input_ids"][:9]]),
                         output_hidden_states=True).hidden_states[1][0].double()
        assert torch.allclose(row, states[-1] if pool == "last" else states.mean(0), atol=1e-5)
    assert found.dtype == torch.float64


def test_mauve_takes_the_states_of_a_model_of_transformers(folder, real):
    metric = replace(SMALL, n=60, encoder=Hidden(str(folder), pool="mean"))
    held, one_letter = (metric.score(rows, DATA).value for rows in (real, real * 0 + torch.arange(80)[:, None] % 26))
    assert held > 0.5 > 0.3 > one_letter
    about = metric.identity()["encoder"]
    assert (
        about["weights"].keys() == {"model.safetensors"} and about["pool"] == "mean" and str(folder) not in str(about)
    )
    assert Hidden(str(folder)).identity() != about


def test_what_an_encoder_cannot_read_is_said(folder, real, tmp_path):
    for encoder, data, says in (
        (Hidden(str(folder), layer=9), DATA, "has the layers 0 to 2, not 9"),
        (Hidden(str(folder)), Markov(), "are no text"),
        (Hidden(str(tmp_path)), DATA, "has no model.safetensors"),
        (JudgeStates(), Markov(), "reads 27 tokens"), (JudgeStates(str(tmp_path / "none")), DATA, "no checkpoint"),
        (JudgeStates("ssmd/checkpoints/light.safetensors"), DATA, "takes an autoregressive one"),
    ):
        with pytest.raises(ValueError, match=says) as error:
            encoder.embed(real[:2] % data.vocab, data)
        assert "\n" not in str(error.value)


def test_examples_in_docstrings_run():
    assert doctest.testmod(module).failed == 0


def test_it_is_what_the_package_of_its_authors_says_on_the_same_vectors():
    """`pip install mauve-text`: another k-means, so that the two differ as the package's own seeds do."""
    theirs = pytest.importorskip("mauve", reason="mauve-text is not installed").compute_mauve
    u = uniform(3, torch.arange(512), Stream.DATA, torch.arange(24)).numpy()
    for shift in (0.0, 0.3, 3.0):
        reference, samples = u[:256] - 0.5, u[256:] - 0.5 + shift * (np.arange(24) < 8)
        seeds = [theirs(p_features=reference, q_features=samples, num_buckets=25, seed=seed).mauve for seed in range(3)]
        assert min(seeds) - 0.1 < mauve(reference, samples, 25) < max(seeds) + 0.1
