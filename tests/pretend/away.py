"""Tensors that live on the pretended device, and how an operation on them is run: refused if CUDA would refuse it,
counted, then done on the plain tensors within.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import torch
from torch import Tensor

from tests.pretend import rules
from tests.pretend.tally import Tally

DEVICE = "pretend"
COUNTING: list[Tally] = []    # the innermost last


class Away(Tensor):
    """A tensor of the device; `inner` holds its numbers."""

    inner: Tensor

    @staticmethod
    def __new__(cls, inner: Tensor):
        made = Tensor._make_wrapper_subclass(
            cls, inner.size(), strides=inner.stride(), storage_offset=inner.storage_offset(), dtype=inner.dtype,
            device=torch.device(DEVICE, 0), requires_grad=inner.requires_grad)
        made.inner = inner
        return made

    def __repr__(self, **_) -> str:
        return f"Away({self.inner})"

    def __deepcopy__(self, memo: dict) -> "Away":
        return Away(self.inner.detach().clone()).requires_grad_(self.requires_grad)

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return operate(func, args, kwargs or {})

    def numpy(self, *_, **__):
        raise TypeError("can't convert pretend:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to "
                        "host memory first.")

    def tolist(self):
        COUNTING[-1].wait()
        return self.inner.tolist()


def on_device(device: Any) -> bool:
    return device is not None and torch.device(device).type in (DEVICE, "privateuseone")


def operate(func, args: tuple, kwargs: dict) -> Any:
    """Raises RuntimeError where CUDA would."""
    name, tally = func._schema.name.split("::")[1], COUNTING[-1]
    tensors = [t for t in _leaves((args, kwargs)) if isinstance(t, Tensor)]
    here, plain = [t for t in tensors if isinstance(t, Away)], [t for t in tensors if not isinstance(t, Away)]
    if why := rules.mixed(name, args, here, plain, Away):
        raise RuntimeError(f"{why}: {func}")
    if name == "_has_compatible_shallow_copy_type":    # whether a module's weights may stay and take other memory
        return not (here and plain)
    target = next((a for a in (kwargs.get("device"), *args) if isinstance(a, torch.device | str) and a != ""
                   and not (isinstance(a, str) and name != "to")), None)
    out_here = isinstance(args[0], Away) if name == "copy_" else on_device(target) if target is not None else bool(here)
    if _waits(name, args, kwargs, here, plain, out_here):
        tally.wait()
    found = func(*_mapped(_inner, args), **_mapped(_inner, kwargs))
    if not (here or out_here):
        return found
    viewed = _is_view(func, tensors, found)
    if viewed and name in rules.CROSSING and bool(here) != out_here:    # the devices share no memory
        found, viewed = found.clone(), False
    if name not in rules.NO_KERNEL and not viewed:
        tally.kernel()
    return _outer(func, args, kwargs, found) if out_here else found


def _waits(name: str, args: tuple, kwargs: dict, here: list, plain: list, out_here: bool) -> bool:
    if name in rules.CROSSING:
        over = bool(here) != out_here or name == "copy_" and bool(plain) and bool(here)
        return over and not kwargs.get("non_blocking", False) and any(t.dim() for t in (*here, *plain)
                                                                      ) or bool(here) and not out_here
    if not here:
        return False
    copied = name in rules.INDEXING | rules.INDEX_WRITING and any(
        i is not None and not isinstance(i, Away) and i.dim() for i in args[1])
    return copied or rules.asks(name, args)


def _inner(thing: Any) -> Any:
    if isinstance(thing, Away):
        return thing.inner
    return torch.device("cpu") if isinstance(thing, torch.device) and on_device(thing) else thing


def _leaves(thing: Any) -> Iterator[Any]:
    """What stands in tuples, lists and dictionaries, which is all that operations take and give."""
    if isinstance(thing, dict):
        thing = thing.values()
    elif not isinstance(thing, tuple | list):
        yield thing
        return
    for part in thing:
        yield from _leaves(part)


def _mapped(work: Callable[[Any], Any], thing: Any) -> Any:
    if type(thing) in (tuple, list):
        return type(thing)([_mapped(work, part) for part in thing])
    return {name: _mapped(work, part) for name, part in thing.items()} if type(thing) is dict else work(thing)


@cache
def _written(func) -> list[int]:
    """The arguments that this operation writes to, by their places."""
    return [k for k, a in enumerate(func._schema.arguments) if a.alias_info is not None and a.alias_info.is_write]


def _is_view(func, tensors: list[Tensor], found: Any) -> bool:
    """Whether nothing was computed: the answer lies in the memory of an argument."""
    answers = [t for t in _leaves(found) if isinstance(t, Tensor)]
    if _written(func) or not answers:
        return False
    memory = {_inner(t).untyped_storage().data_ptr() for t in tensors}
    return all(t.untyped_storage().data_ptr() in memory for t in answers)


def _outer(func, args: tuple, kwargs: dict, found: Any) -> Any:
    """The answer on the device: an argument that was written to is given back itself."""
    names, written = func._schema.arguments, _written(func)
    if written and len(func._schema.returns) <= len(written):
        given = [args[k] if k < len(args) else kwargs[names[k].name] for k in written]
        return given[0] if len(func._schema.returns) == 1 else None if not func._schema.returns else tuple(given)
    return _mapped(wrapped, found)


def wrapped(thing: Any) -> Any:
    """A plain tensor put on the device: of inference if it is one itself, as a view of a weight is not."""
    if not isinstance(thing, Tensor) or isinstance(thing, Away):
        return thing
    with torch.inference_mode(thing.is_inference()):
        return Away(thing)
