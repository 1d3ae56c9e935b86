"""The figures' font: the letters and signs of DejaVu Sans that figures use, cut out once and kept in matplotlib's
cache, so that no PDF has to search the whole font for its own.

Cutting takes half a second and saves a quarter of a second a PDF. Other characters are looked up in the whole font,
which stands second.
"""

from functools import lru_cache
from pathlib import Path

import matplotlib
from fontTools import subset
from fontTools import version as cutter_version
from matplotlib import font_manager

from harness.boundary.atomic import replacing

WHOLE, CUT = "DejaVu Sans", "ssmd-bench Sans"
# Latin, Greek, dashes and dots, arrows and operators
LETTERS = (range(0x20, 0x180), range(0x370, 0x400), range(0x2010, 0x2040), range(0x2190, 0x2270))
FAMILY, FULL_NAME, TYPOGRAPHIC = 1, 4, 16  # entries of a font's table of names


@lru_cache
def families() -> list[str]:
    """Names for matplotlib, the first to be asked first."""
    path = Path(matplotlib.get_cachedir()) / f"ssmd-bench-sans-{matplotlib.__version__}-{cutter_version}.ttf"
    if not path.is_file():
        _cut(path)
    font_manager.fontManager.addfont(path)
    return [CUT, WHOLE]


def _cut(path: Path) -> None:
    options = subset.Options(layout_features=[], glyph_names=True, notdef_outline=True, name_IDs=["*"])
    options.drop_tables = [*options.drop_tables, "GPOS", "GSUB", "GDEF", "MATH", "FFTM"]
    font = subset.load_font(font_manager.findfont(WHOLE), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=[code for codes in LETTERS for code in codes])
    cutter.subset(font)
    for entry in font["name"].names:
        if entry.nameID in (FAMILY, FULL_NAME, TYPOGRAPHIC):
            entry.string = CUT
    with replacing(path) as beside:  # other processes read it
        font.save(beside)
