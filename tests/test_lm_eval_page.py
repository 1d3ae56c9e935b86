"""docs/lm_eval.md: its first file runs as it stands where lm_eval is installed; its second runs on stand-ins of LLaDA
and Dream, with requests that are made up in the place of tasks.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.spec import ROOT
from tests.asking import REAL, Instance, model  # noqa: F401
from tests.pages import blocks, call, commands, lines
from tests.remote_models import BEGIN, MASK, PAD, standing_in
from tests.test_guards import library  # noqa: F401    # a fixture

PAGE = (ROOT / "docs/lm_eval.md").read_text(encoding="utf-8")
FILES = blocks(PAGE)
OURS, *THEIRS = commands(PAGE, "python")    # the others need weights, a GPU and the data of tasks


def test_every_command_is_run_or_said_not_to_be():
    assert OURS == ["python", "ours.py"] and [words[:2] for words in THEIRS] == [["python", "theirs.py"]] * 2
    assert len(lines(PAGE)) == 3 and PAGE.count("```python") == len(FILES) == 2
    assert "which no test runs" in PAGE and "Nothing was run here on the weights of LLaDA or Dream" in PAGE


@pytest.mark.skipif(not REAL, reason="lm_eval is not installed: pip install ssmd-bench[lm_eval]")
def test_our_network_answers_as_the_page_says(tmp_path):
    (tmp_path / "ours.py").write_text(FILES["ours.py"])
    first, again = (call(OURS, tmp_path).out for _ in range(2))
    assert "'acc,none': 1.0" in first and "'tpf':" in first and "'mean_error_nats':" in first
    assert first.replace("'from_cache': 0", "'from_cache': 2") == again
    log = [json.loads(line) for line in (tmp_path / "runs/lm_eval.jsonl").read_text().splitlines()]
    assert [line["cached"] for line in log] == [False] * 6 + [True] * 6


def spoken(folder: Path) -> None:
    """The tokenizer of a stand-in: 36 words, the beginning, the padding and MASK."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = {f"w{k}": k for k in range(BEGIN)} | {"<s>": BEGIN, "<pad>": PAD, "<mask>": MASK}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="w0"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(folder / "tokenizer.json"))
    about = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "pad_token": "<pad>",
             "mask_token": "<mask>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(about))


@pytest.mark.parametrize("kind", ["llada", "Dream"])
def test_their_networks_answer_on_stand_ins(kind, library, model, tmp_path, monkeypatch, capsys):    # noqa: F811
    from transformers import dynamic_module_utils

    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    standing_in(tmp_path / "it", kind)
    spoken(tmp_path / "it")

    def asks(lm, tasks):
        settings = {"max_gen_toks": 12, "until": ["w3 w3 w3"], "do_sample": False}
        told = lm.generate_until([Instance((text, settings), doc_id=k) for k, text in enumerate(("w1 w2", "w5", ""))])
        judged = lm.loglikelihood([Instance(("w1 w2", " w7 w9 w9"), k, tasks[0]) for k in range(2)])
        assert all(word.startswith("w") for text in told for word in text.split()) and judged[0] == judged[1]
        return {"results": {tasks[0]: judged[0][0]}}

    asked = SimpleNamespace(simple_evaluate=asks)
    script = FILES["theirs.py"].replace("import lm_eval\n", "").replace("code=True", "code=True, needs=''")
    script = script.replace("dtype=\"bfloat16\"", "dtype=\"float32\"")
    ends = script.index("ENDS = ")
    script = script[:ends] + f"ENDS = {{{kind!r}: (35,)}}" + script[script.index("\n", ends):]
    monkeypatch.setattr(sys, "argv", ["theirs.py", kind, "it", "cpu", "gsm8k"])
    exec(compile(script, "theirs.py", "exec"), {"__name__": "__main__", "lm_eval": asked})
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["tau"] for one in found] == [0.9, 0.99] and all(one["results"]["gsm8k"] < -3 for one in found)
    assert found[0]["tasks"]["gsm8k"]["likelihood_passes"] >= 256 and found[0]["tasks"]["gsm8k"]["mean_error_nats"] > 0
    told = found[0]["tasks"]["made_up"]
    assert told["texts"] == 3 and told["canvas"] == 36 and 0 < told["tpf"] <= told["tpf_canvas"] <= 12
