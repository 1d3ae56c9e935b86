"""A masked language model in the format of transformers, by the path of its folder or by its name, as a network of a
study. Weights in safetensors alone; no code of a model is run, unless the study says code=True
(harness/nets/remote.py).

What it is comes from its configuration and its tokenizer, and from what is known of its family
(harness/nets/families.py): the id of MASK; the ids that no text may hold (padding, beginning and end, unknown, columns
without a token); the frame around a text; what the network reads beside its ids, and whether it writes by blocks
(harness/nets/calls.py). All of that is said once, on stderr and in the card, and each can be given.
The tokens of the harness are the model's other ids, ascending; `net.ids[x]` are the ids that its tokenizer decodes
(harness/nets/own.py). `tokens` puts them into another order by their names, that of a data set, e.g.
"ACDEFGHIKLMNPQRSTVWY".

    Hub("my_model").left_out()      the ids that no text holds, MASK among them (harness/data/recounted.py)
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch

from harness.boundary.incoming import read
from harness.nets import remote
from harness.nets.calls import checked_form
from harness.nets.causal_lm import AGAIN, TOKENIZER, UNREADABLE, described, first_line, folder_of
from harness.nets.families import FAMILIES, PLAIN, Family
from harness.nets.own import Made, Own
from harness.nets.parted import embedding_of, parted
from harness.spec import sha256

SPECIAL = ("pad", "bos", "eos", "cls", "sep", "unk", "mask", "decoder_start")
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
AUTO = ("AutoModelForMaskedLM", "AutoModelForCausalLM", "AutoModel")


class Facts(NamedTuple):
    """How the ids of a model are to be taken."""

    kind: str
    size: int                    # columns of its vocabulary
    mask: int
    never: tuple[int, ...]
    ids: tuple[int, ...]         # of the tokens, in the order of the harness
    names: tuple[str, ...]       # of the tokens; none where there is no tokenizer
    before: tuple[int, ...]
    after: tuple[int, ...]
    shift: int
    auto: str                    # the class of transformers that makes it
    form: str                    # of its call
    block: int


@dataclass(frozen=True)
class Hub(Made):
    """A masked language model of transformers as a network of a study, by its name or its folder. What is not given is
    that of the family, None of a field or "main" of the revision.
    """

    model: str
    mask: int | None = None
    never: tuple[int, ...] | None = None
    revision: str = "main"
    tokens: str | tuple[str, ...] = ""
    before: tuple[int, ...] | None = None
    after: tuple[int, ...] | None = None
    shift: int | None = None
    also: tuple[int, ...] = ()     # special ids that may be drawn
    dtype: str = "float32"
    code: bool = False             # whether the model's own Python is run
    auto: str | None = None
    call: str | None = None
    block: int | None = None
    needs: str | None = None       # version of transformers, "" for any

    def make(self, device: str) -> Own:
        """Raises ValueError, in one sentence, where transformers, the model or a part of its weights is missing, or
        where nobody says what its MASK is.
        """
        if self.dtype not in DTYPES:
            raise ValueError(f"dtype={self.dtype!r} is none of {', '.join(DTYPES)}")
        transformers, folder, facts = self._facts()
        about = described(self.model, self.revision, "")
        code = remote.digests(folder) if self.code else {}
        transformers.utils.logging.disable_progress_bar()    # of a file that is read in a moment
        try:
            net, loaded = getattr(transformers, facts.auto).from_pretrained(
                folder, **{_word_for_dtype(transformers): DTYPES[self.dtype]}, use_safetensors=True,
                trust_remote_code=self.code, output_loading_info=True)
        except UNREADABLE as error:
            raise ValueError(f"transformers finds no masked language model with safetensors weights at {self.model} "
                             f"({first_line(error)}): correct the path or the name") from None
        if loaded["missing_keys"]:
            raise ValueError(f"the weights at {self.model} lack {sorted(loaded['missing_keys'])[0]}: choose a model "
                             "that was saved with its language-model head")
        net = net.eval().to(device)
        net.config.use_cache = False    # of keys and values: each pass reads a whole row
        call, head = parted(net, facts.form, facts.block)
        own = Own(call, len(facts.ids), facts.mask, facts.never, _depth(net.config),
                  identity=f"{facts.kind} {type(net).__name__} {self.dtype}", module=net, head=head,
                  embed=embedding_of(net), ids=facts.ids, before=facts.before, after=facts.after, shift=facts.shift,
                  about=[about["config_sha256"], sha256(code)] if code else about["config_sha256"],
                  weights=about["sha256"], names=facts.names, form=facts.form, block=facts.block)
        own.reads_all = True
        own.card |= {"model": self.model, "revision": about.get("commit", self.revision), "dtype": self.dtype,
                     "transformers": transformers.__version__} | ({"code": code} if code else {})
        print(f"{self.model}: {facts.kind}, MASK is {facts.mask}, {len(facts.ids)} tokens, never drawn "
              f"{_brief(facts.never)}, a text stands between {_brief(facts.before)} and {_brief(facts.after)}"
              + (", logits speak of the next token" if facts.shift else "")
              + (f", called in the form {facts.form}" if facts.form != "ids" else "")
              + (f", written in {own.order}" if facts.block else "")
              + (f", by its own code {sha256(code)[:12]}" if code else ""), file=sys.stderr)
        return own

    def left_out(self) -> tuple[int, ...]:
        """The model's ids that are no token of a text, ascending: those never drawn, and MASK."""
        facts = self._facts()[2]
        return tuple(sorted({*facts.never, facts.mask}))

    def _facts(self) -> tuple[Any, Path, Facts]:
        """The library, the folder, and how the ids are to be taken. Raises ValueError for what cannot be known."""
        try:
            import transformers
        except ImportError:
            raise ValueError(f"the model {self.model} needs transformers, which is not installed: `pip install "
                             "ssmd-bench[hub]`") from None
        if self.code:
            remote.pinned(self.model, self.revision)
        folder, _ = folder_of(self.model, self.revision, remote.FILES if self.code else ())
        if not (folder / "config.json").is_file():
            raise ValueError(f"transformers finds no masked language model with safetensors weights at {self.model} "
                             "(it has no config.json): correct the path or the name")
        config = read(folder / "config.json", dict[str, Any], AGAIN)
        kind = str(config.get("model_type", ""))
        family = FAMILIES.get(kind, PLAIN)
        if family.refused:
            raise ValueError(f"{self.model} is of the kind {kind}: {family.refused}")
        foreign = kind not in transformers.CONFIG_MAPPING
        if config.get("auto_map") and foreign and not self.code:
            raise ValueError(f"{self.model} {remote.REFUSED}")
        if self.code:
            remote.inside(folder, self.model, AGAIN)
        auto, form, block = self._called(family)
        needs = self.needs if self.needs is not None else family.needs if foreign else ""
        if needs not in ("", transformers.__version__):
            raise ValueError(f"{self.model} is of the kind {kind}, which needs transformers {needs}, and "
                             f"{transformers.__version__} is installed: `pip install transformers=={needs}`, or give "
                             "needs=\"\" to try it all the same")
        tokenizer = _tokenizer(transformers, folder, self.code)
        size = config.get("vocab_size")
        if not isinstance(size, int) or size < 2:
            raise ValueError(f"the configuration of {self.model} gives no vocab_size: {AGAIN}")
        mask = next((id for id in (self.mask, getattr(tokenizer, "mask_token_id", None), config.get("mask_token_id"),
                                   family.mask) if id is not None), None)
        if mask is None or not 0 <= mask < size:
            raise ValueError(f"nobody says which of the {size} ids of {self.model} is MASK: give mask=..., the "
                             "mask_token_id of its tokenizer")
        special = _special(config, tokenizer, size) | {*family.never}
        never = {*self.never} if self.never is not None else (special - {*family.drawn, *self.also} | (
            set(range(len(tokenizer), size)) if tokenizer is not None else set()))
        if drawable := sorted(special - never - {mask, *self.also, *family.drawn}):
            raise ValueError(f"{self.model} calls {_brief(drawable)} special, and never={_brief(sorted(never))} lets "
                             "them be drawn: put them among `never`, or among `also` if a text may hold them")
        ids = sorted(set(range(size)) - never - {mask})
        if self.tokens:
            ids, never = _in_order(self.model, tokenizer, self.tokens, mask, size)
        names = () if tokenizer is None else tuple(map(str, tokenizer.convert_ids_to_tokens(ids)))
        before, after = (given if given is not None else _named(role, config, tokenizer, size)
                         for given, role in ((self.before, family.before), (self.after, family.after)))
        return transformers, folder, Facts(kind, size, mask, tuple(sorted(never - {mask})), tuple(ids), names, before,
                                           after, family.shift if self.shift is None else self.shift, auto, form, block)

    def _called(self, family: Family) -> tuple[str, str, int]:
        """The class that makes it, the form of its call, and the tokens of a block."""
        auto, form = (given if given is not None else of_family
                      for given, of_family in ((self.auto, family.auto), (self.call, family.call)))
        block = family.block if self.block is None else self.block
        if auto not in AUTO:
            raise ValueError(f"auto={auto!r} is none of {', '.join(AUTO)}")
        checked_form(form, block)
        return auto, form, block


def _word_for_dtype(transformers: Any) -> str:
    return "dtype" if tuple(map(int, transformers.__version__.split(".")[:2])) >= (4, 56) else "torch_dtype"


def _tokenizer(transformers: Any, folder: Path, code: bool) -> Any:
    """None where the folder has none."""
    if not any((folder / name).is_file() for name in TOKENIZER):
        return None
    try:
        return transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=code)
    except UNREADABLE as error:
        raise ValueError(f"the tokenizer in {folder} cannot be read ({first_line(error)}): {AGAIN}") from None


def _special(config: dict[str, Any], tokenizer: Any, size: int) -> set[int]:
    said = [config.get(f"{role}_token_id") for role in SPECIAL]
    found = [one for part in said for one in (part if isinstance(part, list) else [part])]
    found += tokenizer.all_special_ids if tokenizer is not None else []
    return {one for one in found if isinstance(one, int) and 0 <= one < size}


def _named(role: str, config: dict[str, Any], tokenizer: Any, size: int) -> tuple[int, ...]:
    """The id of a special token, where tokenizer or configuration has one."""
    found = getattr(tokenizer, f"{role}_id", None) if tokenizer is not None else config.get(f"{role}_id")
    return (found,) if role and isinstance(found, int) and 0 <= found < size else ()


def _in_order(model: str, tokenizer: Any, tokens: Sequence[str], mask: int, size: int) -> tuple[list[int], set[int]]:
    """The ids of these tokens, and all others. Raises ValueError for one that the tokenizer does not know."""
    if tokenizer is None:
        raise ValueError(f"{model} has no tokenizer that knows tokens={''.join(tokens)[:40]!r}: give the folder its "
                         "tokenizer, or mask and never")
    known = tokenizer.get_vocab()
    if lacking := [token for token in tokens if token not in known]:
        raise ValueError(f"the tokenizer of {model} has no token {lacking[0]!r}: correct `tokens`")
    ids = [known[token] for token in tokens]
    return ids, set(range(size)) - {*ids, mask}


def _depth(config: Any) -> int:
    return next((int(getattr(config, name)) for name in ("num_hidden_layers", "n_layers", "n_layer", "num_layers",
                                                             "n_blocks")
                 if getattr(config, name, None)), 1)


def _brief(ids: Sequence[int]) -> str:
    text = " ".join(map(str, ids[:8]))
    return f"{text} and {len(ids) - 8} more" if len(ids) > 8 else text or "nothing"
