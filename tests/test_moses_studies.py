"""What studies of molecules say of their records: the share that verification gives back, and the published table."""

import numpy as np
import pytest

from harness.records.places import KEPT
from harness.records.store import Store
from harness.spec import ROOT
from harness.stats.intervals import Interval
from studies.moses_competence import claims as competence
from studies.moses_competence.claims import Level, slope
from studies.moses_ends_given import claims as ends
from studies.moses_left import claims as left
from studies.moses_left import queue
from studies.moses_left.claims import slope_of_ratios
from studies.moses_left.study import NETS
from studies.moses_left_headline import claims as headline
from studies.moses_left_headline.published import COLUMNS, PUBLISHED
from studies.moses_left_headline.table import BEGIN, END, lines, placed


def of(best: float, plain: float, verified: float, noise: float = 0.0) -> Level:
    sampler = {"name": "ancestral", "steps": 16}
    records = {name: {"key": name, "cell": {"sampler": sampler}, "cost": {"nfe_a": 14.3}} for name in "abc"}
    valid = np.tile([best, plain, verified], (201, 1)) + noise * np.random.default_rng(0).normal(size=(201, 3))
    return Level(records, valid, 100)


def test_what_is_recovered_is_a_share_of_what_was_lost():
    one = of(0.30, 0.10, 0.20)
    assert one.interval("recovered").value == pytest.approx(0.5) and one.interval("gain").value == pytest.approx(0.1)
    assert "0.200 valid in 14.3 passes" in one.note()


def test_a_share_of_a_loss_that_is_not_shown_is_none():
    assert of(0.03, 0.02, 0.03, noise=0.01).interval("recovered") is None


def test_the_slope_is_that_of_the_quantity_and_holds_the_noise_of_the_rows():
    steady = [of(x, x / 2, 0.75 * x) for x in (0.1, 0.2, 0.4)]
    assert slope(steady, "recovered")[:3] == pytest.approx((0, 0, 0), abs=1e-12)
    assert slope(steady, "gain").value == pytest.approx(0.25)
    found = slope([of(x, 0.0, x * x, noise=0.01) for x in (0.1, 0.2, 0.4)], "recovered")    # the share is x itself
    assert found.low < 1 < found.high and found.n == 300


def test_the_slope_of_ratios_is_least_squares_and_its_interval_runs_over_their_ends():
    sure = [Interval(y, y, y, 10) for y in (1.0, 2.0, 4.0)]    # y = 1 + 5 x at .0 and .2 and .6
    assert slope_of_ratios([0.0, 0.2, 0.6], sure)[:3] == pytest.approx((5.0, 5.0, 5.0))
    wide = [Interval(1.0, 1.0, 1.0, 10), Interval(2.0, 2.0, 2.0, 10), Interval(3.0, 2.0, 5.0, 10)]
    assert slope_of_ratios([0.0, 0.5, 1.0], wide)[:3] == pytest.approx((2.0, 1.0, 4.0))


@pytest.mark.parametrize("module, said", [
    (competence, "competence.any_order.slope: no claim, of low, middle only none ran"),
    (left, "competence.slope: no claim, of 3M, 15M, 65M only none ran"),
    (headline, "headline.best.nfe_ratio.moses: no claim, first_hitting at one token a pass")])
def test_an_empty_store_gives_no_claim_and_says_why(tmp_path, capsys, module, said):
    assert module.claims(Store(tmp_path), "a command") == [] and said in capsys.readouterr().out


def test_a_difference_of_two_runs_needs_both(tmp_path, capsys):
    """Without the run of the other network the claims of the own one stay."""
    store = Store(ROOT / "studies" / "moses_ends_given" / KEPT)
    names = [row["claim"] for row in ends.claims(store, "a command", tmp_path / KEPT)]
    assert names == ["moses.ends.given.validity", "moses.ends.given.fcd"]
    assert "moses.ends.given_minus_written: no claim; run" in capsys.readouterr().out
    both = {row["claim"]: row for row in ends.claims(store, "a command")}
    sides = [both["moses.ends.given.validity"]["value"], 43 / 1024]    # of the other run: .042 of 1,024 rows
    assert both["moses.ends.given_minus_written"]["value"] == pytest.approx(sides[0] - sides[1])


def test_the_published_table_has_our_rows_beside_it_marked():
    rows = [{"claim": "moses.table.one.valid", "value": 0.2071}, {"claim": "moses.table.ssmd.fcd_test",
                                                                           "value": 12.0}]
    assert {len(values) for values in PUBLISHED.values()} == {len(COLUMNS)}
    table = lines(rows)
    assert len(table) == 2 + len(PUBLISHED) + 4 and {line.count("|") for line in table} == {len(COLUMNS) + 2}
    assert any(line.startswith("| CharRNN (code) | 0.9748 | 1 | 0.0732 |") for line in table)
    assert "| ours, one character a pass | 0.207 | - |" in "\n".join(table)
    page = placed(f"above\n{BEGIN}stale\n{END}below\n", rows)
    assert page.startswith(f"above\n{BEGIN}| network |") and page.endswith(f"{END}below\n") and "stale" not in page
    with pytest.raises(ValueError, match="add both"):
        placed("a page", rows)


def test_the_queue_trains_each_network_after_the_one_that_it_begins_from(capsys):
    assert queue.main(["--dry-run"]) == 0
    commands, made = capsys.readouterr().out.splitlines(), set[str]()
    for words in map(str.split, commands):
        given = dict(zip(words[3:], words[4:]))
        assert "--init" not in given or given["--init"] in made
        made.add(f"{given['--out']}/{words[2]}/{words[2]}.safetensors")
    assert {net.path for net in NETS.values()} <= made and len(made) == len(commands)
    with pytest.raises(SystemExit, match="2"):
        queue.main(["best"])
    assert "there is no level best: give some of 3M, 15M, 65M" in capsys.readouterr().err


def test_the_queue_ends_with_the_training_that_fails(monkeypatch, capsys):
    monkeypatch.setattr(queue.subprocess, "run", lambda words, check: queue.subprocess.CompletedProcess(words, 2))
    assert queue.main(["3M"]) == 2 and len(capsys.readouterr().out.splitlines()) == 1
