"""Checkpoints by torch alone: a bare image may lack what harness/nets/checkpoint.py imports, which reads the same files
and checks far more of them.

A safetensors file: 8 bytes, the length of a JSON header; the header, which gives each tensor's type, shape and place;
the tensors.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harness.boundary.atomic import replacing
from harness.nets.transformer import Transformer
from harness.spec import ROOT
from ssmd.model import Hybrid
from studies.gpu.plan import LARGEST

TYPES = {"F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32, "F64": torch.float64, "I64": torch.int64}
NAMES = {dtype: name for name, dtype in TYPES.items()}
NETWORKS: dict[str, Any] = {"transformer": Transformer, "hybrid": Hybrid}
SHIPPED = ROOT / "ssmd" / "checkpoints"


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors, and what stands beside them."""
    content = bytearray(path.read_bytes())
    start = 8 + int.from_bytes(content[:8], "little")
    header, tensors = json.loads(content[8:start]), {}
    about = header.pop("__metadata__", {})
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        dtype = TYPES[entry["dtype"]]
        flat = (torch.frombuffer(content, dtype=dtype, count=(end - begin) // dtype.itemsize, offset=start + begin)
                if end > begin else torch.empty(0, dtype=dtype))
        tensors[name] = flat.clone().view(entry["shape"])
    return tensors, about


def write(path: Path, tensors: dict[str, Tensor], about: dict[str, str]) -> None:
    """Whole or not at all. Raises ValueError for a file that would be too large to bring back."""
    header: dict[str, Any] = {"__metadata__": about}
    parts, at = [], 0
    for name, tensor in sorted(tensors.items()):
        part = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [at, at + len(part)]}
        parts.append(part)
        at += len(part)
    told = json.dumps(header).encode()
    told += b" " * (-len(told) % 8)
    if 8 + len(told) + at > LARGEST:
        raise ValueError(f"{path.name} would have {(8 + len(told) + at) / 2**20:.1f} MiB: choose a smaller network")
    with replacing(path) as beside:
        beside.write_bytes(b"".join((len(told).to_bytes(8, "little"), told, *parts)))


def network(path: Path) -> Any:
    """The network of a checkpoint, in eval mode."""
    tensors, about = read(path)
    if "base" in about:
        tensors = read(path.with_name(about["base"]))[0] | tensors
    cls = NETWORKS[about["network"]]
    net = cls(cls.config_type(**json.loads(about["config"])))
    net.load_state_dict(tensors)
    return net.eval().requires_grad_(False)


def save(net: Any, weights: dict[str, Tensor], path: Path, card: dict[str, Any]) -> None:
    """These weights of a network in float16, as a checkpoint that every command reads."""
    write(path, {name: weight.to(torch.float16) for name, weight in weights.items()},
          {"network": net.name, "config": json.dumps(asdict(net.config)), "card": json.dumps(card)})
