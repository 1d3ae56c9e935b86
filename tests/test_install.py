"""A wheel in an environment of its own, and what a user does with it in a folder of theirs; an sdist; an environment
without the libraries of sweeps and reports. Everything is built from what is tracked.
"""

import compileall
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from harness.records.provenance import tree
from harness.spec import ROOT

WHEEL, SDIST = 40 * 2**20, 64 * 2**20    # bytes at most
ROOMS = ("baselines", "harness", "reports", "ssmd", "studies")
LEFT_OUT = shutil.ignore_patterns(".*", "runs", "build", "dist", "*.egg-info", "__pycache__")
STUDY = '''"""Is it found?"""
import json
from harness.claims.claim import claim
from harness.data.exact import Exact
from harness.metrics.exact_nll import ExactNll
from harness.study import Arm, Study, Table
from halves import Halves

STUDY = Study(name="halved", question=__doc__, data=Exact(), nets={"exact": Table(Exact())}, reference="exact", n=8,
              arms=[Arm("halves", [Halves()], {"main": "exact"})], metrics=[ExactNll()])

def claims(store, command):
    return [claim("halved.one", 1.0, 0.5, 1.5, "ratio", 8, command, [])]
'''
RECIPE = '''
from harness.data.wikipedia_leads import WikipediaLeads
from ssmd.train.settings import Training
FAMILY = {"small": Training("masked", width=8, heads=2, blocks=1, batch=4, warmup=1, tokens=128)}
DATA = WikipediaLeads(length=16)
'''
OTHER = "raise SystemExit('the harness of another project')"


def bare(**more: str) -> dict[str, str]:
    """The environment of a user, to whom no variable says where our sources are."""
    return {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")} | {
        "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg", "PYTHONDONTWRITEBYTECODE": "1", **more}


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> Path:
    """What is tracked, or will be, without what was built beside it."""
    place = tmp_path_factory.mktemp("sources") / "ssmd-bench"
    words = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, capture_output=True, text=True)
    if listed.returncode or not (ROOT / ".git").exists():    # an sdist holds nothing else
        return Path(shutil.copytree(ROOT, place, ignore=LEFT_OUT))
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and not (ROOT / name).is_symlink():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place / name)
    return place


def built(sources: Path, hook: str, out: Path) -> Path:
    """By the hook that every builder calls, in a copy. Nothing is fetched."""
    place = shutil.copytree(sources, out / "sources")
    code = f"import setuptools.build_meta as b, sys; print(b.{hook}(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, str(out)], cwd=place, env=bare(), capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return out / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def wheel(sources, tmp_path_factory) -> Path:
    return built(sources, "build_wheel", tmp_path_factory.mktemp("wheel") / "out")


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory) -> Path:
    """Of an environment that holds the wheel, and sees the libraries of this one."""
    place = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(place)
    paths = {"base": str(place), "platbase": str(place)}
    packages = Path(sysconfig.get_path("purelib", "venv", vars=paths))
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(packages)
    compileall.compile_dir(packages / "ssmd_bench", quiet=1)    # as pip does
    for path in packages.rglob("*"):    # whoever installed it may be another user
        path.chmod(0o555 if path.is_dir() else 0o444)
    found = Path(sysconfig.get_path("scripts", "venv", vars=paths)) / "python"
    (found.parent / "ssmd-bench").write_text(f"#!{found}\nimport sys\nfrom ssmd_bench.__main__ import main\n"
                                             "sys.exit(main())\n")
    (found.parent / "ssmd-bench").chmod(0o755)
    return found


@pytest.fixture
def folder(tmp_path) -> Path:
    """A repository of a user, with a commit of theirs, a plug-in and a study beside it."""
    page = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
    halves = re.search(r"^### mine/halves\.py\n\n```python\n(.*?)^```$", page, re.M | re.S)
    assert halves, "docs/extending.md has no mine/halves.py"
    (tmp_path / "halves.py").write_text(halves[1])
    (tmp_path / "halved.py").write_text(STUDY)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-C", str(tmp_path)]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "theirs"]):
        subprocess.run([*git, *words], check=True)
    return tmp_path


def call(python: Path, folder: Path, *words: str, code: int = 0) -> tuple[str, dict]:
    """What the command said on both streams, and its document."""
    done = subprocess.run([str(python.parent / "ssmd-bench"), *words], cwd=folder, env=bare(), capture_output=True,
                          text=True, timeout=300)
    assert done.returncode == code, done.stderr[-3000:]
    last = done.stdout.strip().splitlines()[-1:]
    return done.stdout + done.stderr, json.loads(last[0]) if last and last[0].startswith("{") else {}


def test_a_wheel_is_small_and_takes_one_name(wheel):
    assert wheel.stat().st_size <= WHEEL
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        about = next(name for name in names if name.endswith(".dist-info/METADATA"))
        said, top = file.read(about).decode(), file.read(about.replace("METADATA", "top_level.txt")).decode()
    assert {name.split("/")[0] for name in names} == {"ssmd_bench", about.split("/")[0]} and top == "ssmd_bench\n"
    typed = {"ssmd_bench/py.typed", *(f"ssmd_bench/_rooms/{room}/py.typed" for room in ROOMS)}
    assert typed <= {*names} and "Classifier: Typing :: Typed" in said
    links = re.findall(r"^Project-URL: .*, (\S+)$", said, re.M)
    assert links and all(link in (ROOT / "CITATION.cff").read_text() for link in links)


def test_a_wheel_holds_every_module_and_network_of_the_tree(wheel, sources):
    with zipfile.ZipFile(wheel) as file:
        names = {name.removeprefix("ssmd_bench/_rooms/") for name in file.namelist()}
    wanted = {path.relative_to(sources).as_posix() for room in ROOMS for path in (sources / room).rglob("*")
              if path.suffix in (".py", ".safetensors", ".xz", ".j2")}
    assert len(wanted) > 400 and wanted - names == set()


def test_a_user_lists_runs_and_verifies_anywhere(python, folder):
    assert "demo" in call(python, folder, "list", "studies")[1]["study"]
    assert call(python, folder, "run", "smoke", "--n", "4", "--only", "ancestral", "--jobs", "2",
                "--no-time")[1]["done"] == 4
    assert call(python, folder, "--plugins", "halves", "verify", "halves")[1]["failed"] == 0
    done = subprocess.run([str(python), "-m", "ssmd_bench", "--version"], cwd=folder, env=bare(), capture_output=True)
    assert done.returncode == 0


def test_records_carry_no_commit_of_the_user_and_claims_lie_where_they_stand(python, folder):
    said, document = call(python, folder, "run", "halved.py", "--no-time", "--claims")
    assert document["claims"] == "studies/halved/claims.json"
    assert json.loads((folder / document["claims"]).read_text())[0]["claim"] == "halved.one"
    theirs = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True).stdout.strip()
    records = (folder / "runs/halved/records.jsonl").read_text()
    assert theirs and theirs not in records
    counted = [json.loads(line) for line in records.splitlines() if '"type":"counted"' in line]
    assert counted and all(r["made"].get("commit") is None and r["made"]["tree"] == tree() for r in counted)
    assert {*counted[0]["made"]["modules"]} == {"halves", "study_halved"}


def test_objects_come_from_one_name_and_processes_find_the_rooms(python, folder):
    code = ("import ssmd_bench as sb, sys\nassert 'torch' not in sys.modules\n"
            "from harness.study import Study\nassert Study is sb.Study\n"
            "if __name__ == '__main__':\n    print(len(sb.load(sb.run('halved.py', 'run', jobs=2, timing=False))))")
    (folder / "own.py").write_text(code)
    done = subprocess.run([str(python), "own.py"], cwd=folder, env=bare(), capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.endswith("1\n"), done.stderr


def test_a_sweep_and_its_further_workers_find_the_rooms(python, folder):
    assert call(python, folder, "sweep", "sweep_smoke", "--n", "8", "--trials", "2", "--jobs", "2")[1]["failed"] == 0


def test_another_package_of_one_of_our_names_is_said_or_hidden(python, folder):
    (folder / "harness.py").write_text(OTHER)
    assert call(python, folder, "list", "ancestral")[1] == {"sampler": ["ancestral"]}
    (folder / "recipe.py").write_text(RECIPE)
    assert call(python, folder, "train", "family", "--recipe", "recipe.py")[1]["failed"] == 0
    (folder / "harness.py").write_text("")
    done = subprocess.run([str(python), "-c", "import harness, ssmd_bench"], cwd=folder, env=bare(),
                          capture_output=True, text=True)
    assert done.returncode and "import ssmd_bench first" in done.stderr.splitlines()[-1]


def test_what_the_rooms_start_has_the_one_name_that_a_wheel_installs():
    started = re.compile(r'"-m",\s*"(?:{})"'.format("|".join(ROOMS)))
    assert not [path for room in (*ROOMS, "ssmd_bench") for path in (ROOT / room).rglob("*.py")
                if started.search(path.read_text(encoding="utf-8"))]


def test_the_process_of_a_users_commit_finds_the_rooms(python, folder):
    call(python, folder, "run", "halved.py", "--no-time")
    assert call(python, folder, "prove", "runs/halved", "--against", "HEAD", "--rows", "4",
                "--check")[1]["refuted"] == 0


def test_an_sdist_is_small_and_holds_its_own_tests(sources, tmp_path):
    sdist = built(sources, "build_sdist", tmp_path / "out")
    assert sdist.stat().st_size <= SDIST
    with tarfile.open(sdist) as file:
        file.extractall(tmp_path, filter="data")
    place = next(path for path in tmp_path.glob("ssmd_bench-*") if path.is_dir())
    hidden = (".github", ".gitlab-ci.yml")    # within docs/gate_example they are held
    lost = {path.relative_to(sources).as_posix() for path in sources.rglob("*") if path.is_file()
            and not (place / path.relative_to(sources)).is_file()}
    assert {name for name in lost if not name.endswith(hidden)} == set()
    tests = ["tests/test_spec.py", "tests/test_provenance.py"]
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *tests], cwd=place,
                          env=bare(PYTHONPATH=str(place)), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]


ABSENT = '''
import sys
class Without:
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        return None if name.split(".")[0] in %r else self.finder.find_spec(name, path, target)
    def __getattr__(self, name):
        return getattr(self.finder, name)
sys.meta_path[:] = map(Without, sys.meta_path)
%s
'''


def without(names: set[str], code: str, folder: Path) -> subprocess.CompletedProcess:
    """Python that has not these libraries."""
    return subprocess.run([sys.executable, "-c", ABSENT % (names, code)], cwd=folder, capture_output=True, text=True,
                          env=bare(PYTHONPATH=str(ROOT)), timeout=300)


SPARE = {"optuna", "pandas", "matplotlib", "seaborn", "jinja2", "PIL", "joblib"}
COMMAND = "from ssmd_bench.__main__ import main\nsys.argv[1:] = %r\nsys.exit(main())"


EACH = """import os, torch    # which is loaded once: each command is a fork
for words in %r:
    if not os.fork():
        from ssmd_bench.__main__ import main
        sys.argv[1:] = words
        sys.exit(main())
    code = os.waitstatus_to_exitcode(os.wait()[1])
    print(words, code, file=sys.stderr)
    if code:
        sys.exit(code)"""


def test_a_machine_without_sweeps_and_reports_does_the_rest(tmp_path):
    words = [["list"], ["list", "studies"], ["doctor"], ["verify", "first_hitting"], ["run", "smoke", "--n", "4",
                                                                                      "--no-time"]]
    done = without(SPARE, EACH % words, tmp_path)
    assert done.returncode == 0 and all(f"{one} 0" in done.stderr for one in words), done.stderr


def test_a_machine_without_sweeps_and_reports_runs_studies_as_objects(tmp_path):
    done = without(SPARE, "import ssmd_bench as sb\nprint(sb.run('smoke', only=['ancestral'], timing=False), sb.Hub)",
                   tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("name", "words"), [("optuna", ["sweep", "sweep_smoke", "--n", "4", "--trials", "1"]),
                                             ("pandas", ["export", "runs/smoke", "smoke.csv"])])
def test_a_library_that_is_missing_is_named_where_it_is_needed(name, words, tmp_path):
    if name == "pandas":
        assert without(set(), COMMAND % ["run", "smoke", "--only", "ancestral", "--n", "4", "--no-time"],
                       tmp_path).returncode == 0
    done = without({name}, COMMAND % words, tmp_path)
    assert done.returncode == 2 and f"the package {name} is needed and not installed" in done.stderr


def test_windows_is_one_sentence(tmp_path):
    code = ("import importlib.util as u\nf = u.find_spec\n"
            "u.find_spec = lambda name, *more: None if name == 'fcntl' else f(name, *more)\n")
    done = without({"fcntl"}, code + COMMAND % ["list"], tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "WSL" in done.stderr


def test_mps_is_one_sentence(tmp_path):
    done = without(set(), COMMAND % ["run", "smoke", "--device", "mps"], tmp_path)
    assert done.returncode == 2 and "mps has no float64" in done.stderr
