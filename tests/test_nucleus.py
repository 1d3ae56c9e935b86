"""Nucleus sampling: the cut against a plain reference, its law in draft and verify, rows that do not depend on their
batch, and its place in studies and reports.
"""

from dataclasses import replace
from itertools import accumulate

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from baselines.ancestral import Ancestral
from baselines.first_hitting import FirstHitting
from harness.data.exact import Exact
from harness.data.zipf import Zipf
from harness.metrics.exact_nll import ExactNll
from harness.metrics.law import null_quantile, total_variation
from harness.nets.iid import Known
from harness.nets.nucleus import Nucleus, cut
from harness.nets.wrap import Temper, Wrapper
from harness.records import provenance
from harness.records.store import Store
from harness.run import runner
from harness.run.cell import cells_of
from harness.run.recorded_cell import cell_of
from harness.sampling.loop import sample
from harness.schedules.window import Cosine, Open
from harness.study import Arm, Study, Table
from reports import grids, history
from reports.frame import chapters
from reports.page import provenance as of_the_page
from reports.records import read
from ssmd.sampler import SelfSpeculative
from tests.conformance.test_invariance import nets, prompts
from tests.conformance.toys import (
    DATA,
    MASK,
    D,
    distance,
    drawn,
    grouped_law,
    hybrid,
    ordered_law,
    ssmd_law,
    subset_table,
    table_nets,
)

RULES = ("crossing", "below")


def nucleus_of(law: list[float], p: float, keep: str) -> set[int]:
    """The reference: one token after the other, the likeliest first."""
    kept, mass = set(), 0.0
    for v in sorted(range(len(law)), key=lambda v: (-law[v], v)):
        if kept and (mass >= p if keep == "crossing" else mass + law[v] > p):
            break
        kept.add(v)
        mass += law[v]
    return kept


@settings(deadline=None, max_examples=200)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=7).filter(any), st.floats(0.01, 0.99), st.sampled_from(RULES),
       st.sampled_from([torch.float32, torch.float64]))
def test_the_nucleus_is_that_of_a_plain_reference(weights, p, keep, dtype):
    law = [w / sum(weights) for w in weights]
    assume(all(abs(mass - p) > 1e-5 for mass in accumulate(sorted(law, reverse=True))))  # where no rounding decides
    logits, kept = torch.tensor(law, dtype=torch.float64).log().to(dtype), nucleus_of(law, p, keep)
    found = cut(logits[None, None], p, keep)[0, 0]
    assert found.dtype == dtype and all(found[v] == (logits[v] if v in kept else float("-inf"))
                                        for v in range(len(law)))


def test_the_token_that_crosses_is_kept_by_one_rule_and_dropped_by_the_other_and_one_always_stays():
    logits = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64).log()
    left = {(p, keep): torch.isfinite(cut(logits, p, keep)).tolist() for p in (0.1, 0.6, 0.9) for keep in RULES}
    assert left == {(0.1, "crossing"): [False, True, False], (0.1, "below"): [False, True, False],
                    (0.6, "crossing"): [False, True, True],
                    (0.6, "below"): [False, True, False], (0.9, "crossing"): [True, True, True],
                    (0.9, "below"): [False, True, True]}
    assert torch.isfinite(cut(torch.zeros(4), 0.5, "crossing")).tolist() == [True, True, False, False], (
        "equal tokens are kept from the lowest id on"
    )


def test_sums_are_float64():
    """Half of 50,257 equal tokens, to the token; and a tail that float32 cannot tell from nothing."""
    kept = torch.isfinite(cut(torch.zeros(50_257), 0.5, "crossing"))
    assert int(kept.sum()) == 25_129 and bool(kept[:25_129].all())
    tail = torch.tensor([1 - 3e-9, 1e-9, 1e-9, 1e-9], dtype=torch.float64).log()
    assert torch.isfinite(cut(tail, 1 - 1.5e-9, "crossing")).tolist() == [True, True, True, False]


@pytest.mark.parametrize("keep", RULES)
def test_a_mass_of_one_is_the_network_itself_bit_for_bit(keep):
    plain = {"main": hybrid(0)}
    cut_at_one = {"main": Nucleus(plain["main"], 1.0, keep)}
    x = torch.tensor([[MASK, 1, MASK, 0]])
    logits, _ = plain["main"].draft(x)
    assert torch.equal(cut_at_one["main"].draft(x)[0], logits)
    for sampler in (FirstHitting(), SelfSpeculative(Open(), 2)):
        assert torch.equal(drawn(sampler, cut_at_one, 256), drawn(sampler, plain, 256))


@pytest.mark.parametrize("keep", RULES)
def test_one_token_follows_the_enumerated_law(keep):
    data, n = Zipf(symbols=12, length=1), 20_000
    law = data.law()
    kept = torch.tensor([v in nucleus_of(law.tolist(), 0.7, keep) for v in range(12)])
    expected = torch.where(kept, law, 0.0) / law[kept].sum()
    x = sample(Ancestral(1), {"main": Nucleus(Known(data).load("cpu"), 0.7, keep)}, torch.full((n, 1), data.mask), 0,
               4096)
    counts = torch.bincount(x[:, 0], minlength=12)
    assert (
        total_variation(counts, expected) < null_quantile(expected, n, draws=250)
        and bool((counts[~kept] == 0).all())
        and total_variation(counts, law) > 0.2
    )


@pytest.mark.parametrize("keep", RULES)
def test_several_tokens_follow_the_law_of_cut_conditionals(keep):
    cut_net = Nucleus(table_nets()["main"], 0.8, keep)
    table = subset_table(cut_net)
    law = ordered_law(lambda i: table, [1] * D)
    tv, quantile = distance(FirstHitting(), {"main": cut_net}, law)
    assert tv < quantile and total_variation(DATA.law(), law) > 2 * quantile


def test_draft_and_verify_are_cut_alike():
    """The self-speculative sampler has the law of its two passes, both cut by the reference; one draft pass for all
    places shows the cut of the drafts.
    """

    class Reference(Wrapper):
        def draft(self, x, at=None, alive=None, clock=None):
            logits, hidden = super().draft(x, at, alive, clock)
            return plainly(logits), hidden

        def verify(self, *words):
            return plainly(super().verify(*words))

    def plainly(logits):
        laws = logits.flatten(0, 1).softmax(-1).tolist()
        kept = torch.tensor([[v in nucleus_of(law, 0.7, "crossing") for v in range(len(law))] for law in laws])
        return torch.where(kept.view(logits.shape), logits, float("-inf"))

    net, reference = Nucleus(hybrid(0), 0.7), Reference(hybrid(0))
    law = ssmd_law(reference, Open(), 2)
    tv, quantile = distance(SelfSpeculative(Open(), 2), {"main": net}, law)
    assert law.sum() == pytest.approx(1) and tv < quantile
    once = grouped_law([subset_table(reference)], [list(range(D))])
    tv, quantile = distance(Ancestral(1), {"main": net}, once)
    assert tv < quantile and 0.5 * (once - grouped_law([subset_table(hybrid(0))],
                                                       [list(range(D))])).abs().sum() > 3 * quantile


@pytest.mark.parametrize("sampler", [Ancestral(8), SelfSpeculative(Cosine(0.1), 2)], ids=str)
def test_rows_are_the_same_in_batches_of_1_7_and_64(sampler):
    around = {role: Nucleus(Temper(net, 0.8), 0.9) for role, net in nets().items()}
    runs = [sample(sampler, around, prompts(n), 3, batch) for batch, n in ((1, 6), (7, 21), (64, 64))]
    assert all(torch.equal(x, runs[2][: len(x)]) for x in runs)
    assert not torch.equal(runs[2], sample(sampler, nets(), prompts(64), 3, 64))


ARM = Arm("cut", [FirstHitting()], {"main": "heavy"}, nucleus=0.6)


def study(*arms: Arm, **changes) -> Study:
    return Study(**{"name": "toy", "question": "?", "data": Exact(), "nets": {"heavy": Table(Exact())}, "arms": arms,
                    "reference": "heavy", "metrics": [ExactNll()],
                    "n": 256, "batch": 64} | changes)


def test_an_arm_without_a_nucleus_is_described_as_before_and_one_with_it_has_a_key_of_its_own():
    plain, keys = cells_of(study(replace(ARM, nucleus=1.0)))[0], set()
    assert not {"nucleus", "nucleus_keep"} & set(plain.describe())
    assert plain.key() == cells_of(study(replace(ARM, nucleus=1.0,
                                                 nucleus_keep="below")))[0].key() == "ba1941ac028aab0a731819e4"
    for arm in (ARM, replace(ARM, nucleus=0.7), replace(ARM, nucleus_keep="below"), replace(ARM, nucleus=1.0)):
        keys.add(cells_of(study(arm))[0].key())
    cell = cells_of(study(ARM))[0]
    assert len(keys) == 4 and (cell.describe()["nucleus"], cell.describe()["nucleus_keep"]) == (0.6, "crossing")


def test_an_arm_is_cut_after_its_temperature():
    found = cells_of(study(replace(ARM, temperature=0.5, nucleus_keep="below")))[0].wrapped_networks()["main"]
    assert (found.p, found.keep, found.net.temperature) == (0.6, "below", 0.5)
    (whole, *_) = cells_of(study(replace(ARM, nucleus=1.0)))
    assert isinstance(whole.wrapped_networks()["main"], type(Table(Exact()).load("cpu")))


@pytest.mark.parametrize("changes, says", [
    ({"nucleus": 0.0}, "the arm cut: nucleus=0.0 must be above 0 and at most 1"),
    ({"nucleus": 1.5}, "nucleus=1.5 must be"), ({"nucleus": float("nan")}, "nucleus=nan must be"),
    ({"nucleus_keep": "all"}, "nucleus_keep='all' is not allowed; choose crossing | below"),
])
def test_a_nucleus_that_cannot_be_is_refused(changes, says):
    with pytest.raises(ValueError, match=says.replace("|", r"\|")):
        study(replace(ARM, **changes))
    values = {"nucleus": 0.5, "nucleus_keep": "below"} | changes
    with pytest.raises(ValueError, match="nucleus"):
        Nucleus(hybrid(0), values["nucleus"], values["nucleus_keep"])


def test_records_of_a_cut_arm_are_cut_and_looked_at_as_cut(tmp_path, monkeypatch):
    both = study(ARM, replace(ARM, name="whole", nucleus=1.0))
    runner.run(both, tmp_path)
    store = Store(tmp_path)
    cut_nll, whole_nll = (next(s["value"] for s in store.of("scored") if s["key"] == cell.key())
                          for cell in cells_of(both))
    assert cut_nll < whole_nll - 0.1
    for record in store.of("counted"):
        cell = cell_of(record, both)
        assert cell.key() == record["key"] and cell.arm.nucleus == (0.6 if record["arm"] == "cut" else 1.0)
    changed = study(replace(ARM, nucleus=0.9, nucleus_keep="below"), replace(ARM, name="whole", nucleus=1.0))
    assert cell_of(store.of("counted")[0], changed).arm.nucleus == 0.6, ("what the record says, whatever its arm says "
                                                                         "now")
    monkeypatch.setattr(provenance, "tree", lambda: "other")
    assert runner.run(both, tmp_path)["proven"] == 2
    monkeypatch.setattr(provenance, "tree", lambda: "of another cut")
    monkeypatch.setattr("harness.run.cell.Nucleus", lambda net, p, keep: net)
    answer = runner.run(both, tmp_path)
    assert (answer["proven"], answer["refuted"], answer["done"]) == (1, 1, 1)


def test_a_report_tells_arms_of_one_name_apart_by_their_nucleus(tmp_path):
    arms = ARM, replace(ARM, nucleus=1.0), replace(ARM, nucleus_keep="below")
    for k, arm in enumerate(arms):
        runner.run(study(replace(arm, name="hitting"), n=16), tmp_path / str(k), timing=False)
    records = read([tmp_path / str(k) for k in range(3)])
    [chapter] = chapters(records)
    assert {chapter.cells[key].store.folder.name: setting for key,
            setting in zip(chapter.frame.key, chapter.frame.setting)} == {
"0": "nucleus=0.6 nucleus keep=crossing", "1": "nucleus=1 nucleus keep=crossing", "2": "nucleus=0.6 nucleus keep=below"}
    assert sorted(zip(chapter.frame.nucleus,
                      chapter.frame.nucleus_keep)) == [(0.6, "below"), (0.6, "crossing"), (1.0, "crossing")]
    assert of_the_page(chapter, records)["facts"]["nucleus"] == "0.6 (crossing), none, 0.6 (below)"
    assert len({grids._kind(cell.record["cell"])
                for cell in chapter.cells.values()}) == 3, "no grid of settings mixes them"
    assert {"temperature", "nucleus", "nucleus_keep"} < set(history.SAME)
