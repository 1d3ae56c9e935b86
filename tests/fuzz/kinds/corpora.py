"""Corpora of the user's: text8, documents, tokenizers, proteins, FASTA; cut, empty, of another format, with other
letters.
"""

import gzip
import io
import json
import zipfile
from pathlib import Path
from random import Random

import numpy as np

from tests.fuzz import values
from tests.fuzz.base import STUDY, Base
from tests.fuzz.case import Case

SMALL = ("--set", "width=16", "--set", "heads=2", "--set", "blocks=1", "--set", "batch=4", "--tokens", "64",
    "--length", "8", "--out", "trained", "--dry-run", "--seconds", "0.05")


def _wild(rng: Random, good: bytes) -> bytes:
    """Content of a text file, odd in one of many ways."""
    return rng.choice((rng.choice(values.TEXTS), values.broken(rng, good), b"\xef\xbb\xbf" + good,
        good.decode("latin-1").encode("utf-16"), good.upper(), good[: rng.randrange(40)],
        rng.choice(values.NAMES).encode("utf-8", "surrogatepass") + good,
                       good + rng.choice(values.NAMES).encode("utf-8", "surrogatepass"), good.replace(b" ", b"\r\n"),
                           good.replace(b"e", "é".encode()), rng.randbytes(500)))


def _packed(rng: Random, content: bytes, path: Path) -> Path:
    """The content under this name, sometimes compressed, sometimes said to be."""
    how = rng.randrange(6)
    if how == 0:
        path, content = path.with_name(path.name + ".gz"), gzip.compress(content, mtime=0)
    elif how == 1:
        path = path.with_name(path.name + ".gz")
        content = rng.choice((content, values.broken(rng, gzip.compress(content, mtime=0))))
    elif how == 2:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for name in rng.choice((["text8"], [], ["a", "b"], ["../x"], ["x/"])):
                archive.writestr(zipfile.ZipInfo(name), b"" if name.endswith("/") else content)
        path, content = path.with_name(path.name + ".zip"), values.broken(rng,
            file.getvalue()) if rng.random() < 0.5 else file.getvalue()
    path.write_bytes(content)
    return path


def texts(rng: Random, base: Base, folder: Path) -> Case:
    path = _packed(rng, _wild(rng, base.read("text8")), folder / "text8").name
    base.put(folder, "masked.safetensors")
    return Case(rng.choice((("train", "light", "--data", "text8", "--path", path, *SMALL),
        ("score", "masked.safetensors", "--data", "text8", "--path", path, "--n", "2", "--length", "8"),
                            ("train", "judge", "--extra", path, *SMALL))))


def documents(rng: Random, base: Base, folder: Path) -> Case:
    base.put(folder, "tokenizer.json")
    name = rng.choice(("texts.jsonl", "texts.jsonl", "lines.txt", "x.parquet"))
    good = base.read(name) if name != "x.parquet" else b"PAR1" + rng.randbytes(50) + b"PAR1"
    how, content = rng.randrange(4), _wild(rng, good)
    if how == 0 and name.endswith("jsonl"):
        lines = good.splitlines()
        lines[rng.randrange(len(lines))] = rng.choice((*values.JSON, '{"text": 1}', '{"text": "\\ud800"}',
            '{"Text": "x"}', '{"text": ""}', '{"text": "x", "text": null}', '["text"]', "{'text': 'x'}")).encode()
        content = b"\n".join(lines)
    elif how == 1 and name.endswith("jsonl"):
        content = b"\n".join([json.dumps({"text": rng.choice(values.NAMES)}).encode()] * rng.choice((1, 3, 200)))
    path = _packed(rng, content, folder / name).name
    words = ("train", "light", "--data", rng.choice(("openwebtext", "lm1b")), "--path",
        rng.choice((path, path, path, path, "."))), "--tokenizer", "tokenizer.json"
    return Case((*words[0], *words[1:], *SMALL))


def tokenizers(rng: Random, base: Base, folder: Path) -> Case:
    base.put(folder, "lines.txt")
    good, how, name = base.read("tokenizer.json"), rng.randrange(6), "tokenizer.json"
    data = json.loads(good)
    if how < 2:
        (folder / name).write_text(values.changed(rng, {k: v for k, v in data.items()}), encoding="utf-8")
    elif how == 2:
        (folder / name).write_bytes(values.broken(rng, good))
    elif how == 3:
        (folder / name).write_bytes(rng.choice((*values.TEXTS, *(v.encode() for v in values.JSON))))
    elif how == 4:
        data["model"]["vocab"] = rng.choice(({}, {"a": 0}, {"<|endoftext|>": 0}, {"a": 5, "b": 5}, {"a": -1},
            {"a": 2**40}, {"a": 2**31}, {"a": "x"}, {"a": 1.5}))
        data["added_tokens"] = rng.choice(([], data["added_tokens"]))
        (folder / name).write_text(json.dumps(data))
    else:
        name = "tok"
        (folder / name).mkdir()
        (folder / name / rng.choice(("vocab.json", "encoder.json", "tokenizer.json",
            "x"))).write_bytes(rng.choice((good, json.dumps(data["model"]["vocab"]).encode(), *values.TEXTS)))
        (folder / name / rng.choice(("merges.txt", "vocab.bpe"))).write_bytes(rng.choice((b"#version: 0.2\nt h\n",
            b"x", *values.TEXTS)))
    return Case(("train", "light", "--data", rng.choice(("openwebtext", "lm1b")), "--path", "lines.txt",
        "--tokenizer", name, *SMALL))


def proteins(rng: Random, base: Base, folder: Path) -> Case:
    """The npz of protein clusters: entries missing, pickled, of another type or length, another description; a network
    on it.
    """
    with np.load(base.folder / "work" / "proteins.npz") as file:
        arrays = {key: file[key] for key in file.files}
    key, how = rng.choice(sorted(arrays)), rng.randrange(8)
    if how == 0:
        del arrays[key]
    elif how == 1:
        arrays[key] = arrays[key].astype(rng.choice((np.float64, np.int32, np.uint8, np.complex64, object)))
    elif how == 2:
        arrays[key] = rng.choice((arrays[key][:3], arrays[key][:0], arrays[key][None], arrays[key][::-1],
            arrays[key] * 0, arrays[key] * 3, np.zeros(())))
    elif how == 3:
        about = rng.choice((*values.JSON, values.changed(rng, json.loads(arrays["about"].tobytes()))))
        arrays["about"] = np.frombuffer(about.encode(), np.uint8)
    path = folder / "proteins.npz"
    with open(path, "wb") as target:
        np.savez(target, **arrays)    # type: ignore[arg-type]
    if how > 5:
        path.write_bytes(rng.choice((values.broken(rng, path.read_bytes()), rng.choice(values.TEXTS))))
    length, bucket = rng.choice((8, 8, 8, 60, 61, 1000)), rng.choice(("", "", ", shortest=70", ", longest=3"))
    return _with(folder, base, "proteins", "Proteins", f"Proteins(path='proteins.npz', length={length}{bucket})")


def fasta(rng: Random, base: Base, folder: Path) -> Case:
    good = base.read("mine.fasta")
    odd = (_wild(rng, good), b">a\n", b">\n\n>\n", b"ACDEF", b">a\nACDEF\n>a\nACDEF\n", b">a\nacdef\n" * 3,
        b">a\nXXBZ*\n", b">a\nAC-DE.F\n", b">" + b"a" * 10**5 + b"\nACD\n", b">a\rACDEF\r", b"; c\n>a\nACDEF\n",
        b">\xff\nACDEF\n" * 20)
    path = _packed(rng, rng.choice(odd), folder / "mine.fasta").name
    if rng.random() < 0.25:
        return Case(("data", "proteins", "--source", path, "--out", "p.npz"))
    return _with(folder, base, "fasta", "Fasta", f"Fasta(path={path!r}, length={rng.choice((4, 8, 60, 61))})")


def _with(folder: Path, base: Base, module: str, cls: str, data: str) -> Case:
    base.put(folder, "residues.safetensors")
    (folder / "toy.py").write_text(STUDY + f"from dataclasses import replace\nfrom harness.data.{module} import {cls}\n"
                                   f"STUDY = replace(STUDY, data={data}, n=2, batch=2, metrics=[CorpusEntropy()],\n"
                                   "                nets={'heavy': Checkpoint('residues.safetensors')})\n")
    return Case(("run", "toy.py", "--out", "run", "--no-time"))
