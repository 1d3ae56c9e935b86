"""Stand-ins for networks whose code comes with their files: a tiny model of each call convention, saved as such models
are. The code is ours; the conventions are those of the files named in harness/nets/families.py.
"""

import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from safetensors.torch import save_file

SIZE, MASK, BEGIN, PAD = 40, 38, 36, 37    # ids of the stand-ins; 39 has a column and no token

HEAD = '''
import torch
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast

class Config(PretrainedConfig):
    model_type = "KIND"
    def __init__(self, vocab_size=40, width=16, rows=40, n_layers=3, use_cache=True, **more):
        self.vocab_size, self.width, self.rows = vocab_size, width, rows
        self.n_layers, self.use_cache = n_layers, use_cache
        super().__init__(**more)

class Layer(nn.Module):
    """Two heads of attention; `mask` as scaled_dot_product_attention takes it."""
    def __init__(self, width):
        super().__init__()
        self.mix, self.back = nn.Linear(width, 3 * width), nn.Linear(width, width)
    def forward(self, h, mask=None):
        q, k, v = (part.unflatten(-1, (2, -1)).transpose(1, 2) for part in self.mix(h).chunk(3, -1))
        found = nn.functional.scaled_dot_product_attention(q, k, v, mask)
        return h + self.back(found.transpose(1, 2).flatten(2))

class Base(PreTrainedModel):
    config_class = Config
    def _init_weights(self, module):
        pass

class Body(Base):
    def __init__(self, config):
        super().__init__(config)
        self.table, self.place = nn.Embedding(config.rows, config.width), nn.Embedding(64, config.width)
        self.layer = Layer(config.width)
        self.post_init()
    def get_input_embeddings(self):
        return self.table
    def run(self, ids, mask=None, time=None):
        h = self.table(ids) + self.place.weight[:ids.shape[1]]
        return self.layer(h if time is None else h + time[:, None, None], mask)
'''

DECODER = '''
class Inner(Body):
    def forward(self, input_ids=None, attention_mask=None):
        return BaseModelOutputWithPast(last_hidden_state=self.run(input_ids, self.heeded(attention_mask)))
    def heeded(self, mask):
        HEEDED

class Model(Base):
    base_model_prefix = "model"
    def __init__(self, config):
        super().__init__(config)
        self.model, self.lm_head = Inner(config), nn.Linear(config.width, config.vocab_size)
        self.post_init()
    def get_input_embeddings(self):
        return self.model.table
    def forward(self, input_ids=None, attention_mask=None):
        found = self.model(input_ids=input_ids, attention_mask=attention_mask)
        return CausalLMOutputWithPast(logits=self.lm_head(found[0]), past_key_values=found.past_key_values)
'''

BODIES = {
    # full attention; logits of all rows of the embedding; its inner model gives logits, and no states by name
    "llada": '''
class Inner(Body):
    def __init__(self, config):
        super().__init__(config)
        self.ff_out = nn.Linear(config.width, config.rows)
    def forward(self, input_ids=None, inputs_embeds=None, attention_mask=None):
        return CausalLMOutputWithPast(logits=self.ff_out(self.run(input_ids)))

class Model(Base):
    base_model_prefix = "model"
    def __init__(self, config):
        super().__init__(config)
        self.model = Inner(config)
        self.post_init()
    def get_input_embeddings(self):
        return self.model.table
    def forward(self, input_ids=None, inputs_embeds=None, attention_mask=None):
        if self.config.use_cache:
            raise ValueError("no cache with attention in both directions")
        return self.model(input_ids, inputs_embeds, attention_mask)
''',
    "Dream": DECODER.replace("HEEDED", "return mask"),
    "llada2_moe": DECODER.replace("HEEDED", '''if mask is None or mask.dim() != 4:
            return torch.full((64, 64), -1e9).triu(1)[:12, :12]    # causal
        return mask'''),
    "sdar": DECODER.replace("HEEDED", '''mask = mask.bool() if mask is not None else None
        torch.all(mask)    # a TypeError without one
        return mask'''),
    # a time that is given must be used, and the bare tensor comes back
    "mdlm": '''
class Backbone(Body):
    def __init__(self, config):
        super().__init__(config)
        self.out = nn.Linear(config.width, config.vocab_size)

class Model(Base):
    base_model_prefix = "mdlm"
    def __init__(self, config):
        super().__init__(config)
        self.backbone = Backbone(config)
        self.post_init()
    def get_input_embeddings(self):
        raise NotImplementedError
    def forward(self, input_ids=None, timesteps=None, output_hidden_states=None, return_dict=None):
        return self.backbone.out(self.backbone.run(input_ids, time=torch.zeros_like(timesteps)))
''',
    # log scores; 0 for the id that stands there
    "sedd": '''
class Model(Body):
    def __init__(self, config):
        super().__init__(config)
        self.out = nn.Linear(config.width, config.vocab_size)
    def forward(self, indices, sigma):
        found = self.out(self.run(indices, time=sigma))
        return torch.scatter(found, -1, indices[..., None], torch.zeros_like(found[..., :1]))
''',
}
AUTO = {"llada": "AutoModel", "Dream": "AutoModel", "llada2_moe": "AutoModelForCausalLM",
        "sdar": "AutoModelForCausalLM", "mdlm": "AutoModelForMaskedLM", "sedd": "AutoModelForMaskedLM"}


def standing_in(folder: Path, kind: str, **changes: Any) -> SimpleNamespace:
    """A folder as such a model comes, and the model itself by its own code."""
    folder.mkdir(parents=True)
    code = folder / f"modeling_{kind.lower()}.py"
    code.write_text((HEAD + BODIES[kind]).replace("KIND", kind))
    spec = importlib.util.spec_from_file_location(f"standing_in_{kind}", code)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    fields = {"vocab_size": SIZE, "rows": 64 if kind == "llada" else SIZE, "pad_token_id": PAD, "bos_token_id": BEGIN,
              "mask_token_id": MASK, "use_cache": True} | changes
    torch.manual_seed(0)
    model = module.Model(module.Config(**fields)).eval()
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.1)
    save_file({name: part.contiguous() for name, part in model.state_dict().items()}, folder / "model.safetensors",
              metadata={"format": "pt"})
    about = {"model_type": kind, "auto_map": {"AutoConfig": f"{code.stem}.Config", AUTO[kind]: f"{code.stem}.Model"}}
    (folder / "config.json").write_text(json.dumps(fields | about))
    model.config.use_cache = False
    return SimpleNamespace(folder=str(folder), model=model, code=code)
