"""A model of transformers in two: hidden states of ids, and logits of hidden states (harness/nets/own.py). The head is
its own forward pass, with the states in the place of its body.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from harness.nets.calls import second
from harness.nets.causal_lm import UNREADABLE
from harness.nets.own import answer_of

Part = Callable[..., Any]
MASKS = ("mask3d", "mask4d")


def parted(net: Any, form: str = "ids", block: int = 0) -> tuple[Part, Part | None]:
    """States of ids (B, T), and logits of states (B, W, d), called in a form (harness/nets/calls.py). Where the two do
    not give its logits to the bit, the whole, and no head.
    """
    body = net.base_model

    def states(ids: Tensor, beside: Tensor | None = None) -> Tensor:
        return called(body, form, ids, beside).last_hidden_state                   # (B, T, d)

    def head(h: Tensor) -> Tensor:
        from transformers.modeling_outputs import MoeModelOutputWithPast

        # of all outputs that with the most fields: some heads look into them
        body.forward = lambda *words, **given: MoeModelOutputWithPast(last_hidden_state=h)
        ids = torch.zeros(h.shape[:-1], dtype=torch.int64, device=h.device)
        try:
            return called(net, form, ids, None if form in MASKS else h.new_zeros(len(h))).logits
        finally:
            del body.forward

    def whole(ids: Tensor, beside: Tensor | None = None) -> Tensor:
        return answer_of(called(net, form, ids, beside))                           # (B, T, V)

    probe = torch.arange(6, device=net.device).view(2, 3) % net.config.vocab_size
    some = second(form, probe == 0, block=block, dtype=net.dtype)
    try:
        with torch.no_grad():
            same = body is not net and torch.equal(head(states(probe, some)), whole(probe, some))
    except UNREADABLE:    # whatever a model raises whose head wants more than states
        same = False
    return (states, head) if same else (whole, None)


def called(model: Part, form: str, ids: Tensor, beside: Tensor | None) -> Any:
    """What a model, or its body, gives for ids (B, T) and what stands beside them."""
    if form in MASKS:
        return model(input_ids=ids, attention_mask=beside)
    return model(input_ids=ids) if form == "ids" else model(ids, beside)    # a time has a name of its own in each


def embedding_of(net: Any) -> Part | None:
    """Ids (...) -> vectors (..., e), without the scale that a quantised table gives beside them; None where the model
    does not tell its table.
    """
    try:
        table = net.get_input_embeddings()
    except UNREADABLE:
        table = None
    if table is None:
        return None

    def vectors(ids: Tensor) -> Tensor:
        found = table(ids)
        return found[0] if isinstance(found, tuple) else found
    return vectors
