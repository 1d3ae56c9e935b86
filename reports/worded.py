"""What the page, captions and tables say of how quality was matched (reports/matched.py)."""

import numpy as np
import pandas as pd

from reports.digits import spell, spelt
from reports.text import short

OF = {
    "range": "a tenth of the distance between the worst and the best setting of {}",
    "value": "a tenth of the value that is matched",
    "named": "a margin that the command names",
}


def counts_as_equal(ratios: pd.DataFrame) -> str:
    """The margins, and where they are from, in a sentence."""
    realised = ratios[ratios.kind == "realised"] if len(ratios) else ratios
    if realised.empty:
        return ""
    found: dict[tuple[str, str, str], list[float]] = {}    # (what it is of, metric, unit) -> margins
    for row in realised.to_dict("records"):
        found.setdefault((row["margin_of"], row["metric"], row["unit"]), []).append(row["margin"])
        if row["side"]:
            found.setdefault((row["side_margin_of"], row["side"], row["side_unit"]), []).append(row["side_margin"])
    baseline = short(realised.baseline.iloc[0], 48)
    parts = [(" or ".join(f"{_amount(margins)} {unit} ({metric})" for (of, metric, unit), margins in found.items()
                          if of == kind), OF[kind].format(baseline))
             for kind in OF if any(of == kind for of, *_ in found)]
    return (f"Worse by less than {parts[0][0]} counts as equal: {parts[0][1]}"
            + "".join(f"; and by less than {amounts}: {why}" for amounts, why in parts[1:]) + ".")


def _amount(margins: list[float]) -> str:
    """
    >>> _amount([0.061, 0.0612]), _amount([0.2, 0.25])
    ('0.061', '0.2 to 0.25')
    """
    ends = [m for m in (min(margins, default=np.nan), max(margins, default=np.nan)) if np.isfinite(m)]
    return " to ".join(dict.fromkeys(f"{end:.2g}" for end in ends)) or "?"


def sides(ratios: pd.DataFrame) -> str:
    """On which sides quality was matched."""
    realised = ratios[ratios.kind == "realised"] if len(ratios) else ratios
    alone = list(dict.fromkeys(realised.metric[realised.side == ""])) if len(realised) else []
    both = (
        list(dict.fromkeys(zip(realised.metric[realised.side != ""], realised.side[realised.side != ""])))
        if len(realised)
        else []
    )
    found = [f"Quality was matched on two sides at once: {metric}, and {side}, which sees lost diversity." for metric,
             side in both]
    if alone:
        found.append(f"Quality was matched on {' or '.join(alone)} alone: no n-gram divergence was scored, so some "
                     "loss of diversity could pass.")
    return " ".join(found)


def excess(row: dict, head: str = "") -> dict | None:
    """How much worse a setting is than the goal, as text; `head` is "side_" for the other side of quality."""
    return spell(*(row.get(f"{head}excess{end}", np.nan) for end in ("", "_low", "_high")))


def better_or_worse(row: dict, head: str = "") -> str:
    """The same in words: what is better has its ends turned round."""
    ends = [row.get(f"{head}excess{end}", np.nan) for end in ("", "_low", "_high")]
    if not np.isfinite(ends[0]):
        return ""
    found = spelt(*ends) if ends[0] > 0 else spelt(-ends[0], -ends[2], -ends[1])
    spread = f" ({found['low']} to {found['high']})" if found["low"] else ""
    return f"{'worse' if ends[0] > 0 else 'better'} by {found['value']}{spread} {row['side_unit' if head else 'unit']}"
