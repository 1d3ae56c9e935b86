"""Generative NLL under a language model of transformers, by path or by name: GPT-2, SmolLM2, any causal one. Metrics
`lm` and `lm_token`.

A row is decoded by its data set, and the text is cut into tokens by the model's own tokenizer. With y the model's
tokens of a row and c the windows' contexts,

    nats(row) = - sum_k ln p(y_k | c_k)                 numerators, float64 log-softmax of the model's logits
    lm         = sum nats / sum tokens of the data      characters, for a character corpus: judges with unlike
               tokenizers can be compared
    lm_token   = sum nats / sum tokens of the model     what papers print the exponential of

First token: `bos` puts the model's id of a beginning (GPT-2: <|endoftext|>) in front and judges every token; `skip`
puts nothing and does not judge the first. Windows: a text of more than `context` tokens is read in windows `stride`
apart, and a token is judged in the first that holds it: from context - stride to context - 1 tokens are before it.
Truncation: none, or the first `limit` tokens of a row. The tokens of the data count in the share of the row's
characters that was judged.

    LmJudge("gpt2").score(samples, data)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from harness.kinds import Dataset, Scores
from harness.metrics.form import ratio, tokens
from harness.nets import causal_lm
from harness.param import Choice, Range, check, param
from harness.spec import canonical

PLACES = 128    # whose float64 tables of a large vocabulary are made at once


class Judged(NamedTuple):
    """What a language model says of n rows. Of each row, (n,) float64 each."""

    nats: np.ndarray
    tokens: np.ndarray    # of the model, that were judged
    share: np.ndarray     # of the row's characters, that those stand for


@dataclass(frozen=True)
class LmJudge:
    """Nats per token of the data under a causal language model of transformers. Lower is better; print held-out and
    shuffled text beside it. Raises ValueError for data whose tokens are no text, or for a model that is missing.
    """

    name: ClassVar[str] = "lm"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "lower"
    unit: ClassVar[str] = "nats per token"

    model: str = param(note="folder of a causal language model, or its name; safetensors")
    revision: str = param("main", note="of a name: branch, tag or commit")
    gguf: str = param("", note="file in the folder, where the weights are GGUF")
    first: str = param("bos", Choice("bos", "skip"),
                       "a beginning is put before the text, or its first token is not judged")
    before: tuple[str, ...] = param((), note="special tokens put before every text in the place of that beginning, "
                                             "what a model was told in its training; not judged")
    limit: int = param(0, Range(0, 2**20), "model tokens of a row that are judged; 0: all")
    context: int = param(0, Range(0, 2**20), "model tokens a window; 0: the model's own")
    stride: int = param(0, Range(0, 2**20), "model tokens from window to window; 0: half a window")
    dtype: str = param("float32", Choice("float32", "bfloat16", "float16"))
    device: str = param("cpu", note="it runs there; not in the key")
    batch: int = param(2048, Range(1, 2**20), "model tokens a pass: bounds the memory; not in the key")

    def __post_init__(self) -> None:
        check(self)

    def identity(self) -> dict[str, Any]:
        """What the key of a score holds: hashes in place of the path, and the rules with their numbers."""
        lm = self.network()
        context, stride = self.windows(lm)
        return {"name": self.name, "version": self.version, **lm.about, "dtype": self.dtype, "first": self.first,
                **({"bos": lm.begin} if self.first == "bos" and not self.before else {}),
                **({"before": self.in_front(lm)} if self.before else {}), "limit": self.limit, "context": context,
                "stride": stride}

    def place(self) -> str:
        """The folder or the name of the model."""
        return self.model

    def network(self) -> causal_lm.Lm:
        """The model, shared between calls. Raises ValueError, in one sentence, for what is missing."""
        lm = causal_lm.load(self.place(), self.revision, self.gguf, self.dtype, self.device)
        if self.before and self.first != "bos":
            raise ValueError(f"first={self.first} leaves the first token out, and before={self.before} is for judging "
                             "it: choose one of them")
        if self.first == "bos" and not self.before and lm.begin is None:
            raise ValueError(f"the tokenizer of {self.model} has no id for a beginning or an end of text: set first "
                             "to skip, or say what stands before a text")
        return lm

    def in_front(self, lm: causal_lm.Lm) -> list[int]:
        """Ids that stand before every text. Raises ValueError for a token that the tokenizer does not know."""
        if not self.before:
            return [lm.begin] if self.first == "bos" and lm.begin is not None else []
        known = lm.tokenizer.get_vocab()
        if lacking := [token for token in self.before if token not in known]:
            raise ValueError(f"the tokenizer of {self.model} has no token {lacking[0]!r}: correct `before`")
        return [known[token] for token in self.before]

    def windows(self, lm: causal_lm.Lm) -> tuple[int, int]:
        """Tokens a window, and from one to the next. Raises ValueError if they do not fit."""
        context = self.context or lm.context or 0
        stride = self.stride or context // 2
        if not 1 <= stride < context or self.context > (lm.context or self.context):
            raise ValueError(f"{self.model} reads {lm.context or 'any number of'} tokens at once, so that "
                             f"context={self.context} and stride={self.stride} do not fit: "
                             "1 <= stride < context, and context at most that")
        return context, stride

    def judged(self, samples: Tensor, data: Dataset) -> Judged:
        """Nats, tokens and share of characters of each row (n, L), read as text by the model. Raises ValueError for
        data whose tokens are no text.
        """
        if not hasattr(data, "decode"):
            raise ValueError(f"the tokens of {data.name} are no text, which a language model reads: choose exact_nll, "
                             "or a corpus")
        texts = data.decode(tokens(samples, data))
        # `lm` and `lm_token` of one model read a text once
        plain = LmJudge(**{f.name: getattr(self, f.name) for f in fields(LmJudge)} | {"model": self.place()})
        return _judged(plain, canonical(plain.identity()), tuple(texts))

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        found = self.judged(samples, data)
        return ratio(found.nats, samples.shape[1] * found.share, self.name)


@dataclass(frozen=True)
class LmTokenNll(LmJudge):
    """Nats per token of the model itself: its logarithmic perplexity, which is not comparable with that of a model with
    another tokenizer.
    """

    name: ClassVar[str] = "lm_token"
    unit: ClassVar[str] = "nats per LM token"

    def score(self, samples: Tensor, data: Dataset) -> Scores:
        found = self.judged(samples, data)
        return ratio(found.nats, found.tokens, self.name)


def windows(length: int, context: int, stride: int) -> Iterator[tuple[int, int, int]]:
    """(begin, end, first judged) of the windows of so many tokens, of which the first is never judged.

    >>> list(windows(9, context=4, stride=2))
    [(0, 4, 1), (2, 6, 4), (4, 8, 6), (6, 9, 8)]
    """
    begin, judged = 0, 1
    while judged < length:
        end = min(begin + context, length)
        yield begin, end, judged
        begin, judged = begin + stride, end


@lru_cache(maxsize=4)
def _judged(judge: LmJudge, _identity: str, texts: tuple[str, ...]) -> Judged:
    lm = judge.network()
    found = lm.tokenizer(list(texts), add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    rows, share, pieces, front = [], np.ones(len(texts)), [], judge.in_front(lm)
    for k, (text, ids, spans) in enumerate(zip(texts, found["input_ids"], found["offset_mapping"], strict=True)):
        if text and not ids:
            raise ValueError(f"the tokenizer of {judge.model} makes nothing of {text[:20]!r}: choose a model of this "
                             "alphabet")
        kept = ids[: judge.limit] if judge.limit else ids
        begin = spans[0][1] if judge.first == "skip" and spans else 0
        end = spans[len(kept) - 1][1] if len(kept) < len(ids) else len(text)
        share[k] = max(end - begin, 0) / len(text) if text else 0
        row, unjudged = front + kept, max(1, len(front))    # the first judged is not the first read
        pieces += [(k, torch.tensor(row[b:e]), max(j, unjudged) - b) for b, e, j in windows(len(row),
                                                                                            *judge.windows(lm))]
        rows.append(max(len(row) - unjudged, 0))
    nats = np.zeros(len(texts))                                                    # (n,)
    for (k, _, _), lost in zip(pieces, _nats(lm.net, pieces, judge.batch)):
        nats[k] += lost
    return Judged(nats, np.array(rows, np.float64), share)


@torch.inference_mode()
def _nats(net: causal_lm.Model, pieces: Sequence[tuple[int, Tensor, int]], batch: int) -> np.ndarray:
    """-ln p of the tokens of each piece from its first judged one on, (pieces,). Pieces of like length share a pass;
    behind the end a pad, which nothing before it sees.
    """
    order = sorted(range(len(pieces)), key=lambda k: len(pieces[k][1]))
    found = np.zeros(len(pieces))
    while order:
        longest = len(pieces[order[-1]][1])
        now, order = order[-max(1, batch // longest):], order[: -max(1, batch // longest)]
        x = torch.zeros(len(now), longest, dtype=torch.int64)                      # (b, T)
        for row, k in zip(x, now):
            row[: len(pieces[k][1])] = pieces[k][1]
        lengths = torch.tensor([len(pieces[k][1]) for k in now])
        seen = (torch.arange(longest) < lengths[:, None]).long()
        # (b, T, V)
        logits = net(input_ids=x.to(net.device), attention_mask=seen.to(net.device), use_cache=False).logits
        for row, ids, k in zip(logits, x, now):
            first, end = pieces[k][2], len(pieces[k][1])
            parts = zip(row[first - 1 : end - 1].split(PLACES), ids[first:end].to(row.device).split(PLACES))
            found[k] = sum(F.cross_entropy(some.double(), wanted, reduction="sum").item() for some, wanted in parts)
    return found
