"""The importance study on an enumerable pair: curves against exact expectations, ranking against the curve, and
measured records made once.
"""

import json
from dataclasses import replace
from itertools import product

import pytest
import torch

import studies.importance.claims as found_of
import studies.importance.study as study_of
from harness import __main__ as command_line
from harness.data.exact import Exact
from harness.metrics.exact_nll import ExactNll
from harness.records import measured, provenance
from harness.records.measured import cached_table, column, newest
from harness.records.store import Store
from harness.run import runner
from harness.schedules.placement import Middle, Sandwich
from harness.study import Table
from reports.build import build
from studies.analysis.additive_bound import centres, predicted_loss

DATA = Exact()
NETS = {"heavy": Table(DATA), "light": Table(DATA, power=0.5)}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    study, folder = replace(study_of.STUDY, data=DATA, nets=NETS, metrics=[ExactNll()], n=3000,
                            batch=1000), tmp_path_factory.mktemp("run")
    runner.run(study, folder, timing=False)
    return study, folder, {r["name"]: r for r in study_of.measure(study, Store(folder))}


def exact_curve(heavy, light, alpha: float) -> tuple[float, float]:
    """kl and gap on data rows, each place masked with probability 1 - alpha, by enumeration."""
    states, law, kl, gap, masked = DATA.states(), DATA.law(), 0.0, 0.0, 0.0
    for hidden in product((False, True), repeat=4):
        hide = torch.tensor(hidden)
        chance = (1 - alpha) ** int(hide.sum()) * alpha ** int((~hide).sum())
        # (81, masked, 3)
        p, q = (net.draft(torch.where(hide, DATA.mask, states))[0].log_softmax(-1)[:, hide] for net in (heavy, light))
        true = states[:, hide, None]
        kl += chance * float((law[:, None] * (p.exp() * (p - q)).sum(-1)).sum())
        gap += chance * float((law[:, None] * (p - q).gather(-1, true)[..., 0]).sum())
        masked += chance * int(hide.sum())
    return kl / masked, gap / masked


def test_curves_on_data_equal_the_enumeration(run):
    heavy, light = (NETS[name].load("cpu") for name in ("heavy", "light"))
    record = run[2]["kl and gap, held-out text"]
    wrong = 0
    for k in (0, 4, 8, 12):
        alpha = centres(16)[k].item()
        for quantity, exact, swapped in zip(("kl", "gap"), exact_curve(heavy, light, alpha),
                                            exact_curve(light, heavy, alpha)):
            value, low, high = (column(record, end, quantity=quantity)[k] for end in ("value", "low", "high"))
            assert abs(value - exact) < high - low, f"{quantity} at {alpha}: within about four standard errors"
            wrong += abs(value - swapped) > high - low
    assert wrong >= 4, "and away from those of the two networks exchanged"


def test_ranking_follows_the_curve_on_own_states(run):
    own, ranked = run[2]["kl and gap, own states"], run[2]["placements"]
    losses = dict(zip(column(ranked, "placement"), column(ranked, "loss")))
    kl = torch.tensor(column(own, "value", quantity="kl"), dtype=torch.float64)
    assert (
        abs(losses["sandwich"] - predicted_loss(kl, Sandwich(0.25))) < 1e-12
        and abs(losses["middle"] - predicted_loss(kl, Middle(0.25))) < 1e-12
    )
    assert list(losses.values()) == sorted(losses.values()) and len(losses) == 5 + 3 + 24
    assert column(ranked, "beyond_sandwich", placement="sandwich") == [0.0]
    assert abs(sum(losses[name] for name in ("segments 0 2", "segments 1 3"))
               + sum(losses[name] for name in ("segments 4 6", "segments 5 7")) - float(kl.mean())) < 1e-12


def test_a_second_measurement_computes_nothing(run, monkeypatch):
    study, folder, first = run
    monkeypatch.setattr(found_of, "gaps", lambda *a: pytest.fail("computed again"))
    assert {r["name"]: r for r in study_of.measure(study, Store(folder))} == first
    assert len(Store(folder).of("measured")) == 3


def test_claims_are_made_of_the_records(run):
    rows = {r["claim"]: r for r in study_of.claims(Store(run[1]), "a command")}
    own = run[2]["kl and gap, own states"]
    assert (
        rows["importance.kl_first"]["value"] == column(own, "value", quantity="kl")[0]
        and rows["importance.kl_last"]["n"] == 3000
    )
    middle = rows["importance.middle_minus_sandwich"]
    assert middle["low"] <= middle["value"] <= middle["high"]


def test_the_report_draws_measured_records(run, tmp_path):
    build([run[1]], tmp_path)
    figures = json.loads((tmp_path / "numbers.json").read_text())["chapters"][0]["figures"]
    assert len(figures["importance"]) == 4 * 16 and len(figures["placements"]) == 32
    assert (tmp_path / "figures" / "importance.pdf").is_file()


def test_a_measured_record_is_made_anew_for_other_samples_or_settings_and_for_no_other_code(tmp_path, monkeypatch):
    store, made = Store(tmp_path), []

    def ask(sha="s", name="curve", **settings):
        return cached_table(store, "x", name, ("a",), lambda: made.append(1) or [[len(made)]],
                    [{"key": "k", "samples_sha256": sha}], **settings)

    assert ask() == ask() and len(made) == 1 and ask()["made"] == provenance.made()
    assert [ask(sha="t")["rows"], ask(size=2)["rows"], ask(name="other")["rows"]] == [[[2]], [[3]], [[4]]]
    monkeypatch.setattr(provenance, "tree", lambda: "another")
    assert ask()["rows"] == [[1]]
    monkeypatch.setattr(measured, "_again", True)    # as --measure-again asks
    assert ask()["rows"] == [[5]] and ask()["made"]["tree"] == "another" and newest(store, "curve")["rows"] == [[6]]
    with pytest.raises(AssertionError, match="1 columns a row"):
        cached_table(store, "x", "other", ("a",), lambda: [[1, 2]], [])


def test_the_command_line_measures_after_scoring_and_once(tmp_path, capsys):
    file = tmp_path / "small.py"
    file.write_text("from harness.data.exact import Exact\nfrom harness.data.control import HeldOut\nfrom "
                    "harness.records.measured import cached_table\n"
                    "from harness.metrics.exact_nll import ExactNll\n"
                    "from harness.records.points import done, scores\nfrom harness.study import Arm, Study, Table\n"
                    "STUDY = Study(name='small', question='?', data=Exact(), nets={'heavy': Table(Exact())}, "
                    "arms=[Arm('held_out', [HeldOut()])], reference='heavy',\n"
                    "              metrics=[ExactNll()], n=16, batch=16)\n"
                    "def measure(study, store):\n    cell = done(store, 'held_out')[0]\n"
                    "    return [cached_table(store, study.name, 'nll', ('value',), lambda: "
                    "[[scores(store, cell['key'], 'exact_nll').value]], [cell])]\n")
    for _ in range(2):
        assert command_line.main(["run", str(file), "--out", str(tmp_path / "run")]) == 0
        assert json.loads(capsys.readouterr().out.splitlines()[-1])["measured"] == 1
    (record,) = Store(tmp_path / "run").of("measured")
    assert record["columns"] == ["value"] and record["rows"][0][0] > 0
