"""What a likelihood alone does not see: samples that repeat one another or themselves are likely, and worth nothing.

Samples have collapsed if an entropy of their tokens, or their share of distinct n-grams, is less than SHARE of the
level of as many held-out rows under the same metric. harness/run/companions.py scores both beside every likelihood.

    >>> collapsed("distinct", 0.02, 0.61), collapsed("distinct", 0.5, 0.61), collapsed("judge", 0.02, 0.61)
    (True, False, False)
"""

LIKELIHOOD = "nats per "    # how the unit of a likelihood begins
SHARE = {"distinct": 0.5, "sample_entropy": 0.8, "corpus_entropy": 0.8}    # of the level of held-out rows


def collapsed(name: str, value: float, level: float) -> bool:
    """Whether samples of this value, of a metric of this name, have collapsed beside that level."""
    return name in SHARE and value < SHARE[name] * level


def sentence(arm: str, metric: str, value: float, level: float, points: str) -> str:
    """The warning for an arm whose samples have collapsed."""
    return (
        f"the samples of {arm} have collapsed ({points}): {metric} is {value:.3g}, and {level:.3g} in as many held-out "
        "rows; what a likelihood says of them is no quality"
    )
