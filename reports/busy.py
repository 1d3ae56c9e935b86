"""Words for seconds: how busy the machine was with other work, and intervals too wide to be a time."""

import numpy as np
import pandas as pd

BUSY = 0.1  # share of the device that other work may take before a caption says so
WIDE = 2.0  # end over end of an interval that still is a time


def told(busy: pd.Series, low: pd.Series, high: pd.Series, drawn: bool = False) -> str:
    """A sentence or two, or nothing; one entry a cell, NaN for what is not known. Begins with a space. `drawn`: of a
    figure, where such times are hollow.
    """
    words, known = "", busy.dropna()
    if known.empty:
        words += " How busy the machine was is not recorded."
    elif known.max() > BUSY:
        words += (
            f" Other work took up to {percent(known.max())} of the machine meanwhile: these seconds are too long, "
            "and differences between them may be that work's."
            + f" Hollow: times beside more than {percent(BUSY)} of it." * drawn
        )
    spans = (high / low.where(low > 0)).where(low.notna()).where(high > low)
    endless = int(((low <= 0) & (high > low)).sum())
    wide = int((spans > WIDE).sum()) + endless
    if wide:
        most = "from zero" if endless else f"{spans.max():.3g}-fold"
        words += (
            f" {wide} of {int(low.notna().sum())} intervals of times span more than a factor of {WIDE:g} "
            f"(the widest {most}): they tell an order of magnitude, not a time."
        )
    return words


def disturbed(share):
    """Whether seconds beside this share of other work, one or a column, are drawn hollow; an unknown share is not."""
    return share > BUSY


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def column(frame: pd.DataFrame, name: str) -> pd.Series:
    """A column of numbers, NaN where the frame has none."""
    return pd.to_numeric(frame[name]) if name in frame else pd.Series(np.nan, frame.index)
