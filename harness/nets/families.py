"""What a harness must know of a masked language model beside its weights, by the `model_type` of its configuration.

    before, after    special tokens that stand around every text of its training, by their name in a tokenizer
    never            ids that are no token of any text, beside those that configuration and tokenizer call special
    drawn            special tokens that a text may hold all the same
    shift            1: the logits at a place are of the token behind it
    needs            why no model of this kind can be taken here, in a sentence; nothing where it can

Each fact can be given in its place, and then wins. A kind that is not listed is taken without a frame and without a
shift; harness/nets/guards.py measures what it can of that.

Sources: the tokenizers and configurations that transformers 5.23 ships; for ESM-2 and ESM C arXiv 2206.13517 and the
tokenizer of ESM-2, which is that of both.
"""

from dataclasses import dataclass

CODE = "its class comes with code of its own, and no code of a model is run: give its function to `Own`"
UNIFORM = "it writes over random tokens and has no mask: it is no masked diffusion model"
KERNEL = "its attention is compiled code, and without it no place sees another: choose another model"
IMAGES = "it reads images beside a text, and its text has a configuration of its own: give its function to `Own`"
LANGUAGE = "it must be told the language of each text: give its function to `Own`, with the language in it"
WHOLE = "it answers for all of its places, whatever the length of a text: give its function to `Own`, cut to the text"


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
                     "mobilebert", "roformer", "modernbert", "nomic_bert", "big_bird", "nystromformer", "yoso",
                     "fnet", "megatron-bert", "squeezebert", "layoutlm", "ernie", "roc_bert", "tapas",
                     "funnel"), FRAMED),
    **dict.fromkeys(("roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "data2vec-text", "mpnet", "eurobert",
                     "roberta-prelayernorm", "longformer", "luke", "ibert", "gte", "jina_embeddings_v3", "bart", "mvp"),
                    SENTENCE),
    **dict.fromkeys(("xlm", "flaubert"), Family("bos_token", "sep_token")),
    # X B U Z O . - and what the tokenizer calls null, or a break of chains
    **dict.fromkeys(("esm", "esmc"), Family("cls_token", "eos_token", never=tuple(range(24, 32)))),
    **dict.fromkeys(("llada", "Dream", "mdlm", "bd3lm", "llada2_moe", "sdar", "sedd", "a2d-qwen3"), Family(needs=CODE)),
    **dict.fromkeys(("modernvbert", "ultravbert"), Family(needs=IMAGES)),
    **dict.fromkeys(("mbart", "xmod"), Family(needs=LANGUAGE)),
    "perceiver": Family(needs=WHOLE), "mra": Family(needs=KERNEL),
    "duo": Family(needs=UNIFORM), "diffusion_gemma": Family(needs=UNIFORM),
}
PLAIN = Family()
