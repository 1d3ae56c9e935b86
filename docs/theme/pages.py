"""A hook of mkdocs: files of the repository that stand outside docs/ become pages of the site, and links follow them.

Nothing is written twice: README is the first page as it stands.
"""

import os
import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File

PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md",
         "studies/LOG.md": "log.md"}    # path in the repository -> page of the site
EXAMPLE = "docs/gate_example"           # a folder, shown on one page
PLACES = PAGES | {EXAMPLE: "gate_example.md", "ssmd/sampler.py": "reference/samplers.md"}
LINK = re.compile(r"(\]\()([^)\s#:]+)(#[^)\s]*)?(\))")
LANGUAGES = {".py": "python", ".toml": "toml", ".yml": "yaml", ".md": "markdown", ".jsonl": "json"}
SHOWN = 4000    # characters of a file of the example


def on_files(files, config):
    root = Path(config.config_file_path).parent
    for path, page in PAGES.items():
        files.append(File.generated(config, page, content=(root / path).read_text(encoding="utf-8")))
    files.append(File.generated(config, PLACES[EXAMPLE], content=example(root / EXAMPLE)))
    return files


def on_page_markdown(markdown, page, config, files):
    if not re.search(r"^## |^::: ", markdown, re.M):
        page.meta["hide"] = ["toc"]    # it would be empty, and tables want its place
    home = next((path for path, to in PAGES.items() if to == page.file.src_uri), f"docs/{page.file.src_uri}")
    return with_links(without_marks(markdown), home, page.file.src_uri, Path(config.config_file_path).parent)


def with_links(markdown: str, home: str, page: str, root: Path) -> str:
    """The text of the file `home` as that of a page of the site: a link to a file of the repository leads to its
    page.
    """
    def moved(found: re.Match) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(home), found[2]))
        to = PLACES.get(path, path.removeprefix("docs/") if path.startswith("docs/") else None)
        if to is None or not (root / path).exists():
            return found[0]
        return f"{found[1]}{posixpath.relpath(to, posixpath.dirname(page) or '.')}{found[3] or ''}{found[4]}"
    return LINK.sub(moved, markdown)


def without_marks(markdown: str) -> str:
    """Without the comments that say where a table of claims is written."""
    return re.sub(r"^<!--.*?-->\n", "", markdown, flags=re.M)


def example(folder: Path) -> str:
    """The files of the example as one page of Markdown."""
    text = "# A gate for your own sampler: the example\n\nAll files of the project that [ci.md](ci.md) explains.\n"
    for path in sorted(Path(at) / name for at, _, names in os.walk(folder) for name in names):
        if path.suffix != ".pyc":
            whole = path.read_text(encoding="utf-8")
            said = whole if len(whole) <= SHOWN else f"{whole[:SHOWN]}\n...\n"
            text += f"\n## `{path.relative_to(folder)}`\n\n````{LANGUAGES.get(path.suffix, 'text')}\n{said}````\n"
    return text
