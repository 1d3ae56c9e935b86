"""What stands around a network that answers questions: tokenizers that count as the harness does, where an answer ends,
and answers that are kept.

A tokenizer has `encode(text) -> ids` and `decode(ids) -> text`, of tokens 0..V-1, and may have `eos`, the tokens that
end a text.
"""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness.boundary.atomic import append_line, sentence
from harness.data.text import ALPHABET, normalise
from harness.nets.own import Own
from harness.run.orders import block_of, by_blocks
from harness.schedules.order import UNIFORM
from harness.spec import sha256
from harness.stats.forwards import tpf
from harness.stats.intervals import ratio_interval


class Letters:
    """The alphabet of the text networks that ship, a to z and space: what is not of it is spelled or becomes a space
    (harness/data/text.py). There is no end of a text.
    """

    eos: tuple[int, ...] = ()

    def encode(self, text: str) -> list[int]:
        """Ids of the normalised text; one space at either end stays where the text has any."""
        body = normalise(text).decode()
        ends = (text[:1].isspace(), text[-1:].isspace() and bool(body))
        return [ALPHABET.index(c) for c in " " * ends[0] + body + " " * ends[1]]

    def decode(self, ids: Sequence[int]) -> str:
        """One character a token."""
        return "".join(ALPHABET[i] for i in ids)


class Renumbered:
    """A tokenizer of a model, in the tokens of the harness, which leave out MASK and what is never drawn
    (docs/bring_your_own.md). eos: ids of the model that end a text; by default the tokenizer's own.
    """

    def __init__(self, tokenizer: Any, net: Own, eos: Sequence[int] | None = None):
        self.tokenizer, self.ids = tokenizer, net.ids.tolist()[: net.vocab]        # the model's id of each token
        self.token = {own: token for token, own in enumerate(self.ids)}
        said: Any = getattr(tokenizer, "eos_token_id", None)
        ends: Sequence[int] = eos if eos is not None else [said] if said in self.token else []
        self.eos = tuple(self._of(ends))

    def encode(self, text: str) -> list[int]:
        """Raises ValueError for an id that no text may hold."""
        return self._of(self.tokenizer.encode(text, add_special_tokens=False))

    def decode(self, ids: Sequence[int]) -> str:
        """Special tokens stand as they are written."""
        return self.tokenizer.decode([self.ids[i] for i in ids], skip_special_tokens=False)

    def _of(self, ids: Sequence[int]) -> list[int]:
        if lacking := [i for i in ids if i not in self.token]:
            raise ValueError(f"a text holds the id {lacking[0]}, which the network never draws: name it among `also` "
                             "of Hub, or use a template without it")
        return [self.token[i] for i in ids]


def ids_of(tokenizer: Any, text: str, vocab: int) -> list[int]:
    """Tokens of a text. Raises ValueError for a tokenizer that counts otherwise than a network of `vocab` tokens."""
    ids = [int(one) for one in tokenizer.encode(text)]
    if ids and not 0 <= min(ids) <= max(ids) < vocab:
        raise ValueError(f"the tokenizer gives the id {max(ids)}, and the network has tokens 0 to {vocab - 1}: "
                         "Renumbered(tokenizer, net) counts as the network does")
    return ids


class Cut(NamedTuple):
    """text: up to the end, without what ended it. tokens: T, those written up to and with the end. ended: "eos",
    "until" or "length".
    """

    text: str
    tokens: int
    ended: str


def cut(ids: Sequence[int], decode: Callable[[Sequence[int]], str], until: Sequence[str], eos: Sequence[int]) -> Cut:
    """A canvas of written tokens up to its first EOS or the first of the strings `until`, whichever comes first."""
    end = next((place for place, token in enumerate(ids) if token in eos), len(ids))
    text = decode(ids[:end])
    at = [place for place in (text.find(stop) for stop in until if stop) if place >= 0]
    if not at:
        return Cut(text, min(end + 1, len(ids)), "eos" if end < len(ids) else "length")

    def stopped(tokens: int) -> bool:
        shown = decode(ids[:tokens])
        return any(stop in shown for stop in until if stop)

    return Cut(text[: min(at)], bisect_left(range(end), True, key=stopped), "until")


class Kept:
    """Answers by the hash of all that decides them: a file of JSON lines, or memory alone. Lines that a killed writer
    left torn are passed over. Raises ValueError for a file that cannot be read.
    """

    def __init__(self, path: Path | str | None):
        self.path, self.known = Path(path) if path else None, dict[str, dict[str, Any]]()
        if self.path is not None and self.path.exists():
            try:
                lines = self.path.read_bytes().splitlines()
            except OSError as error:
                raise ValueError(f"the cache {self.path} cannot be read ({sentence(error)}): name another") from None
            for line in lines:
                found = _line(line)
                if isinstance(found.get("key"), str):
                    self.known[found["key"]] = found

    def get(self, about: Mapping[str, Any]) -> dict[str, Any] | None:
        """What is kept under these settings."""
        return self.known.get(sha256(about))

    def put(self, several: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> None:
        """Settings and answer of each, all in one write. Raises ValueError if the disk refuses."""
        lines = [{"key": sha256(about), **answer} for about, answer in several]
        self.known |= {line["key"]: line for line in lines}
        if self.path is not None:
            write(self.path, lines)


def write(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Add JSON lines to a file, all or none. Raises ValueError if the disk refuses."""
    if lines:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            append_line(path, "".join(json.dumps(line) + "\n" for line in lines).encode())
        except OSError as error:
            raise ValueError(f"{path} cannot be written ({sentence(error)}): free the disk or name another") from None


def fits(sampler: Any, nets: Mapping[str, Any], cached: bool) -> None:
    """Raises ValueError, in a sentence, for networks by role that a sampler cannot take, or a cache cannot name."""
    for need in sampler.needs:
        role, _, kind = need.partition(".")
        if role not in nets:
            raise ValueError(f"{sampler.name} needs a network {role!r}: give nets={{{role!r}: ...}}")
        if kind and not nets[role].blocks(kind):
            raise ValueError(f"{sampler.name} needs a {kind} pass, which the network in the role {role!r} does not "
                             "have: choose another sampler")
    for role, net in nets.items():
        size = block_of(net)
        if size and not by_blocks(getattr(sampler, "order", UNIFORM), 4 * size, size):
            raise ValueError(f"the network in the role {role!r} writes blocks of {size}: give {sampler.name} "
                             f"order=Blocks({size}), or choose a sampler that has an order")
        if cached and not getattr(net, "sha256", ""):
            raise ValueError(f"the network in the role {role!r} has no sha256, which a cache needs: do without one")


def summed(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Lines of one task -> its sums, and TPF as the ratio of the sums with its 95 % interval over requests."""
    texts, judged = ([line for line in lines if line["type"] == kind] for kind in ("text", "likelihood"))
    about: dict[str, Any] = {}
    if texts:
        tokens, passes, drafts, canvas = ([line[name] for line in texts]
                                          for name in ("tokens", "passes", "drafts", "canvas"))
        about = {"texts": len(texts), "tokens": sum(tokens), "canvas": sum(canvas), "passes": sum(passes),
                 "drafts": sum(drafts), "ended": dict(Counter(line["ended"] for line in texts)),
                 "temperatures": sorted({line["temperature"] for line in texts}),
                 "from_cache": sum(line["cached"] for line in texts)}
        if sum(passes):
            v = ratio_interval(tokens, passes) if len(texts) > 1 else None
            about |= {"tpf": tpf(tokens, passes), "tpf_low": v.low if v else None, "tpf_high": v.high if v else None,
                      "tpf_drafts": tpf(tokens, drafts), "tpf_canvas": tpf(canvas, passes)}
    if judged:
        about |= {"likelihoods": len(judged), "is": "bound",
                  "likelihood_passes": sum(line["passes"] for line in judged),
                  "mean_error_nats": sum(line["error"] for line in judged) / len(judged)}
    return about


def _line(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
