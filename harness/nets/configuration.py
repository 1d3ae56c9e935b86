"""A network's configuration out of the header of a checkpoint, which anyone may have written: types, limits, and no
field that is not known.

    configured(TransformerConfig, {"vocab": 27, "width": 64, "heads": 2, "blocks": 2}, tensors=...)
"""

from dataclasses import fields
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from harness.boundary.incoming import Wrong, fitted, refuse_unknown
from harness.nets.transformer import TransformerConfig

Blocks = Annotated[int, Meta(ge=0, le=4096)]


class Limits(Struct):
    """What a transformer of ours can be: far more than fits a machine, so that nothing hangs or fills it before the
    shapes are compared.
    """

    vocab: Annotated[int, Meta(ge=1, le=2**24)]
    width: Annotated[int, Meta(ge=2, le=2**17)]
    heads: Annotated[int, Meta(ge=1, le=2**12)]
    blocks: Blocks
    left: Blocks = 0
    told: Annotated[int, Meta(ge=0, le=32)] = 0
    dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    base: Annotated[float, Meta(gt=1, le=1e12)] = 10_000.0
    causal: Blocks | UnsetType = UNSET


def configured(kind: type, data: Any, tensors: int) -> Any:
    """A configuration of this class for a file of so many tensors. Raises Wrong with the field."""
    if not isinstance(data, dict):
        raise Wrong("the configuration is no JSON object")
    refuse_unknown(data, [f.name for f in fields(kind)])
    if issubclass(kind, TransformerConfig):
        limits = fitted(data, Limits)
        if sum(getattr(limits, count) or 0 for count in kind.stored) > tensors:
            raise Wrong(f"the field `blocks` is wrong (the file has only {tensors} tensors)")
    try:
        return fitted(data, kind)
    except (TypeError, ArithmeticError) as error:    # of a plug-in's own check
        raise Wrong(f"the configuration is refused ({error})") from None
