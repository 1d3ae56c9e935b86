"""Where the studies stand: the text, the metrics of text, and the families of networks, those that ship and those that
a study trains.

    Study(..., data=TEXT, nets=nets("heavy", "hybrid"), reference="heavy", metrics=metrics("judge", "spelling"))
"""

from pathlib import Path

from harness.data.wikipedia_leads import WikipediaLeads
from harness.kinds import Metric
from harness.metrics.coverage import NgramPrecision
from harness.metrics.entropy import CorpusEntropy, SampleEntropy
from harness.metrics.judge import Judge
from harness.metrics.ngram_judge import NgramJudge
from harness.metrics.words import Spelling
from harness.study import Checkpoint
from ssmd.train.family import SHIPPED
from ssmd.train.settings import Training

MEMBERS = ("heavy", "light", "hybrid_frozen")    # those of every kind of data


def checkpoint(name: str, of: str = "") -> str:
    """The file of a network that ships; of: the kind of data, where it is not the text."""
    return str(SHIPPED / of / f"{name}.safetensors")


def nets(*names: str, of: str = "") -> dict[str, Checkpoint]:
    return {name: Checkpoint(checkpoint(name, of)) for name in names}


def trained(folder: Path, *names: str) -> dict[str, Checkpoint]:
    """Networks that a study trains first, where `ssmd-bench train family --out FOLDER` writes them."""
    return {name: Checkpoint(str(folder / name / f"{name}.safetensors")) for name in names}


def family(tokens: float, **size) -> dict[str, Training]:
    """The members that a frontier needs; the hybrid is one causal block on the frozen heavy network, the paper's
    protein recipe.
    """
    shapes = {"heavy": dict(network="masked"), "light": dict(network="masked", blocks=2),
              "hybrid_frozen": dict(network="hybrid", blocks=7, frozen=True),
              "judge": dict(network="judge", blocks=4, width=192, heads=6, dropout=0.1)}
    return {name: Training(**shape | size, tokens=tokens) for name, shape in shapes.items()}


TEXT = WikipediaLeads(length=128)
METRICS: list[Metric] = [Spelling(), Judge(checkpoint("judge")), NgramJudge(), SampleEntropy(), CorpusEntropy(),
                         NgramPrecision()]


def metrics(*names: str) -> list[Metric]:
    """Some of METRICS, in their order."""
    return [metric for metric in METRICS if metric.name in names]
