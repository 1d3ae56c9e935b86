"""Tiny language models of transformers, made on the spot: random weights, a tokenizer of a few merges."""

from pathlib import Path

import pytest
import torch

TEXT = "the city is the capital of the country and the seat of its government in the north of the river "


def library():
    found = pytest.importorskip("transformers", reason="transformers is not installed: pip install ssmd-bench[judges]")
    found.logging.set_verbosity_error()
    found.utils.logging.disable_progress_bar()
    return found


def tokenizer(words: str = TEXT, size: int = 300):
    """Byte-level BPE, as GPT-2's, with one special token for beginning and end."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=["<|endoftext|>"],
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    made.train_from_iterator([words], trainer)
    return made


def save(folder: Path, seed: int = 0, context: int = 64) -> Path:
    """A folder with a GPT-2 of two layers, whose answers are far from uniform, and its tokenizer."""
    transformers = library()
    torch.manual_seed(seed)
    small = {"n_positions": context, "n_embd": 16, "n_layer": 2, "n_head": 2, "initializer_range": 0.5,
             "bos_token_id": 0, "eos_token_id": 0}
    net = transformers.GPT2LMHeadModel(transformers.GPT2Config(vocab_size=300, **small))
    net.save_pretrained(folder)
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer(), bos_token="<|endoftext|>",
                                         eos_token="<|endoftext|>").save_pretrained(folder)
    return folder
