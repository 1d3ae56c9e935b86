"""Mean pLDDT of protein rows under ESMFold, a judge that the user has (transformers, EsmForProteinFolding; Lin et al.,
Science 379, 2023): 0..100, of the CA atoms.

`model` is the folder of the weights or their name, in safetensors alone; facebook/esmfold_v1 has 3.5 billion parameters
and wants a GPU (`device`). A row is folded whole. It tells folded from unfolded, not natural from repeated:
low-complexity rows can score high, so print composition and clusters beside it. Its identity is the hash of its
weights.

    Plddt("esmfold_v1", device="cuda").score(samples, data)
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from harness.kinds import Dataset, Scores
from harness.metrics.form import ratio
from harness.metrics.proteins.residue_grams import protein_rows, proteins
from harness.nets.causal_lm import UNREADABLE, first_line
from harness.nets.own import weights_of
from harness.param import check, param

CA = 1    # of the 37 atoms that the head scores
BATCH = 8


@dataclass(frozen=True)
class Plddt:
    """Mean pLDDT of CA atoms under ESMFold, 0 to 100, each row folded whole. Higher is better; repeated residues can
    score high too. Raises ValueError for data that hold no proteins, or where transformers or the weights are missing.
    """

    name: ClassVar[str] = "plddt"
    version: ClassVar[int] = 1
    better: ClassVar[str] = "higher"
    unit: ClassVar[str] = "pLDDT"

    model: str = param(note="folder or name of an ESMFold model of transformers")
    revision: str = param("main", note="of a name")
    device: str = param("cpu", note="where it folds")

    def __post_init__(self) -> None:
        check(self)

    def identity(self) -> dict[str, Any]:
        """What the key of a score holds in place of path and device."""
        return {"name": self.name, "version": self.version, "sha256": _load(self.model, self.revision, self.device)[1],
                "rule": "mean over CA atoms, rows whole"}

    @torch.inference_mode()
    def score(self, samples: Tensor, data: Dataset) -> Scores:
        rows, (net, _) = protein_rows(samples, data), _load(self.model, self.revision, self.device)
        texts = proteins(data).decode(torch.from_numpy(rows.astype(np.int64)))
        # (b, L, 37) -> (b,)
        found = [net.infer(texts[k : k + BATCH])["plddt"][..., CA].double().mean(1).cpu()
                 for k in range(0, len(texts), BATCH)]
        return ratio(100 * torch.cat(found).numpy(), np.ones(len(rows)), self.name)


@lru_cache(maxsize=1)
def _load(model: str, revision: str, device: str) -> tuple[Any, str]:
    """The network and the hash of its weights. Raises ValueError, in one sentence, where transformers, the model or a
    part of its weights is missing.
    """
    try:
        import transformers
    except ImportError:
        raise ValueError("pLDDT needs transformers, which is not installed: `pip install ssmd-bench[hub]`") from None
    try:
        net, about = transformers.EsmForProteinFolding.from_pretrained(model, revision=revision, use_safetensors=True,
                                                                       output_loading_info=True)
    except UNREADABLE as error:
        raise ValueError(f"transformers finds no ESMFold model with safetensors weights at {model} "
                         f"({first_line(error)}): correct the path or the name") from None
    if missing := [key for key in about["missing_keys"] if "esm.contact_head" not in key]:
        raise ValueError(f"the weights at {model} lack {sorted(missing)[0]}: choose a model that was saved whole, "
                         "such as facebook/esmfold_v1")
    return net.float().eval().requires_grad_(False).to(device), weights_of(net)
