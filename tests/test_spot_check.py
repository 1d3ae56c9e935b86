"""A score that is looked at again on a few rows: what can be told from them, and what cannot."""

import numpy as np
import pytest

from harness.run.spot_check import differing

TOKENS = np.arange(24).reshape(8, 3) % 7    # (8, 3) rows 0 and 7 are equal


def mean_token(tokens: np.ndarray) -> np.ndarray:
    return np.stack((tokens.sum(1), np.full(len(tokens), tokens.shape[1])))


def distinct(tokens: np.ndarray) -> np.ndarray:
    """A row counts where it is the first of its kind, as in unique and novelty."""
    kinds = [row.tobytes() for row in tokens]
    return np.array([[kinds.index(kind) == k for k, kind in enumerate(kinds)], np.ones(len(tokens))], float)


def first(k: int):
    """Looks at the first k rows alone, and refuses fewer."""
    def score(tokens: np.ndarray) -> np.ndarray:
        looked = np.arange(len(tokens)) < k
        return np.stack((tokens[:, 0] * looked, looked)) if len(tokens) >= k else np.empty((2, 0))
    return score


def centred(tokens: np.ndarray) -> np.ndarray:
    return np.stack((tokens[:, 0] - tokens[:, 0].mean(), np.ones(len(tokens))))


def test_rows_that_stand_for_themselves_are_compared_one_by_one():
    table = mean_token(TOKENS).astype(float)
    assert not differing(mean_token, TOKENS, table).any()
    table[0, 3] += 1
    assert differing(mean_token, TOKENS, table).tolist() == [k == 3 for k in range(8)]


@pytest.mark.parametrize("score", [distinct, first(4), first(1000), centred], ids=lambda score: score.__qualname__)
def test_scores_that_need_other_rows_say_nothing_on_a_few(score):
    """None, and not `refuted`: the whole is scored again where its rows are kept."""
    assert differing(score, TOKENS, np.full((2, 8), 0.5)) is None
