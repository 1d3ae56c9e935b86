"""Acceptance of speculative arms: of the drafted tokens that a verify pass tested, the share that it kept.

By depth (place in the window, counted from 1) and by progress (tenth of the text revealed). A token behind a rejection is not tested. Counts are
pooled over rows, and rows of one text are not independent: no interval is claimed.
"""

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reports.frame import Group
from reports.style import MARKERS, SINGLE, legend, panels

FEWEST = 50    # tested tokens under which a share is not drawn
AXES = {"depth": "place in the window", "progress": "share of the text revealed"}


def compute(group: Group) -> dict[str, list[dict]]:
    """arm -> its points, each with tested, passed and share by depth and by progress. Arms that test nothing are left out."""
    found: dict[str, list[dict]] = {}
    for row in group.rows:
        cost = row.cell.record["cost"]
        if not sum(cost.get("tested", {}).get("progress", [])):
            continue
        total = sum(cost["passed"]["progress"]) / sum(cost["tested"]["progress"])
        found.setdefault(row.arm, []).append({"key": row.key, "parameters": row.parameters, "acceptance": total} | {
            by: [{"at": k + 1 if by == "depth" else k / 10 + 0.05, "tested": t, "passed": p, "share": p / t}
                 for k, (t, p) in enumerate(zip(cost["tested"][by], cost["passed"][by])) if t >= FEWEST] for by in AXES})
    return found


def draw(points: list[dict], by: str) -> Figure:
    figure, axes = panels(1, 1, SINGLE, 2.0)
    ax, shades = axes[0, 0], matplotlib.colormaps["viridis"]
    handles, labels = [], []
    for k, point in enumerate(points):
        shade = shades(0.05 + 0.8 * k / max(1, len(points) - 1))
        line, = ax.plot([p["at"] for p in point[by]], [p["share"] for p in point[by]], color=shade, marker=MARKERS[k % len(MARKERS)], markersize=2.6)
        handles.append(line)
        labels.append(point["parameters"] or "default")
    ax.set_xlabel(AXES[by])
    ax.set_ylabel("share accepted of those tested")
    ax.set_ylim(top=1.02)
    if by == "depth":
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    else:
        ax.set_xlim(0, 1)
    legend(figure, handles, labels, SINGLE)
    return figure
