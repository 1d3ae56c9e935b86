"""The study of serving, small and on a clock that counts rounds: who is served when, what a request gets, claims."""

from dataclasses import replace

import pytest
import torch

from baselines.first_hitting import FirstHitting
from harness.data.exact import Exact
from harness.metrics.distinct import Distinct
from harness.nets.tabular import Tabular
from harness.records.store import Store
from harness.run import runner
from harness.sampling.loop import sample
from harness.schedules.order import LeftToRight
from harness.schedules.window import Linear
from harness.study import Arm, Table
from ssmd.sampler import SelfSpeculative
from studies.serving import claims as found
from studies.serving import study as serving
from studies.serving.served import arrivals, serve

DATA = Exact()
NET = Tabular(DATA.law(), DATA.vocab, DATA.length)
ONE_A_ROUND = FirstHitting(1, LeftToRight())


class Rounds:
    """Each look takes half a second, so that a round takes one."""

    def __init__(self):
        self.seconds = -0.5

    def now(self) -> float:
        self.seconds += 0.5
        return self.seconds

    def wait(self, until: float) -> None:
        self.seconds = max(self.seconds, until - 0.5)


def masks(n: int) -> torch.Tensor:
    return torch.full((n, DATA.length), DATA.mask)


def test_arrivals_are_a_function_of_the_seed_with_the_rate_asked_for():
    some = arrivals(4000, 2.0)
    assert torch.equal(some[:10], arrivals(10, 2.0)) and not torch.equal(some[:10], arrivals(10, 2.0, seed=1))
    assert bool((some.diff() > 0).all()) and 4000 / some[-1].item() == pytest.approx(2, rel=0.05)
    assert torch.allclose(arrivals(10, 4.0), some[:10] / 2)


def test_requests_enter_in_the_order_of_their_arrival_when_a_place_is_free():
    came = torch.tensor([0.0, 0.0, 0.0, 100.0])
    one = serve(ONE_A_ROUND, NET, masks(4), came, places=2, block=1, clock=Rounds())
    assert one.most == 2 and one.admitted[0] == one.admitted[1] == 0
    assert one.finished[0] == one.finished[1] < one.admitted[2] == one.finished[0] + 0.5 and one.admitted[3] == 100
    assert bool((one.first <= one.finished).all()) and bool((one.admitted >= came).all())


def test_the_first_block_stands_before_the_row():
    one = serve(ONE_A_ROUND, NET, masks(3), torch.zeros(3), places=3, block=2, clock=Rounds())
    assert one.first.tolist() == [1.5] * 3 and one.finished.tolist() == [3.5] * 3    # four rounds of a second


@pytest.mark.parametrize("sampler", [ONE_A_ROUND, SelfSpeculative(Linear(0.3), 3)], ids=lambda s: s.name)
def test_what_a_request_gets_does_not_hang_on_when_it_came(sampler):
    whole = sample(sampler, {"main": NET}, masks(40), 0, 40)
    for places, rate in ((1, 0.1), (3, 0.7), (8, 5.0)):
        one = serve(sampler, NET, masks(40), arrivals(40, rate), places, 2, clock=Rounds())
        assert torch.equal(one.x, whole) and one.most <= places
        assert not bool(torch.stack((one.admitted, one.first, one.finished)).isnan().any())


def test_given_tokens_come_back_and_a_request_without_a_mask_is_refused():
    prompts = masks(6)
    prompts[:, 2] = 1
    assert bool((serve(ONE_A_ROUND, NET, prompts, torch.zeros(6), 2, 1).x[:, 2] == 1).all())
    with pytest.raises(ValueError, match="nothing to be written"):
        serve(ONE_A_ROUND, NET, torch.ones(1, 4, dtype=torch.int64), torch.zeros(1), 1, 1)


def test_a_small_study_has_its_table_and_claims(tmp_path, monkeypatch):
    monkeypatch.setattr(found, "shipped", lambda name: NET)
    monkeypatch.setattr(found, "LENGTH", DATA.length)
    monkeypatch.setattr(found, "REQUESTS", {1: 2, 3: 6})
    monkeypatch.setattr(found, "BLOCK", 2)
    monkeypatch.setattr(found, "busy", lambda: 0.25)
    monkeypatch.setattr(found, "_rows", lambda: [row for k in range(found.PROCESSES) for row in
                                                 ([0, k, "busy", found.busy()], *found.in_process(k))])
    study = replace(serving.STUDY, data=DATA, nets={"heavy": Table(DATA)}, metrics=[Distinct("chars")], n=4, batch=4)
    study = replace(study, arms=[Arm("ancestral", study.arms[0].points, {"main": "heavy"})])
    runner.run(study, tmp_path, timing=False)
    [record] = serving.measure(study, Store(tmp_path))
    rows = {row["claim"]: row for row in serving.claims(Store(tmp_path), "a command")}
    assert rows.keys() == {"serving.rows_alike"} | {
        f"serving.{name}.b{places}{part}" for places in (1, 3)
        for name, part in (("tokens_per_second", ""), *((name, f".p{p}") for name in found.TIMES.values()
                                                        for p in found.PERCENTILES))}
    assert rows["serving.rows_alike"]["value"] == 1 and all(row["keys"] == [record["key"]] for row in rows.values())
    for places in (1, 3):
        first, end = (rows[f"serving.{name}.b{places}.p50"]["value"] for name in found.TIMES.values())
        assert 0 < first <= end and "25% of the machine" in rows[f"serving.tokens_per_second.b{places}"]["note"]
    assert serving.measure(study, Store(tmp_path)) == [record]


def test_nothing_timed_makes_no_claim(tmp_path, capsys):
    (tmp_path / "records.jsonl").touch()
    assert serving.claims(Store(tmp_path), "a command") == [] and "no claim" in capsys.readouterr().out
