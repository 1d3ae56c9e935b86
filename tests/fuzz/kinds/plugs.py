"""Plug-in packages that cannot be imported, end the program, share names, hold no plug-in; names that are no
packages.
"""

from pathlib import Path
from random import Random

from tests.fuzz import values
from tests.fuzz.base import Base
from tests.fuzz.case import Case
from tests.fuzz.kinds.studies import STATEMENTS, ends

SAMPLER = '''from dataclasses import dataclass
from typing import ClassVar
@dataclass(frozen=True)
class Mine:
    name: ClassVar[str] = "mine"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple] = ("main",)
    steps: int = 4
    def exact(self): return None
    def step(self, nets, rows): {body}
'''
BODIES = ("return None", "return rows", "return nets", "raise ValueError", "raise SystemExit(0)",
    "return rows._replace(x=None)", "return rows._replace(x=rows.x * 0 - 5)",
    "return rows._replace(x=rows.x.float())",
    "return rows._replace(x=rows.x[:, :1])", "return rows._replace(x=rows.x * 0 + 99)",
    "rows.x.zero_(); return rows", "return 1/0", "raise KeyboardInterrupt", "raise MemoryError",
    "return rows._replace(id=rows.id * 0, x=rows.x * 0)")
CLASSES = ('name = 3', 'name = None', 'name = ""', 'name = "ancestral"', 'name = "../x"', 'name = "\\ud800"',
    "version = None", "version = 'x'", "needs = None", "needs = 'main'", "needs = (1,)", "needs = ('main.gone',)",
    "needs = ('',)",
    "exact = None", "step = 3", "start = None", "def start(self, nets, rows): return None",
    "def start(self, nets, rows): return {'x': 1}", "def exact(self): raise ValueError",
    "def exact(self): return 3", "def done(self, rows): return None",
    "steps: list = None", "steps: 'gone' = 4",
    "steps: dict = __import__('dataclasses').field(default_factory=dict)",
    "def __post_init__(self): raise ValueError", "def __repr__(self): raise ValueError", "__slots__ = 3")
WORDS = ("..", ".", "./planner", "/tmp", "planner.py", "a b", "", "os.path", "nowhere", "nowhere.x", "harness",
    "baselines", "torch", "1", "-x", "é", "\ud800", "a.b.c", "planner..x", "sys", "__main__", "antigravity.x",
    "tests.fuzz.nowhere")
USE = '''
from dataclasses import replace
from harness import plugins
MINE = plugins.samplers()["mine"]()
STUDY = replace(STUDY, arms=[Arm("mine", [MINE], {"main": "heavy"})], limit_seconds=2)
'''


def one(rng: Random, base: Base, folder: Path) -> Case:
    package, how, refuse = "planner", rng.randrange(6), False
    home = folder / package
    home.mkdir()
    inside = home / rng.choice(("__init__.py", "__init__.py", "more.py"))
    (home / "__init__.py").write_text("")
    if how == 0:
        package = rng.choice(WORDS)
    elif how == 1:
        statement = rng.choice(STATEMENTS)
        inside.write_text(statement + "\n")
        refuse = ends(statement)
    elif how == 2:
        inside.write_bytes(rng.choice((rng.choice(values.TEXTS), values.broken(rng,
            SAMPLER.format(body="return rows").encode()))))
    elif how == 3:
        inside.write_text(SAMPLER.format(body="return rows") + "    " + rng.choice(CLASSES) + "\n")
    else:
        inside.write_text(SAMPLER.format(body=rng.choice(BODIES)))
    study = base.read("toy.py").decode() + USE
    (folder / "toy.py").write_text(study)
    verb = rng.choice((("list",), ("verify", "mine"), ("run", "toy.py", "--out", "run", "--no-time"),
        ("run", "toy.py", "--out", "run", "--no-time")))
    return Case(("--plugins", package, *verb) if rng.random() < 0.7 else (*verb, f"--plugins={package}"), refuse)
