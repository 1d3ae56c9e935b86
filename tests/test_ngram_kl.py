"""The n-gram divergence sees what the entropy of letters does not: order, and the loss of diversity."""

import doctest

import numpy as np
import pytest
import torch

from harness.data.exact import Exact
from harness.data.wikipedia_leads import WikipediaLeads
from harness.metrics import ngram_kl
from harness.metrics.entropy import SampleEntropy
from harness.metrics.ngram_kl import SMOOTHING, NgramKL, pseudo_values
from harness.stats.intervals import paired_difference

DATA = WikipediaLeads(length=64)
TEXT = DATA.rows("test", 256, 0)    # (256, 64)


def test_example_holds():
    assert doctest.testmod(ngram_kl).failed == 0


@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_pseudo_values_are_those_of_leaving_each_row_out(direction):
    written, text = np.array([[0, 1, 1], [2, 1, 0], [3, 3, 3], [0, 0, 4]]), np.array([0, 0, 1, 5, 1, 3, 2])
    known = np.unique(np.concatenate((written.ravel(), text)))

    def divergence(rows):
        s, d = ((np.array([(x == g).sum() for g in known]) + SMOOTHING) for x in (rows, text))
        s, d = s / s.sum(), d / d.sum()
        return (d * np.log(d / s)).sum() if direction == "forward" else (s * np.log(s / d)).sum()

    n, whole = len(written), divergence(written)
    assert pseudo_values(written, text, direction) == pytest.approx(
        [n * whole - (n - 1) * divergence(np.delete(written, i, 0)) for i in range(n)]
    )


@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_shuffled_letters_are_far_though_their_entropy_is_that_of_text(direction):
    shuffled = TEXT[:, torch.tensor([*range(0, 64, 2), *range(1, 64, 2)])]
    assert SampleEntropy().score(shuffled, DATA).value == SampleEntropy().score(TEXT, DATA).value
    assert paired_difference(*(NgramKL(direction).score(rows, DATA) for rows in (shuffled, TEXT))).low > 0.5


def test_a_sampler_that_repeats_itself_is_seen_by_the_forward_side():
    half = torch.cat((TEXT[:128], TEXT[:128]))    # every row is real text, half of the diversity is gone
    found = paired_difference(NgramKL("forward").score(half, DATA), NgramKL("forward").score(TEXT, DATA))
    assert found.low > 0.02, found


def test_what_has_no_n_grams_is_refused_in_a_sentence():
    for rows, data in ((torch.zeros(4, 4, dtype=torch.long), Exact()), (TEXT[:1], DATA), (TEXT[:, :2], DATA)):
        with pytest.raises(ValueError, match="corpus|at least 2 rows"):
            NgramKL().score(rows, data)
