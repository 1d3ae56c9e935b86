"""The runner computes what is missing and nothing else, keeps every kind of failure apart, and times what it
counted.
"""

import io
import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from baselines.ancestral import Ancestral
from baselines.first_hitting import FirstHitting
from baselines.fixed_count import FixedCount
from baselines.scheduled import Scheduled
from harness.claims import claim as claims
from harness.data.control import HeldOut, Shuffled
from harness.data.exact import Exact
from harness.data.wikipedia_leads import WikipediaLeads
from harness.kinds import Scores
from harness.metrics.distinct import Distinct
from harness.metrics.exact_nll import ExactNll
from harness.metrics.words import Spelling
from harness.nets import checkpoint
from harness.nets.transformer import Transformer, TransformerConfig
from harness.records import provenance
from harness.records.arrays import digest
from harness.records.keys import cell_key
from harness.records.store import Store
from harness.run import count, runner
from harness.run.cell import cells_of
from harness.run.clock import busy, timed
from harness.run.progress import Progress
from harness.schedules.window import Fixed
from harness.spec import ROOT, set_field
from harness.study import Arm, Checkpoint, Study, Table, Timing, each_sampler, grid, load_study
from ssmd.model import Hybrid, HybridConfig
from ssmd.sampler import SelfSpeculative

DATA = Exact()
NETS = {"heavy": Table(DATA), "light": Table(DATA, power=0.5)}
COSTS = {"calls", "nfe_a", "nfe_b", "nfe_c", "executed_a", "executed_over_needed", "gflop", "tokens", "revealed",
         "tested", "passed"}


def study(*arms: Arm, **changes) -> Study:
    return Study(**{"name": "toy", "question": "?", "data": DATA, "nets": NETS, "arms": arms, "reference": "heavy",
                    "metrics": [ExactNll()], "n": 32, "batch": 8} | changes)


ANCESTRAL = Arm("ancestral", grid(Ancestral, steps=[1, 4]), {"main": "heavy"})
SSMD = Arm("ssmd", [SelfSpeculative(Fixed(2), 2)], {"main": "heavy"})
HELD = Arm("held_out", [HeldOut()])


def went(tally: dict, **expected: int) -> bool:
    return {k: v for k, v in tally.items() if v} == expected


def test_counted_record_follows_the_contract(tmp_path):
    assert went(runner.run(study(ANCESTRAL, SSMD, HELD), tmp_path), done=4, scored=4)
    store = Store(tmp_path)
    about, machine, network = store.of("study")[0], store.of("machine")[0], store.of("network")[0]
    assert (
        about["arms"] == ["ancestral", "ssmd", "held_out"]
        and about["controls"] == ["held_out"]
        and about["reference"] == "heavy"
    )
    assert {"id", "commit", "dirty", "diff_sha", "python", "packages", "cpu", "gpu", "threads", "os"} <= set(machine)
    assert {"sha256", "name", "card"} <= set(network)
    for record in store.of("counted"):
        cost, n, length = record["cost"], 32, DATA.length
        assert set(cost) == COSTS | ({"forwards"} if not record["control"] else set())
        assert record["machine"] == machine["id"] and record["seconds"] > 0
        assert set(record["cell"]) == {"sampler", "nets", "net_names", "data", "prompt", "n", "batch", "seed",
                                       "temperature", "device", "dtype", "draw_dtype"}
        rows, costs = store.get("samples", record["key"]), store.get("costs", record["key"])
        assert (
            rows.shape == (n, length) and rows.dtype == np.uint8 and costs.shape == (n, 3) and costs.dtype == np.float64
        )
        assert np.allclose(costs.mean(0), [cost["nfe_a"], cost["nfe_b"], cost["nfe_c"]])
        assert np.array(cost["revealed"]).shape == (10, length + 1)
        for table in (cost["tested"], cost["passed"]):
            assert [len(table[k]) for k in ("depth", "progress", "round")] == [length, 10, 64]
        assert cost["tokens"] == (0 if record["control"] else n * length)
    held = next(r for r in store.of("counted") if r["control"])
    assert held["cell"]["nets"] == {} and held["cost"]["nfe_a"] == 0 and held["cost"]["calls"] == {}
    one_step = next(r for r in store.of("counted") if r["cell"]["sampler"].get("steps") == 1)
    assert (
        one_step["cost"]["calls"] == {"main.draft": 1.0} and one_step["cost"]["nfe_a"] == one_step["cost"]["nfe_b"] == 1
    )
    scored = store.of("scored")[0]
    assert {"key", "score_key", "metric", "label", "better", "unit", "value", "n", "per", "status",
            "reason"} <= set(scored) and scored["per"] == "row"
    table = store.get("scores", scored["score_key"])
    assert table.shape == (2, 32) and table[0].sum() / table[1].sum() == pytest.approx(scored["value"])


def test_second_run_computes_nothing(tmp_path):
    runner.run(study(ANCESTRAL, HELD), tmp_path)
    before = (tmp_path / "records.jsonl").read_bytes()
    assert went(runner.run(study(ANCESTRAL, HELD), tmp_path), cached=3)
    assert (tmp_path / "records.jsonl").read_bytes() == before


def test_the_key_of_a_cell_is_computed_once(tmp_path, monkeypatch):
    computed = []
    monkeypatch.setattr("harness.run.cell.cell_key", lambda about: computed.append(1) or cell_key(about))
    tally = runner.run(study(ANCESTRAL, SSMD, HELD), tmp_path)
    assert len(computed) == tally["done"] == 4


def test_key_depends_on_what_decides_the_samples_and_on_nothing_else():
    def key(**changes):
        return cells_of(study(SSMD, **changes))[0].key()

    one = key()
    assert key(name="other", question="!", metrics=[], timing=Timing(), limit_seconds=9.0) == one
    others = [key(**c) for c in ({"n": 31}, {"batch": 7}, {"seed": 1}, {"prompt": 0.5}, {"data": Exact(law_seed=1)})]
    others += [cells_of(study(replace(SSMD, temperature=0.5)))[0].key(),
               cells_of(study(replace(SSMD, nets={"main": "light"})))[0].key()]
    assert len({one, *others}) == 8


def test_arms_are_taken_in_turn_and_no_point_twice():
    cells = cells_of(study(ANCESTRAL, SSMD, Arm("again", grid(Ancestral, steps=[1, 4, 8]), {"main": "heavy"})))
    found = [(c.arm.name, getattr(c.sampler, "steps", None), c.also) for c in cells]
    assert found == [("ancestral", 1, ("again",)), ("ssmd", None, ()), ("ancestral", 4, ("again",)), ("again", 8, ())]


def test_record_of_other_code_is_looked_at_and_stands(tmp_path, monkeypatch):
    runner.run(study(ANCESTRAL), tmp_path)
    monkeypatch.setattr(provenance, "tree", lambda: "other")
    assert went(runner.run(study(ANCESTRAL), tmp_path), cached=2, proven=2)
    assert went(runner.run(study(ANCESTRAL), tmp_path), cached=2)


def test_missing_or_damaged_array_is_computed_again(tmp_path):
    runner.run(study(ANCESTRAL), tmp_path)
    first, second = sorted((tmp_path / "samples").iterdir())
    first.unlink()
    second.write_bytes(second.read_bytes()[:-1])
    assert went(runner.run(study(ANCESTRAL), tmp_path), done=2)
    for path in (tmp_path / "scores").iterdir():
        path.unlink()
    assert went(runner.run(study(ANCESTRAL), tmp_path), cached=2, scored=2)


@dataclass(frozen=True)
class Breaks:
    name: ClassVar[str] = "breaks"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("main",)

    def exact(self):
        return None

    def step(self, nets, rows):
        raise IndexError("no such place")


@dataclass(frozen=True)
class Stands(Breaks):
    name: ClassVar[str] = "stands"

    def step(self, nets, rows):
        return rows


def test_a_failing_sampler_is_a_failed_record_and_the_others_go_on(tmp_path):
    broken = Arm("broken", [Breaks()], {"main": "heavy"})
    assert went(runner.run(study(broken, ANCESTRAL), tmp_path), failed=1, done=2, scored=2)
    record = next(r for r in Store(tmp_path).of("counted") if r["status"] == "failed")
    assert record["reason"] == "IndexError: no such place" and "cost" not in record
    assert went(runner.run(study(broken, ANCESTRAL), tmp_path), failed=1, cached=2)    # what failed is tried again


def test_a_sampler_that_never_finishes_is_a_timeout_or_a_failure(tmp_path):
    standing = Arm("standing", [Stands()], {"main": "heavy"})
    assert went(runner.run(study(standing, limit_seconds=0.3), tmp_path / "a"), timeout=1)
    assert "0.3 s" in Store(tmp_path / "a").of("counted")[0]["reason"]
    assert went(runner.run(study(standing), tmp_path / "b"), failed=1)
    assert "without finishing" in Store(tmp_path / "b").of("counted")[0]["reason"]


def test_cells_that_lack_a_network_or_a_pass_are_skipped_and_said_once(tmp_path):
    plain = tmp_path / "plain.safetensors"
    torch.manual_seed(0)
    checkpoint.save(Transformer(TransformerConfig(vocab=3, width=16, heads=2, blocks=1)), plain, {})
    arms = [Arm("scheduled", [Scheduled(FirstHitting())], {"main": "heavy"}),
            Arm("speculative", [SelfSpeculative()], {"main": "plain"})]
    toy = study(*arms, nets=NETS | {"plain": Checkpoint(str(plain))})
    assert went(runner.run(toy, tmp_path / "run"), skipped=2)
    reasons = {r["arm"]: r["reason"] for r in Store(tmp_path / "run").of("counted")}
    assert reasons == {"scheduled": "scheduled needs a network 'light'",
                       "speculative": "ssmd needs a verify pass, which 'plain' does not have"}
    before = (tmp_path / "run" / "records.jsonl").read_bytes()
    assert went(runner.run(toy, tmp_path / "run"), skipped=2)
    assert (tmp_path / "run" / "records.jsonl").read_bytes() == before


@dataclass(frozen=True)
class Odd:
    """A metric that is wrong on purpose."""

    kind: str = "nan"
    name: ClassVar[str] = "odd"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "higher"
    unit: ClassVar[str] = "none"

    def score(self, samples, data):
        if self.kind == "raises":
            raise KeyError("lost")
        return Scores(float("nan")) if self.kind == "nan" else Scores(1.0, [1.0, float("inf")], [1.0, 1.0])


def test_a_metric_that_fails_is_a_failed_record_and_never_a_number(tmp_path):
    metrics = [Odd("nan"), Odd("raises"), Odd("row"), ExactNll()]
    assert went(runner.run(study(SSMD, metrics=metrics), tmp_path), done=1, scored=1, unscored=3)
    failed = [r for r in Store(tmp_path).of("scored") if r["status"] == "failed"]
    assert [r["value"] for r in failed] == [None] * 3 and "KeyError" in failed[1]["reason"]
    assert [r["label"] for r in failed] == ["odd(kind=nan)", "odd(kind=raises)", "odd(kind=row)"]


def test_a_new_metric_scores_old_samples_and_samples_nothing(tmp_path, monkeypatch):
    runner.run(study(ANCESTRAL), tmp_path)

    def never(*words, **more):
        raise AssertionError("sampled again")

    monkeypatch.setattr(count, "sample", never)
    monkeypatch.setattr(runner, "count", never)
    assert went(runner.run(study(ANCESTRAL, metrics=[ExactNll(), Distinct("chars")]), tmp_path), cached=2, scored=2)


def tiny_nets(folder) -> dict[str, Checkpoint]:
    torch.manual_seed(0)
    for name, net in (("heavy", Transformer(TransformerConfig(vocab=27, width=32, heads=2, blocks=3))),
                      ("hybrid", Hybrid(HybridConfig(vocab=27, width=32, heads=2, blocks=2, causal=1)))):
        checkpoint.save(net, folder / f"{name}.safetensors", {"name": name})
    return {name: Checkpoint(str(folder / f"{name}.safetensors")) for name in ("heavy", "hybrid")}


def test_cells_counted_side_by_side_equal_those_counted_in_turn(tmp_path):
    arms = [Arm("ancestral", grid(Ancestral, steps=[2, 5]), {"main": "heavy"}),
            Arm("ssmd", [SelfSpeculative(Fixed(4))], {"main": "hybrid"}),
            Arm("shuffled", [Shuffled()])]
    text = study(*arms, data=WikipediaLeads(length=24), nets=tiny_nets(tmp_path), metrics=[Spelling()], n=12)
    assert went(runner.run(text, tmp_path / "one"), done=4, scored=4)
    assert went(runner.run(text, tmp_path / "two", jobs=2), done=4, scored=4)
    one, two = (Store(tmp_path / name).latest("counted", "key") for name in ("one", "two"))
    assert {k: r["samples_sha256"] for k, r in one.items()} == {k: r["samples_sha256"] for k, r in two.items()}
    assert {k: r["cost"] for k, r in one.items()} == {k: r["cost"] for k, r in two.items()}
    values = [{r["score_key"]: r["value"] for r in Store(tmp_path / name).of("scored")} for name in ("one", "two")]
    assert values[0] == values[1]
    for room in ("samples", "costs", "scores"):
        here, there = ({p.name: p.read_bytes() for p in (tmp_path / name / room).iterdir()} for name in ("one", "two"))
        assert here == there and here


def test_timing_is_bare_checks_the_rows_and_is_done_once(tmp_path):
    text = study(Arm("ssmd", [SelfSpeculative(Fixed(4))], {"main": "hybrid"}), HELD, data=WikipediaLeads(length=24),
                 nets=tiny_nets(tmp_path), metrics=[],
                 n=12, timing=Timing(processes=2, rows=5, repeats=3))
    assert went(runner.run(text, tmp_path / "run"), done=2, timed=2)
    times = Store(tmp_path / "run").of("timed")
    assert [t["process"] for t in times] == [0, 1] and all(len(t["seconds"]) == 3 and min(t["seconds"]) > 0
                                                           for t in times)
    assert all(t["same_output"] and t["differing_rows"] == 0 and t["rows"] == 5 for t in times)
    assert all({"key", "process", "block", "batch", "machine"} <= set(t) for t in times)
    assert went(runner.run(text, tmp_path / "run"), cached=2)


def test_timing_sees_rows_that_differ_from_the_counted_ones(tmp_path):
    toy = study(SSMD, metrics=[], timing=Timing(processes=1, rows=8, repeats=1))
    runner.run(toy, tmp_path, timing=False)
    store, key = Store(tmp_path), cells_of(toy)[0].key()
    changed = store.get("samples", key)
    changed[2] = (changed[2] + 1) % 3
    store.put("samples", key, changed)
    store.append(store.of("counted")[-1] | {"samples_sha256": digest(changed)})    # as if they had been counted so
    assert went(runner.run(toy, tmp_path), cached=1, timed=1, differing=1)
    assert Store(tmp_path).of("timed")[0]["differing_rows"] == 1 and not Store(tmp_path).of("timed")[0]["same_output"]


def test_prompts_are_kept_and_cost_nothing(tmp_path):
    toy = study(SSMD, prompt=0.5)
    runner.run(toy, tmp_path)
    record = Store(tmp_path).of("counted")[0]
    given = DATA.rows("test", 32, 0)[:, :2].numpy()
    assert (Store(tmp_path).get("samples", record["key"])[:, :2] == given).all()
    assert record["cost"]["tokens"] == 32 * 2 and record["cell"]["prompt"] == {"share": 0.5, "split": "test"}


def test_prompts_at_random_places_are_as_many_in_each_row_and_another_key(tmp_path):
    toy = study(SSMD, prompt=0.5, scattered=True)
    runner.run(toy, tmp_path)
    record = Store(tmp_path).of("counted")[0]
    assert record["cell"]["prompt"] == {"share": 0.5, "split": "test", "places": "scattered"}
    assert record["cost"]["tokens"] == 32 * 2
    cell = cells_of(toy)[0]
    given, rows = cell.prompts() != toy.data.mask, toy.data.rows("test", toy.n, toy.seed)
    assert (given.sum(1) == toy.data.length // 2).all() and len({*map(tuple, given.tolist())}) > 2
    assert torch.equal(cell.prompts()[given], rows[given]) and torch.equal(cell.prompts(5, 9), cell.prompts()[5:9])
    assert cell.key() != cells_of(replace(toy, scattered=False))[0].key()
    with pytest.raises(ValueError, match="there is none: give prompt=0.1"):
        replace(toy, prompt=0.0)



def test_temperature_makes_text_more_likely(tmp_path):
    runner.run(study(*(Arm(f"t{t}", [FirstHitting()], {"main": "heavy"}, temperature=t) for t in (0.25, 1.0)), n=512,
                     batch=512), tmp_path)
    cold, warm = (r["value"] for r in Store(tmp_path).of("scored"))
    assert cold < warm - 0.1


def test_controls_have_the_right_symbols_and_only_one_has_the_sense():
    text = WikipediaLeads(length=32)
    held, shuffled = HeldOut().control(text, 64, 3), Shuffled().control(text, 64, 3)
    assert torch.equal(held, text.rows("test", 64, 3))
    assert torch.equal(torch.bincount(held.flatten()),
                       torch.bincount(shuffled.flatten())) and not torch.equal(held, shuffled)
    assert Spelling().score(held, text).value > Spelling().score(shuffled, text).value + 0.3


def test_control_arms_are_scored_and_never_timed(tmp_path):
    toy = study(SSMD, HELD, Arm("shuffled", [Shuffled()]), timing=Timing(processes=1, rows=4, repeats=1))
    assert went(runner.run(toy, tmp_path), done=3, scored=3, timed=1)
    store = Store(tmp_path)
    controls = {r["key"]: r for r in store.of("counted") if r["control"]}
    assert sorted(r["arm"] for r in controls.values()) == ["held_out", "shuffled"]
    assert all(r["cost"]["tokens"] == 0 and r["cell"]["nets"] == {} and not r["inert"] for r in controls.values())
    assert not controls.keys() & {r["key"] for r in store.of("timed")}


OWN = """
from dataclasses import dataclass, replace
from harness.data.exact import Exact
from harness.study import Arm, Study, Table

@dataclass(frozen=True)
class Own:
    name = "own"
    version = 1
    needs = ("main",)

    def step(self, nets, rows):    # all at once, always the same symbol
        return rows._replace(x=rows.x.clamp_max(SYMBOL))

DATA = Exact()
STUDY = Study(name="own", question="?", data=DATA, nets={"heavy": Table(DATA)},
              reference="heavy", metrics=[], n=4, batch=4,
              arms=[Arm("own", [Own()], {"main": "heavy"})])
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_sampler_of_the_study_file_is_refuted_when_that_file_changes(tmp_path, jobs):
    """In other processes too, which know no study file."""
    for symbol, expected in ((1, {"done": 1}), (2, {"done": 1, "refuted": 1})):
        (tmp_path / "own.py").write_text(OWN.replace("SYMBOL", str(symbol)))
        assert went(runner.run(load_study(str(tmp_path / "own.py")), tmp_path / "run", jobs=jobs), **expected)
        assert went(runner.run(load_study(str(tmp_path / "own.py")), tmp_path / "run", jobs=jobs), cached=1)
        key = Store(tmp_path / "run").of("counted")[-1]["key"]
        assert (Store(tmp_path / "run").get("samples", key) == symbol).all()


@pytest.mark.parametrize(("changes", "says"), [
    ({"reference": "none"}, "reference network 'none'"), ({"n": 0}, "at least 1"), ({"batch": 0}, "at least 1"),
    ({"prompt": 1.0}, "below 1"),
    ({"arms": [ANCESTRAL, ANCESTRAL]}, "two arms share a name"), ({"arms": [replace(ANCESTRAL, nets={"main": "huge"})]},
                                                                  "names a network 'huge'"),
])
def test_a_study_that_cannot_run_says_so_when_it_is_made(changes, says):
    with pytest.raises(ValueError, match=says):
        study(**{"arms": [ANCESTRAL]} | changes)


def test_network_of_another_alphabet_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="writes 3 symbols and wikipedia_leads has 27"):
        runner.run(study(ANCESTRAL, data=WikipediaLeads(length=16)), tmp_path / "run")
    with pytest.raises(ValueError, match="no device 'abacus'"):
        runner.run(study(ANCESTRAL), tmp_path / "run", device="abacus")
    assert not (tmp_path / "run").exists()


def test_a_field_is_set_on_the_samplers_that_have_it():
    toy = study(ANCESTRAL, SSMD, Arm("fixed", [FixedCount(Fixed(1))], {"main": "heavy"}))
    changed = each_sampler(toy, lambda s: set_field(s, "window.tokens", "3"))
    assert [c.sampler for c in cells_of(changed)] == [Ancestral(1), SelfSpeculative(Fixed(3)), FixedCount(Fixed(3)),
                                                      Ancestral(4)]
    with pytest.raises(ValueError, match="has no field 'nonsense'"):
        each_sampler(toy, lambda s: set_field(s, "nonsense", "3"))
    with pytest.raises(ValueError, match="choose 1..4096"):
        each_sampler(toy, lambda s: set_field(s, "steps", "0"))


def test_damaged_claims_are_refused_in_a_sentence(tmp_path):
    (tmp_path / "results" / "toy").mkdir(parents=True)
    (tmp_path / "results" / "toy" / "claims.json").write_text("[{")
    with pytest.raises(ValueError, match="not valid JSON"):
        claims.read(tmp_path / "results")


def test_clock_measures_seconds_memory_and_others():
    seconds, answer = timed(lambda: sum(range(200_000)))
    assert answer == sum(range(200_000)) and 0 < seconds < 5
    share = busy(seconds=0.05)
    assert share is None if not Path("/proc/stat").exists() else 0 <= share <= 1


PEAK = """
from harness.run.clock import peak, torch
small, _ = peak(lambda: None)
large, held = peak(lambda: torch.ones(2**24))
print(large - small, len(held))
"""


def test_peak_of_a_call_holds_what_it_was_given():
    # afresh: a heap that others freed is resident already
    done = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, cwd=ROOT)
    grown, length = map(float, done.stdout.split())
    assert 40 < grown < 100 and length == 2**24    # 64 MiB


def test_progress_says_each_cell_once_and_is_live_only_in_a_terminal(tmp_path):
    with open(tmp_path / "log", "w+") as log:
        progress = Progress(2, "count", log)
        progress.live("ssmd", 3, 10)
        progress.tick("ssmd", "done")
        log.seek(0)
        assert json.dumps(log.read()).startswith('"[count 1/2] done     ssmd  ') and progress.left(0.5).endswith(
            " left"
        )


def test_a_terminal_sees_a_bar():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    progress = Progress(2, "count", Terminal())
    progress.tick("ssmd", "done")
    progress.live("ancestral", 5, 10)
    said = progress.stream.getvalue()
    assert "###############..... [count 2/2] " in said and "5/10 rows" in said


def test_an_arm_whose_every_point_is_another_arms_is_refused_with_both_names(tmp_path):
    with pytest.raises(ValueError, match="every point of the arm mine has settings and networks of ancestral.*--only"):
        runner.run(study(ANCESTRAL, replace(ANCESTRAL, name="mine")), tmp_path)
    assert went(runner.run(study(replace(ANCESTRAL, name="mine")), tmp_path), done=2, scored=2)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_point_of_two_arms_is_one_cell_that_names_both(tmp_path, capfd, jobs):
    arms = ANCESTRAL, Arm("more", grid(Ancestral, steps=[4, 8]), {"main": "heavy"})
    assert went(runner.run(study(*arms), tmp_path, jobs=jobs), done=3, scored=3)
    # arms are taken in turn: "more" comes to it first
    assert "ancestral(steps=4, linear) of the arm more is also of ancestral" in capfd.readouterr().err
    assert {(r["arm"], tuple(r.get("also", ())))
            for r in Store(tmp_path).of("counted")} == {("ancestral", ()), ("more", ("ancestral",)), ("more", ())}
