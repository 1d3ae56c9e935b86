"""A masked language model in the format of transformers, by the path of its folder or by its name, as a network of a
study. Weights in safetensors alone.

`mask` is the model's id of its mask token and `never` lists the ids that no text may hold (padding, beginning and end,
unknown): neither is guessed. The tokens of the harness are the model's other ids, ascending; `net.ids[x]` are the ids
that its tokenizer decodes (harness/nets/own.py).
"""

from dataclasses import dataclass

from harness.nets.causal_lm import UNREADABLE, first_line
from harness.nets.own import Made, Own


@dataclass(frozen=True)
class Hub(Made):
    model: str
    mask: int
    never: tuple[int, ...]
    revision: str = "main"

    def make(self, device: str) -> Own:
        """Raises ValueError, in one sentence, where transformers, the model or a part of its weights is missing."""
        try:
            import transformers
        except ImportError:
            raise ValueError(f"the model {self.model} needs transformers, which is not installed: `pip install "
                             "ssmd-bench[hub]`") from None
        try:
            net, about = transformers.AutoModelForMaskedLM.from_pretrained(self.model, revision=self.revision,
                                                                           use_safetensors=True,
                                                                           trust_remote_code=False,
                                                                            output_loading_info=True)
        except UNREADABLE as error:
            raise ValueError(f"transformers finds no masked language model with safetensors weights at {self.model} "
                             f"({first_line(error)}): correct the path or the name") from None
        if about["missing_keys"]:
            raise ValueError(f"the weights at {self.model} lack {sorted(about['missing_keys'])[0]}: choose a model "
                             "that was saved with its language-model head")
        net = net.float().to(device)
        own = Own(lambda x: net(input_ids=x).logits, net.config.vocab_size - 1 - len(self.never), self.mask, self.never,
                  net.config.num_hidden_layers, module=net)
        own.card |= {"model": self.model, "revision": self.revision, "transformers": transformers.__version__}
        return own
