"""What a harness must know of a masked language model beside its weights, by the `model_type` of its configuration.

    before, after    special tokens that stand around every text of its training, by their name in a tokenizer
    never            ids that are no token of any text, beside those that configuration and tokenizer call special
    drawn            special tokens that a text may hold all the same
    mask             its id of MASK, where its tokenizer has none
    shift            1: the logits at a place are of the token behind it
    auto             the class of transformers that makes it
    call, block      what it reads beside its ids, and the tokens of a block, 0 without (harness/nets/calls.py)
    needs            the version of transformers that its code was written for; nothing where any will do
    refused          why no model of this kind can be taken here, in a sentence; nothing where it can

Each fact can be given in its place, and then wins. A kind that is not listed is taken without a frame and without a
shift; harness/run/guards.py measures what it can of that.

Sources: the tokenizers and configurations that transformers 5.23 ships; for ESM-2 and ESM C arXiv 2206.13517 and the
tokenizer of ESM-2, which is that of both. Of the kinds whose code comes with the model: LLaDA's generate.py (b7e6c35),
the samplers of dllm (ca17675) for Dream and LLaDA2, modeling_sdar.py and generate.py of SDAR (c2041a8), models/dit.py
of MDLM (c112c52), model/transformer.py of SEDD (0605786). Which versions load them was tried on tiny models of their
classes; SEDD's are of no such format, and its entry is for a copy that is.
"""

from dataclasses import dataclass

BOTH = ("its call wants the noised and the clean text side by side, unless it is told otherwise: give its function to "
        "`Own`, with form=\"timesteps\"")
DLLM = "its class is made by the package dllm alone: load it there, and give its function to `Own`"
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
    mask: int | None = None
    shift: int = 0
    auto: str = "AutoModelForMaskedLM"
    call: str = "ids"
    block: int = 0
    needs: str = ""
    refused: str = ""


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
    # the end of a text and of a turn, which are its padding too
    "llada": Family(auto="AutoModel", mask=126336, drawn=(126081, 126348), needs="4.57.1"),
    # its padding is the end of a text
    "Dream": Family("bos_token", auto="AutoModel", mask=151666, drawn=(151643,), shift=1, needs="4.57.1"),
    "llada2_moe": Family(auto="AutoModelForCausalLM", mask=156895, drawn=(156892,), call="mask4d", block=32,
                         needs="4.57.1"),
    # ids of a chat are special to its tokenizer; its code imports what later versions have no more
    "sdar": Family(auto="AutoModelForCausalLM", mask=151669, call="mask3d", block=4, needs="4.52.4"),
    # GPT-2's tokens and, behind them, MASK; the end of a text is drawn
    "mdlm": Family(mask=50257, drawn=(50256,), call="timesteps", needs="4.57.1"),
    "sedd": Family(mask=50257, drawn=(50256,), call="sigma"),
    **dict.fromkeys(("modernvbert", "ultravbert"), Family(refused=IMAGES)),
    **dict.fromkeys(("mbart", "xmod"), Family(refused=LANGUAGE)),
    "perceiver": Family(refused=WHOLE), "mra": Family(refused=KERNEL),
    "bd3lm": Family(refused=BOTH), "a2d-qwen3": Family(refused=DLLM),
    "duo": Family(refused=UNIFORM), "diffusion_gemma": Family(refused=UNIFORM),
}
PLAIN = Family()
