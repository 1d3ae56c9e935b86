"""Texts to go on from: what is given stands in every row, the rest is written, and all of it reads as text."""

import json

import pytest
import torch

from baselines.first_hitting import FirstHitting
from harness.__main__ import main
from harness.data.prompts import Prompts
from harness.data.recounted import Recounted
from harness.nets.hub import Hub
from harness.records.store import Store
from harness.study import Arm, Study
from tests.test_guards import library, saved, words  # noqa: F401    # a fixture
from tests.test_text_file import TEXT

STUDY = """
'''What is answered?'''
from baselines.first_hitting import FirstHitting
from harness.data.prompts import Prompts
from harness.data.recounted import Recounted
from harness.metrics.entropy import SampleEntropy
from harness.nets.hub import Hub
from harness.schedules.window import Linear
from harness.study import Arm, Study
from ssmd.attached import AttachedTo
from ssmd.sampler import SelfSpeculative
MODEL = Hub("my_model")
DATA = Recounted(Prompts("questions.txt", "my_model", answer=6, template="a {} b"), MODEL.left_out())
STUDY = Study(name="answers", question=__doc__, data=DATA, reference="model", n=5, batch=2, metrics=[SampleEntropy()],
              nets={"model": MODEL, "attached": AttachedTo("runs/attach/block.safetensors", MODEL)},
              arms=[Arm("hitting", [FirstHitting()], {"main": "model"}),
                    Arm("ssmd", [SelfSpeculative(Linear(0.5), 4)], {"main": "attached"})])
"""


@pytest.fixture
def model(library, tmp_path, monkeypatch):    # noqa: F811
    monkeypatch.chdir(tmp_path)
    folder = saved(library, tmp_path / "my_model", "Bert", vocab_size=16)
    words(folder)
    (tmp_path / "questions.txt").write_text("c d\n\n  h\ne e e\n")
    return str(folder)


def test_rows_are_given_the_prompts_in_turn_and_the_rest_is_open(model):
    data = Prompts("questions.txt", model, answer=2, template="a {} b")
    assert data.length == 7
    assert data.decode(data.prompts(0, 4)) == ["a c d b_" + "_" * 2, "a h b_" + "_" * 3, "a e e e b_" + "_",
                                               "a c d b_" + "_" * 2]
    assert torch.equal(data.prompts(1, 3), data.prompts(0, 4)[1:3])
    recounted = Recounted(data, Hub(model).left_out())
    assert recounted.prompts(0, 1).tolist() == [[1, 3, 4, 2, 9, 9, 9]]
    assert data.identity() != Prompts("questions.txt", model, answer=2).identity()


def test_what_cannot_be_is_one_sentence(model, tmp_path):
    with pytest.raises(ValueError, match="must hold {} once"):
        Prompts("questions.txt", model, template="Question: ")
    with pytest.raises(ValueError, match="there is no file 'nowhere'"):
        Prompts("nowhere", model).prompts(0, 1)
    data = Prompts("questions.txt", model)
    with pytest.raises(ValueError, match="has no rows of held-out text"):
        data.rows("test", 1, 0)
    with pytest.raises(ValueError, match="gives prompts of its own, and prompt=0.5 would take"):
        Study(name="n", question="?", data=data, nets={"m": Hub(model)}, reference="m", metrics=[], prompt=0.5,
              arms=[Arm("hitting", [FirstHitting()], {"main": "m"})])


def test_a_model_and_its_block_go_on_from_them_by_the_verb(model, tmp_path, capsys):
    (tmp_path / "corpus.txt").write_text(TEXT)
    (tmp_path / "answers.py").write_text(STUDY)
    assert main(["attach", "my_model", "--data", "text_file", "--path", "corpus.txt", "--length", "8", "--tokens",
                 "640", "--set", "batch=8"]) == 0
    assert main(["run", "answers.py", "--out", "runs/answers", "--no-time", "--report", "runs/page"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["done"] == 2
    store = Store(tmp_path / "runs/answers")
    data = Recounted(Prompts("questions.txt", "my_model", answer=6, template="a {} b"), Hub("my_model").left_out())
    for record in store.of("counted"):
        rows = torch.as_tensor(store.get("samples", record["key"]).astype("int64"))
        given = data.prompts(0, 5)
        assert torch.equal(rows[given < 9], given[given < 9]) and int(rows.max()) < 9
        assert [text.startswith(begun) for text, begun in zip(data.decode(rows), ("a c d b", "a h b", "a e e e b",
                                                                                  "a c d b", "a h b"))] == [True] * 5
    (page,) = (tmp_path / "runs/page").glob("*.html")
    assert "seed 0, given prompts of questions.txt" in page.read_text() and "a c d b" in page.read_text()
