"""The metrics that are not among the first two, against passes by convention A."""

import pandas as pd

from reports import style
from reports.marks import describe
from reports.plots import headline, tradeoff

TITLE = "Further metrics against network passes"
SECTION = "tradeoff"
PLACE = 20
needs = tradeoff.needs


def draw(frame: pd.DataFrame, inches: float = style.DOUBLE):
    """The figure, and a list with the numbers of every mark in it; None where there is no further metric."""
    return headline.small_multiples(_mine(frame), inches, columns=3)


def _mine(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[(frame["rank"] >= tradeoff.METRICS) & (frame.cost == "nfe_a")]


def caption(frame: pd.DataFrame) -> str:
    return describe(_mine(frame))
