"""What a study file may say: whatever is wrong with it is one sentence with the file, the field or the line, and the
remedy, before anything is written.
"""

import json

import pytest

from harness.__main__ import main

STUDY = '''"""A toy."""
from baselines.ancestral import Ancestral
from harness.data.control import HeldOut
from harness.data.exact import Exact
from harness.metrics.exact_nll import ExactNll
from harness.study import Arm, Study, Table, Timing, grid
DATA = Exact()
FIELDS = dict(name="toy", question=__doc__, data=DATA, nets={"heavy": Table(DATA)},
              reference="heavy", metrics=[ExactNll()], n=8, batch=8,
              arms=[Arm("ancestral", [Ancestral(2)], {"main": "heavy"}), Arm("held_out", [HeldOut()])])
'''
CASES = {
    "no docstring": ("question=None", "question must be a text, not None: begin the file with a docstring"),
    "question 5": ("question=5", "question must be a text, not 5"),
    "name": ("name='../../x'", "'../../x' is no plain file name"),
    "name with a slash": ("name='a/b'", "no plain file name"), "name ..": ("name='..'", "no plain file name"),
    "no name": ("name=''", "no plain file name"), "name 5": ("name=5", "5 is no plain file name"),
    "long name": ("name='x' * 300", "at most 100"),
    "data 5": ("data=5", "data is no data set, it has no 'rows'"),
    "data a class": ("data=Exact", "is a class and no data set: write WikipediaLeads(128)"),
    "nets a list": ("nets=[Table(DATA)]", "nets must be a dictionary"),
    "nets a path": ("nets={'heavy': 'heavy.safetensors'}", "is no network, it has no 'load'"),
    "nets by number": ("nets={1: Table(DATA)}", "nets must be a dictionary"),
    "no such reference": ("reference='haevy'", "'haevy' is not one of its nets; did you mean 'heavy'?"),
    "reference None": ("reference=None", "reference must be a text"),
    "timing 5": ("timing=5", "timing must be Timing(processes=3) or None, not 5"),
    "timing a string": ("timing=Timing('8')", "Timing: processes must be a whole number"),
    "no repeats": ("timing=Timing(repeats=0)", "Timing: repeats must be a whole number of at least 1"),
    "a metric": ("metrics=ExactNll()", "metrics must be a list, as in metrics=[Spelling()]"),
    "metrics a name": ("metrics='exact_nll'", "metrics must be a list"),
    "metrics of names": ("metrics=['exact_nll']", "metrics holds 'exact_nll', which is no metric"),
    "a class of a metric": ("metrics=[ExactNll]", "is a class and no metric"),
    "n a text": ("n='8'", "n must be a whole number of at least 1 and at most 4294967296, not '8'"),
    "n 1e22": ("n=10**22", "n must be a whole number"),
    "n a float": ("n=8.0", "n must be a whole number"), "n True": ("n=True", "n must be a whole number"),
    "n 0": ("n=0", "at least 1"),
    "batch 0": ("batch=0", "batch must be a whole number"), "batch 1e22": ("batch=10**22",
                                                                           "batch must be a whole number"),
    "seed -1": ("seed=-1", "seed must be a whole number of at least 0 and at most 18446744073709551615"),
    "seed 2^64": ("seed=2**64", "seed must be a whole number"),
    "dtype": ("dtype='float16'", "dtype is 'float16', which is not allowed; choose float32 | bfloat16"),
    "dtype 5": ("dtype=5", "not allowed"),
    "compiled": ("compiled='yes'", "compiled must be True or False"),
    "prompt 1": ("prompt=1", "prompt must be a number of at least 0 and below 1"),
    "prompt nan": ("prompt=float('nan')", "prompt must be a number"),
    "prompt a text": ("prompt='half'", "prompt must be a number"),
    "limit 0": ("limit_seconds=0", "limit_seconds must be a number above 0"),
    "limit nan": ("limit_seconds=float('nan')", "limit_seconds must be"),
    "arms None": ("arms=None", "arms must be a list"),
    "an arm": ("arms=Arm('a', [Ancestral(2)])", "arms must be a list"),
    "arms of names": ("arms=['a']", "must be an Arm(...)"),
    "points a sampler": ("arms=[Arm('a', Ancestral(2))]", "the arm a: points must be a list, as in [Ancestral(8)]"),
    "points numbers": ("arms=[Arm('a', [1, 2])]", "points holds 1, which is no sampler, it has no 'step'"),
    "points a class": ("arms=[Arm('a', [Ancestral])]", "is a class and no sampler: write Ancestral(8)"),
    "points None": ("arms=[Arm('a', None)]", "points must be a list"),
    "arm 5": ("arms=[Arm(5, [Ancestral(2)])]", "name 5 cannot be shown"),
    "arm of two lines": ("arms=[Arm('a\\nb', [Ancestral(2)])]", "cannot be shown"),
    "two arms": ("arms=[Arm('a', [Ancestral(2)], {'main': 'heavy'})] * 2", "two arms share a name"),
    "roles a text": ("arms=[Arm('a', [Ancestral(2)], 'heavy')]",
                     "nets must be a dictionary, as in {\"main\": \"heavy\"}"),
    "a role mistyped": ("arms=[Arm('a', [Ancestral(2)], {'mian': 'heavy'})]",
                        "the arm a gives a network to the role 'mian', which no sampler of it has; did you mean "
                        "'main'?"),
    "a network mistyped": ("arms=[Arm('a', [Ancestral(2)], {'main': 'heavi'})]",
                           "names a network 'heavi' that the study does not have; did you mean 'heavy'?"),
    "temperature": ("arms=[Arm('a', [Ancestral(2)], {'main': 'heavy'}, temperature=float('inf'))]",
                    "temperature must be a number above 0, not inf"),
    "temperature nan": ("arms=[Arm('a', [Ancestral(2)], {'main': 'heavy'}, temperature=float('nan'))]",
                        "temperature must be a number above 0"),
    "temperature a text": ("arms=[Arm('a', [Ancestral(2)], {'main': 'heavy'}, temperature='hot')]",
                           "temperature must be a number"),
    "nucleus a text": ("arms=[Arm('a', [Ancestral(2)], {'main': 'heavy'}, nucleus='0.9')]", "nucleus must be a number"),
    "a field nobody knows": ("spede=3", "unexpected keyword argument 'spede'"),
}


def refuses(capsys, tmp_path, text: str, says: str, *words: str) -> str:
    (tmp_path / "toy.py").write_text(text)
    assert main(["run", str(tmp_path / "toy.py"), "--out", str(tmp_path / "run"), *words]) == 2
    told = capsys.readouterr()
    assert told.err.startswith("ssmd-bench: ") and told.err.count("\n") == 1 and says in told.err and told.out == "", (
        told.err
    )
    assert not (tmp_path / "run").exists()
    return told.err


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_field_of_a_study_is_named_with_its_line(tmp_path, capsys, case):
    change, says = CASES[case]
    told = refuses(capsys, tmp_path, f"{STUDY}STUDY = Study(**(FIELDS | dict({change})))\n", says)
    assert "toy.py, line 11" in told


@pytest.mark.parametrize(("text", "says"), [
    ("raise ValueError()", "line 1: ValueError, without a message: correct it"),
    ("x = int('x')", "line 1: ValueError: invalid literal for int()"),
    ("import json\njson.loads('')", "line 2: JSONDecodeError"),
    ("\n1/0", "line 2: ZeroDivisionError: division by zero: correct it"),
    ("import sys\nsys.exit(0)", "line 2: it calls sys.exit()"),
    ("raise KeyError", "line 1: KeyError, without a message"), ("def f(:", "line 1: SyntaxError"),
    ("f = lambda: f()\nf()", "line 1: RecursionError"), ("class B(BaseException): pass\nraise B('b')", "line 2: B: b"),
    ("raise ValueError('no Monday')", "no Monday (toy.py, line 1)"),
    ("import nowhere_to_be_found",
     "line 1: ModuleNotFoundError: No module named 'nowhere_to_be_found': install it, or put its folder on PYTHONPATH"),
])
def test_an_error_in_a_study_file_is_told_with_its_line(tmp_path, capsys, monkeypatch, text, says):
    monkeypatch.chdir(tmp_path)
    refuses(capsys, tmp_path, text, says)
    assert [path.name for path in tmp_path.iterdir()] == ["toy.py"]


@pytest.mark.parametrize(("text", "code", "says"), [
    ("def measure(study, store): return None", 2, "measure() of"), ("def measure(study, store): return 5", 2,
                                                                    "must give the list of its records"),
    ("def measure(study, store): return {}['x']", 2,
     "toy.py, line 12: KeyError: 'x': correct that file; the traceback is in"),
    ("def measure(study, store): raise SystemExit", 2, "toy.py, line 12: it calls sys.exit()"),
    ("def measure(study, store): raise ValueError('the moon is full: wait')", 2,
     "the moon is full: wait (toy.py, line 12)"),
    ("measure = 5", 2, "measure of"), ("def measure(): return []", 2,
                                       "takes () and is called with (study, store): write def measure(study, store)"),
    ("def measure(a, b, c): return []", 2, "takes (a, b, c) and is called with"),
    ("from harness.claims.claim import claim\ndef measure(study, store): return [claim('x', '1', 0, 1, 'u', 1, 'c', "
     "[])]", 2, "value of the claim 'x' is '1' and must be a number"),
    ("from harness.claims.claim import claim\ndef measure(study, store): return [claim('x', 3, 0, 1, 'u', 1, 'c', [])]",
     2, "the claim x does not lie in its interval"),
    ("from harness.claims.claim import claim\ndef measure(study, store): return [claim('x', 1, 0, 1, 'u', 1, 'c', "
     "None)]", 2, "keys of the claim 'x' is None and must be a list"),
])
def test_a_measure_that_fails_is_a_sentence_and_the_cells_are_kept(tmp_path, capsys, monkeypatch, text, code, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toy.py").write_text(f"{STUDY}STUDY = Study(**FIELDS)\n{text}\n")
    assert main(["run", "toy.py", "--out", "run"]) == code
    told = capsys.readouterr().err
    assert says in told.splitlines()[-1] and "Traceback" not in told, told
    before = ("measure = 5", "def measure():", "def measure(a,")    # seen before anything runs
    assert text.startswith(before) or (tmp_path / "run" / "records.jsonl").read_text().count('"type":"counted"') == 2


@pytest.mark.parametrize(("text", "says"), [
    ("", "makes no claims: give it a function claims(store, command), or leave --claims out"),
    ("def claims(store, command): return None", "claims() of"),
    ("def claims(store, command): return [{'claim': 'x'}]", "gave what is no list of claims ("),
    ("def claims(store, command): return ['x']", "gave what is no list of claims ("),
    ("def claims(store, command): return [][1]", "toy.py, line 12: IndexError"),
])
def test_claims_that_are_none_are_a_sentence_and_no_file(tmp_path, capsys, monkeypatch, text, says):
    from harness.claims import claim as claims

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(claims, "RESULTS", tmp_path / "results")
    (tmp_path / "toy.py").write_text(f"{STUDY}STUDY = Study(**FIELDS)\n{text}\n")
    assert main(["run", "toy.py", "--out", "run", "--claims"]) == 2
    told = capsys.readouterr().err
    assert says in told.splitlines()[-1] and "Traceback" not in told and not (tmp_path / "results").exists(), told


def test_where_nothing_could_run_the_exit_code_is_4(tmp_path, capsys):
    text = STUDY.replace("Ancestral(2)", "Scheduled()").replace("from baselines.ancestral import Ancestral",
                                                                "from baselines.scheduled import Scheduled")
    (tmp_path / "toy.py").write_text(f"{text}STUDY = Study(**FIELDS)\n")
    words = ["run", str(tmp_path / "toy.py"), "--out", str(tmp_path / "run")]
    assert main(words) == 4
    told = capsys.readouterr()
    assert (
        json.loads(told.out.splitlines()[-1])["skipped"] == 1
        and "none of the 1 cells could run" in told.err
        and "needs a network 'light'" in told.err
    )
    assert main(words) == 4    # and the second time too
    assert main([*words, "--only", "held_out"]) == 0


def test_a_metric_that_fails_says_why_on_stderr_and_in_the_last_line(tmp_path, capsys):
    text = STUDY.replace("ExactNll()", "Mauve()").replace("from harness.metrics.exact_nll import ExactNll",
                                                          "from harness.metrics.mauve import Mauve")
    (tmp_path / "toy.py").write_text(f"{text}STUDY = Study(**FIELDS)\n")
    assert main(["run", str(tmp_path / "toy.py"), "--out", str(tmp_path / "run")]) == 3
    told = capsys.readouterr()
    document = json.loads(told.out.splitlines()[-1])
    assert document["unscored"] == 2 and list(document["reasons"]) == ["mauve"] and document["reasons"]["mauve"]
    assert f"ssmd-bench: mauve has no score: {document['reasons']['mauve']}" in told.err
    assert main(["rescore", str(tmp_path / "run")]) == 3 and "mauve has no score: " in capsys.readouterr().err


@pytest.mark.parametrize(("change", "says"), [
    ("study=5", "the sweep: study must be a Study(...), not 5"), ("arm=5", "arm must be a text"),
    ("objectives='nfe_a'", "objectives must be a list"),
    ("objectives=[1]", "objectives holds 1, which must be a text"), ("space=[1]", "space must be a dictionary"),
    ("trials='8'", "trials must be a whole number"),
    ("early=4", "early must be a list"), ("constraint='x'", "constraint must be Band("),
    ("doubt='x'", "doubt must be a number"), ("seed=2**64", "seed must be a whole number"),
    ("beside='a'", "beside must be a list"),
])
def test_a_wrong_field_of_a_sweep_is_named_with_its_line(tmp_path, capsys, change, says):
    text = STUDY + "from harness.search.sweep import Sweep\nSTUDY = Study(**FIELDS)\n"
    (tmp_path / "toy.py").write_text(f"{text}SWEEP = Sweep(**(dict(study=STUDY, arm='ancestral', "
                                     f"objectives=('nfe_a',)) | dict({change})))\n")
    assert main(["sweep", str(tmp_path / "toy.py"), "--out", str(tmp_path / "run")]) == 2
    told = capsys.readouterr().err
    assert says in told and "toy.py, line 13" in told and told.count("\n") == 1 and not (tmp_path / "run").exists()


@pytest.mark.parametrize(("fields", "says"), [("None", "a Table: data is no data set whose law is known"),
                                              ("'x'", "data is no data set"),
("Exact", "data is a class and no data set"), ("Exact(), power='x'", "power must be a number"),
                                              ("Exact(), power=0", "power must be a number above 0"),
                                              ("Exact(), power=float('nan')", "power must be a number"),
                                              ("WikipediaLeads(8)", "data is no data set whose law is known")])
def test_a_table_of_no_law_is_named_with_its_line(tmp_path, capsys, fields, says):
    text = (f"{STUDY}from harness.data.exact import Exact\nfrom harness.data.wikipedia_leads import WikipediaLeads\n"
            f"from harness.study import Table\nTable({fields})\n")
    refuses(capsys, tmp_path, text, says)


@pytest.mark.parametrize("path", ["{1}", "...", "Checkpoint", "[]", "''", "3"])
def test_a_checkpoint_of_no_path_is_named_with_its_line(tmp_path, capsys, path):
    refuses(capsys, tmp_path, f"{STUDY}from harness.study import Checkpoint\nCheckpoint({path})\n",
            "a Checkpoint: path must be the path of a file, not ")


@pytest.mark.parametrize("made", ["harness.data.text8 import Text8 as Cls\nCls([1])",
                                  "harness.metrics.judge import Judge as Cls\nCls({1})",
                                  "harness.data.fasta import Fasta as Cls\nCls(path=3)"])
def test_a_text_of_a_plugin_that_is_none_is_named_with_its_line(tmp_path, capsys, made):
    refuses(capsys, tmp_path, f"{STUDY}from {made}\n", "is not allowed; write a text")


def test_changes_where_there_is_no_sampler_are_refused(tmp_path, capsys):
    refuses(capsys, tmp_path, f"{STUDY}STUDY = Study(**FIELDS)\n", "has no sampler to change here", "--only",
            "held_out", "--set", "steps=3")
