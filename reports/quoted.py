"""A published number in words. A row has the columns of reports/published.csv, `value` as a number, `spelt` as
published.

>>> row = {"method": "SSMD", "nfe": 21, "bound": "about", "spelt": "2", "unit": "ratio", "regime": "text8"}
>>> sentence(row | {"marker": "paper", "source": "its abstract"})
'SSMD at NFE 21: about 2, ratio (text8; stated by its abstract)'
"""

from collections.abc import Mapping

VERBS = {"paper": "stated by", "reported": "reported of"}  # marker -> how its source is named


def sentence(row: Mapping) -> str:
    """Who, how much of what, under which conditions, by whom."""
    passes = f" at NFE {row['nfe']:g}" if row["nfe"] == row["nfe"] else ""
    unit = "" if row["unit"] == "not stated" else f", {row['unit']}"
    return f"{row['method']}{passes}: {value(row)}{unit} ({row['regime']}; {VERBS[row['marker']]} {row['source']})"


def value(row: Mapping) -> str:
    """With the digits it was published with, and what the source says of them: about, at most, more than."""
    return f"{row['bound']} {row['spelt']}".strip()
