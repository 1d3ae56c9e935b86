"""Training: a killed run that resumes is the unbroken run, the card tells the truth, and the losses are what they are
said to be.
"""

import json
import shutil
from dataclasses import replace

import torch
from pytest import approx, fixture, mark, raises
from safetensors import safe_open
from safetensors.torch import save_file

from harness.data.markov import Markov
from harness.nets import checkpoint
from harness.schedules.noise import Cosine, Linear, Polynomial
from harness.schedules.order import Blocks, Dilated, LeftToRight, Uniform
from ssmd.likelihood import masked_bound, tables
from ssmd.train.dry_run import dry_run
from ssmd.train.family import FAMILY, SHIPPED, begins_from, queue
from ssmd.train.loop import in_card, keep, resume, train, validate
from ssmd.train.loss import draft_loss, mask_counts, masked_batch, target_loss
from ssmd.train.settings import Training
from ssmd.train.updates import Updates, losses
from ssmd.variants import LONGEST


class Corpus(Markov):
    """A Markov source with a text to crop from."""

    def tokens(self, split):
        return self.rows(split, 400, 0).flatten()


SOURCE = Corpus(symbols=5, length=16)
SMALL = Training("hybrid", width=16, heads=2, blocks=2, batch=8, tokens=220 * 8 * 16, warmup=10)


@fixture(scope="module")
def unbroken(tmp_path_factory):
    return train(SMALL, SOURCE, tmp_path_factory.mktemp("whole"), "net", say=lambda text: None,
                 command="ssmd-bench train net")


@mark.parametrize("changes", [{}, {"network": "masked", "given": 0.3}, {"network": "judge"}, {"orders": 2, "depth": 4}],
                         ids=str)
@mark.parametrize("micro", [3, 4, 100])
def test_gradients_of_a_few_rows_at_a_time_are_those_of_the_whole_batch(changes, micro, monkeypatch):
    monkeypatch.setattr("ssmd.train.updates.autocast", lambda device: torch.autocast(device, enabled=False))
    found, shown = [], []
    for config in (replace(SMALL, **changes), replace(SMALL, **changes, micro=micro)):
        updates = Updates(config, SOURCE)
        updates.optimisers = []    # they would clear the gradients
        updates.model.register_forward_pre_hook(lambda module, words: shown.append(len(words[1])))
        for p in updates.net.parameters():
            p.data += 0.1 * torch.randn(p.shape, generator=torch.Generator().manual_seed(1))    # no part at zero
        told = updates.once()
        found.append(({k: float(v) for k, v in told.items()}, {k: p.grad for k, p in updates.net.named_parameters()}))
    assert shown == [8] + {3: [3, 3, 2], 4: [4, 4], 100: [8]}[micro]
    (told, whole), (again, parts) = found
    assert again == approx(told, rel=1e-5) and whole.keys() == parts.keys()
    for k, gradient in whole.items():
        assert gradient.norm() > 0
        torch.testing.assert_close(parts[k], gradient, rtol=1e-4, atol=1e-5 * float(gradient.norm()), msg=k)


def test_a_killed_run_resumes_to_the_same_weights(unbroken, tmp_path):
    class Killed(Exception):
        pass

    def die(text):
        if " 200/220 " in text:
            raise Killed

    with raises(Killed):
        train(SMALL, SOURCE, tmp_path, "net", say=die, save_seconds=0)
    said = []
    path = train(SMALL, SOURCE, tmp_path, "net", say=said.append)
    assert said[0].startswith("resumed at step 1")
    a, b = checkpoint.load(unbroken), checkpoint.load(path)
    assert a.sha256 == b.sha256
    times = {k: a.card[k] for k in ("command", "seconds", "processor_seconds")}    # alone may differ
    assert a.card == b.card | times
    assert not (tmp_path / "state.safetensors").exists()


def test_dropout_and_two_optimisers_resume_to_the_same_weights_too(tmp_path):
    small = Training("judge", width=16, heads=2, blocks=1, batch=4, tokens=110 * 4 * 16, warmup=10, dropout=0.3,
                     optimiser="muon")

    def die(text):
        raise InterruptedError

    whole = train(small, SOURCE, tmp_path / "whole", "net", say=lambda text: None)
    with raises(InterruptedError):
        train(small, SOURCE, tmp_path / "killed", "net", say=die, save_seconds=0)
    resumed = train(small, SOURCE, tmp_path / "killed", "net", say=lambda text: None)
    assert checkpoint.load(whole).sha256 == checkpoint.load(resumed).sha256


def test_a_finished_run_is_not_trained_again(unbroken):
    said = []
    assert train(SMALL, SOURCE, unbroken.parent, "net", say=said.append) == unbroken and "finished" in said[0]


def test_the_card_says_what_was_trained(unbroken):
    card = checkpoint.load(unbroken).card
    assert (
        card["steps"] == 220
        and card["tokens"] == 220 * 8 * 16
        and card["data"] == SOURCE.identity()
        and card["command"] == "ssmd-bench train net"
    )
    assert set(card["validation_nats_per_token"]) == {"draft", "target"}
    assert (
        card["training"]["schedule"] == "linear"
        and card["training"]["width"] == 16
        and card["split"] == "train"
        and card["length"] == 16
    )


def test_the_card_holds_the_losses_of_the_stored_numbers(unbroken):
    net = checkpoint.load(unbroken)
    with torch.no_grad():
        assert validate(net, SOURCE, Linear()) == approx(net.card["validation_nats_per_token"], abs=1e-5)


def test_a_stored_network_gives_the_logits_it_gave_before(unbroken, tmp_path):
    net = checkpoint.load(unbroken)
    checkpoint.save(net, tmp_path / "again.safetensors", net.card)
    again, x = checkpoint.load(tmp_path / "again.safetensors"), torch.where(torch.arange(16) % 3 == 0, net.mask,
                                                                            SOURCE.rows("test", 4, 0))
    order, at = torch.arange(16).expand(4, -1), torch.arange(16).expand(4, -1)
    (p, h), (p2, h2) = net.draft(x), again.draft(x)
    assert torch.equal(p, p2) and torch.equal(net.verify(h, x.clamp_max(4), order, at),
                                              again.verify(h2, x.clamp_max(4), order, at))
    assert again.sha256 == net.sha256 and again.card == net.card


@fixture(scope="module")
def killed(tmp_path_factory):
    """A folder as a kill leaves it."""
    def die(text):
        raise InterruptedError

    folder = tmp_path_factory.mktemp("killed")
    with raises(InterruptedError):
        train(SMALL, SOURCE, folder, "net", say=die, save_seconds=0)
    return folder


@fixture
def state(killed, tmp_path):
    """A state as a kill leaves it, in a folder of the test's own."""
    shutil.copytree(killed, tmp_path, dirs_exist_ok=True)
    return tmp_path / "state.safetensors"


def test_a_state_of_other_settings_or_data_is_refused_with_a_sentence(state, tmp_path):
    before = state.read_bytes()
    others = [(replace(SMALL, lr=1e-3), SOURCE), (replace(SMALL, schedule=Cosine()), SOURCE),
              (replace(SMALL, schedule=Polynomial(3.0)), SOURCE),
              (SMALL, Corpus(symbols=5, length=16, law_seed=1)), (replace(SMALL, batch=4),
                                                                  Corpus(symbols=5, length=32))]
    for config, data in others:
        with raises(ValueError, match="other settings.*give another --out, or delete it"):
            train(config, data, tmp_path, "net", say=lambda text: None)
    assert state.read_bytes() == before


def test_a_damaged_state_is_refused_with_a_sentence(state, tmp_path):
    whole = state.read_bytes()
    for damaged in (b"torn", b"", whole[:-100], whole[:50]):
        state.write_bytes(damaged)
        with raises(ValueError, match="is damaged .*: delete it"):
            train(SMALL, SOURCE, tmp_path, "net", say=lambda text: None)
        assert state.read_bytes() == damaged


@mark.parametrize("about", [{"step": "x"}, {"step": "-1"}, {"training": "[" * 100_000}, {"training": "[]"},
                            {"training": '{"seed": NaN}'}, {"tensors": ""}])
def test_a_state_whose_header_or_tensors_are_of_another_make_is_refused_with_a_sentence(state, tmp_path, about):
    with safe_open(state, "pt") as file:
        old, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}
    save_file({name: tensor.reshape(-1)[:1].contiguous() if "tensors" in about else tensor for name,
               tensor in tensors.items()}, state, metadata=old | about)
    with raises(ValueError, match="delete it"):
        train(SMALL, SOURCE, tmp_path, "net", say=lambda text: None)


def test_a_state_without_all_of_its_tensors_is_refused_with_a_sentence(tmp_path):
    updates = Updates(SMALL, SOURCE)
    updates.average.shadow = {}
    keep(tmp_path, {"data": SOURCE.identity(), "length": 16, "split": "train", "extra": []}, updates)
    with raises(ValueError, match="not whole: delete it"):
        train(SMALL, SOURCE, tmp_path, "net", say=lambda text: None)


def test_a_state_whose_numbers_no_training_could_have_written_is_refused_with_a_sentence(tmp_path):
    updates, source, state = Updates(SMALL, SOURCE), {"data": SOURCE.identity(), "length": 16, "split": "train",
                                                      "extra": []}, tmp_path / "state.safetensors"
    updates.once()
    keep(tmp_path, source, updates)
    resume(tmp_path, source, updates)
    with safe_open(state, "pt") as file:
        about, whole = file.metadata(), {k: file.get_tensor(k) for k in file.keys()}
    moment, buffer = next(k for k in whole if k.endswith("exp_avg")), next(k for k in whole
                                                                           if k.endswith("momentum_buffer"))
    tensors = [whole | {moment: torch.zeros(())}, whole | {buffer: whole[buffer][:1]},
               whole | {"net.embed.weight": whole["net.embed.weight"].bfloat16()},
               whole | {"average.embed.weight": torch.full_like(whole["average.embed.weight"], torch.nan)},
               {k: v for k, v in whole.items() if k != moment},
               {k: v for k, v in whole.items() if not k.startswith("optimiser.")},
               whole | {"optimiser.9.0.step": torch.zeros(())}, whole | {"optimiser.x": torch.zeros(())}]
    headers = [about | {"step": text} for text in ("x", "-1", "1e400", "999999", "1.5",
                                                   "")] + [about | {"training": text}
                                                           for text in ("[]", "null", "{", "[" * 100_000)]
    for content, header in [*((content, about) for content in tensors), *((whole, header) for header in headers)]:
        save_file(content, state, metadata=header)
        before = state.read_bytes()
        with raises(ValueError, match="delete it to start this run again"):
            resume(tmp_path, source, updates)
        assert state.read_bytes() == before


def test_a_training_from_one_network_is_not_taken_for_one_from_another(tmp_path):
    def quiet(text):
        pass

    def die(text):
        raise InterruptedError

    one, other = (train(replace(SMALL, seed=seed), SOURCE, tmp_path / str(seed), "net", say=quiet) for seed in (1, 2))
    out = tmp_path / "second"
    with raises(InterruptedError):
        train(SMALL, SOURCE, out, "net", say=die, save_seconds=0, init=one)
    for _ in ("unfinished", "finished"):
        for init in (other, None):
            with raises(ValueError, match="from another --init: give another --out"):
                train(SMALL, SOURCE, out, "net", say=quiet, init=init)
        final = train(SMALL, SOURCE, out, "net", say=quiet, init=one)
    assert json.loads((out / "net.json").read_text())["init"] == checkpoint.load(one).sha256
    one.unlink()
    assert train(SMALL, SOURCE, out, "net", say=quiet, init=one) == final    # its beginning may be gone by then


def test_what_was_finished_by_other_settings_is_not_given_back_for_these(unbroken):
    for config, data in ((replace(SMALL, lr=1e-3), SOURCE), (replace(SMALL, schedule=Cosine()), SOURCE),
                         (SMALL, Corpus(symbols=5, length=16, law_seed=1))):
        with raises(ValueError, match="trained by other settings, on other data.*give another --out"):
            train(config, data, unbroken.parent, "net", say=lambda text: None)


def test_a_budget_below_one_update_and_weights_that_do_not_fit_are_refused(unbroken, tmp_path):
    with raises(ValueError, match="less than one update of 8 rows x 16"):
        train(replace(SMALL, tokens=100), SOURCE, tmp_path / "a", "net")
    with raises(ValueError, match="do not fit a network of these settings"):
        train(replace(SMALL, width=32), SOURCE, tmp_path / "b", "net", init=unbroken)
    assert not list(tmp_path.iterdir())


def test_rows_beyond_the_positions_that_are_learned_are_refused_before_training_and_by_a_dry_run(tmp_path):
    learned, rows = replace(SMALL, positions="learned"), replace(SOURCE, length=LONGEST + 1)
    with raises(ValueError, match="rows of 1025 tokens are longer than the 1024"):
        train(learned, rows, tmp_path, "net")
    with raises(ValueError, match="choose shorter rows, or --set positions=split"):
        dry_run(learned, rows, "train")
    assert not list(tmp_path.iterdir())


def test_a_frozen_draft_is_that_of_its_checkpoint_bit_for_bit_and_only_the_target_learns(tmp_path):
    say = lambda text: None    # noqa: E731
    masked = train(replace(SMALL, network="masked", tokens=20 * 8 * 16), SOURCE, tmp_path / "masked", "net", say=say)
    frozen = replace(SMALL, blocks=3, frozen=True)
    net = checkpoint.load(train(frozen, SOURCE, tmp_path / "frozen", "net", say=say, init=masked))
    before, after = checkpoint.load(masked).state_dict(), net.state_dict()
    assert all(torch.equal(after[k], v) for k, v in before.items())
    losses_of = net.card["validation_nats_per_token"]
    assert losses_of["target"] < losses_of["draft"] - 0.005 and losses_of["draft"] == approx(
        checkpoint.load(masked).card["validation_nats_per_token"]["draft"], abs=1e-4
    )
    with raises(ValueError, match="name one with --init"):
        train(frozen, SOURCE, tmp_path / "alone", "net", say=say)
    with raises(ValueError, match="nothing to train"):
        replace(SMALL, network="masked", frozen=True)
    with raises(ValueError, match="blind=True is of a block on another network"):
        train(replace(frozen, blind=True), SOURCE, tmp_path / "blind", "net", say=say, init=masked)
    with raises(ValueError, match="do not fit"):
        train(replace(frozen, width=32), SOURCE, tmp_path / "wider", "net", say=say, init=masked)
    with raises(ValueError, match="do not fit a frozen draft of 4 blocks: they have 2, and blocks that are added"):
        train(replace(frozen, blocks=5), SOURCE, tmp_path / "deeper", "net", say=say, init=masked)


@mark.parametrize(("changes", "says"), [
    ({"blocks": 0}, "choose 1..1024"), ({"causal": 2}, "leaves no block for the draft"),
    ({"betas": (0.9,)}, "choose two numbers"), ({"width": 0}, "choose 2"),
    ({"clip": 0.0}, "choose 1e-06"), ({"warmup": -1}, "choose 0"), ({"optimiser": "sgd"}, "choose muon"),
    ({"lr": 2.0}, "choose 1e-06..1"), ({"network": "masked", "orders": 2}, "orders=2 is of the target term"),
    ({"network": "judge", "depth": 4}, "depth=4 is of the target term"), ({"given": 1.0}, "choose 0"),
    ({"network": "judge", "given": 0.1}, "given > 0 is of masked tokens"),
])
def test_settings_that_cannot_be_trained_are_refused_when_they_are_made(changes, says):
    with raises(ValueError, match=says):
        replace(SMALL, **changes)


@mark.parametrize("schedule", [Linear(), Cosine(), Polynomial(2.0)], ids=str)
def test_weights_make_every_law_of_i_an_estimate_of_the_same_bound(schedule):
    """E over the drawn i of its weight times f(i) must be the mean of L/(L-i) f(i) over all i, for any f."""
    L, n = 16, 4096
    i, w = mask_counts(schedule, torch.arange(n), L, seed=0, step=0)
    f = torch.sin(torch.arange(L) * 0.7) + 2
    exact = (L / (L - torch.arange(L)) * f).mean()
    assert abs((w * f[i]).mean() - exact) < 0.03 * exact


@mark.parametrize("schedule", [Linear(), Cosine(), Polynomial(2.0)], ids=str)
def test_what_is_given_is_never_masked_and_the_bound_is_of_the_rest(schedule):
    """The mean over i = given..L-1 of what a masked token loses there, for any f, when L tokens are divided by."""
    L, n, given = 16, 4096, 5
    i, w = mask_counts(schedule, torch.arange(n), L, seed=0, step=0, given=given)
    f = torch.sin(torch.arange(L) * 0.7) + 2
    exact = (L / (L - torch.arange(L)) * f)[given:].mean()
    assert (i.min(), i.max()) == (given, L - 1) and abs((w * f[i]).mean() - exact) < 0.03 * exact


def test_every_law_of_i_has_the_same_expected_draft_loss(unbroken):
    """By enumeration: over a fine grid of t for P(i), over all i for the losses of one network."""
    net, L, n = checkpoint.load(unbroken), 16, 1 << 16
    x, rows = SOURCE.rows("test", 4, 0), torch.arange(4)
    each = torch.empty(L)
    for k in range(L):
        masked, _, hidden = masked_batch(x, torch.full((4,), k), rows, 0, net.mask)
        each[k] = draft_loss(net.draft(masked)[0], x, hidden, torch.ones(4))
    found = []
    for schedule in (Linear(), Cosine(), Polynomial(2.0), Polynomial(0.5)):
        i, w = mask_counts(schedule, torch.arange(n), L, seed=0, step=0)
        assert len(i.unique()) == L
        found.append(float((w.double() * each[i]).mean()))
    assert found == approx([found[0]] * 4, rel=2e-3)


@mark.parametrize("law", [LeftToRight(), Blocks(4), Dilated()])
def test_what_is_not_masked_is_the_beginning_of_an_order_that_the_settings_name(law):
    x, rows = SOURCE.rows("test", 64, 0), torch.arange(64)
    i, _ = mask_counts(Linear(), rows, 16, 0, 0)
    masked, order, hidden = masked_batch(x, i, rows, 0, SOURCE.mask, law=law)
    u = torch.rand(64, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    if law == LeftToRight():
        assert torch.equal(hidden, torch.arange(16) >= i[:, None])
    if law == Blocks(4):
        assert torch.equal((order // 4), torch.arange(16).expand(64, -1) // 4) and len({*map(str, order.tolist())}) > 50
    if law == Dilated():
        assert len({*map(str, order.tolist())}) == 16 == len({*map(str, law.times(u).argsort(1).tolist())})
    assert torch.equal(hidden.sum(1), 16 - i) and torch.equal(masked[~hidden], x[~hidden])
    known = torch.zeros_like(hidden)
    known[:, 5] = True
    assert not masked_batch(x, i.clamp_min(1), rows, 0, SOURCE.mask, known, law)[2][:, 5].any()


def test_an_order_is_in_the_card_and_another_one_is_other_settings(tmp_path):
    size = dict(width=16, heads=2, blocks=2, tokens=1000, batch=8, warmup=1)
    ordered = Training("masked", order=LeftToRight(), **size)
    final = train(ordered, SOURCE, tmp_path, "net", say=lambda text: None, judged=8)
    card = json.loads((tmp_path / "net.json").read_text())
    assert card["training"]["order"] == {"name": "left_to_right"}
    assert train(ordered, SOURCE, tmp_path, "net", say=lambda text: None, judged=8) == final
    for other in (Training("masked", **size), Training("masked", order=Blocks(4), **size)):
        with raises(ValueError, match="other settings"):
            train(other, SOURCE, tmp_path, "net", say=lambda text: None, judged=8)
    assert in_card(Training("masked", **size))["order"] == {"name": "uniform"}
    for wrong in (dict(network="judge"), dict(network="hybrid", orders=2), dict(network="masked", given=0.5)):
        with raises(ValueError, match="an order of writing"):
            Training(order=LeftToRight(), **size | wrong)


def test_the_law_of_orders_reaches_the_loss():
    net = Training("masked", width=16, heads=2, blocks=2).build(SOURCE.vocab).requires_grad_(False)
    x, rows = SOURCE.rows("test", 32, 0), torch.arange(32)
    by_law = [float(losses(net, x, rows, Linear(), 0, 0, law=law)["draft"]) for law in (Uniform(), LeftToRight())]
    assert by_law[0] != by_law[1]


def test_both_losses_equal_a_slow_reference_token_by_token(unbroken):
    net, L, seed, step = checkpoint.load(unbroken), 16, 3, 5
    x, rows = SOURCE.rows("test", 3, 0), torch.arange(40, 43)
    with torch.no_grad():
        fast = losses(net, x, rows, Linear(), seed, step)
    i, weight = mask_counts(Linear(), rows, L, seed, step)
    draft, target = 0.0, 0.0
    for b in range(3):
        order = masked_batch(x, i, rows, seed, net.mask)[1][b].tolist()
        known = set(order[: int(i[b])])
        text = torch.tensor([int(x[b, k]) if k in known else net.mask for k in range(L)])[None]
        logits, hidden = net.draft(text)
        for r in range(int(i[b]), L):
            truth = int(x[b, order[r]])
            draft -= float(weight[b] * logits[0, order[r]].log_softmax(-1)[truth]) / (3 * L)
            later = x[b].clone()
            later[order[r:]] = (later[order[r:]] + 1) % 5    # what the target of rank r must not see
            q = net.verify(hidden, later[None], torch.tensor([order]), torch.tensor([[r]]))[0, 0]
            target -= float(weight[b] * q.log_softmax(-1)[truth]) / (3 * L)
    assert float(fast["draft"]) == approx(draft, rel=1e-4) and float(fast["target"]) == approx(target, rel=1e-4)


def test_the_draft_term_averaged_over_i_is_the_enumerated_bound(unbroken):
    net, L = checkpoint.load(unbroken), 16
    x = SOURCE.rows("test", 3, 0)
    order = torch.stack([torch.randperm(L, generator=torch.Generator().manual_seed(k)) for k in range(3)])
    bound, total = masked_bound(tables(net, x, order)[0]), torch.zeros(3)
    for i in range(L):
        hidden = order.argsort(1) >= i
        logits, _ = net.draft(torch.where(hidden, net.mask, x))
        each = torch.stack([draft_loss(logits[[b]], x[[b]], hidden[[b]], torch.tensor([L / (L - i)])) * L
                            for b in range(3)])
        total += each / L
    assert torch.allclose(-bound.float(), total, atol=1e-4)


@mark.parametrize("depth", [0, 4, 100])
def test_the_target_term_equals_a_slow_sum(depth):
    g = torch.Generator().manual_seed(0)
    x, logits = torch.randint(0, 5, (2, 16), generator=g), torch.randn(2, 16, 5, generator=g)
    order, i, w = torch.stack([torch.randperm(16, generator=g)
                               for _ in range(2)]), torch.tensor([3, 9]), torch.tensor([1.5, 2.0])
    slow = 0.0
    for b in range(2):
        tested = list(range(int(i[b]), 16))[: depth or None]
        slow += sum(-w[b] * logits[b, r].log_softmax(-1)[x[b, order[b, r]]]
                    for r in tested) * (16 - int(i[b])) / len(tested) / 32
    assert torch.allclose(target_loss(logits, x, order, i, w, depth), slow, atol=1e-5)


@mark.parametrize("power", [0.0, 2.0])
def test_another_power_of_the_weight_leaves_the_size_of_the_target_term(power):
    """Of a loss of one nat a token: the mean over every i is what it is with the weight of the bound; a row's share
    follows (L / (L - i)) to that power.
    """
    L = 16
    x, order, i = torch.zeros(L, L, dtype=torch.int64), torch.arange(L).expand(L, L), torch.arange(L)
    logits = torch.log(torch.tensor([1 / torch.e, 1 - 1 / torch.e])).expand(L, L, 2)
    row = [float(target_loss(logits[[k]], x[[k]], order[[k]], i[[k]], L / (L - i[[k]]), power=power)) for k in range(L)]
    assert sum(row) / L == approx(1.0, abs=1e-5)
    assert row[12] / row[0] == approx((L / (L - 12)) ** power * (L - 12) / L, rel=1e-5)


def test_a_member_that_goes_on_begins_from_the_member_of_its_own_run_or_from_the_one_that_ships(tmp_path):
    assert (
        begins_from("hybrid_frozen_long", tmp_path) == SHIPPED / "hybrid_frozen.safetensors"
        and begins_from("heavy", tmp_path) is None
    )
    with raises(ValueError, match="train hybrid_frozen first"):
        begins_from("hybrid_frozen_long", tmp_path, dict(FAMILY))
    own = tmp_path / "hybrid_frozen" / "hybrid_frozen.safetensors"
    own.parent.mkdir()
    own.touch()
    assert begins_from("hybrid_frozen_long", tmp_path) == begins_from("hybrid_frozen_long", tmp_path,
                                                                      dict(FAMILY)) == own


def test_a_frozen_hybrid_waits_for_the_trunk_of_its_own_run(tmp_path):
    script = tmp_path / "member.py"
    script.write_text("import sys, time, pathlib\nname, done = sys.argv[1], "
                      "pathlib.Path(__file__).with_name('heavy.done')\n"
                      "sys.exit(0 if done.exists() else 1) if name == 'hybrid_frozen' else time.sleep(1.5)\n"
                      "done.touch() if name == 'heavy' else None\n")
    assert queue({name: FAMILY[name] for name in ("hybrid_frozen", "light", "heavy")}, lambda name: [str(script), name],
                 jobs=3, logs=tmp_path) == 0
