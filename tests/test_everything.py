"""The plan that rebuilds all from nothing: every claim's command, studies that exist, data before networks before
studies, and a step that fails ends it.
"""

import shlex
import subprocess
from pathlib import Path

from harness.claims import claim as claims
from harness.cli import verbs
from harness.cli.parser import parser
from harness.spec import ROOT
from studies import __main__ as everything


def test_every_claim_is_of_the_plan_and_every_study_exists():
    plan = everything.plan()
    assert {row["command"] for row in claims.read()} <= {*plan} and len({*plan}) == len(plan)
    for command in plan:
        head, *words = shlex.split(command)
        assert head in ("ssmd-bench", "pytest", "make", "python") and all((ROOT / word).exists() for word in words
                                                                          if word.endswith(".py"))
        if head == "ssmd-bench":
            parser(verbs.find()).parse_args(words)
    kinds = [command.split()[1] for command in plan if command.startswith("ssmd-bench")]
    assert (
        kinds[0] == "data" and kinds.index("train") < kinds.index("run") and "train" not in kinds[kinds.index("run") :]
    )


def test_finished_networks_are_put_where_the_studies_look(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ("runs/family/heavy/heavy", "runs/potts_family/light/light", "runs/family/judge/state"):
        Path(path).parent.mkdir(parents=True)
        Path(f"{path}.safetensors").write_text(path)
        Path(f"{path}.json").write_text("{}")
    everything.put_in_place(tmp_path / "shipped")
    assert {str(p.relative_to(tmp_path / "shipped")) for p in (tmp_path / "shipped").rglob("*.*")} == {
        "heavy.safetensors", "heavy.json", "potts/light.safetensors", "potts/light.json"}


def test_a_step_that_fails_ends_the_run_with_its_code(monkeypatch, capsys):
    ran = []
    monkeypatch.setattr(everything, "plan", lambda: ["ssmd-bench one", "ssmd-bench two", "ssmd-bench three"])
    monkeypatch.setattr(subprocess, "run", lambda words: ran.append(words[-1])
                        or type("Done", (), {"returncode": 3 * (words[-1] == "two")}))
    assert everything.main([]) == 0 and not ran and capsys.readouterr().out.count("\n") == 3
    assert everything.main(["--go"]) == 3 and ran == ["one", "two"] and "goes on from here" in capsys.readouterr().err
