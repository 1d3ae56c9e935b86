"""Samplers as a model of lm-evaluation-harness (docs/lm_eval.md), on documents that are made up. Where the package is
not installed, a stub of its two classes stands in its place; what needs all of it is skipped.
"""

import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

import ssmd_bench as sb
from baselines.ancestral import Ancestral
from baselines.first_hitting import FirstHitting
from baselines.threshold import Threshold
from harness.data.text import ALPHABET
from harness.nets.iid import Iid
from harness.nets.own import Own
from ssmd_bench import lm_eval as adapter
from ssmd_bench.answers import Letters, Renumbered, cut
from tests.asking import REAL, Digits, Instance, asks, knowing, model  # noqa: F401

TEXTS = ("0123444", "1203400", "2103$$$")


def test_a_network_that_knows_the_answer_gets_it(model):    # noqa: F811
    lm = model(Threshold(0.9), knowing(*TEXTS), Digits())
    asked = [asks("210", 2, do_sample=False), asks("012", 0, do_sample=False), asks("120", 1)]
    assert lm.generate_until(asked) == ["3", "3444", "3400"]
    assert [line["temperature"] for line in lm.lines] == [0.0, 0.0, 1.0] and lm.rank == 0
    told = lm.loglikelihood([Instance((context, answer)) for context, answer in
                             (("012", "3444"), ("120", "3400"), ("012", "3440"))])
    assert [is_greedy for _, is_greedy in told] == [True, True, False]
    assert [round(nats, 9) for nats, _ in told[:2]] == [0.0, 0.0] and told[2][0] < -9
    assert [line["error"] for line in lm.lines[3:5]] == [0.0, 0.0]


def test_the_text_ends_at_the_first_of_eos_and_until_and_t_is_counted_to_there(model):    # noqa: F811
    lm = model(Threshold(0.9), knowing(*TEXTS), Digits())
    asked = [asks("012", until="44"), asks("012", until=["4", "34"]), asks("012", until=["9", ""]), asks("210"),
             asks("012", max_gen_toks=4, until=[])]
    assert lm.generate_until(asked) == ["3", "", "3444", "3", "3444"]
    assert [(line["tokens"], line["ended"]) for line in lm.lines] == [(3, "until"), (2, "until"), (4, "length"),
                                                                      (2, "eos"), (4, "length")]
    assert all(line["canvas"] == 4 and line["passes"] == line["drafts"] == sum(line["calls"].values()) == 1
               and line["tpf"] == line["tokens"] for line in lm.lines)
    told = lm.summary()["tasks"]["made_up"]
    assert told["tpf"] == 15 / 5 and told["tpf_canvas"] == 4 and told["tpf_low"] < 3 < told["tpf_high"]
    assert told["ended"] == {"until": 2, "length": 2, "eos": 1}


def test_a_stop_string_that_begins_within_a_token_ends_the_text_there():
    words = ["ab", "cd\n", "ef"]
    found = cut([0, 1, 2], lambda ids: "".join(words[i] for i in ids), ["\n", "d"], ())
    assert found == ("abc", 2, "until")


def test_passes_are_those_of_the_ledger(model):    # noqa: F811
    lm = model(FirstHitting(), knowing(*TEXTS), Digits(), temperature=1.0)
    lm.generate_until([asks("012", k) for k in range(5)])
    assert {line["passes"] for line in lm.lines} == {4} and lm.summary()["tasks"]["made_up"]["tpf"] == 1.0
    lm = model(sb.sampler("ssmd")(rounds=2), knowing(*TEXTS), Digits(), temperature=1.0)
    assert {*lm.generate_until([asks("", k, max_gen_toks=7) for k in range(4)])} <= {"0123444", "1203400", "2103"}
    for line in lm.lines:
        assert line["calls"]["main.draft"] == line["drafts"] and line["calls"]["main.verify"] > 0
        assert line["passes"] == line["drafts"] + line["calls"]["main.verify"]


def test_an_answer_does_not_depend_on_the_batch_or_its_place_and_repeats_differ(model):    # noqa: F811
    net = Iid(torch.tensor([0.2, 0.2, 0.2, 0.2, 0.2, 1e-9], dtype=torch.float64))
    asked = [asks("01" * (k % 3), k, max_gen_toks=12) for k in range(9)]
    alone = model(Ancestral(4), net, Digits(), batch=1).generate_until(asked)
    assert model(Ancestral(4), net, Digits(), batch=7).generate_until(asked[::-1]) == alone[::-1]
    assert len({*alone}) == 9
    same = model(Ancestral(4), net, Digits()).generate_until([asks("0", max_gen_toks=12)] * 3)
    assert len({*same}) == 3 and same[0] != model(Ancestral(4), net, Digits(),
                                                  seed=1).generate_until([asks("0", max_gen_toks=12)])[0]


def test_what_is_kept_is_not_computed_again_and_other_settings_are(model, tmp_path):    # noqa: F811
    place, net = tmp_path / "kept" / "answers.jsonl", knowing(*TEXTS)
    asked = [asks("012", 0), asks("120", 1), asks("210", 2)]
    choices = [Instance(("012", "3444"), 0), Instance(("012", "3440"), 1)]

    def run(net=net, tau=0.9, asked=asked, **more):
        before, lm = net.passes, model(Threshold(tau), net, Digits(), **{"cache": place, "draws": 8} | more)
        texts, told = lm.generate_until(asked), lm.loglikelihood(choices)
        return net.passes - before, texts, told, lm

    passes, texts, told, lm = run()
    assert passes > 0 and run()[:3] == (0, texts, told)
    assert run()[3].summary()["tasks"]["made_up"]["tpf"] == lm.summary()["tasks"]["made_up"]["tpf"]
    assert run()[3].summary()["tasks"]["made_up"]["from_cache"] == 3
    assert run(asked=[replace(one, arguments=(one.args[0], one.args[1] | {"until": ["34"]})) for one in asked])[:2] == (
        0, ["", "", "3"]), "where a text is cut is decided later"
    place.write_bytes(place.read_bytes() + b'{"key": "torn')
    assert run()[0] == 0
    for more in ({"tau": 0.8}, {"seed": 1}, {"net": knowing(*TEXTS, hash="other")},
                 {"temperature": 0.5}, {"asked": [asks("012", max_gen_toks=4), asks("0124", max_gen_toks=3)]}):
        assert run(**more)[0] > 0, more
    keys = [json.loads(line)["key"] for line in place.read_text().splitlines() if line.endswith("}")]
    assert len(keys) == len({*keys}) and run()[:3] == (0, texts, told)


def test_a_log_has_a_line_for_each_answer(model, tmp_path):    # noqa: F811
    lm = model(Threshold(0.9), knowing(*TEXTS), Digits(), log=tmp_path / "runs" / "log.jsonl", draws=4)
    lm.generate_until([asks("012", 5)])
    lm.loglikelihood([Instance(("012", "3444"), 1, doc_id=6)])
    lines = [json.loads(line) for line in (tmp_path / "runs" / "log.jsonl").read_text().splitlines()]
    assert lines == json.loads(json.dumps(lm.lines)) and [(one["type"], one["doc"]) for one in lines] == [
        ("text", 5), ("likelihood", 6)]
    assert lines[1]["tokens"] == 4 and lines[1]["draws"] == 4 and lines[1]["passes"] == 8


def test_a_long_prompt_loses_its_beginning_and_that_is_said(model, capsys):    # noqa: F811
    lm = model(Threshold(0.9), knowing(*TEXTS), Digits(), max_length=7)
    assert lm.generate_until([asks("44012", top_p=0.9)]) == ["3444"] and lm.lines[0]["left_out"] == 2
    assert lm.lines[0]["ignored"] == ["top_p"] and "no sampler here knows top_p" in capsys.readouterr().err


def test_what_cannot_be_is_one_sentence(model, tmp_path, monkeypatch):    # noqa: F811
    iid = Iid(torch.full((6,), 1 / 6, dtype=torch.float64))
    by_blocks = Own(lambda x, m: torch.zeros(*x.shape, 6), vocab=6, flops_per_token=1, identity="flat", form="mask4d",
                    block=2)
    lm = model(Ancestral(2), iid, Digits(), max_length=8)
    for call, says in (
            (lambda: lm.generate_until([asks("0", do_sample=False)]), "asks for greedy decoding, and ancestral draws"),
            (lambda: lm.generate_until([asks("0", max_gen_toks=9)]), "wants 9 tokens of an answer and a row has 8"),
            (lambda: lm.loglikelihood([Instance(("0", ""))]), "has no token for the answer ''"),
            (lambda: model(Ancestral(2), Iid(iid.logits[:3].exp()), Digits()).generate_until([asks("03")]),
             "gives the id 3, and the network has tokens 0 to 2"),
            (lambda: lm.apply_chat_template([]), "the tokenizer has no chat template"),
            (lambda: model(Ancestral(2), iid, Digits(), cache=tmp_path / "x"), "has no sha256, which a cache needs"),
            (lambda: model(Ancestral(2), by_blocks, Digits()), "give ancestral order=Blocks(2)"),
            (lambda: model(sb.sampler("ssmd")(), by_blocks, Digits()), "needs a verify pass"),
            (lambda: model(Ancestral(2), {"light": iid}, Digits()), "needs a network 'main'"),
            (lambda: model(Ancestral(2), iid, Digits(), log=tmp_path).generate_until([asks("0")]), "be written")):
        with pytest.raises(ValueError, match=says.replace("(", r"\(").replace(")", r"\)")):
            call()
    for name in ("lm_eval", "lm_eval.api", "lm_eval.api.model"):
        monkeypatch.setitem(sys.modules, name, None)
    adapter._sampled.cache_clear()
    with pytest.raises(ImportError, match=r"not installed: `pip install ssmd-bench\[lm_eval\]`"):
        adapter.Sampled(Ancestral(2), iid, Digits())


def test_a_network_that_ships_answers_in_its_letters(model):    # noqa: F811
    letters = Letters()
    assert letters.decode(letters.encode("What is 2 + 2?\n")) == "what is two two "
    assert letters.encode(" the")[0] == ALPHABET.index(" ") and letters.encode("") == [] and letters.encode("?") == []
    lm = model(Threshold(0.9), sb.shipped("heavy"), letters, max_length=64, draws=16, greedy=False)
    [text] = lm.generate_until([Instance(("the city is the capital of", {"max_gen_toks": 24, "until": ["zq"]}))])
    assert len(text) == 24 and {*text} <= {*ALPHABET} and 0 < lm.lines[0]["passes"] <= 24
    told = lm.loglikelihood([Instance(("the city is the ", word)) for word in ("capital", "qxzvjkq")])
    assert told[0][0] > told[1][0] + 5 and all(0 < line["error"] < 10 for line in lm.lines[1:])


class Words:
    """A tokenizer of a model, as transformers has it: ids 0..8, of which 0 is padding, 4 MASK and 8 the end."""

    eos_token_id, chat_template, name_or_path = 8, "one", "words"
    words = ("<pad>", "a", "b", "c", "<mask>", "d", "e", "f", "</s>")

    def encode(self, text, add_special_tokens=True):
        assert not add_special_tokens
        return [self.words.index(word) for word in text.split()]

    def decode(self, ids, skip_special_tokens=True):
        assert not skip_special_tokens
        return " ".join(self.words[i] for i in ids)

    def apply_chat_template(self, history, tokenize, add_generation_prompt, continue_final_message):
        assert not tokenize and add_generation_prompt is not continue_final_message
        return " ".join(turn["content"] for turn in history)


def test_a_model_with_ids_of_its_own_is_asked_in_them(model):    # noqa: F811
    def after(ids):    # each place takes the id behind that of the first one, and the last place ends the text
        logits = torch.zeros(*ids.shape, 9)
        logits.scatter_(-1, (ids[:, :1, None] + 1).expand(-1, ids.shape[1], 1), 50.0)
        logits[:, -1, 8] = 99.0
        return logits

    net = Own(after, vocab=7, mask=4, never=(0,), flops_per_token=1, identity="after")
    tokens = Renumbered(Words(), net)
    assert tokens.encode("a d </s>") == [0, 3, 6] and tokens.eos == (6,) and Renumbered(Words(), net, eos=()).eos == ()
    lm = model(Threshold(0.9), net, tokens)
    assert lm.generate_until([Instance(("d", {"max_gen_toks": 3, "until": []}))]) == ["e e"]
    assert lm.lines[0]["ended"] == "eos" and lm.lines[0]["tokens"] == 3
    assert lm.apply_chat_template([{"role": "user", "content": "a b"}]) == "a b" and lm.chat_template(True) == "one"
    assert lm.chat_template(False) is None and lm.tokenizer_name == "words"
    assert lm.get_model_info()["template_sha256"] and lm.get_model_info()["likelihood"] == "bound"
    with pytest.raises(ValueError, match="holds the id 0, which the network never draws: name it among `also`"):
        tokens.encode("<pad>")


@pytest.mark.skipif(not REAL, reason="lm_eval is not installed: pip install ssmd-bench[lm_eval]")
def test_the_package_itself_asks_and_scores(model, tmp_path):    # noqa: F811
    evaluator, task = pytest.importorskip("lm_eval.evaluator"), pytest.importorskip("lm_eval.api.task")
    datasets = pytest.importorskip("datasets")
    documents = [{"question": "012", "answer": "3444"}]
    common = {"custom_dataset": lambda **_: {"test": datasets.Dataset.from_list(documents)}, "test_split": "test",
              "doc_to_text": lambda document: document["question"], "target_delimiter": ""}
    written = task.ConfigurableTask(config={
        **common, "task": "written", "output_type": "generate_until", "metric_list": [{"metric": "exact_match"}],
        "doc_to_target": lambda document: document["answer"],
        "generation_kwargs": {"until": ["\n"], "max_gen_toks": 4, "do_sample": False}})
    chosen = task.ConfigurableTask(config={**common, "task": "chosen", "output_type": "multiple_choice",
                                           "doc_to_choice": ["3444", "4400"], "doc_to_target": 0})
    lm = model(Threshold(0.9), knowing(*TEXTS), Digits(), log=tmp_path / "log.jsonl", draws=4)
    found = evaluator.simple_evaluate(lm, tasks=[written, chosen], bootstrap_iters=0)
    assert found["results"]["written"]["exact_match,none"] == 1.0 and found["results"]["chosen"]["acc,none"] == 1.0
    assert found["config"]["likelihood"] == "bound" and lm.summary()["tasks"]["written"]["tpf"] == 4.0
    assert (tmp_path / "log.jsonl").read_text().count("\n") == 3


@pytest.mark.parametrize(("settings", "heat"), [
    ({}, 0.0), ({"do_sample": True}, 1.0), ({"temperature": 0.7}, 0.7), ({"temperature": 0.0, "do_sample": True}, 0.0),
    ({"temperature": 0.7, "do_sample": False}, 0.0), ({"temperature": 0.5, "do_sample": True}, 0.5)])
def test_a_task_says_how_it_is_decoded_unless_we_do(model, settings, heat):    # noqa: F811
    request = Instance(("012", {"max_gen_toks": 4} | settings))
    for given, expected in ((None, heat), (0, 0.0), (1.0, 1.0)):
        lm = model(Threshold(0.9), knowing(*TEXTS), Digits(), temperature=given)
        assert lm.generate_until([request]) == ["3444"] and lm.lines[0]["temperature"] == expected


def test_lines_of_requests_without_numbers_are_told_apart_by_their_text(model):    # noqa: F811
    net = Iid(torch.tensor([0.25, 0.25, 0.25, 0.25, 1e-9, 1e-9], dtype=torch.float64))
    bare = [SimpleNamespace(args=(text, {"max_gen_toks": 16, "do_sample": True})) for text in ("0", "1", "0")]
    texts = model(Ancestral(2), net, Digits()).generate_until(bare)
    assert len({*texts}) == 3
