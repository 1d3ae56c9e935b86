"""Every class of masked language models that transformers has, tiny and random, from its folder to samples: it goes
through, or it is refused in a sentence.
"""

import json

import pytest
import torch

from baselines.first_hitting import FirstHitting
from harness.data.recounted import Recounted
from harness.data.text_file import TextFile
from harness.nets.families import FAMILIES, IMAGES, KERNEL, LANGUAGE, WHOLE
from harness.nets.hub import Hub
from harness.run.guards import examined
from harness.sampling.loop import sample
from harness.schedules.window import Linear
from ssmd.attached import fresh
from ssmd.sampler import SelfSpeculative
from tests.tiny_models import WORDS, tiny

LENGTH = 12
REFUSED = {"modernvbert": IMAGES, "ultravbert": IMAGES, "mbart": LANGUAGE, "xmod": LANGUAGE, "perceiver": WHOLE,
           "mra": KERNEL}
WHOLE_ALONE = {"bart", "mvp", "luke", "longformer"}    # their heads want more than the states of their bodies
KINDS = tuple(pytest.importorskip("transformers").models.auto.modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES)


@pytest.fixture(scope="module")
def library():
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield transformers
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("text") / "corpus.txt"
    places = torch.randint(17, (4000,), generator=torch.Generator().manual_seed(0)).tolist()
    path.write_text(" ".join(WORDS[k] for k in places))
    return str(path)


def test_the_list_of_those_that_are_refused_is_exact():
    assert {kind: FAMILIES[kind].refused for kind in KINDS if kind in FAMILIES and FAMILIES[kind].refused} == {
        kind: why for kind, why in REFUSED.items() if kind in KINDS}


@pytest.mark.parametrize("kind", sorted({*KINDS} & {*REFUSED}))
def test_it_is_refused_in_a_sentence(library, tmp_path, kind):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind, "vocab_size": 40}))
    with pytest.raises(ValueError, match=f"is of the kind {kind}: ") as refused:
        Hub(str(tmp_path)).load("cpu")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("kind", sorted({*KINDS} - {*REFUSED}))
def test_it_goes_from_its_folder_to_samples(library, tmp_path, corpus, kind):
    folder = str(tiny(library, tmp_path / kind, kind))
    hub = Hub(folder)
    net, data = hub.load("cpu"), Recounted(TextFile(corpus, folder, LENGTH), hub.left_out())
    examined(net, kind, data)
    assert net.names == data.names() and net.flops("draft", LENGTH, LENGTH) > 0
    assert (net.head is None) == (kind in WHOLE_ALONE)
    given = torch.full((4, LENGTH), net.mask)
    given[:, :3] = data.rows("test", 4, 0)[:, :3]
    ids = torch.cat([part.expand(4, -1) for part in (net.before,)] + [net.ids[given]]
                    + [part.expand(4, -1) for part in (net.after,)], 1)
    with torch.no_grad():
        whole = net.module(input_ids=ids).logits[:, len(net.before) :][:, :LENGTH, net.ids[:-1]]
    assert torch.equal(net.draft(given)[0], whole)
    for sampler, nets in ((FirstHitting(), net), (SelfSpeculative(Linear(0.5), 3), _attached(net))):
        if nets is not None:
            rows = [sample(sampler, {"main": nets}, given, 0, batch) for batch in (1, 4)]
            assert torch.equal(*rows) and int(rows[0].max()) < net.vocab


def _attached(net):
    return fresh(net, 16, 2, 1, 0).eval() if net.head is not None else None
