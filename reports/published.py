"""Published numbers (published.csv) beside the measured ones of the same quantity, each with its regime and its marker.

Markers: paper (stated by the paper), reported (second-hand, unchecked), ours (measured in this chapter). Regimes
differ, so no number of one row is to be subtracted from that of another; differences and ratios within a regime are
what may be compared. Columns: those of published.csv (quantity, method, nfe, bound, value, unit, better, regime,
marker, source) and low, high, arm, key.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from reports.digits import spelt
from reports.frame import Chapter, span
from reports.front import dressed, subject
from reports.matched import headline
from reports.quoted import value

FILE = Path(__file__).parent / "published.csv"
COLUMNS = ("quantity", "method", "nfe", "bound", "value", "low", "high", "unit", "better", "regime", "marker", "source",
           "arm", "key")


def read() -> pd.DataFrame:
    found = pd.read_csv(FILE, dtype={"value": str}).fillna({"bound": ""})
    return found.assign(spelt=found.value, value=found.value.astype(float))


def beside(chapter: Chapter, baseline: str | None, ratios: pd.DataFrame, placed: pd.DataFrame) -> pd.DataFrame:
    """The published numbers of every quantity that was measured here too, and the measured ones; empty where there are
    none of both.
    """
    known, here = read(), subject(chapter)
    rows = [*_points(chapter, set(known.quantity)), *_ratios(chapter, ratios), *_placements(placed)]
    ours = pd.DataFrame([{"marker": "ours", "regime": here, "source": "this run", "bound": ""} | row for row in rows],
                        columns=COLUMNS)
    both = (
        pd.concat([known[known.quantity.isin(ours.quantity)].assign(arm="", key=""), ours], ignore_index=True)
        if len(ours)
        else ours
    )
    looks = dressed(chapter, [{"arm": arm} for arm in chapter.arms], baseline)
    if len(both):
        both["n"] = int(chapter.frame.n.max())
        look = looks.set_index("arm")
        for part in ("colour", "marker"):
            both["shape" if part == "marker" else part] = [look[part].get(arm) for arm in both.arm]
    return both


def _points(chapter: Chapter, quantities: set[str]) -> list[dict]:
    """Operating points of metrics whose name is a published quantity."""
    found = []
    for label, about in chapter.metrics.items():
        if about["name"] not in quantities or label not in chapter.frame:
            continue
        for row in chapter.done().to_dict("records"):
            if np.isfinite(row[label]):
                where = {"method": f"{row['arm']} {row['setting']}".strip(), "nfe": row["nfe_a"], "arm": row["arm"],
                         "key": row["key"]}
                known = dict(zip(("value", "low", "high"), span(row, label)))
                found.append({"quantity": about["name"], "unit": about["unit"], "better": about["better"]} | where
                             | known)
    return found


def _ratios(chapter: Chapter, ratios: pd.DataFrame) -> list[dict]:
    """The realised ratios of passes at equal quality."""
    return [
        {"quantity": "nfe_ratio", "method": f"{row['arm']} at equal {row['metric']}", "value": row["ratio"],
         "low": row["low"], "high": row["high"], "unit": "NFE over NFE"}
        | {"better": "higher", "regime": f"{subject(chapter)}, NFE A {row['passes']:.3g} of {row['baseline']}"}
        | {"arm": row["arm"], "key": row["key"], "bound": "at least" if row["at_least"] else ""}
        for row in headline(ratios, chapter).to_dict("records")
    ]


def _placements(placed: pd.DataFrame) -> list[dict]:
    """What the sandwich saves by NFE C, and how much perplexity it costs."""
    found = []
    for row in placed[placed.placement == "sandwich"].to_dict("records") if len(placed) else ():
        about = {"method": f"sandwich, {row['setting']}".rstrip(", "), "arm": row["arm"], "key": row["key"]}
        found.append(about | {"quantity": "flops_saved", "value": row["saved"], "unit": "share of FLOPs",
                              "better": "higher"})
        if row["unit"].startswith("nats"):
            value, low, high = (float(np.exp(row[end])) for end in ("x", "x_low", "x_high"))
            found.append(about | {"quantity": "perplexity_ratio", "value": value, "low": low, "high": high,
                                  "unit": "ratio", "better": "lower"})
    return found


def plain(frame: pd.DataFrame) -> list[dict]:
    """Every row, for numbers.json."""
    return frame[list(COLUMNS)].to_dict("records") if len(frame) else []


def table(frame: pd.DataFrame) -> list[dict]:
    """What the page shows: of the measured points those nearest to a published NFE of the same quantity."""
    found = []
    for quantity, rows in frame.groupby("quantity", sort=False) if len(frame) else ():
        theirs, ours = rows[rows.marker != "ours"], rows[rows.marker == "ours"]
        if theirs.nfe.notna().any():
            near = {mine.nfe.sub(nfe).abs().idxmin() for _, mine in ours.groupby("arm")
                    for nfe in set(theirs.nfe.dropna())}
            ours = ours[ours.index.isin(near)]
        rows = [row | {"number": _number(row)} for row in pd.concat((theirs, ours)).to_dict("records")]
        found.append({"quantity": quantity.replace("_", " "), "rows": rows})
    return found


def _number(row: dict) -> dict:
    """A published number has the digits it was published with."""
    if row["marker"] != "ours":
        return {"value": value(row), "low": None, "high": None}
    found = spelt(row["value"], row["low"], row["high"])
    return found | {"value": f"{row['bound']} {found['value']}".strip()}
