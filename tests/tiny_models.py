"""A tiny random model of any class of masked language models that transformers has, saved as a folder with a tokenizer
of words.
"""

import json
from pathlib import Path

import torch

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "<cls>", "<sep>"]
WORDS = [f"w{k}" for k in range(33)]
VOCAB = [*SPECIAL, *WORDS]

# what a configuration is given of this, by the names that it knows; "layer_types" and such follow from the others
SIZES = {
    **dict.fromkeys(("hidden_size", "dim", "emb_dim", "d_model", "embedding_size", "intermediate_size", "hidden_dim",
                     "pooler_hidden_size", "encoder_ffn_dim", "decoder_ffn_dim", "d_inner", "feed_forward_size",
                     "input_embedding_size", "output_embedding_size", "true_hidden_size", "intra_bottleneck_size",
                     "d_latents", "entity_emb_size", "pronunciation_embed_dim", "shape_embed_dim",
                     "prediction_head_size", "embedding_rank", "embedding_dim"), 32),
    **dict.fromkeys(("num_hidden_layers", "n_layers", "encoder_layers", "decoder_layers", "num_attention_heads",
                     "n_heads", "n_head", "encoder_attention_heads", "decoder_attention_heads", "num_key_value_heads",
                     "num_self_attends_per_block", "num_self_attention_heads", "num_cross_attention_heads"), 2),
    **dict.fromkeys(("head_dim", "d_head", "attention_head_size", "num_latents"), 16),
    "vocab_size": len(VOCAB), "max_position_embeddings": 64, "entity_vocab_size": 8,
    "pronunciation_vocab_size": 8, "shape_vocab_size": 8,
    "bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "unk_index": 3, "mask_index": 4, "mask_token_id": 4,
    "cls_token_id": 5, "sep_token_id": 6, "decoder_start_token_id": 2, "forced_eos_token_id": 2,
}
# and what one kind needs beside
OWN = {
    "reformer": {"attn_layers": ["local", "lsh"], "axial_pos_shape": [8, 8], "axial_pos_embds_dim": [16, 16],
                 "is_decoder": False, "hash_seed": 0, "num_buckets": 2},
    "longformer": {"attention_window": 32},
    "funnel": {"block_sizes": [1, 1], "block_repeats": [1, 1], "num_decoder_layers": 1},
    "nystromformer": {"segment_means_seq_len": 8, "num_landmarks": 8},
}


def tiny(library, folder: Path, kind: str) -> Path:
    """Raises whatever the class raises that cannot be made so small."""
    torch.manual_seed(0)
    made = library.CONFIG_MAPPING[kind]
    config = made(**{name: value for name, value in SIZES.items() if name in made().to_dict()} | OWN.get(kind, {}))
    net = library.MODEL_FOR_MASKED_LM_MAPPING[type(config)](config).eval()
    for p in net.parameters():    # some begin at zero, and their layers would say nothing
        p.data += 0.05 * torch.randn_like(p)
    net.save_pretrained(folder)
    spoken(folder)
    return folder


def spoken(folder: Path) -> None:
    """Give a folder its tokenizer."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({word: k for k, word in enumerate(VOCAB)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(folder / "tokenizer.json"))
    roles = ("bos", "pad", "eos", "unk", "mask", "cls", "sep")
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"tokenizer_class": "PreTrainedTokenizerFast"} | {f"{role}_token": w for role, w in zip(roles, SPECIAL)}))
