"""What the tests of ssmd_bench/lm_eval.py ask with: requests, a tokenizer of digits, networks that know answers, and
the adapter over the real package or over a stub of its class.
"""

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import pytest
import torch

from harness.nets.listed import Listed
from ssmd_bench import lm_eval as adapter

REAL = find_spec("lm_eval") is not None
V, EOS = 6, 5    # digits 0..4 and the end of a text


class Digits:
    """A tokenizer of one character a token; "$" is the end of a text."""

    eos = (EOS,)

    def encode(self, text: str) -> list[int]:
        return ["01234$".index(c) for c in text]

    def decode(self, ids) -> str:
        return "".join("01234$"[i] for i in ids)


@dataclass
class Instance:
    """As lm_eval.api.instance has it."""

    arguments: tuple
    idx: int = 0
    task_name: str | None = "made_up"
    doc_id: int | None = 0

    @property
    def args(self) -> tuple:
        return self.arguments


@pytest.fixture
def model(monkeypatch):
    """Makes a `Sampled` of the real package, or of a stub of it."""
    if not REAL:
        class LM:
            def __init__(self):
                self.cache_hook, self._rank = None, 0

            @property
            def rank(self):
                return self._rank

        package, api, module = (ModuleType(f"lm_eval{end}") for end in ("", ".api", ".api.model"))
        module.LM = LM
        for one in (package, api, module):
            monkeypatch.setitem(sys.modules, one.__name__, one)
    adapter._sampled.cache_clear()
    yield lambda *given, **more: adapter.Sampled(*given, **more)
    adapter._sampled.cache_clear()


def knowing(*texts: str, hash: str = "of the answers") -> Listed:
    """A network that knows these texts of one length, each as likely as the others; it counts its passes."""
    net = Listed(torch.tensor([Digits().encode(text) for text in texts]), torch.full((len(texts),), 1 / len(texts),
                                                                                    dtype=torch.float64), V)
    net.sha256, net.passes, draft = hash, 0, net.draft

    def counted(x, *more):
        net.passes += 1
        return draft(x, *more)

    net.draft = counted
    return net


def asks(context: str, doc: int = 0, **settings: Any) -> Instance:
    return Instance((context, {"until": ["$"], "max_gen_toks": 4, "do_sample": True} | settings), doc_id=doc)
