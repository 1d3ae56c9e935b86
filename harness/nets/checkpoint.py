"""Checkpoints: one safetensors file whose metadata holds the network's name, its configuration and its card.

Nothing is ever unpickled. Weights are stored in float16 (they are averages over training, and the losses on the card
are those of the stored numbers) and loaded in float32.

A network that was trained on the frozen weights of another holds only what it added, where the other's checkpoint lies
in the same folder: `base` names that, and `whole` is the hash of the network that both together must give.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from harness.boundary.atomic import replacing, write_text
from harness.boundary.incoming import Name, Wrong, fitted, parsed
from harness.nets.absent import lacking, way_back
from harness.nets.configuration import configured
from harness.nets.transformer import Network
from harness.plugins import networks

FLOATING = {"F16", "BF16", "F32", "F64"}


class Header(msgspec.Struct):
    """What stands beside the tensors, each a text of its own."""

    network: str
    config: str
    card: str
    base: Name | None = None    # of the file beside it that has the other tensors
    whole: str = ""


def save(net: Network, path: Path, card: dict, base: Path | None = None) -> None:
    """Write PATH.safetensors and, for readers, the card as PATH.json. What is equal in `base`, a whole checkpoint in
    the same folder, is left out.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {k: v.detach().to("cpu", torch.float16).contiguous() for k, v in net.state_dict().items()}
    # plain data; a loss that is no number becomes null, which every reader takes
    card = msgspec.json.decode(msgspec.json.encode(card, enc_hook=_text))
    config = asdict(net.config)
    about = {"network": net.name, "config": json.dumps(config), "card": json.dumps(card)}
    if base is not None:
        with safe_open(base, framework="pt") as f:
            equal = {k for k in tensors.keys() & {*f.keys()} if _equal(tensors[k], f.get_tensor(k))}
        about |= {"base": base.name, "whole": _digest(about, dict(sorted(tensors.items())))}
        tensors = {k: v for k, v in tensors.items() if k not in equal}
    write(tensors, path, about)
    write_text(path.with_suffix(".json"), json.dumps({"network": net.name, "config": config, **card}, indent=1) + "\n")


def _text(value: object) -> str:
    """A text of a class of its own, such as the version of torch, is a text. Raises TypeError for anything else."""
    if isinstance(value, str):
        return str.__str__(value)
    raise TypeError(f"a card holds plain data, and not {type(value).__name__}")


def write(tensors: dict[str, torch.Tensor], path: Path, about: dict[str, str]) -> None:
    """One safetensors file, whole, or what was there as it was. Raises ValueError if the disk refuses."""
    try:
        with replacing(path) as beside:
            save_file(tensors, beside, metadata=about)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} cannot be written ({error}): free the disk or choose another --out") from None


def load(path: Path) -> Network:
    """The network of a checkpoint, in eval mode, with `.card` and `.sha256`: of configuration and weights, so that a
    better worded card does not make another network. Weights of any floating-point type are read, and computed with in
    float32.

    Raises ValueError, in one sentence, for a file that is absent, damaged, of an unknown network, of an impossible
    configuration, or whose tensors do not fit it: their shapes are compared before memory is taken.
    """
    path = Path(path)
    if not path.is_file():
        entry = lacking(path)
        raise ValueError(f"the tree does not hold {path}: {way_back([entry])}" if entry else
                         f"there is no checkpoint at {path}: train one with `ssmd-bench train`, or name an existing "
                         ".safetensors file")
    try:
        with ExitStack() as opened:
            f = opened.enter_context(safe_open(path, framework="pt"))
            about = f.metadata() or {}
            files = dict.fromkeys(f.keys(), f)    # the file of each tensor
            if base := base_of(path, about):
                other = opened.enter_context(safe_open(base, framework="pt"))
                files = dict.fromkeys(other.keys(), other) | files
            slices = {k: file.get_slice(k) for k, file in files.items()}
            shapes, types = {k: tuple(s.get_shape()) for k,
                             s in slices.items()}, {s.get_dtype() for s in slices.values()}
            cls, config, card = _described(path, about, shapes)
            if odd := types - FLOATING:
                raise Unfit(f"{path} holds weights of the type {sorted(odd)[0]}: save them in float16, bfloat16 or "
                            "float32")
            tensors = {k: files[k].get_tensor(k) for k in sorted(files)}
    except Unfit:
        raise
    except (SafetensorError, OSError, ValueError) as error:
        raise ValueError(f"{path} is not a readable safetensors file ({error}): copy or train it again") from None
    net: Network = cls(config)
    try:
        net.load_state_dict(tensors)
    except RuntimeError:
        raise _misfit(path, "") from None
    lost = [name for name, tensor in net.state_dict().items() if not tensor.isfinite().all()]
    if lost:
        raise ValueError(f"the tensor {lost[0]} in {path} holds what is no finite number: copy or train the "
                         "checkpoint again")
    net.card = card
    net.sha256 = _digest(about, tensors)
    if base and net.sha256 != about.get("whole"):
        raise ValueError(f"{base} is another network than the one that {path.name} was trained on: put that one beside "
                         "it again, or train both")
    return net.eval().requires_grad_(False)


def written(path: Path | str) -> int:
    """When the file was last written, in nanoseconds, 0 where there is none: a cache keyed by it gives no network that
    is no longer there.
    """
    path = Path(path).expanduser()
    return path.stat().st_mtime_ns if path.is_file() else 0


def base_of(path: Path, about: Mapping[str, str]) -> Path | None:
    """The file that a checkpoint with this header goes on from. Raises ValueError if it is not there."""
    if "base" not in about:
        return None
    name = fitted(about["base"], Name)
    base = path.with_name(name)
    if not base.is_file():
        raise Unfit(f"{path} holds only what was added to {name}, which is not beside it: copy both into one folder")
    return base


def _equal(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.dtype == b.dtype and torch.equal(a, b)


def _digest(about: Mapping[str, str], tensors: Mapping[str, torch.Tensor]) -> str:
    """Of configuration and weights, in the order of their names."""
    digest = hashlib.sha256(f"{about['network']} {about['config']}".encode())
    for name, tensor in tensors.items():
        digest.update(name.encode() + tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def denoiser(path: Path) -> Any:
    """The same of a network that a sampler can call. Raises ValueError, too, for one that only judges."""
    net = load(path)
    if not hasattr(net, "draft"):
        raise ValueError(f"{path} holds a network {net.name!r}, which judges text and drafts none: name a checkpoint "
                         "of a masked or hybrid network")
    return net


class Unfit(ValueError):
    """Said in our own words already."""


def _described(path: Path, about: dict[str, str],
               shapes: dict[str, tuple[int, ...]]) -> tuple[type, Any, dict[str, Any]]:
    """Class, configuration and card of a checkpoint whose header says this and whose tensors have these shapes. Raises
    Unfit.
    """
    known, again = networks(), "copy or train the checkpoint again"
    if about.get("network") not in known:
        raise Unfit(f"{path} holds a network {about.get('network')!r} that is not one of {', '.join(sorted(known))}; "
                    "was it written by `ssmd-bench train`?")
    cls: Any = known[about["network"]]
    try:
        header = fitted(about, Header)
        config = configured(cls.config_type, parsed(header.config.encode()), len(shapes))
        card = fitted(parsed(header.card.encode()), dict[str, Any])
    except Wrong as error:
        raise Unfit(f"the header of {path} is not one that `ssmd-bench train` writes, {error}: {again}") from None
    implied = _implied(cls, config)
    if implied is None or implied == shapes:
        return cls, config, card
    name = min(k for k in implied.keys() | shapes.keys() if implied.get(k) != shapes.get(k))
    raise _misfit(path, f", {name} is {shapes.get(name, 'not there')} and not {implied.get(name, 'there at all')}")


def _misfit(path: Path, detail: str) -> Unfit:
    return Unfit(f"the tensors in {path} do not fit the configuration in its header{detail}: train the checkpoint "
                 "again")


def _implied(cls: Any, config: Any) -> dict[str, tuple[int, ...]] | None:
    """The shapes of the tensors that a configuration makes, without their memory; None for a network of a plug-in that
    cannot be made without.
    """
    try:
        with torch.device("meta"):
            return {name: tuple(tensor.shape) for name, tensor in cls(config).state_dict().items()}
    except (NotImplementedError, RuntimeError):
        return None
