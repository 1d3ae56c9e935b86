"""numbers.json against the files of the store alone: every number is recomputed here with code of its own, none of it
shared with reports/ or harness/.
"""

import json
from collections import defaultdict
from types import SimpleNamespace

import numpy as np
import pytest

from reports import style
from reports.build import build
from reports.costs import block_weights
from tests.test_report_toy import write, write_grid

COSTS = ("nfe_a", "nfe_b", "nfe_c")


class Files:
    """A run folder as its lines and arrays."""

    def __init__(self, folder):
        self.folder = folder
        lines = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
        self.counted = {r["key"]: r for r in lines if r["type"] == "counted"}
        self.scored = {(r["key"], r["label"]): r for r in lines if r["type"] == "scored"}
        self.timed = defaultdict(dict)
        for r in lines:
            if r["type"] == "timed":
                self.timed[r["key"]][r["process"]] = r

    def array(self, room, key):
        return np.load(self.folder / room / f"{key}.npy")

    def value(self, key, label):
        """Of a metric or a cost."""
        if label in COSTS:
            return self.array("costs", key)[:, COSTS.index(label)].mean()
        record = self.scored[key, label]
        if record["per"] == "set":
            return record["value"]
        top, bottom = self.array("scores", record["score_key"])
        return top.sum() / bottom.sum()

    def seconds(self, key):
        return {process: np.median(r["seconds"]) / r["rows"] for process, r in self.timed[key].items()}


@pytest.fixture(scope="module", params=[write, write_grid], ids=["made_up", "grid"])
def made(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("numbers")
    request.param(folder / "run", n=24)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style, "save", lambda figure, folder, name: '<svg viewBox="0 0 1 1"></svg>')
        build([folder / "run"], folder / "out", resamples=200)
    return (
        Files(folder / "run"),
        json.loads((folder / "out" / "numbers.json").read_text())["chapters"][0],
        request.param is write_grid,
    )


def close(value):
    return pytest.approx(value, rel=1e-9)


def test_every_figure_of_the_page_has_its_numbers(made):
    _, numbers, grid = made
    drawn = set(numbers["figures"])
    assert {"headline", "tradeoff", "further", "entropy", "acceptance", "stack", "times", "published"} <= drawn
    assert ({"heatmap", "placed"} <= drawn) == grid
    assert all(numbers["figures"].values())


def test_points_drawn_are_ratios_of_sums_and_means_over_rows(made):
    files, numbers, _ = made
    seen = set()
    for mark in (m for name in ("headline", "tradeoff", "further") for m in numbers["figures"][name]):
        x = (
            np.mean(list(files.seconds(mark["key"]).values()))
            if mark["cost"] == "seconds"
            else files.value(mark["key"], mark["cost"])
        )
        assert (mark["x"], mark["y"]) == close((x, files.value(mark["key"], mark["metric"])))
        seen.add((mark["key"], mark["metric"], mark["cost"]))
    done = [key for key, r in files.counted.items() if r["status"] == "done" and not r["control"]]
    assert {(key, label, "nfe_a") for key in done for label in ("spelling", "judge", "ngram_precision",
                                                                "ngram_recall")} <= seen


def test_entropy_drawn_beside_the_judge_is_that_of_the_records(made):
    files, numbers, _ = made
    for mark in numbers["figures"]["entropy"]:
        assert (mark["x"], mark["y"]) == close((files.value(mark["key"], mark["entropy"]),
                                                files.value(mark["key"], mark["metric"])))


def test_heat_map_cells_are_those_of_the_records(made):
    files, numbers, grid = made
    marks = numbers["figures"].get("heatmap", [])
    assert len(marks) == grid * (6 + 6) * 3    # two grids of 3 x 2; two metrics and the passes
    for mark in marks:
        sampler = files.counted[mark["key"]]["cell"]["sampler"]
        assert mark["value"] == close(files.value(mark["key"], mark["metric"]))
        told = {mark["x_name"]: mark["x"], mark["y_name"]: mark["y"]}
        if sampler["name"] == "ssmd":
            assert told == {"delta": f"{sampler['window']['delta']:g}", "rounds": str(sampler["rounds"])}
        else:
            assert told == {"steps": str(sampler["steps"]), "schedule": sampler["schedule"]["name"]}


def test_parts_of_the_cost_sum_to_nfe_a_and_are_split_where_the_records_tell(made):
    files, numbers, grid = made
    by_key = defaultdict(list)
    for bar in numbers["figures"]["stack"]:
        by_key[bar["key"]].append(bar)
    for key, bars in by_key.items():
        cost, names = files.counted[key]["cost"], files.counted[key]["cell"]["net_names"]
        assert sum(bar["blocks"] for bar in bars) == close(files.value(key, "nfe_a"))
        assert sum(bar["passes"] for bar in bars) == close(sum(cost["calls"].values()))
        assert (
            bars[0]["executed_a"] == cost["executed_a"]
            and bars[0]["executed_over_needed"] == cost["executed_over_needed"]
        )
        if grid:    # passes add up: hybrid 5/6 and 1/6, light 1/3 of the reference's blocks
            weights = {"heavy draft": 1, "light draft": 1 / 3, "hybrid draft": 5 / 6, "hybrid verify": 1 / 6}
            calls = {f"{names[call.split('.')[0]]} {call.split('.')[1]}": passes for call,
                     passes in cost["calls"].items()}
            assert {bar["part"]: (bar["passes"], bar["blocks"])
                    for bar in bars} == {p: (close(v), pytest.approx(v * weights[p], rel=1e-6)) for p,
                                         v in calls.items()}


def test_passes_whose_blocks_the_records_do_not_determine_stay_in_one_part():
    def cell(drafts, verifies, nfe_a):
        return SimpleNamespace(record={"cell": {"nets": {"main": "h"}},
                                       "cost": {"calls": {"main.draft": drafts, "main.verify": verifies},
                                                "nfe_a": nfe_a}})

    assert block_weights([cell(4, 8, 5.0)]) == block_weights([cell(4, 8, 5.0),
                                                              cell(8, 16, 10.0)]) == block_weights([]) == {}
    assert block_weights([cell(4, 8, 5.0), cell(8, 8, 8.0)]) == {("h", "draft"): pytest.approx(0.75),
                                                                 ("h", "verify"): pytest.approx(0.25)}


def test_time_ratios_are_geometric_means_over_processes_of_one_block(made):
    files, numbers, grid = made
    marks = numbers["figures"]["times"]
    done = [key for key, r in files.counted.items() if r["arm"] == "ancestral" and r["status"] == "done"]
    reference = min(done, key=lambda key: abs(np.log(files.value(key, "nfe_a") / 32)))
    base = files.seconds(reference)
    for mark in marks:
        mine = files.seconds(mark["key"])
        assert mark["seconds"] == close(mine[mark["process"]])
        assert mark["nfe_ratio"] == close(files.value(mark["key"], "nfe_a") / files.value(reference, "nfe_a"))
        assert mark["time_ratio"] == close(np.exp(np.mean([np.log(mine[p] / base[p]) for p in base])))
        assert (mark["time_ratio.low"] is not None) == grid    # five pairs there, three here
    assert len(marks) == sum(len(files.timed[key]) for key in files.timed)


def test_acceptance_and_the_width_of_the_window(made):
    files, numbers, _ = made
    for mark in numbers["figures"]["acceptance"]:
        record = files.counted[mark["key"]]
        tested, passed = (record["cost"][what][mark["by"]][mark["index"] - 1] for what in ("tested", "passed"))
        assert (mark["tested"], mark["passed"]) == (tested, passed) and mark["share"] == close(passed / tested)
        if mark["by"] == "progress":
            length, delta = record["cell"]["data"]["length"], record["cell"]["sampler"]["window"]["delta"]
            i = np.array([i for i in range(length) if i * 10 // length == mark["index"] - 1])
            tau = np.arccos(1 - i / length) / (np.pi / 2)
            ends = np.ceil(length * (1 - np.cos(np.pi / 2 * np.clip(tau + delta, None, 1))) - 1e-9)
            assert mark["window"] == close(np.clip(ends - i, 1, length - i).mean())


def test_placements_are_paired_differences_to_the_heavy_network_alone(made):
    files, numbers, grid = made
    if not grid:
        return
    marks = numbers["figures"]["placed"]
    heavy = next(key for key, r in files.counted.items() if r["cell"]["sampler"]
                 == {"name": "ancestral", "version": 1, "steps": 32, "schedule": {"name": "linear"}})
    assert {m["placement"]: m["predicted"] for m in marks if m["role"]
            == "placement"} == {"sandwich": 0.02, "middle": 0.05, "random 0": 0.03, "random 1": 0.04}
    assert {m["placement"] for m in marks if m["role"] == "control"} == {"ancestral steps=16 schedule=linear",
                                                                         "ancestral steps=64 schedule=linear"}
    for mark in marks:
        assert (
            mark["x"] == close(files.value(mark["key"], "judge") - files.value(heavy, "judge"))
            and mark["x_low"] <= mark["x"] <= mark["x_high"]
        )
        assert mark["saved"] == close(1 - files.value(mark["key"], "nfe_c") / files.value(heavy, "nfe_c"))
    assert [m["x"] for m in marks] == sorted(m["x"] for m in marks)


def test_ratios_are_costs_of_two_settings_on_the_rows_that_chose_nothing(made):
    files, numbers, _ = made
    rows = [m for m in numbers["matched"] if m["kind"] == "realised" and m["ratio"] is not None]
    assert rows
    for m in rows:
        base, mine = (files.array("costs", key)[1::2, COSTS.index(m["cost"])].mean()
                      for key in (m["goal_key"], m["key"]))
        assert (m["baseline_cost"], m["arm_cost"], m["ratio"]) == close((base, mine, base / mine))
        assert m["cheaper_cost"] <= files.array("costs", m["key"])[1::2, 0].mean() * (1 + 1e-9)
        values = [files.value(key, m["metric"]) for key, r in files.counted.items() if r["arm"] == m["baseline"]
                  and r["status"] == "done"]
        assert m["margin"] == close((max(values) - min(values)) / 10)


def test_published_numbers_are_marked_and_measured_ones_are_of_this_run(made):
    files, numbers, grid = made
    rows = numbers["published"]
    assert {row["marker"] for row in rows} == {"paper", "reported", "ours"}
    for row in rows:
        assert row["regime"] and row["source"] and row["unit"]
        if row["marker"] != "ours":
            assert not row["key"] and row["low"] is None and row["source"] != "this run"
        elif row["quantity"] in ("judge", "spelling", "sample_entropy"):
            assert (row["value"], row["nfe"]) == close((files.value(row["key"], row["quantity"]),
                                                        files.value(row["key"], "nfe_a")))
    known = {(row["method"], row["nfe"]): row["value"] for row in rows if row["quantity"] == "judge" and row["marker"]
             == "reported"}
    assert (
        known["masked diffusion", 32] == 5.50
        and known["SSMD 11+1", 256] == 5.02
        and ("masked diffusion", 256) not in known
    )
    if grid:
        ours = {row["quantity"]: row for row in rows if row["marker"] == "ours"
                and row["quantity"] in ("flops_saved", "perplexity_ratio")}
        placed = next(m for m in numbers["figures"]["placed"] if m["placement"] == "sandwich")
        assert ours["perplexity_ratio"]["value"] == close(np.exp(placed["x"])) and ours["flops_saved"][
            "value"
        ] == close(placed["saved"])


def test_points_of_numbers_json_are_all_cells(made):
    files, numbers, _ = made
    assert {p["key"]: p["status"] for p in numbers["points"]} == {key: r["status"] for key, r in files.counted.items()}
    for p in numbers["points"]:
        for label in ("spelling", "judge", "ngram_recall"):
            if p["status"] == "done":
                assert p[label] == close(files.value(p["key"], label))
