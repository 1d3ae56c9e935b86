"""The metrics that are scored beside a likelihood, so that a collapse shows (harness/stats/collapse.py): an entropy and
distinct n-grams.

A study that lists none gets them. The letters of a sample keep their entropy when a phrase is written again and again,
which the n-grams see; the entropy sees rows of few letters. Data whose whole law is listed are left alone: law_tv shows
all of it.

    >>> from harness.data.wikipedia_leads import WikipediaLeads
    >>> from harness.metrics.ngram_judge import NgramJudge
    >>> [metric.name for metric in companions([NgramJudge()], WikipediaLeads(64))]
    ['sample_entropy', 'distinct']
"""

from collections.abc import Sequence

from harness.data.control import HeldOut
from harness.kinds import Dataset, Metric
from harness.metrics.distinct import Distinct
from harness.metrics.entropy import SampleEntropy
from harness.stats.collapse import LIKELIHOOD, SHARE

ENTROPY = "entropy"    # how the name of an entropy ends
ORDER = 6              # tokens of an n-gram, fewer where rows are short or the vocabulary is large
FEWEST = 256           # tokens whose entropy tells a collapse from chance


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

    None for another metric, for rows that hold fewer than FEWEST tokens in all, or where the data have no such rows.
    """
    if metric.name not in SHARE or n * data.length < FEWEST:
        return None
    try:
        return float(metric.score(HeldOut().control(data, n, seed), data).value)
    except (
        Exception
    ):  # data of the user's own, which need not have a held-out split: then there is no level, and nothing is said
        return None
