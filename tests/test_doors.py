"""The doors of the house, read from the syntax trees: who may import whom, who may count, who may draw."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.spec import ROOT

ROOMS = ("harness", "baselines", "ssmd", "studies", "reports", "tests")
RECORDS = {    # what a report may know
    f"harness.{name}"
    for name in ("boundary.atomic", "records.store", "records.places", "stats.intervals", "stats.frontier",
                 "stats.equal_entropy", "kinds", "search.storage", "stats.judges",
                 "boundary.arguments", "boundary.ending", "stats.realised", "stats.collapse", "spec",
                 "records.standing", "records.study_path", "data.smiles", "records.by_row", "records.inert",
                 "stats.forwards", "boundary.nearest", "boundary.incoming")
}
CONVERTERS = (ROOT / "studies/antibody/prepare.py", ROOT / "harness/metrics/molecules/build/reference.py")
EXCEPTED = {    # initial weights; their seed; dropout, in training alone
    "harness/nets/transformer.py": {"nn.init.normal_", "F.dropout"},
    "harness/nets/autoregressive.py": {"nn.init.normal_"},
    "ssmd/model.py": {"nn.init.normal_"}, "ssmd/variants.py": {"nn.init.normal_"},
    "ssmd/attached.py": {"nn.init.normal_", "torch.manual_seed"},
    "studies/heads/claims.py": {"torch.nn.init.normal_", "torch.manual_seed"},
    "ssmd/train/settings.py": {"torch.manual_seed"}, "ssmd/train/updates.py": {"torch.manual_seed"},
}
WRITERS = {"write_text", "write_bytes", "to_csv", "to_parquet", "savez_compressed", "savez", "savefig"}
UNGUARDED = {  # calls that write in place: to memory, to a scratch folder or file of their own, to a log, to the system
    "harness/run/clock.py": 1, "harness/run/process.py": 1, "harness/run/side.py": 1,
    "harness/data/build/clusters.py": 1,
    "harness/records/pack.py": 2, "harness/records/kept.py": 1, "harness/data/build/npz.py": 1,
    "studies/antibody/orders.py": 1,
    "reports/gallery.py": 1,
    "reports/style.py": 1, "studies/planted/claims.py": 1, "ssmd/train/family.py": 1, "ssmd/train/loop.py": 1,
}
LONGEST = 300    # lines of a file
COUNTERS = re.compile(
    r"nfe|(num|n|count)_(calls|passes|forwards)|(calls|passes|forwards?)_(made|count)|counter|n_forward", re.I
)
DRAWS = {"rand", "randn", "randint", "randperm", "dropout", "rand_like", "randn_like", "bernoulli", "bernoulli_",
         "multinomial", "normal", "normal_", "uniform_", "exponential_",
         "random_", "default_rng", "manual_seed", "Generator", "RandomState", "gumbel_softmax", "shuffle", "choice"}


def files(*rooms: str) -> list[Path]:
    return [p for room in rooms for p in sorted((ROOT / room).rglob("*.py"))]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path, inside: bool = True) -> set[str]:
    """Full names of the modules a file imports; inside=False leaves out those within functions."""
    found, waiting = set(), list(tree(path).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names
                                      if (ROOT / node.module.replace(".", "/") / f"{alias.name}.py").is_file()}
        if inside or not isinstance(node, (ast.FunctionDef, ast.Lambda)):
            waiting += list(ast.iter_child_nodes(node))
    return {name for name in found if name.split(".")[0] in ROOMS}


def rooms_of(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("path", files("harness"), ids=lambda p: str(p.relative_to(ROOT)))
def test_harness_names_no_method(path):
    assert rooms_of(imports(path)) <= {"harness"}


@pytest.mark.parametrize(("room", "known"), [("baselines", {"baselines", "harness"}), ("ssmd", {"ssmd", "harness"}),
                                             ("studies", {"studies", "baselines", "ssmd", "harness"}),
                                             ("reports", {"reports", "harness"})])
def test_rooms_know_only_their_doors(room, known):
    for path in files(room):
        assert rooms_of(imports(path)) <= known, path


def test_reports_read_records_and_statistics_and_no_sampler():
    used = {name for path in files("reports") for name in imports(path)}
    assert used >= RECORDS, f"no file of reports imports {RECORDS - used}: take it out of RECORDS"
    for path in files("reports"):
        ours = {name for name in imports(path) if name.startswith("harness.")}
        words = {"harness.plugins"} if path.name == "named.py" else set()    # what --plugins brings, found by its name
        assert ours <= RECORDS | words, f"{path}: {ours - RECORDS - words}"


def _counts(node: ast.AST) -> bool:
    """x += 1, or x = x + 1, of a name or an attribute that lives on."""
    return (
        isinstance(node, ast.AugAssign)
        and isinstance(node.op, ast.Add)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.target, (ast.Attribute, ast.Subscript))
    )


@pytest.mark.parametrize("path", files("baselines", "ssmd"), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_counter_in_a_sampler(path):
    counted = [node.lineno for node in ast.walk(tree(path)) if _counts(node)]
    methods = [f for c in ast.walk(tree(path)) if isinstance(c, ast.ClassDef) for f in c.body
               if isinstance(f, ast.FunctionDef) and f.name in ("step", "start")]
    counted += [node.lineno for f in methods for node in ast.walk(f) if isinstance(node, ast.AugAssign)]
    assert not counted, f"{path}: lines {counted} count; the ledger does that"


@pytest.mark.parametrize("path", [p for p in files("harness", "baselines", "ssmd") if p != ROOT / "harness/random.py"],
                         ids=lambda p: str(p.relative_to(ROOT)))
def test_no_draw_outside_random(path):
    tree_of, allowed = tree(path), next((calls for name, calls in EXCEPTED.items() if path == ROOT / name), set())
    for node in ast.walk(tree_of):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in DRAWS
            and ast.unparse(node.func) not in allowed
        ):
            raise AssertionError(f"{path}:{node.lineno} draws with {node.func.attr}: use harness/random.py")
    imported = {alias.name for node in ast.walk(tree_of) if isinstance(node, ast.Import) for alias in node.names} | {
        node.module for node in ast.walk(tree_of) if isinstance(node, ast.ImportFrom)}
    assert not imported & {"random", "numpy.random", "secrets", "torch.random"}, path


def test_every_exception_is_still_needed():
    for name, calls in EXCEPTED.items():
        assert calls <= {ast.unparse(node.func) for node in ast.walk(tree(ROOT / name))
                         if isinstance(node, ast.Call)}, name


@pytest.mark.parametrize("path", [*files("baselines"), ROOT / "ssmd/sampler.py", ROOT / "harness/sampling/accept.py"],
                         ids=lambda p: str(p.relative_to(ROOT)))
def test_a_sampler_has_no_name_for_what_the_ledger_counts(path):
    for node in ast.walk(tree(path)):
        name = {ast.Name: "id", ast.Attribute: "attr", ast.arg: "arg", ast.keyword: "arg",
                ast.FunctionDef: "name"}.get(type(node))
        assert not (name
                    and COUNTERS.search(getattr(node, name) or "")), (f"{path}:{node.lineno} counts: the ledger does "
                                                                      "that")
        assert not (isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add)
                    and isinstance(node.value, ast.Constant)), f"{path}:{node.lineno} counts"


@pytest.mark.parametrize("path", files("harness", "baselines", "ssmd", "reports", "studies"),
                         ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_is_unpickled_and_no_file_is_long(path):
    """Excepted: what timing and the backends hand to workers that they started or were told to trust; and that a study
    travels there whole.
    """
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST, path
    for node in ast.walk(tree(path)):
        names = (
            [a.name for a in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        sends = (
            {"cloudpickle"}
            if path in (ROOT / f"harness/{name}.py" for name in ("run/timing", "run/backend", "study"))
            else set()
        )
        unsafe = {"pickle", "cPickle", "dill", "marshal", "shelve", "cloudpickle"} - sends
        assert not {name.split(".")[0] for name in names} & unsafe, path
        if isinstance(node, ast.Call):
            called, given = ast.unparse(node.func), {k.arg: ast.unparse(k.value) for k in node.keywords}
            numbers = path in CONVERTERS and given.get("weights_only") == "True"    # alone
            assert numbers or called not in ("torch.load", "pd.read_pickle", "joblib.load"), f"{path}:{node.lineno}"
            registers = path != ROOT / "harness/study.py" or called == "cloudpickle.register_pickle_by_value"
            assert registers or not called.startswith("cloudpickle."), f"{path}:{node.lineno}"
            assert given.get("allow_pickle", "False") == "False", f"{path}:{node.lineno}"


@pytest.mark.parametrize("path", files("harness", "baselines", "ssmd", "reports"),
                         ids=lambda p: str(p.relative_to(ROOT)))
def test_print_stands_in_the_command_line_alone(path):
    verbs = {"harness/__main__.py", "harness/boundary/ending.py", "ssmd/commands.py",
             "ssmd/attach_verb.py",
             *(path.relative_to(ROOT).as_posix() for path in files("harness/cli"))}
    scripts = {"harness/data/build/corpora.py", "harness/data/build/prose.py", "reports/gallery.py"}
    # a queue; answers over a pipe; lines left out; how a model is taken
    others = {"ssmd/train/family.py", "harness/run/side.py", "harness/records/store.py", "harness/nets/hub.py"}
    speaks = path.relative_to(ROOT).as_posix() in verbs | scripts | others
    printed = [node.lineno for node in ast.walk(tree(path)) if isinstance(node, ast.Call)
               and isinstance(node.func, ast.Name) and node.func.id == "print"]
    assert speaks or not printed, f"{path}: lines {printed}"


@pytest.mark.parametrize("path", files(*ROOMS[:-1]), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_command_ends_as_harness_ending_says(path):
    """What a user starts with `python -m` is under the net."""
    text = path.read_text(encoding="utf-8")
    if '__name__ == "__main__"' in text and path.name != "side.py":    # which answers over a pipe, errors too
        assert "guarded" in {node.func.id for node in ast.walk(tree(path)) if isinstance(node, ast.Call)
                             and isinstance(node.func, ast.Name)}, path


def writes(path: Path) -> list[str]:
    """Calls that write to a file by a name which is no scratch file's, as `replacing` hands them out."""
    found = []
    for node in (n for n in ast.walk(tree(path)) if isinstance(n, ast.Call)):
        called, given = ast.unparse(node.func), [ast.unparse(a) for a in (*node.args,
                                                                          *(k.value for k in node.keywords))]
        opens = called in ("open", "os.fdopen") or called.endswith(".open")
        if opens and any(mode in given for mode in ("'w'", "'wb'", "'a'", "'ab'")):
            found.append(ast.unparse(node))
        if "." in called and called.rpartition(".")[2] in WRITERS or called in ("save_file", "np.save", "torch.save"):
            found.append(ast.unparse(node))
    return [call for call in found if "beside" not in call]


@pytest.mark.parametrize("path", files(*ROOMS[:4], "reports"), ids=lambda p: str(p.relative_to(ROOT)))
def test_files_are_written_whole_or_not_at_all(path):
    """All but harness/boundary/atomic.py write through it."""
    name = str(path.relative_to(ROOT))
    assert name == "harness/boundary/atomic.py" or len(writes(path)) == UNGUARDED.get(name, 0), writes(path)


@pytest.mark.parametrize("path", sorted((ROOT / "studies").glob("*/study.py")), ids=lambda p: p.parent.name)
def test_a_study_file_is_its_question_and_its_design(path):
    """What it measures and claims stands beside it, in claims.py."""
    assert 20 <= len(path.read_text(encoding="utf-8").splitlines()) <= 80 and ast.get_docstring(tree(path)), path


def test_a_door_that_is_broken_is_seen(tmp_path):
    """The test of the tests."""
    bad = tmp_path / "bad.py"
    bad.write_text("from ssmd.sampler import SelfSpeculative\n\n\nclass S:\n    def step(self, nets, rows):\n        "
                   "from reports.build import build\n        self.calls += 1\n")
    assert rooms_of(imports(bad)) == {"ssmd", "reports"} and rooms_of(imports(bad, inside=False)) == {"ssmd"}
    with pytest.raises(AssertionError, match="count"):
        test_no_counter_in_a_sampler(bad)
    bad.write_text("import torch\n\n\ndef f(p):\n    return torch.multinomial(p, 1)\n")
    with pytest.raises(AssertionError, match="multinomial"):
        test_no_draw_outside_random(bad)
    for text in ("def f(nets):\n    nfe = 1\n", "def f(k):\n    k += 1\n",
                 "class S:\n    def step(self):\n        self.counter = 3\n"):
        bad.write_text(text)
        with pytest.raises(AssertionError, match="counts"):
            test_a_sampler_has_no_name_for_what_the_ledger_counts(bad)
    for text in ("import pickle\n", "from pickle import loads\n", "import torch\ntorch.load('x')\n",
                 "np.load(p, allow_pickle=True)\n", "\n" * 301):
        bad.write_text(text)
        with pytest.raises(AssertionError):
            test_nothing_is_unpickled_and_no_file_is_long(bad)
    for text in ("\n" * 40, '""""""\n' + "\n" * 40, '"""Why?"""\n' + "\n" * 18, '"""Why?"""\n' + "\n" * 80):
        bad.write_text(text)
        with pytest.raises(AssertionError):
            test_a_study_file_is_its_question_and_its_design(bad)


def test_plots_load_neither_the_harness_nor_its_network_library():
    """A process that draws starts in a second."""
    for path in [ROOT / "reports" / "drawing.py", ROOT / "reports" / "marks.py",
                 *(ROOT / "reports" / "plots").glob("*.py")]:
        assert rooms_of(imports(path)) <= {"reports"}, path
    done = subprocess.run([sys.executable, "-c",
                           "import sys, reports.drawing, reports.plots.matched; print('torch' in sys.modules)"],
                          cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
