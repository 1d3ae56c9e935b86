"""Checkpoints: one safetensors file whose metadata holds the network's name, its configuration and its card.

Nothing is ever unpickled. Weights are stored in float16 (they are averages over training, and the losses on the card are those
of the stored numbers) and loaded in float32.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from harness.plugins import networks


def save(net: nn.Module, path: Path, card: dict) -> None:
    """Write PATH.safetensors and, for readers, the card as PATH.json."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {k: v.detach().to(torch.float16).contiguous() for k, v in net.state_dict().items()}
    about = {"network": net.name, "config": json.dumps(asdict(net.config)), "card": json.dumps(card)}    # type: ignore[call-overload]
    scratch = path.with_suffix(".tmp")
    write(tensors, scratch, about)    # type: ignore[arg-type]
    scratch.chmod(0o644)
    scratch.replace(path)
    path.with_suffix(".json").write_text(json.dumps({"network": net.name, "config": asdict(net.config), **card}, indent=1) + "\n")    # type: ignore[call-overload]


def write(tensors: dict[str, torch.Tensor], path: Path, about: dict[str, str]) -> None:
    """One safetensors file. Raises ValueError if the disk refuses, and leaves nothing half written."""
    try:
        save_file(tensors, path, metadata=about)
    except (SafetensorError, OSError) as error:
        path.unlink(missing_ok=True)
        raise ValueError(f"{path} cannot be written ({error}): free the disk or choose another --out") from None


def load(path: Path) -> nn.Module:
    """The network of a checkpoint, in eval mode, with `.card` and `.sha256`: of configuration and weights, so that a better worded
    card does not make another network.

    Raises ValueError, in one sentence, for a file that is absent, damaged, of an unknown network, or whose tensors do not fit.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"there is no checkpoint at {path}: train one with `ssmd-bench train`, or name an existing .safetensors file")
    try:
        with safe_open(path, framework="pt") as f:
            about, tensors = f.metadata() or {}, {k: f.get_tensor(k) for k in sorted(f.keys())}
    except (SafetensorError, OSError, ValueError) as error:
        raise ValueError(f"{path} is not a readable safetensors file ({error}): copy or train it again") from None
    known = networks()
    if about.get("network") not in known:
        raise ValueError(f"{path} holds a network {about.get('network')!r} that is not one of {', '.join(sorted(known))}; was it written by `ssmd-bench train`?")
    cls = known[about["network"]]
    try:
        net, card = cls(cls.config_type(**json.loads(about["config"]))), json.loads(about["card"])    # type: ignore[attr-defined]
    except (KeyError, TypeError, ValueError, ArithmeticError):
        raise ValueError(f"the header of {path} is not one that `ssmd-bench train` writes: copy or train the checkpoint again") from None
    try:
        net.load_state_dict(tensors)
    except RuntimeError:
        raise ValueError(f"the tensors in {path} do not fit the configuration in its header: train the checkpoint again") from None
    net.card = card
    digest = hashlib.sha256(f"{about['network']} {about['config']}".encode())
    for name, tensor in tensors.items():
        digest.update(name.encode() + tensor.numpy().tobytes())
    net.sha256 = digest.hexdigest()
    return net.eval().requires_grad_(False)
