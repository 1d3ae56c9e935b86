"""The stated ratios of NFE A of a chapter as one family of comparisons: a p-value each, adjusted by Holm for their number.

p is two-sided for a ratio of 1, by the normal approximation of the logarithm of the bootstrapped ratio: its standard error is the width of the 95 %
interval in logarithms over 2 x 1.96.
"""

from math import erfc
from statistics import NormalDist

import numpy as np
import pandas as pd

from harness.stats import holm

LEVEL = 0.05


def adjusted(ratios: pd.DataFrame) -> pd.DataFrame:
    """The same frame with a column p_holm, which only members of the family have."""
    if ratios.empty:
        return ratios
    frame = ratios.assign(p_holm=np.nan)
    family = frame[(frame.kind == "stated") & (frame.cost == "nfe_a") & (frame.low > 0) & np.isfinite(frame.high)]
    if len(family):
        frame.loc[family.index, "p_holm"] = holm([p_value(*row) for row in family[["ratio", "low", "high"]].itertuples(index=False)])
    return frame


def p_value(ratio: float, low: float, high: float) -> float:
    error = (np.log(high) - np.log(low)) / (2 * NormalDist().inv_cdf(0.975))
    return erfc(abs(np.log(ratio)) / max(error, 1e-12) / 2**0.5)


def note(ratios: pd.DataFrame) -> dict:
    """How many ratios are stated, how many have an interval, how many differ from 1 after the adjustment."""
    if ratios.empty:
        return {"stated": 0, "tested": 0, "apart": 0}
    stated = ratios[(ratios.kind == "stated") & (ratios.cost == "nfe_a")]
    return {"stated": len(stated), "tested": int(stated.p_holm.notna().sum()), "apart": int((stated.p_holm <= LEVEL).sum())}
