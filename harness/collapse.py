"""What a likelihood alone does not see: samples that repeat one another or themselves are likely, and worth nothing.

Beside every likelihood stand an entropy (of the tokens of a sample) and a share of distinct n-grams: a study that lists
none gets them. Both are held against held-out rows, as many, under the same metric. Samples have collapsed if they reach
less than SHARE of that level. The letters of a sample keep their entropy when a phrase is written again and again, which
the n-grams see; the entropy sees rows of few letters. Data whose whole law is listed are left alone: law_tv shows all of
it.

    >>> from harness.data.wikipedia_leads import WikipediaLeads
    >>> from harness.metrics.ngram_judge import NgramJudge
    >>> [metric.name for metric in companions([NgramJudge()], WikipediaLeads(64))]
    ['sample_entropy', 'distinct']
    >>> collapsed("distinct", 0.02, 0.61), collapsed("distinct", 0.5, 0.61), collapsed("judge", 0.02, 0.61)
    (True, False, False)
"""

from collections.abc import Sequence

from harness.control import HeldOut
from harness.kinds import Dataset, Metric
from harness.metrics.distinct import Distinct
from harness.metrics.entropy import SampleEntropy

LIKELIHOOD = "nats per "  # how the unit of a likelihood begins
ENTROPY = "entropy"  # how the name of an entropy ends
SHARE = {
    "distinct": 0.5,
    "sample_entropy": 0.8,
    "corpus_entropy": 0.8,
}  # of the level of held-out rows, below which samples have collapsed
ORDER = 6  # tokens of an n-gram, fewer where rows are short or the vocabulary is large


def companions(metrics: Sequence[Metric], data: Dataset) -> list[Metric]:
    """What is scored beside the metrics that a study lists: nothing where it lists no likelihood."""
    if hasattr(data, "law") or not any(
        metric.better == "lower" and metric.unit.startswith(LIKELIHOOD) for metric in metrics
    ):
        return []
    names = {metric.name for metric in metrics}
    entropy: list[Metric] = [] if any(name.endswith(ENTROPY) for name in names) else [SampleEntropy()]
    made = entropy if Distinct.name in names else [*entropy, Distinct("chars", _order(data))]
    return [metric for metric in made if not getattr(data, "unfit", lambda metric: "")(metric)]


def _order(data: Dataset) -> int:
    """The largest up to ORDER that rows hold and 64 bits can number."""
    return max(
        order for order in range(1, ORDER + 1) if order == 1 or order <= data.length and data.vocab**order < 2**63
    )


def level(metric: Metric, data: Dataset, n: int, seed: int) -> float | None:
    """What n held-out rows have under a metric that tells of a collapse.

    None for another metric, or where the data have no such rows.
    """
    if metric.name not in SHARE:
        return None
    try:
        return float(metric.score(HeldOut().control(data, n, seed), data).value)
    except (
        Exception
    ):  # data of the user's own, which need not have a held-out split: then there is no level, and nothing is said
        return None


def collapsed(name: str, value: float, level: float) -> bool:
    """Whether samples of this value, of a metric of this name, have collapsed beside that level."""
    return name in SHARE and value < SHARE[name] * level


def sentence(arm: str, metric: str, value: float, level: float, points: str) -> str:
    """The warning for an arm."""
    return (
        f"the samples of {arm} have collapsed ({points}): {metric} is {value:.3g}, and {level:.3g} in as many held-out "
        "rows; what a likelihood says of them is no quality"
    )
