"""Tables of a report: all points as CSV, as booktabs LaTeX, and as cells of the page; numbers with intervals in a form for people."""

from pathlib import Path

import numpy as np
import pandas as pd

from reports.frame import Estimate, Group, Quality, Row

HEADS = {"nfe_a": "NFE A", "nfe_b": "NFE B", "nfe_c": "NFE C"}
SPECIAL = {"&": r"\&", "%": r"\%", "_": r"\_", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}", "·": r"$\cdot$"}


def frame(groups: list[Group]) -> pd.DataFrame:
    """One line a point or control, every interval in two columns of its own."""
    lines = []
    for group in groups:
        for row in group.rows + group.controls:
            record = row.cell.record
            line = {"study": record["study"], "arm": row.arm, "parameters": row.parameters, "control": row.control, "n": row.n, "seed": record["cell"]["seed"],
                    "data": record["cell"]["data"]["name"], "key": row.key, "flags": "; ".join(row.flags)}
            named = [*row.costs.items(), *([("seconds_per_row", row.seconds)] if row.seconds else []), *row.qualities.items()]
            for name, estimate in named:
                line |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
            lines.append(line | ({} if row.control else {"gflop": record["cost"]["gflop"]}))
    return pd.DataFrame(lines)


def write(groups: list[Group], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    frame(groups).to_csv(folder / "points.csv", index=False)
    (folder / "points.tex").write_text("\n\n".join(latex(group) for group in groups), encoding="utf-8")


def latex(group: Group) -> str:
    """A booktabs tabular; intervals of rows that have them stand as half-widths."""
    timed = any(r.seconds for r in group.rows)
    heads = ["arm", "parameters", "NFE A", "NFE B", "NFE C", "GFLOP"] + ["ms/row"] * timed
    heads += [_tex(q.label) + {"lower": r" ($\downarrow$)", "higher": r" ($\uparrow$)"}.get(q.better, "") for q in group.qualities]
    lines = [r"% \usepackage{booktabs}", f"% {group.title}; 95 % intervals as plus-minus half their width", rf"\begin{{tabular}}{{ll{'r' * (len(heads) - 2)}}}", r"\toprule",
             " & ".join(heads) + r" \\", r"\midrule"]
    last = None
    for row in group.rows + group.controls:
        if last not in (None, row.arm):
            lines.append(r"\addlinespace")
        costs = [f"{row.costs[c].value:.2f}" for c in HEADS] + [number(row.cell.record["cost"]["gflop"])] if row.costs else ["--"] * 4
        cells = [row.arm if row.arm != last else "", row.parameters, *costs, *([milliseconds(row.seconds) if row.seconds else "--"] if timed else [])]
        body = [_tex(c) for c in cells]
        for quality in group.qualities:
            found = row.qualities.get(quality.label)
            places = digits(found) if found else 3
            half = rf" $\pm$ {(found.high - found.low) / 2:.{places}f}" if found and found.low is not None else ""
            body.append(f"{found.value:.{places}f}{half}" if found else "--")
        lines.append(" & ".join(body) + r" \\")
        last = row.arm
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _tex(text: str) -> str:
    return "".join(SPECIAL.get(c, c) for c in text)


def digits(estimate: Estimate) -> int:
    """Decimals that show the interval's width to two figures, 2 to 4."""
    if estimate.low is None or estimate.high <= estimate.low:
        return 3
    return int(np.clip(1 - np.floor(np.log10((estimate.high - estimate.low) / 2)), 2, 4))


def number(value: float | None) -> str:
    if value is None:
        return "–"
    places = next((places for least, places in ((1000, ",.0f"), (100, ".1f"), (0.1, ".2f")) if abs(value) >= least), ".2g")
    return format(value, places)


def milliseconds(seconds: Estimate | None) -> str:
    return "–" if seconds is None else f"{seconds.value * 1e3:.3g}"


def span(estimate: Estimate) -> str:
    if estimate.low is None or estimate.low == estimate.high:
        return ""
    places = digits(estimate)
    return f"{estimate.low:.{places}f} – {estimate.high:.{places}f}"


def cells(row: Row, qualities: list[Quality]) -> list[dict]:
    """The quality cells of a line of the page."""
    found = [row.qualities.get(q.label) for q in qualities]
    return [{"value": f"{e.value:.{digits(e)}f}", "span": span(e)} if e else {"value": "–", "span": ""} for e in found]
