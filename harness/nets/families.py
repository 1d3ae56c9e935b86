"""What a harness must know of a masked language model beside its weights, by the `model_type` of its configuration.

    before, after    special tokens that stand around every text of its training, by their name in a tokenizer
    never            ids that are no token of any text, beside those that configuration and tokenizer call special
    drawn            special tokens that a text may hold all the same
    shift            1: the logits at a place are of the token behind it
    needs            why no model of this kind can be taken here, in a sentence; nothing where it can

Each fact can be given in its place, and then wins. A kind that is not listed is taken without a frame and without a
shift; harness/nets/guards.py measures what it can of that.

Sources: the tokenizers and configurations that transformers 5.23 ships; for ESM-2 arXiv 2206.13517 and its tokenizer.
"""

from dataclasses import dataclass

CODE = "its class comes with code of its own, and no code of a model is run: give its function to `Own`"
UNIFORM = "it writes over random tokens and has no mask: it is no masked diffusion model"


@dataclass(frozen=True)
class Family:
    before: str = ""
    after: str = ""
    never: tuple[int, ...] = ()
    drawn: tuple[int, ...] = ()
    shift: int = 0
    needs: str = ""


FRAMED = Family("cls_token", "sep_token")
SENTENCE = Family("bos_token", "eos_token")
FAMILIES = {
    **dict.fromkeys(("bert", "albert", "electra", "distilbert", "deberta", "deberta-v2", "rembert", "convbert",
                     "mobilebert", "roformer", "modernbert", "nomic_bert", "big_bird", "nystromformer", "yoso", "mra",
                     "fnet", "megatron-bert", "squeezebert", "layoutlm"), FRAMED),
    **dict.fromkeys(("roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "data2vec-text", "mpnet", "eurobert",
                     "roberta-prelayernorm", "longformer", "luke"), SENTENCE),
    # X B U Z O . - and what the tokenizer calls null
    "esm": Family("cls_token", "eos_token", never=tuple(range(24, 32))),
    **dict.fromkeys(("llada", "Dream", "mdlm", "bd3lm", "llada2_moe", "sdar", "sedd", "a2d-qwen3"), Family(needs=CODE)),
    "duo": Family(needs=UNIFORM), "diffusion_gemma": Family(needs=UNIFORM),
}
PLAIN = Family()
