"""Metrics: values worked out by hand, held-out text against shuffled text, and no row dropped or failure hidden."""

import doctest
import importlib
import math
import shutil
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from harness.data.austen import Austen
from harness.data.exact import Exact
from harness.data.markov import Markov
from harness.data.wikipedia_leads import WikipediaLeads
from harness.metrics.coverage import NgramPrecision, NgramRecall
from harness.metrics.distinct import Distinct
from harness.metrics.entropy import CorpusEntropy, SampleEntropy
from harness.metrics.exact_nll import ExactNll
from harness.metrics.form import ratio, whole
from harness.metrics.judge import Judge
from harness.metrics.law import LawTv, null_quantile, total_variation
from harness.metrics.ngram_judge import NgramJudge
from harness.metrics.words import Spelling
from harness.nets import checkpoint
from harness.nets.autoregressive import Autoregressive
from harness.nets.transformer import Transformer, TransformerConfig
from harness.plugins import find
from harness.random import Stream, permutation

DATA = WikipediaLeads(length=64)
TEXT_METRICS = [Spelling(), Spelling(seen=5), SampleEntropy(), NgramPrecision(), NgramPrecision("words", 2),
                NgramJudge(order=4)]
SET_METRICS = [CorpusEntropy(), NgramRecall(order=4), NgramRecall("words", 2), Distinct(), Distinct("chars", 3)]
MODULES = ["form", "grams", "words", "entropy", "coverage", "distinct", "exact_nll", "judge", "ngram_judge", "law"]


@dataclass(frozen=True)
class Little(Austen):
    """A corpus of one sentence a split."""

    text: str = ""

    def content(self) -> bytes:
        return self.text.encode()

    def _bounds(self, split):
        return 0, len(self.text)


def encode(data, *rows):
    return torch.stack([data.encode(row) for row in rows])


def shuffled(rows, seed=0):
    """The same characters of every row in a random order: right unigrams, no sense."""
    return rows.gather(1, permutation(seed, torch.arange(len(rows)), Stream.POSITION, rows.shape[1]))


@pytest.fixture(scope="module")
def real():
    return DATA.rows("test", 96, seed=1)


@pytest.fixture(scope="module")
def judge_file(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("judge") / "judge.safetensors"
    net = Autoregressive(TransformerConfig(vocab=27, width=16, heads=2, blocks=2))
    with torch.no_grad():
        net.head.weight.mul_(20)
    checkpoint.save(net, path, {"steps": 0})
    return path


# what every metric owes

@pytest.mark.parametrize("module", MODULES)
def test_examples_in_the_docstrings_are_true(module):
    assert doctest.testmod(importlib.import_module(f"harness.metrics.{module}")).failed == 0


def test_every_metric_is_found_and_says_its_direction_and_unit():
    found = find("score", ("harness.metrics",))
    assert {"spelling", "sample_entropy", "corpus_entropy", "ngram_precision", "ngram_recall", "exact_nll", "judge",
            "ngram", "distinct",
            "law_tv"} <= set(found)
    assert all(m.better in ("lower", "higher", "match") and m.unit and m.version >= 1 for m in found.values())


@pytest.mark.parametrize("metric", TEXT_METRICS, ids=str)
def test_rows_are_scored_one_by_one_and_none_is_dropped(metric, real):
    scores, parts = metric.score(real, DATA), [metric.score(rows, DATA) for rows in real.split([1, 41, 54])]
    assert scores.value == pytest.approx(scores.numerator.sum() / scores.denominator.sum())
    for field in ("numerator", "denominator"):
        assert np.allclose(getattr(scores, field), np.concatenate([getattr(part, field) for part in parts]))
        assert getattr(scores, field).shape == (96,)


@pytest.mark.parametrize("metric", SET_METRICS, ids=str)
def test_set_metrics_have_no_rows_and_do_not_care_for_their_order(metric, real):
    scores = metric.score(real, DATA)
    assert len(scores.numerator) == len(scores.denominator) == 0
    assert scores.value == pytest.approx(metric.score(real.flip(0), DATA).value)
    assert scores.value != pytest.approx(metric.score(real[:-1], DATA).value, abs=1e-12)


@pytest.mark.parametrize("metric", TEXT_METRICS + SET_METRICS, ids=str)
def test_masks_and_empty_sets_are_refused(metric, real):
    masked = real.clone()
    masked[3, 5] = DATA.mask
    with pytest.raises(ValueError, match="mask"):
        metric.score(masked, DATA)
    with pytest.raises(ValueError, match="at least one row"):
        metric.score(real[:0], DATA)


def test_what_is_not_a_number_is_a_failure():
    for bad in ([math.nan, 1.0], [math.inf, 1.0]):
        with pytest.raises(ValueError, match="1 of 2 rows"):
            ratio(bad, [1, 1], "nll")
    with pytest.raises(ValueError, match="nothing to divide by"):
        ratio([0, 0], [0, 0], "share")
    with pytest.raises(ValueError, match="failed"):
        whole(math.nan, "entropy")


@pytest.mark.parametrize("metric", [Spelling(), NgramPrecision(), NgramRecall(), NgramJudge(), Distinct("words", 1)],
                         ids=str)
def test_metrics_of_text_refuse_data_without_text(metric):
    with pytest.raises(ValueError, match="choose"):
        metric.score(torch.zeros(4, 16, dtype=torch.int64), Markov())


# words

def test_spelling_leaves_out_the_fragments_at_both_ends_and_empty_ones():
    data = Little(text="xx the cat sat on the mat yy", length=16)
    rows = encode(data, "he cat sat zz ma", " the  dog mat t ", "catsatonthematxx", "                ")
    scores = Spelling().score(rows, data)
    assert scores.numerator.tolist() == [2, 2, 0, 0]      # cat sat | the mat | none | none
    # cat sat zz | the dog mat t | a row without a word is wrong once
    assert scores.denominator.tolist() == [3, 4, 1, 1]
    assert scores.value == 4 / 9


def test_spelling_by_words_seen_more_often_is_stricter():
    data = Little(text="xx the cat sat on the mat yy", length=16)
    rows = encode(data, "a the cat sat in", )
    assert Spelling().score(rows, data).value == 1
    assert Spelling(seen=2).score(rows, data).value == 1 / 3


def test_spelling_of_held_out_text_is_high_and_of_shuffled_text_low():
    rows = WikipediaLeads(length=128).rows("test", 128, seed=0)
    found, wrong = (Spelling().score(x, DATA).value for x in (rows, shuffled(rows)))
    assert found > 0.9 and wrong < 0.6
    assert Spelling(seen=5).score(rows, DATA).value < found


# entropy

def test_entropies_of_constant_and_uniform_rows():
    constant, uniform = torch.zeros(4, 27, dtype=torch.int64), torch.arange(27).expand(4, -1)
    assert SampleEntropy().score(constant, DATA).value == CorpusEntropy().score(constant, DATA).value == 0
    assert SampleEntropy().score(uniform, DATA).value == pytest.approx(math.log(27))


def test_the_two_entropies_differ_where_samples_differ_from_one_another():
    rows = torch.arange(4)[:, None].expand(-1, 8)
    assert SampleEntropy().score(rows, DATA).value == 0
    assert CorpusEntropy().score(rows, DATA).value == pytest.approx(math.log(4))


def test_entropy_does_not_see_the_order_of_the_tokens(real):
    for metric in (SampleEntropy(), CorpusEntropy()):
        assert metric.score(real, DATA).value == pytest.approx(metric.score(shuffled(real), DATA).value)


# n-grams

def test_precision_and_recall_by_hand():
    data = Little(text="x ab ab cd y", length=4)
    rows = encode(data, " ab ", "cdcd")
    assert NgramPrecision(order=2).score(rows, data).numerator.tolist() == [3, 2]  # " a" "ab" "b " | "cd" "dc" "cd"
    assert NgramPrecision(order=2).score(rows, data).value == 5 / 6
    assert NgramRecall(order=2).score(rows, data).value == 7 / 11  # " a" 2, "ab" 2, "b " 2, "cd" 1
    words = encode(data, "x ab cd ab y", "xyxyxyxyxyxy")
    scores = NgramPrecision("words", 2).score(words, data)
    assert (scores.numerator.tolist(), scores.denominator.tolist()) == ([1, 0], [2, 1])  # "ab cd" of two | none of one
    assert NgramRecall("words", 2).score(words, data).value == 1 / 2                     # "ab ab" is missing


def test_recall_of_the_data_itself_is_one_and_grows_with_the_samples():
    data = Little(text="the cat sat on the mat and the dog sat on the cat", length=49)
    assert NgramRecall(order=6).score(data.tokens("test")[None].long(), data).value == 1
    rows = DATA.rows("test", 96, seed=1)
    assert NgramRecall(order=4).score(rows[:48], DATA).value < NgramRecall(order=4).score(rows, DATA).value


@pytest.mark.parametrize("metric", [NgramPrecision(), NgramPrecision("words", 2), NgramRecall(),
                                    NgramRecall("words", 2)], ids=str)
def test_coverage_ranks_held_out_text_above_shuffled_text(metric, real):
    assert metric.score(real, DATA).value > 2 * metric.score(shuffled(real), DATA).value


def test_precision_is_against_the_training_split_and_recall_against_the_test_split(real):
    train = DATA.rows("train", 96, seed=1)
    assert NgramPrecision().score(train, DATA).value == 1 > NgramPrecision().score(real, DATA).value
    assert NgramRecall().score(real, DATA).value > NgramRecall().score(train, DATA).value


def test_rows_shorter_than_the_order_are_refused(real):
    with pytest.raises(ValueError, match="no 6-gram"):
        NgramPrecision().score(real[:, :5], DATA)


def test_orders_that_do_not_fit_64_bits_are_refused():
    with pytest.raises(ValueError, match="64 bits"):
        Distinct("chars", 12).score(torch.zeros(2, 32, dtype=torch.int64), Markov(symbols=1024))


def test_distinct_by_hand():
    data = Little(text="x ab ab cd y", length=12)
    rows = encode(data, "x ab cd ab y", "x ab cd ef y")
    assert Distinct("words", 1).score(rows, data).value == 3 / 6
    assert Distinct("words", 2).score(rows, data).value == 3 / 4
    assert Distinct("chars", 12).score(rows, data).value == 1
    assert Distinct("words", 2).score(encode(data, "xxxxxxxxxxxx"), data).value == 0


def test_repeated_samples_are_less_distinct(real):
    assert (
        Distinct("chars", 4).score(real[:1].expand(96, -1), DATA).value
        < Distinct("chars", 4).score(real, DATA).value / 10
    )


# likelihoods

def test_exact_nll_is_the_likelihood_of_the_data_set():
    data = Markov(symbols=3, length=2)
    rows = torch.tensor([[0, 1], [2, 2]])
    pi, t = data.stationary(), data.transition()
    scores = ExactNll().score(rows, data)
    assert scores.numerator == pytest.approx([-(pi[0] * t[0, 1]).log().item(), -(pi[2] * t[2, 2]).log().item()])
    assert scores.denominator.tolist() == [2, 2]


def test_exact_nll_needs_a_known_law(real):
    with pytest.raises(ValueError, match="not known"):
        ExactNll().score(real, DATA)


def test_witten_bell_by_hand():
    """"aab" twice: c(a)=4, c(b)=2, T()=2; after a: c(a)=4, c(aa)=2, c(ab)=2, T(a)=2."""
    data = Little(text="aabaab", length=2)
    a, b = ((c + 2 / 27) / (6 + 2) for c in (4, 2))
    found = NgramJudge(order=2).log_prob(encode(data, "ab", "aa", "zz"), data)
    unseen = 2 / 27 / 8
    assert np.exp(found) == pytest.approx(np.array([[a, (2 + 2 * b) / 6], [a, (2 + 2 * a) / 6], [unseen, unseen]]))


@pytest.mark.parametrize("context", ["", "t", "the q", "zzzzzzzz", " the unit"])
@pytest.mark.parametrize("order", [1, 3, 6])
def test_the_ngram_judge_is_a_law(context, order):
    rows = torch.cat((DATA.encode(context).expand(27, -1), torch.arange(27)[:, None]), 1)
    p = np.exp(NgramJudge(order=order).log_prob(rows, DATA)[:, -1])
    assert p.sum() == pytest.approx(1, abs=1e-12) and (p > 0).all()


def test_the_ngram_judge_prefers_real_text_to_shuffled_text_and_high_orders_to_low(real):
    nats = [NgramJudge(order=order).score(real, DATA).value for order in (1, 2, 4, 6)]
    assert nats == sorted(nats, reverse=True)
    assert NgramJudge().score(shuffled(real), DATA).value > nats[-1] + 0.8
    assert nats[0] < math.log(27)


def test_the_ngram_judge_has_not_read_the_split_it_judges():
    judge, test = (NgramJudge().score(DATA.rows(split, 96, seed=1), DATA).value for split in ("judge", "test"))
    assert judge < test - 0.1


def test_the_judge_gives_every_token_its_log_probability(judge_file, real):
    net, rows = checkpoint.load(judge_file), real[:3, :9]
    expected = [sum(-net(row[None, : k + 1]).double().log_softmax(-1)[0, k, row[k]].item() for k in range(9))
                for row in rows]
    scores = Judge(str(judge_file)).score(rows, DATA)
    assert scores.numerator == pytest.approx(expected, rel=1e-5)
    assert scores.denominator.tolist() == [9, 9, 9]


def test_the_judge_scores_rows_alone_as_in_a_batch(judge_file):
    rows, judge = DATA.rows("test", 300, seed=2), Judge(str(judge_file))
    assert judge.score(rows, DATA).numerator[-5:] == pytest.approx(judge.score(rows[-5:], DATA).numerator, rel=1e-5)


def test_the_judge_is_known_by_its_weights_and_not_by_its_path(judge_file, tmp_path):
    shutil.copy(judge_file, tmp_path / "other.safetensors")
    one, other = Judge(str(judge_file)), Judge(str(tmp_path / "other.safetensors"))
    assert one.identity() == other.identity() and len(one.identity()["sha256"]) == 64
    assert str(judge_file) not in str(one.identity())


def test_what_cannot_judge_is_refused(judge_file, tmp_path, real):
    with pytest.raises(ValueError, match="no checkpoint"):
        Judge(str(tmp_path / "absent.safetensors")).score(real, DATA)
    with pytest.raises(ValueError, match="reads 27 tokens"):
        Judge(str(judge_file)).score(torch.zeros(2, 64, dtype=torch.int64), Markov())
    checkpoint.save(Transformer(TransformerConfig(vocab=27, width=8, heads=1, blocks=1)), tmp_path / "t.safetensors",
                    {})
    with pytest.raises(ValueError, match="must be autoregressive"):
        Judge(str(tmp_path / "t.safetensors")).score(real, DATA)


# law

def test_total_variation_by_hand():
    assert total_variation([4, 0], [0.25, 0.75]) == 0.75
    assert total_variation(torch.tensor([1, 3]), torch.tensor([0.25, 0.75])) == 0
    with pytest.raises(ValueError, match="cannot be compared"):
        total_variation([1, 2, 3], [0.5, 0.5])


def test_null_quantile_is_that_of_many_multinomials():
    law, n = Exact().law(), 512
    counts = np.random.default_rng(0).multinomial(n, law.numpy(), size=100_000)
    tv = 0.5 * np.abs(counts / n - law.numpy()).sum(1)
    assert null_quantile(law, n) == pytest.approx(np.quantile(tv, 0.9999), rel=0.03)
    assert null_quantile(law, n, share=0.5) == pytest.approx(np.quantile(tv, 0.5), rel=0.02)


def test_law_tv_passes_the_law_and_fails_another():
    data, floor = Exact(), null_quantile(Exact().law(), 2048)
    rows = data.rows("test", 2048, seed=3)
    assert LawTv().score(rows, data).value < floor
    assert LawTv().score(rows, replace(data, law_seed=1)).value > 2 * floor
    with pytest.raises(ValueError, match="cannot be listed"):
        LawTv().score(DATA.rows("test", 2, seed=0), DATA)
