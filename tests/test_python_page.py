"""docs/python.md and its notebook: every block runs, in one namespace, and they hold the same code."""

import json
import re

from harness.spec import ROOT

BLOCKS = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs/python.md").read_text(), flags=re.S | re.M)
NOTEBOOK = json.loads((ROOT / "docs/first_look.ipynb").read_text())


def cells() -> list[str]:
    return ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]


def test_the_notebook_runs_from_top_to_bottom(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for code in cells():
        exec(compile(code.replace("n=64, batch=32", "n=4"), "cell", "exec"), names)
    assert len(names["points"]) == 4 and names["found"].compared == 3 and names["found"].end == "no regression"
    share = names["each"]["score.spelling.numerator"] / names["each"]["score.spelling.denominator"]
    by_key = names["points"].set_index("key")["score.spelling"]
    assert (share - by_key[share.index]).abs().max() < 1e-12


def test_the_page_and_the_notebook_hold_the_same_code():
    assert [code.rstrip("\n") for code in BLOCKS] == [code.rstrip("\n") for code in cells()]
    assert not any(cell.get("outputs") for cell in NOTEBOOK["cells"])    # what a run gives is not kept


def test_a_look_at_the_package_shows_its_names_alone():
    import ssmd_bench as sb
    assert {name for name in dir(sb) if not name.startswith("__")} == {*sb.__all__}
