"""Ten thousand records: a run that has nothing left to do answers within two seconds and 500 MB, whatever stands in its
folder; and asks anew what has changed.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness.__main__ import main
from harness.cli import verbs
from harness.cli.parser import parser
from harness.data.exact import Exact
from harness.metrics.judge import Judge
from harness.nets import checkpoint
from harness.nets.transformer import Transformer, TransformerConfig
from harness.records import provenance
from harness.records.record import SCHEMA
from harness.records.store import Store
from harness.run import finished, runner, scoring
from harness.run.cell import cells_of
from harness.spec import ROOT, sha256
from harness.study import load_study
from ssmd.train.family import SHIPPED
from tests.pace import paced

POINTS, LENGTH = 1250, 128
ZEROS = hashlib.sha256(bytes(16)).hexdigest()    # of samples (4, 4)
STUDY = f"""
from baselines.ancestral import Ancestral
from harness.data.exact import Exact
from harness.metrics.distinct import Distinct
from harness.metrics.exact_nll import ExactNll
from harness.study import Arm, Study, Table, grid

DATA = Exact()
STUDY = Study(name="large", question="?", data=DATA, nets={{"heavy": Table(DATA)}}, reference="heavy", n=4, batch=4,
              metrics=[ExactNll(), *(Distinct(kind, order) for kind in ("chars", "words") for order in (1, 2, 3))],
              arms=[Arm("ancestral", grid(Ancestral, steps=list(range(1, {POINTS + 1}))), {{"main": "heavy"}})])
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> tuple[Path, Path]:
    """A study and the store of its finished run: 1,250 cells of records as long as those of rows of 128 tokens, 7
    metrics each, arrays beside them.
    """
    folder = tmp_path_factory.mktemp("large")
    (folder / "large.py").write_text(STUDY)
    study, store = load_study(str(folder / "large.py")), Store(folder / "run")
    tables = {"depth": [12345] * LENGTH, "progress": [1] * 10, "round": [5] * 64}
    means = dict.fromkeys(("nfe_a", "nfe_b", "nfe_c", "executed_a", "executed_over_needed", "gflop"), 1.0)
    cost = {"calls": {"main.draft": 12.5}, **means, "tokens": 512, "revealed": [[0] * (LENGTH + 1)] * 10,
            "tested": tables, "passed": tables}
    for room in ("samples", "costs", "scores"):
        (folder / "run" / room).mkdir()
    lines, by, about = [], provenance.made(), {"schema": SCHEMA, "time": "", "status": "done", "reason": ""}
    for cell in cells_of(study):
        key = cell.key()
        record = about | {"type": "counted", "key": key, "study": "large", "arm": "ancestral", "control": False,
                          "cell": cell.describe(), "made": by, "cost": cost,
                          "inert": False, "samples_sha256": ZEROS, "seconds": 0.1, "machine": "m"}
        lines.append(record)
        arrays = {f"samples/{key}": np.zeros((4, 4), np.uint8), f"costs/{key}": np.ones((4, 3))}
        for plan in scoring.plans(study.metrics):
            score_key = plan.score_key(record)
            arrays[f"scores/{score_key}"] = np.ones((2, 4))
            lines.append(about | {"type": "scored", "key": key, "score_key": score_key,
                                  "metric": scoring.described(plan.metric), "label": plan.label, "better": "lower",
                                  "unit": "none", "n": 4, "made": by, "samples_sha256": ZEROS, "value": 1.0,
                                  "per": "row"})
        for name, array in arrays.items():
            np.save(folder / "run" / name, array)    # not through the store, which waits for the disk
    store.path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert len(lines) == 10_000
    return folder / "large.py", folder / "run"


def test_a_finished_run_of_ten_thousand_records_answers_at_once(large):
    study, run = large
    before = (run / "records.jsonl").stat().st_size
    with paced() as pace:
        idle, _, _ = spent("-c", "import harness.cli._user_code, harness.nets.absent, harness.run.runner, "
                                 "harness.run.backend")
        seconds, mib, done = spent("-m", "harness", "run", str(study), "--out", str(run))
    assert {k: v for k, v in json.loads(done.splitlines()[-1]).items() if v} == {"run": str(run), "cached": POINTS}
    print(f"{seconds:.2f} s, of which imports {idle:.2f} s; {mib:.0f} MiB")
    # study, with the cells that were asked for, and machine, on the first run
    assert (run / "records.jsonl").stat().st_size < before + 10_000 + 80 * POINTS
    assert seconds - idle < 2 * pace.slower and mib < 500
    with paced() as pace:
        again, small, said = spent("-m", "harness", "run", str(study), "--out", str(run))
    print(f"and again: {again:.2f} s; {small:.0f} MiB")
    assert json.loads(said.splitlines()[-1]) == json.loads(done.splitlines()[-1]) and again < 2 * pace.slower
    assert small < mib


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("change", [
    lambda study, run: shorten(next((run / "samples").iterdir())),
    lambda study, run: next((run / "costs").iterdir()).unlink(),
    lambda study, run: (run / "records.jsonl").write_text("".join((run / "records.jsonl").open().readlines()[:-1])),
    lambda study, run: study.write_text(study.read_text() + "\n# changed"),
    lambda study, run: (study.parent / "beside.py").write_text(""),
    lambda study, run: (run / finished.STAMP).write_text("{"),
    lambda study, run: (run / finished.STAMP).write_text("[" * 100_000),
    lambda study, run: (run / finished.STAMP).write_text('{"answer": 3, "reads": [1]}'),
    lambda study, run: shorten(study.parent / "net.safetensors"),
], ids=["array cut", "array gone", "record gone", "study changed", "module beside it", "stamp damaged",
        "stamp nested deep", "stamp of another form", "network changed"])
def test_a_stamp_answers_for_what_was_there_and_for_nothing_else(tmp_path, change):
    study, run, net = tmp_path / "two.py", tmp_path / "run", tmp_path / "net.safetensors"
    text, small = STUDY, {f"range(1, {POINTS + 1})": "(1, 2)", "ExactNll(), *": "*", ', "words"': ","}
    for ours, theirs in (small | {"Table(DATA)": f"Checkpoint({str(net)!r})",
                                  "Study, Table": "Checkpoint, Study"}).items():
        assert ours in text
        text = text.replace(ours, theirs)
    study.write_text(text)
    checkpoint.save(Transformer(TransformerConfig(vocab=Exact().vocab, width=16, heads=2, blocks=1)), net,
                    {"name": "net"})
    options = parser(verbs.find()).parse_args(["run", str(study), "--out", str(run), "--no-time"])
    assert finished.answer(options) is None
    assert main(["run", str(study), "--out", str(run), "--no-time"]) == 0
    assert finished.answer(options) == {"run": str(run), "cached": 2, "proven": 0, "refuted": 0, "done": 0,
                                        "skipped": 0, "failed": 0, "timeout": 0, "scored": 0, "unscored": 0}
    assert finished.answer(parser(verbs.find()).parse_args(["run", str(study), "--out", str(run), "--no-time", "--n",
                                                            "3"])) is None
    change(study, run)
    assert finished.answer(options) is None



def test_the_key_of_a_score_is_the_hash_of_its_canonical_json(large):
    study = load_study(str(large[0]))
    record = {"key": "0123456789abcdef01234567", "samples_sha256": "f" * 64}
    for plan in scoring.plans([*study.metrics, Judge(str(SHIPPED / "judge.safetensors"))]):
        assert plan.score_key(record) == sha256([record["key"], record["samples_sha256"], json.loads(plan.about)])[:24]


def test_a_run_loads_no_package_that_it_does_not_use(tmp_path):
    words = ["run", str(ROOT / "studies" / "smoke"), "--out", str(tmp_path / "run"), "--n", "4", "--no-time",
             "--only", "ancestral"]
    slow = {"pandas", "matplotlib", "seaborn", "scipy", "sklearn", "optuna", "joblib", "dask", "ray", "transformers"}
    _, _, said = spent("-c",
                       f"import sys; from harness.__main__ import main; main({words}); print(sorted({slow} & "
                       "set(sys.modules)))")
    assert said.splitlines()[-1] == "[]"


LAUNCH = """import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdout=2)
_, status, use = os.wait4(child.pid, 0)
print(use.ru_utime + use.ru_stime, use.ru_maxrss / 1024, os.waitstatus_to_exitcode(status))"""


def spent(*words: str) -> tuple[float, float, str]:
    """Processor seconds, MiB at the worst moment, and stdout of a process of its own, started by a small one: a child
    begins with the size of its parent.
    """
    done = subprocess.run([sys.executable, "-c", LAUNCH, sys.executable, "-W", "ignore", *words], cwd=ROOT,
                          env=os.environ | {"OMP_NUM_THREADS": "1"},
                          capture_output=True, text=True)
    seconds, mib, code = map(float, done.stdout.split())
    assert code == 0, done.stderr[-2000:]
    return seconds, mib, done.stderr


def test_a_source_that_changes_while_a_run_lasts_is_not_taken_for_the_one_it_ran(tmp_path, monkeypatch):
    study, run = tmp_path / "two.py", tmp_path / "run"
    study.write_text(STUDY.replace(f"range(1, {POINTS + 1})", "(1, 2)").replace(', "words"', ","))
    words, ordinary = ["run", str(study), "--out", str(run), "--no-time"], runner.run
    monkeypatch.setattr(runner, "run", lambda *a, **k: (ordinary(*a, **k),
                                                        study.write_text(study.read_text() + "# changed"))[0])
    assert main(words) == 0 and (run / finished.STAMP).exists()
    assert finished.answer(parser(verbs.find()).parse_args(words)) is None
