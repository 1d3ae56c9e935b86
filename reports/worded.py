"""What the page, captions and tables say of how quality was matched (reports/matched.py)."""

import numpy as np
import pandas as pd

from reports.digits import spell, spelt
from reports.text import short


def counts_as_equal(ratios: pd.DataFrame) -> str:
    """The margins, in a sentence."""
    realised = ratios[ratios.kind == "realised"] if len(ratios) else ratios
    if realised.empty:
        return ""
    margins = " or ".join(dict.fromkeys(part for row in realised.to_dict("records") for part in _margins(row)))
    return (f"Worse by less than {margins} counts as equal: a tenth of the distance between the worst and the best "
            f"setting of {short(realised.baseline.iloc[0], 48)}.")


def _margins(row: dict) -> list[str]:
    first = [f"{row['margin']:.2g} {row['unit']} ({row['metric']})"]
    return first + ([f"{row['side_margin']:.2g} {row['side_unit']} ({row['side']})"] if row["side"] else [])


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
