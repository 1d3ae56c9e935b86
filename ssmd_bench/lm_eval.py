"""Our samplers as a model of lm-evaluation-harness (package `lm_eval`, extra `lm_eval`): docs/lm_eval.md.

    from ssmd_bench.lm_eval import Sampled

    lm = Sampled(sb.sampler("threshold")(tau=0.9), sb.shipped("heavy"), Letters(), cache="runs/answers.jsonl")
    lm_eval.simple_evaluate(lm, tasks=["..."])["results"], lm.summary()

generate_until writes a canvas of `max_gen_toks` masks behind the prompt by the sampler, and cuts it at the first EOS or
string of `until`. loglikelihood is a bound by Monte Carlo over masks (ssmd_bench/masked_bound.py), its standard error
beside it. What a ledger counted stands beside each answer: passes, T and tokens per forward.

`Sampled` is made when it is asked for, as a subclass of lm_eval.api.model.LM; `Answers` is all of it but that.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from math import hypot
from pathlib import Path
from typing import Any, NamedTuple

import torch

from harness.kinds import Denoiser
from harness.nets.wrap import Temper
from harness.run.orders import block_of
from harness.sampling.ledger import Ledger
from harness.sampling.loop import sample
from harness.spec import sha256, to_json
from harness.stats.forwards import tpf
from ssmd_bench.answers import Kept, Letters, Renumbered, cut, fits, ids_of, summed, write
from ssmd_bench.masked_bound import bound, greedy, spans

__all__ = ["Answers", "Letters", "Renumbered"]    # and Sampled, which is made when it is asked for
LENGTHS = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")
VERSION = 1    # of how answers are made, in the key of each that is kept
HONOURED = {*LENGTHS, "until", "do_sample", "temperature"}


class Asked(NamedTuple):
    """A generation: its request, token ids of the prompt, how many of its tokens were left out on the left, places of
    the canvas, the row that keys its draws, and how it is decoded.
    """

    place: int
    about: dict[str, Any]
    prompt: tuple[int, ...]
    left_out: int
    canvas: int
    row: int
    heat: float
    until: tuple[str, ...]
    ignored: list[str]


class Answers:
    """What lm_eval asks of a model. nets: a network, or networks by role; each a Denoiser, or what has `load(device)`
    (Checkpoint, Hub, Made). tokenizer: of tokens 0..V-1, for example Letters or Renumbered. eos: tokens that end a
    text. seed: of every draw. batch: rows at once. max_length: tokens of a row, prompt and answer. temperature: None as
    the task says; 0 is greedy; any other number is the sampler as it is, of logits divided by it. draws: mask sets of
    a likelihood. greedy: whether loglikelihood also tells if the answer is the greedy one, for up to n passes. cache,
    log: files of JSON lines.

    Raises ValueError, in a sentence, for networks that the sampler cannot take.
    """

    def __init__(self, sampler: Any, nets: Any, tokenizer: Any, *, eos: Sequence[int] | None = None, seed: int = 0,
                 batch: int = 8, max_length: int = 4096, max_gen_toks: int = 256, temperature: float | None = None,
                 draws: int = 128, greedy: bool = True, cache: Path | str | None = None,
                 log: Path | str | None = None, device: str = "cpu"):
        super().__init__()
        roles = nets if isinstance(nets, Mapping) else {"main": nets}
        self.nets: dict[str, Any] = {role: net.load(device) if hasattr(net, "load") else net
                                     for role, net in roles.items()}
        self.sampler, self.tokens, self.seed, self.rows_at_once = sampler, tokenizer, seed, batch
        self.eos = tuple(getattr(tokenizer, "eos", ()) if eos is None else eos)
        self.max_length, self.max_gen_toks, self.temperature, self.draws = max_length, max_gen_toks, temperature, draws
        self.greedy, self.where, self.log = greedy, device, Path(log) if log else None
        self._device = torch.device(device)
        self.kept, self.lines = Kept(cache), list[dict[str, Any]]()
        self.hashes = {role: getattr(net, "sha256", "") for role, net in self.nets.items()}
        fits(sampler, self.nets, cache is not None)

    def generate_until(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[str]:
        """Requests whose args are (context, settings) -> the texts that are written behind, in their order. Raises
        ValueError for a task that asks for greedy decoding of a sampler that has none.
        """
        asked = self._asked(requests)
        found = dict[int, dict[str, Any]]()
        waiting = defaultdict[tuple[float, int], list[Asked]](list)
        for one in asked:
            known = self.kept.get(self._key(one))
            if known is not None:
                found[one.place] = {**known, "cached": True}
            else:
                waiting[one.heat, len(one.prompt) + one.canvas].append(one)
        for (heat, length), group in waiting.items():
            for several in (group[k : k + 8 * self.rows_at_once] for k in range(0, len(group), 8 * self.rows_at_once)):
                answers = self._written(several, heat, length)
                self.kept.put([(self._key(one), answer) for one, answer in zip(several, answers)])
                found |= {one.place: {**answer, "cached": False} for one, answer in zip(several, answers)}
        told = [self._line(one, found[one.place]) for one in asked]
        self._tell([line for _, line in told])
        return [text for text, _ in told]

    def _asked(self, requests: Sequence[Any]) -> list[Asked]:
        times, asked, unheard = Counter[str](), [], set[str]()
        for place, request in enumerate(requests):
            context, settings = request.args
            about = _about(request)
            about |= {"repeat": times[who := sha256([about, context])]}
            times[who] += 1
            canvas = int(next((settings[name] for name in LENGTHS if settings.get(name) is not None),
                              self.max_gen_toks))
            room = self.max_length - canvas
            if room < 0:
                raise ValueError(f"a task wants {canvas} tokens of an answer and a row has {self.max_length}: give a "
                                 "larger max_length")
            prompt = self._ids(context)
            until = settings.get("until") or []
            ignored = sorted({*settings} - HONOURED)
            unheard |= {*ignored}
            asked.append(Asked(place, about, tuple(prompt[max(0, len(prompt) - room) :]), max(0, len(prompt) - room),
                               canvas, _row([about, context if about["doc"] is None else ""]), self._heat(settings),
                               tuple([until] if isinstance(until, str) else until), ignored))
        if unheard:
            print(f"no sampler here knows {', '.join(sorted(unheard))}, which a task sets: left out", file=sys.stderr)
        return asked

    def _heat(self, settings: Mapping[str, Any]) -> float:
        """The temperature of a request, 0 for greedy."""
        if self.temperature is not None:
            return float(self.temperature)
        heat, draws = settings.get("temperature"), settings.get("do_sample")
        return 0.0 if draws is False else float(bool(draws)) if heat is None else float(heat)

    def _decoder(self, heat: float) -> tuple[Any, dict[str, Denoiser]]:
        """The sampler and its networks at a temperature. Raises ValueError where it has no greedy form."""
        if heat == 0:
            if not hasattr(self.sampler, "tokens"):
                raise ValueError(f"a task asks for greedy decoding, and {self.sampler.name} draws its tokens: give "
                                 "temperature=1.0 to let it draw, or a sampler that has tokens='greedy'")
            return replace(self.sampler, tokens="greedy"), self.nets
        drawn = self.temperature is None and hasattr(self.sampler, "tokens")
        sampler = replace(self.sampler, tokens="drawn") if drawn else self.sampler
        return sampler, self.nets if heat == 1 else {role: Temper(net, heat) for role, net in self.nets.items()}

    def _key(self, one: Asked) -> dict[str, Any]:
        return {"sampler": to_json(self._decoder(one.heat)[0]), "nets": self.hashes, "temperature": one.heat,
                "prompt": list(one.prompt), "length": one.canvas, "seed": self.seed, "row": one.row, "of": "text",
                "device": self._device.type, "version": VERSION}

    def _written(self, group: Sequence[Asked], heat: float, length: int) -> list[dict[str, Any]]:
        """Canvases of rows of one length, and what each cost."""
        sampler, nets = self._decoder(heat)
        mask = next(iter(nets.values())).mask
        prompts = torch.tensor([[*one.prompt, *[mask] * one.canvas] for one in group], dtype=torch.int64)
        rows = torch.tensor([one.row for one in group], device=self.where)
        ledger = Ledger(len(group), length, mask)
        prompts = prompts.view(len(group), length).to(self.where)
        x = sample(sampler, nets, prompts, self.seed, self.rows_at_once, rows, ledger).cpu()    # (n, L)
        return [{"ids": x[k, len(one.prompt) :].tolist(), "drafts": int(ledger.drafts[k]),
                 "calls": {name: int(calls[k]) for name, calls in sorted(ledger.calls.items())}}
                for k, one in enumerate(group)]

    def _line(self, one: Asked, answer: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """The text, and what stands beside it in the log."""
        text, tokens, ended = cut(answer["ids"], self.tokens.decode, one.until, self.eos)
        passes = sum(answer["calls"].values())
        return text, {"type": "text", **one.about, "prompt": len(one.prompt), "left_out": one.left_out,
                      "canvas": one.canvas, "tokens": tokens, "ended": ended, "passes": passes,
                      "drafts": answer["drafts"], "calls": answer["calls"], "temperature": one.heat,
                      "tpf": tpf([tokens], [passes]) if passes else None, "ignored": one.ignored,
                      "cached": answer["cached"]}

    def loglikelihood(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[tuple[float, bool]]:
        """Requests whose args are (context, continuation) -> a bound on log p in nats, and whether it is the greedy
        answer. Spaces at the end of a context go to the continuation, as lm_eval has it. Raises ValueError for a
        continuation without a token.
        """
        answers = []
        for request in requests:
            context, continuation = request.args
            kept = context.rstrip()
            continuation, context = context[len(kept) :] + continuation, kept
            before = self._ids(context) if context else []
            answer = self._ids(context + continuation)[len(before) :]
            if not answer:
                raise ValueError(f"the tokenizer has no token for the answer {continuation!r}: choose a task that fits "
                                 "its alphabet")
            answers.append(self._judged(request, before, answer, self.greedy))
        return [(found["nats"], found["greedy"]) for found in answers]

    def loglikelihood_rolling(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[float]:
        """Requests whose args are (text,) -> bounds on log p of each whole text, in nats. One that is longer than a row
        is cut into parts, each behind half a row of what stands before it.
        """
        return [self._judged(request, [], self._ids(request.args[0]), False)["nats"] for request in requests]

    def _judged(self, request: Any, context: Sequence[int], answer: Sequence[int], whether: bool) -> dict[str, Any]:
        about = _about(request)
        item = _row([about["task"], about["doc"], list(context) if about["doc"] is None else []])
        key = {"nets": self.hashes, "prompt": list(context), "answer": list(answer), "length": self.max_length,
               "draws": self.draws, "seed": self.seed, "row": item, "greedy": whether, "of": "likelihood",
               "device": self._device.type, "version": VERSION}
        found = self.kept.get(key)
        if cached := found is not None:
            answered = dict(found or {})
        else:
            net, nats, error, passes = self.nets["main"], 0.0, 0.0, 0
            parts = list(spans(context, answer, self.max_length, block_of(net)))
            for part in parts:
                b = bound(net, *part, self.draws, self.seed, item, self.rows_at_once, self.where)
                nats, error, passes = nats + b.nats, hypot(error, b.error), passes + b.passes
            is_greedy = whether
            for part in parts if whether else ():
                is_greedy, more = greedy(net, *part, self.where)
                passes += more
                if not is_greedy:
                    break
            answered = {"nats": nats, "error": error, "passes": passes, "greedy": is_greedy}
            self.kept.put([(key, answered)])
        answered.pop("key", None)
        self._tell([{"type": "likelihood", **about, "is": "bound", "tokens": len(answer), "draws": self.draws,
                     **answered, "cached": cached}])
        return answered

    def _ids(self, text: str) -> list[int]:
        return ids_of(self.tokens, text, next(iter(self.nets.values())).vocab)

    def _tell(self, lines: list[dict[str, Any]]) -> None:
        self.lines += lines
        if self.log is not None:
            write(self.log, lines)

    def summary(self) -> dict[str, Any]:
        """By task, to be printed beside its accuracy: T, canvas tokens, passes and TPF with its 95 % interval over
        requests; of likelihoods the mean standard error in nats. Costs of answers from the cache are those that they
        had.
        """
        tasks = {name: summed([line for line in self.lines if line["task"] == name])
                 for name in dict.fromkeys(line["task"] for line in self.lines)}
        return {"settings": self.get_model_info(), "tasks": tasks}

    def get_model_info(self) -> dict[str, Any]:
        """What decides the answers, as lm_eval keeps it with its results."""
        template = getattr(getattr(self.tokens, "tokenizer", None), "chat_template", None)
        return {"sampler": to_json(self.sampler), "nets": self.hashes, "seed": self.seed, "draws": self.draws,
                "temperature": self.temperature, "max_length": self.max_length, "likelihood": "bound",
                "template_sha256": sha256(template) if template else ""}

    @property
    def tokenizer_name(self) -> str:
        """Of the tokenizer, for lm_eval's own cache of requests."""
        return str(getattr(getattr(self.tokens, "tokenizer", None), "name_or_path", type(self.tokens).__name__))

    def chat_template(self, chat_template: bool | str = False) -> str | None:
        """The template of the tokenizer, where one is asked for."""
        return getattr(self._chat(), "chat_template", None) if chat_template else None

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """A conversation as the text that the model reads. Raises ValueError for a tokenizer without a template."""
        return self._chat().apply_chat_template(chat_history, tokenize=False, continue_final_message=not
                                                add_generation_prompt, add_generation_prompt=add_generation_prompt)

    def _chat(self) -> Any:
        inner = getattr(self.tokens, "tokenizer", None)
        if not getattr(inner, "chat_template", None):
            raise ValueError("the tokenizer has no chat template: run the task without one")
        return inner


def _about(request: Any) -> dict[str, Any]:
    return {"task": getattr(request, "task_name", None), "doc": getattr(request, "doc_id", None),
            "choice": getattr(request, "idx", 0)}


def _row(about: Any) -> int:
    """A number below 2**32 for what a request is of, wherever it stands in a batch."""
    return int(sha256(about)[:8], 16)


@lru_cache(maxsize=1)
def _sampled() -> type:
    try:
        from lm_eval.api.model import LM
    except ImportError:
        raise ImportError("the adapter needs lm-evaluation-harness, which is not installed: `pip install "
                          "ssmd-bench[lm_eval]`") from None
    return type("Sampled", (Answers, LM), {"__doc__": Answers.__doc__, "__module__": __name__})


def __getattr__(name: str) -> Any:
    if name != "Sampled":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _sampled()
