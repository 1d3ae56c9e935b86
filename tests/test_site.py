"""The documents as a site (`make docs`): it builds without a warning, loads nothing from a network, has every page in
its navigation, and its reference names every module and field.

What needs mkdocs is skipped where it is not installed: `make docs` installs it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from baselines.ancestral import Ancestral
from harness.data.control import HeldOut
from harness.data.exact import Exact
from harness.metrics.law import LawTv
from harness.records.types import KINDS, CellAbout, Cost, Forwards, Made, Prompt, ShardCounts
from harness.run.runner import run
from harness.run.shard import Shard
from harness.schedules.window import Open
from harness.spec import ROOT
from harness.study import Arm, Study, Table, Timing
from ssmd.sampler import SelfSpeculative

DOCS, CONFIG = ROOT / "docs", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
NAV = re.findall(r"([\w/]+\.md)$", CONFIG.partition("\nnav:\n")[2], re.M)
MADE = {"index.md", "contributing.md", "changelog.md", "log.md", "gate_example.md"}    # by docs/theme/pages.py
MODULES = {"samplers": ("baselines",), "metrics": ("harness/metrics", "harness/metrics/proteins",
                                                   "harness/metrics/molecules"),
           "data": ("harness/data",), "schedules": ("harness/schedules",), "statistics": ("harness/stats",)}
NAMED = {"study": "harness.study.Study harness.study.Arm harness.study.Timing harness.study.grid",
         "sweep": "harness.search.sweep.Sweep harness.search.sweep.Band harness.search.space.Subset",
         "settings": "harness.param.Choice harness.param.Range",
         "protocols": " ".join(f"harness.kinds.{name}" for name in ("Rows", "Sampler", "Denoiser", "Dataset", "Metric",
                                                                    "Scores")),
         "networks": "harness.nets.hub.Hub harness.study.Checkpoint harness.study.Table harness.nets.own.Own",
         "samplers": "ssmd.sampler.SelfSpeculative baselines.dfm.DFM baselines.ancestral.Ancestral",
         "metrics": "harness.metrics.judge.Judge", "data": "harness.data.fasta.Fasta",
         "schedules": "harness.schedules.window.Cosine", "statistics": "harness.stats.realised.matched"}
LOADS = {"script": ("src",), "link": ("href",), "img": ("src", "srcset"), "source": ("src", "srcset"),
         "iframe": ("src",), "video": ("src",), "audio": ("src",), "object": ("data",), "embed": ("src",)}
FREE = ("settings", "sampler", "nets", "net_names", "data", "metric", "metrics", "card", "packages", "modules",
        "shards", "calls")    # whose fields are of what they describe, or are names and keys
RECORDS = (DOCS / "reference/records.md").read_text(encoding="utf-8")


class Loads(HTMLParser):
    """What a page has a browser fetch."""

    def __init__(self):
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag != "link" or dict(attrs).get("rel") not in ("canonical", "prev", "next"):
            self.found += [value for name, value in attrs if name in LOADS.get(tag, ()) and value]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    for name in ("mkdocs", "material", "mkdocstrings", "mkdocstrings_handlers.python"):
        pytest.importorskip(name, reason=f"{name} is not installed: `make docs` installs it")
    out = tmp_path_factory.mktemp("site")
    done = subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(out)], cwd=ROOT,
                          env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "WARNING" not in done.stderr, done.stderr[-3000:]
    return out


def text(site: Path, page: str) -> str:
    return (site / page).with_suffix(".html").read_text(encoding="utf-8")


def test_every_page_is_in_the_navigation_once():
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md") if "gate_example" not in path.parts}
    assert len(NAV) == len({*NAV}) and {*NAV} == pages | MADE
    parts = re.findall(r"^  - ([\w-]+):", CONFIG.partition("\nnav:\n")[2], re.M)
    assert parts == ["Start", "Tutorial", "How-to", "Reference", "Findings", "Exactness", "Design"]


@pytest.mark.parametrize("page", MODULES)
def test_a_page_of_the_reference_has_every_module(page):
    shown = re.findall(r"^::: ([\w.]+)$", (DOCS / f"reference/{page}.md").read_text(encoding="utf-8"), re.M)
    files = [path for folder in MODULES[page] for path in (ROOT / folder).glob("[!_]*.py")]
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files}
    assert modules <= {*shown}, f"docs/reference/{page}.md lacks {sorted(modules - {*shown})}"


def test_every_sampler_of_the_core_is_in_the_reference():
    shown = (DOCS / "reference/samplers.md").read_text(encoding="utf-8")
    cores = [path for path in (ROOT / "ssmd").glob("*.py") if "    def step(" in path.read_text(encoding="utf-8")]
    assert len(cores) >= 5 and all(f"::: ssmd.{path.stem}\n" in shown for path in cores)


def test_the_site_has_every_page_and_readme_is_the_first(site):
    assert all((site / page).with_suffix(".html").is_file() for page in NAV)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", readme, re.M)
    assert headings and all(heading in text(site, "index.md") for heading in headings)
    assert 'href="reference/samplers.html"' in text(site, "index.md") and not list(site.rglob("*.py"))


def test_no_page_loads_anything_from_a_network(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) >= len(NAV)
    for page in pages:
        loads = Loads()
        loads.feed(page.read_text(encoding="utf-8"))
        assert loads.found and not [url for url in loads.found if re.match(r"(https?:)?//", url)], page
    for style in site.rglob("*.css"):
        assert not re.findall(r"(?:url\(|@import )[\"']?(?:https?:)?//", style.read_text(encoding="utf-8")), style
    for page in NAV:    # for either of these the script of the theme would ask a host
        assert 'class="mermaid"' not in text(site, page) and 'data-md-component="source"' not in text(site, page)


def test_tables_are_tables_and_no_mark_is_left(site):
    for page in NAV:
        assert not re.search(r"<p>\s*\||&lt;!--|<p>```|<p>:::", text(site, page)), page


@pytest.mark.parametrize("page", NAMED)
def test_the_reference_names_its_classes(site, page):
    lacking = [name for name in NAMED[page].split() if f'id="{name}"' not in text(site, f"reference/{page}.md")]
    assert not lacking


def test_fields_stand_with_their_comments(site):
    plain = re.sub(r"<[^>]+>", "", text(site, "reference/study.md"))
    assert re.search(r"reference: str +# the network whose whole forward is the unit of NFE", plain)


def test_a_page_opened_from_a_disk_can_be_searched(site, tmp_path):
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not browser:
        pytest.skip("no browser (chromium) is installed")
    words = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--virtual-time-budget=20000",
             "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path}", "--dump-dom"]
    done = subprocess.run([*words, f"{(site / 'index.html').as_uri()}?q=nucleus"], capture_output=True, text=True,
                          timeout=120)
    assert "matching documents" in done.stdout and "md-search-result__link" in done.stdout


def named(part: dict, within: str = "") -> set[str]:
    """The names of the fields of a record, and of those within them."""
    found = {*part}
    for name, value in part.items():
        if isinstance(value, dict) and name not in FREE and (name, within) != ("cells", ""):
            found |= named(value, name)
    return found


def on_the_page() -> set[str]:
    return {*re.findall(r"`(\w+)`", RECORDS)}


def test_every_field_of_a_real_run_is_named_on_the_page(tmp_path):
    data = Exact()
    arms = [Arm("ancestral", [Ancestral(4)], {"main": "exact"}),
            Arm("ssmd", [SelfSpeculative(Open(), 2)], {"main": "exact"}, nucleus=0.9), Arm("held_out", [HeldOut()])]
    study = Study("small", "What is in a record?", data, {"exact": Table(data)}, arms, "exact", [LawTv()], n=16,
                  batch=8, timing=Timing(1, 4, 1))
    for part in (Shard(1, 2), Shard(2, 2), Shard()):
        run(study, tmp_path / "run", part=part)
    files = (tmp_path / "run").glob("records*.jsonl")
    records = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert {"counted", "scored", "timed", "study", "network", "machine", "shard"} == {r["type"] for r in records}
    assert all(f"\n## {record['type']}\n" in RECORDS for record in records)
    lacking = {name for record in records for name in named(record)} - on_the_page()
    assert not lacking, f"docs/reference/records.md lacks {sorted(lacking)}"


def test_every_field_that_is_declared_is_named_on_the_page():
    kinds = [*KINDS.values(), CellAbout, Cost, Forwards, Made, Prompt, ShardCounts]
    assert {name for kind in kinds for name in kind.__struct_fields__} - on_the_page() - {"type", "time"} == set()
    assert all(f"\n## {name}\n" in RECORDS for name in KINDS)
