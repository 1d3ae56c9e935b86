"""Variables of the environment that the program, or a library of its, reads; each needs a process of its own."""

from pathlib import Path
from random import Random

from tests.fuzz import values
from tests.fuzz.base import Base
from tests.fuzz.case import Case

VARIABLES = {
    "OMP_NUM_THREADS": ("0", "-1", "x", "", "1e9", "1,2"), "RANK": ("x", "-1", "3"),
    "WORLD_SIZE": ("0", "x", "-1", ""), "LOCAL_RANK": ("x",), "COLUMNS": ("0", "-5", "x", "1"),
    "LANG": ("C", "x"), "LC_ALL": ("C", "POSIX", "xx_YY"),
    "PYTHONIOENCODING": ("ascii", "latin-1", "utf-16"), "PYTHONUTF8": ("0",), "TMPDIR": ("/nowhere", "toy.py"),
    "HOME": ("/nowhere", "", "toy.py"), "MPLBACKEND": ("x", "TkAgg"), "MPLCONFIGDIR": ("/nowhere", "toy.py"),
    "CXX": ("x", ""),
    "PYTHONWARNINGS": ("error", "x"), "PYTHONOPTIMIZE": ("1", "2"), "TZ": ("x", "Nowhere/None"),
    "SOURCE_DATE_EPOCH": ("x",), "NO_COLOR": ("",), "PYTHONHASHSEED": ("1",), "MKL_NUM_THREADS": ("x",),
    "DASK_SCHEDULER_ADDRESS": ("x", "tcp://127.0.0.1:1"),
    "RAY_ADDRESS": ("x", "127.0.0.1:1"), "CUDA_VISIBLE_DEVICES": ("x", "99"), "TERM": ("", "dumb"),
    "PATH": ("", "/nowhere"), "GIT_DIR": ("/nowhere", "toy.py"), "PYTHONDONTWRITEBYTECODE": ("1",),
    "LOKY_MAX_CPU_COUNT": ("x", "0"),
}
COMMANDS = (("run", "toy.py", "--out", "new", "--no-time"), ("run", "toy.py", "--out", "run", "--no-time", "--n",
    "4"), ("rescore", "run", "--metric", "corpus_entropy"), ("compare", "run", "run"), ("verify", "any_order"),
    ("run", "named.py", "--out", "new", "--no-time"), ("train", "light", "--set", "width=16", "--set",
    "heads=2", "--set", "blocks=1", "--set", "batch=2", "--tokens", "32", "--length", "8", "--dry-run",
    "--seconds", "0.05"),
    ("run", "toy.py", "--out", "new", "--no-time", "--backend", "dask"),
    ("run", "toy.py", "--out", "new", "--no-time", "--backend", "ray"),
    ("report", "run", "--out", "page"))


def one(rng: Random, base: Base, folder: Path) -> Case:
    base.put(folder, "toy.py", "run")
    (folder / "named.py").write_text(base.read("toy.py").decode().replace('"ancestral"',
        repr(rng.choice([n for n in values.NAMES if n.isprintable()]))), encoding="utf-8")
    name = rng.choice(sorted(VARIABLES))
    return Case(rng.choice(COMMANDS), environment={name: rng.choice(VARIABLES[name])}, outside=True)
