"""Study files: wrong values in every field, sources that raise or end, functions that answer rubbish, names,
recipes.
"""

from dataclasses import replace
from pathlib import Path
from random import Random

from tests.fuzz import values
from tests.fuzz.base import STUDY, Base
from tests.fuzz.case import Case, Files

FIELDS = {
    "Study": ("name", "question", "data", "nets", "arms", "reference", "metrics", "n", "batch", "seed", "dtype",
    "compiled", "prompt", "timing", "limit_seconds"),
    "Arm": ("name", "points", "nets", "temperature", "nucleus", "nucleus_keep"),
    "Timing": ("processes", "rows", "repeats"), "Table": ("data", "power"),
    "Checkpoint": ("path",), "Exact": ("symbols", "length", "law_seed"), "Ancestral": ("steps", "schedule"),
    "HeldOut": ("split",)}
CLASSES = {"Study": "STUDY", "Arm": "STUDY.arms[0]", "Timing": "Timing(processes=1, rows=8, repeats=1)",
    "Table": "Table(DATA)", "Checkpoint": "Checkpoint('masked.safetensors')", "Exact": "DATA",
    "Ancestral": "Ancestral(2)", "HeldOut": "HeldOut()"}
PLACES = {"Study": "{}", "Arm": "replace(STUDY, arms=[{}])", "Timing": "replace(STUDY, timing={})",
    "Table": "replace(STUDY, nets={{'heavy': {}}})", "Checkpoint": "replace(STUDY, nets={{'heavy': {}}})",
    "Exact": "replace(STUDY, data={})",
    "Ancestral": "replace(STUDY, arms=[Arm('ancestral', [{}], {{'main': 'heavy'}})])",
    "HeldOut": "replace(STUDY, arms=[Arm('held_out', [{}])])"}
MORE = {"nets": ("{'heavy': None}", "{'heavy': 'x'}", "{None: Table(DATA)}", "{'heavy': Table(None)}",
    "{'main': 'mian'}", "{'mian': 'heavy'}", "{'heavy': Table(DATA), 'x': Checkpoint('gone')}"),
    "arms": ("[]", "[Arm('x', [])]", "[Arm('x', [Ancestral(2)], {'mian': 'heavy'})]",
    "[STUDY.arms[0], STUDY.arms[0]]",
    "[Arm('a', [Ancestral(2)], {'main': 'heavy'}), Arm('b', [Ancestral(2)], {'main': 'heavy'})]",
    "[Ancestral(2)]", "(Arm('x', [Ancestral(2)], {'main': 'heavy'}) for _ in range(1))"),
    "points": ("[]", "[Ancestral]", "[Ancestral(2), None]", "Ancestral(2)", "[ExactNll()]",
    "[DATA]"),
    "metrics": ("[ExactNll]", "[ExactNll(), ExactNll()]", "[Ancestral(2)]", "ExactNll()", "[None]"),
    "data": ("Exact", "ExactNll()", "Exact(length=1)", "Exact(symbols=1)", "Ancestral(2)"),
    "n": ("81", "1", "10**9", "2**63", "16.0", "'16'"), "batch": ("10**9", "1.0"), "seed": ("2**64", "-1", "1.0"),
    "prompt": ("0.5", "0.999", "1", "-0.1", "'0.5'"), "dtype": ("'float64'", "'bfloat16'"),
    "temperature": ("0", "1e-320", "1e300", "-1"), "nucleus": ("0", "1e-320", "2", "'1'"),
    "limit_seconds": ("0", "-1", "1e-9", "'1'"), "steps": ("4097", "2.0", "True"),
    "question": ("'  '", "'x' * 10**6")}


def fields(rng: Random, base: Base, folder: Path) -> Case:
    """One or two fields with a value that they cannot have."""
    cls = rng.choice(("Study", "Study", "Study", "Arm", "Arm", "Timing", "Table", "Checkpoint", "Exact", "Ancestral",
        "HeldOut"))
    given = {name: rng.choice((*values.PYTHON, *MORE.get(name, ()), *MORE.get(name,
        ()))) for name in rng.sample(FIELDS[cls], 1 if rng.random() < 0.8 else min(2, len(FIELDS[cls])))}
    made = f"replace({CLASSES[cls]}, {', '.join(f'{name}={value}' for name, value in given.items())})"
    (folder / "toy.py").write_text(STUDY + f"from dataclasses import replace\nSTUDY = {PLACES[cls].format(made)}\n")
    if cls == "Checkpoint":
        base.put(folder, "masked.safetensors")
    return _run(rng)


def _run(rng: Random) -> Case:
    """Fields of another type may be harmless, so exit code 0 is left open."""
    return Case(rng.choice((("run", "toy.py", "--out", "run", "--no-time"),
        ("run", "toy.py", "--out", "run", "--no-time"), ("run", "toy.py", "--out", "run", "--no-time", "--n", "4"),
                            ("grid", "toy.py", "--out", "g.json", "--steps", "2", "--rows", "4"),
                                ("run", "toy.py", "--no-time", "--set", "steps=2"),
                                ("prove", "run", "--check"))))


STATEMENTS = (
    "raise ValueError", "raise ValueError()", "raise ValueError('')", "raise Exception", "raise KeyError('x')",
    "raise OSError", "raise OSError(5, 'x', 'y')", "raise FileNotFoundError(2, 'gone', 'x')", "raise SystemExit",
    "raise SystemExit(0)", "raise SystemExit('x')", "import sys; sys.exit(0)", "import sys; sys.exit(3)",
    "raise KeyboardInterrupt", "raise BrokenPipeError", "raise MemoryError", "raise RecursionError",
    "raise StopIteration", "raise GeneratorExit", "raise BaseException('x')",
    "class E(BaseException): pass\nraise E()", "raise UnicodeDecodeError('utf-8', b'x', 0, 1, 'x')", "1/0",
    "int('x')", "import json; json.loads('')",
    "import nowhere", "from harness import nowhere", "from . import x", "def f(): return f()\nf()", "def f(:",
    "STUDY = Study(", "  x = 1", "\0", "# -*- coding: nowhere -*-", "x = 'é", "STUDY", "assert False",
    "assert False, 'x'",
    "STUDY = None", "STUDY = Study", "STUDY = {}", "STUDY = 'STUDY'", "del STUDY", "STUDY = [STUDY]",
    "STUDY = lambda: STUDY", "'x' + 1", "[][0]", "{}['x']", "None.x", "print(1", "import os; os.remove('gone')",
    "open('gone')",
    "open('.')", "class E(Exception):\n    def __str__(self): raise ValueError('x')\nraise E()",
    "class E(ValueError):\n    def __str__(self): return None\nraise E()",
    "import torch; torch.zeros(2) + torch.zeros(3)",
    "import torch; torch.zeros(10**15)", "import numpy; numpy.zeros(3)[5]", "raise ValueError('\\n\\n')",
    "raise ValueError('x' * 10**6)", "raise ValueError('\\ud800')", "raise ValueError(None)",
    "raise ExceptionGroup('x', [ValueError('y')])",
    "import warnings; warnings.simplefilter('error'); warnings.warn('x')", "await x", "yield 1", "return 1",
    "import toy", "raise ImportError", "raise NotImplementedError", "raise TimeoutError", "raise ConnectionError")


def sources(rng: Random, base: Base, folder: Path) -> Case:
    """A file that is no study: it raises, ends, is not Python, is not text, defines something else."""
    how, statement = rng.randrange(5), rng.choice(STATEMENTS)
    lines = STUDY.splitlines(keepends=True)
    content: str | bytes = STUDY + statement + "\n"
    if how == 0:
        content = statement + "\n" + STUDY
    elif how == 1:
        content = values.broken(rng, STUDY.encode())
    elif how == 2:
        content = rng.choice(values.TEXTS)
    elif how == 3:
        del lines[rng.randrange(len(lines))]
        content = "".join(lines)
    (folder / "toy.py").write_bytes(content.encode() if isinstance(content, str) else content)
    return replace(_run(rng), refuse=how in (0, 4) and ends(statement))


def ends(statement: str) -> bool:
    """Whether a statement certainly ends what runs it."""
    return statement.startswith(("raise ", "1/0", "import sys; sys.exit"))


BODIES = ("return None", "return 3", "return 'x'", "return [None]", "return [1]", "return ['x']", "return [{}]",
    "return [{'claim': 1}]", "return {}", "return object()", "return [[]]", "yield None", "yield {}",
    "raise ValueError",
    "raise ValueError('')", "raise RuntimeError('x')", "raise KeyError('x')", "raise SystemExit(0)",
    "raise SystemExit('x')", "import sys; sys.exit()", "1/0", "raise OSError", "raise KeyboardInterrupt",
    "assert False", "return measure",
    "return [claim('x', 1, 2, 3, 'u', 1, command, [])]",
    "return [claim('x', float('nan'), 0, 1, 'u', 1, command, [])]",
    "return [claim('x', 1, 0, float('inf'), 'u', 1, command, [])]",
    "return [claim('x', '1', 0, 1, 'u', 1, command, [])]",
    "return [claim('x', 1, 0, 2, 'u', 1, command, ['gone'])]",
    "return [claim('x', 1, 0, 2, 'u', 1, command, [], note=None)]",
    "return [claim('x', 1, 0, 2, 'u', 1, command, None)]", "return [claim()]", "def f(): return f()\n    f()",
    "return [claim(None, 1, 0, 2, None, None, None, [])]", "store.records.clear(); return []",
    "store.append({'x': object()}); return []", "store.append({'x': float('nan')}); return []",
    "store.append(None); return []",
    "store.put('samples', 'x', None); return []", "store.get('samples', 'x')", "return iter([])",
    "return range(3)", "raise MemoryError", "raise BrokenPipeError", "raise StopIteration",
    "class E(BaseException): pass\n    raise E()")


def functions(rng: Random, base: Base, folder: Path) -> Case:
    """measure and claims of a study that raise, answer rubbish, or are no functions of two arguments."""
    name, body = rng.choice(("measure", "claims")), rng.choice(BODIES)
    inputs = rng.choice(("study, store", "store, command", "store, command", "*_, store=None, command=''", "",
        "a, b, c", "store=None, command=''"))
    inputs = {"measure": "study, store", "claims": "store, command"}[name] if rng.random() < 0.7 else inputs
    made = (
        f"def {name}({inputs}):\n    command = 'x'\n    {body}\n"
        if rng.random() < 0.85
        else f"{name} = {rng.choice(values.PYTHON)}\n"
    )
    (folder / "toy.py").write_text(STUDY + "from harness.claims.claim import claim\n" + made)
    return Case(("run", "toy.py", "--out", "run", "--no-time", *(("--claims",) if name == "claims" else ())),
        refuse=ends(body) and made.startswith("def"))


def names(rng: Random, base: Base, folder: Path) -> Case:
    """Names of studies, arms and networks that mean something to a file system, to HTML, LaTeX, a shell, a terminal."""
    name, where = repr(rng.choice(values.NAMES)), rng.choice(("study", "arm", "arm", "network", "question"))
    change = {"study": f"name={name}",
        "arm": f"arms=[Arm({name}, [Ancestral(1), Ancestral(4)], {{'main': 'heavy'}}), STUDY.arms[1]]",
        "question": f"question={name}",
              "network": f"nets={{{name}: Table(DATA)}}, reference={name}, arms=[Arm('ancestral', [Ancestral(1)], "
                         f"{{'main': {name}}})]"}[where]
    (folder / "toy.py").write_text(STUDY + f"from dataclasses import replace\nSTUDY = replace(STUDY, {change})\n",
        encoding="utf-8", errors="surrogatepass")
    return Case(("run", "toy.py", "--no-time", *(("--out", "run") if where != "study" else ()),
        *(("--report", "page") if rng.random() < 0.25 else ())), wrong=unescaped)


def unescaped(before: Files, after: Files) -> str:
    """A page or a table in which a name is more than a name."""
    odd = {".html": b"<script>alert(1)", ".tex": rb"\input{secret}"}
    pages = ((path, content, odd.get(Path(path).suffix)) for path, content in after.items() if path.startswith("page/"))
    return next((path for path, content, text in pages if text and text in content), "")


RECIPES = ("FAMILY = None", "FAMILY = {}", "FAMILY = {'light': None}", "FAMILY = {'light': 'x'}",
    "FAMILY = {1: FAMILY['light']}", "FAMILY = [FAMILY['light']]", "DATA = None", "DATA = WikipediaLeads",
    "DATA = 'wikipedia_leads'",
    "DATA = WikipediaLeads(0)", "DATA = Exact()", "del DATA", "del FAMILY", "raise ValueError", "1/0",
    "import sys; sys.exit(0)", "FAMILY['light'] = replace(FAMILY['light'], network='judge')")
SETTINGS = ("network", "width", "heads", "blocks", "causal", "residual", "shared_head", "frozen", "depth", "power",
    "inputs", "contribution", "positions", "dropout", "schedule", "tokens", "batch", "optimiser", "lr", "decay",
    "betas",
    "warmup", "clip", "average", "seed")
RECIPE = '''
from dataclasses import replace
from harness.data.exact import Exact
from harness.data.wikipedia_leads import WikipediaLeads
from ssmd.train.settings import Training
DATA = WikipediaLeads(8)
FAMILY = {"light": Training("masked", width=16, heads=2, blocks=1, batch=4, tokens=64.0)}
'''


def recipes(rng: Random, base: Base, folder: Path) -> Case:
    """Files of FAMILY and DATA for training, and settings of a member."""
    setting, value = rng.choice(SETTINGS), rng.choice(values.PYTHON)
    change = rng.choice(RECIPES) if rng.random() < 0.3 else ("FAMILY['light'] = replace(FAMILY['light'], "
                                                             f"{setting}={value})")
    (folder / "recipe.py").write_text(RECIPE + change + "\n")
    return Case(("train", "light", "--recipe", "recipe.py", "--out", "trained",
        *(("--dry-run", "--seconds", "0.1") if rng.random() < 0.8 else ())))
