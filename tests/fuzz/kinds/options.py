"""Options of every verb: nonsense numbers, unknown names, contradictions, too many, too few; paths that lead
nowhere.
"""

import os
from pathlib import Path
from random import Random

from tests.fuzz import values
from tests.fuzz.base import Base
from tests.fuzz.case import Case

NAME = ("", "gone", "x", "..", "/", ".", "a b", "é", "\ud800", "0", "-", "None", "ancestral,held_out", "*",
    "a" * 300)
SET = ("", "=", "steps", "steps=", "=1", "steps=x", "steps=0", "steps=-1", "steps=1e9", "steps=nan", "steps=[1]",
    "steps={}", "steps=null", "steps=true", "steps=2.0", "schedule=x", "schedule.x=1", "schedule=", "gone=1",
    "steps.x=1",
    "..=1", "steps=1=2", "name=x", "version=3", "__class__=1", "schedule=cosine", "window=open",
    "schedule.power=nan", f"steps={'9' * 5000}", "steps=" + "[" * 5000, "é=1", "steps=\ud800", "delta=0.5",
    "network=judge", "width=x", "tokens=nan",
    "lr=inf", "betas=[1]", "betas=[0.9,0.95]", "betas=[\"a\",\"b\"]", "warmup=1e400", "schedule.degree=0")
NUMBERS = "NUMBER"
NEVER = ("nan", "inf", "-inf", "x", "", " ", "-1", "None", "true", "[]", "1,5",
    "1e400")    # what no count and no amount is
VERBS: dict[str, tuple[tuple[str, ...], dict[str, tuple[str, ...] | str | None]]] = {
    "run": (("toy.py", "--no-time"), {"--n": NUMBERS, "--batch": NUMBERS, "--seed": NUMBERS, "--jobs": NUMBERS,
    "--only": NAME, "--set": SET, "--device": ("", "gpu", "cuda", "cuda:99", "cpu:1", "cpu:x", "meta", "mps",
    "xla", "CPU", "x"),
    "--dtype": ("float64", "", "bfloat16", "int8"),
    "--backend": ("x", "", "threads"),
    "--shard": ("", "1", "1/0", "0/2", "3/2", "1/2/3", "x/y", "-1/2", "1/99999",
    "1/2", "1.5/2", "nan/2", " 1/2", "1/" + "9" * 30),
    "--out": ("", "run", " ", "toy.py", "toy.py/x", "a" * 300, "é", "\ud800"),
    "--report": ("", "toy.py", "a" * 300), "--compile": None, "--claims": None,
    "--what": NAME}),
    "rescore": (("run",), {"--metric": (*NAME, "corpus_entropy", "exact_nll", "judge", "mauve", "spelling", "law_tv",
    "lm_judge", "plddt", "novelty", "ngram_judge", "families"), "--set": (*SET, "model=gone", "path=gone",
    "path=", "checkpoint=gone", "model=../x", "n=0", "k=-1", "path=toy.py"),
    "--jobs": NUMBERS, "--backend": ("x", "")}),
    "score": (("masked.safetensors", "--length", "8"), {"--n": NUMBERS, "--length": NUMBERS, "--orders": NUMBERS,
    "--rounds": NUMBERS, "--window": (*NAME, "open", "stairs", "fixed"),
    "--data": (*NAME, "exact", "text8", "proteins", "openwebtext", "fasta", "austen", "markov"),
    "--path": NAME,
    "--set": ("", "delta", "delta=", "delta=x", "delta=nan", "delta=-1", "delta=1e9", "tokens=0", "ends=[]",
    "ends=[1]", "ends=[\"x\"]", "gone=1")}),
    "verify": (("any_order",), {"--write": ("", "gone.md", "toy.py", "."), "": NAME, "--what": NAME}),
    "grid": (("toy.py", "--out", "g.json", "--rows", "2", "--steps", "2"),
    {"--steps": NUMBERS, "--rows": NUMBERS, "--seed": NUMBERS, "--net": NAME,
    "--device": ("", "gpu", "cuda", "x", "meta"), "--out": ("", "toy.py/x", ".", "gone/x.json")}),
    "sweep": (("search.py", "--out", "swept"), {"--trials": NUMBERS, "--n": NUMBERS, "--seed": NUMBERS,
    "--jobs": ("0", "-1", "x", "nan", "1.5"), "--device": ("", "cuda", "x"),
    "--out": ("", "search.py", "search.py/x"), "--compile": None}),
    "train": (("light", "--set", "width=16", "--set", "heads=2", "--set", "blocks=1", "--set", "batch=2", "--tokens",
    "32", "--length", "8", "--dry-run", "--seconds", "0.05"),
    {"--length": NUMBERS, "--tokens": NUMBERS, "--seconds": NUMBERS, "--assume": NUMBERS,
    "--threads": ("0", "-1", "x", "1.5", "nan", "1"), "--jobs": ("0", "-1", "x"), "--set": SET,
    "--data": (*NAME, "exact", "proteins", "text8", "prose", "fasta"),
    "--path": NAME, "--tokenizer": NAME, "--extra": (*NAME, "toy.py"),
    "--init": (*NAME, "toy.py", "judge.safetensors", "hybrid.safetensors"),
    "--recipe": (*NAME, "toy.py", "run"), "--device": ("", "cuda", "x", "meta"),
    "--out": ("", "toy.py")}),
    "compare": (("run", "run"), {"--rules": (*NAME, "toy.py", "run"), "--junit": ("", ".", "gone/x"),
    "--markdown": ("", ".", "gone/x"), "--json": None, "": (*NAME, "counts.jsonl", "toy.py")}),
    "expect": (("run", "--write", "new.jsonl", "--changelog", "CHANGELOG.md"),
    {"--write": ("", ".", "toy.py", "run", "toy.py/x"), "--changelog": ("", ".", "gone.md", "toy.py")}),
    "claims": ((), {"": (*NAME, "toy", "toy.one"), "--write": ("", ".", "gone.md", "toy.py"),
    "--fill": ("", ".", "gone.md", "toy.py"), "--refresh": ("", ".", "gone.md", "toy.py"), "--what": NAME}),
    "prove": (("run", "--check"), {"--rows": NUMBERS, "--jobs": ("0", "-1", "x", "1.5", "nan"),
    "--share": ("0/1", "2/1", "x", ""), "--against": ("gone", "", "-x"), "": (*NAME, "toy.py")}),
    "data": (("proteins", "--source", "mine.fasta", "--out", "p.npz"), {"--threads": NUMBERS, "--families": NUMBERS,
    "--held-out": NUMBERS, "--near": NUMBERS, "--source": (*NAME, "toy.py", "run"),
    "--out": ("", ".", "toy.py/x"), "": NAME}),
    "fasta": (("run", "--out", "fa"), {"--only": NAME, "--out": ("", "toy.py"), "": NAME}),
    "summarise": (("run", "--out", "kept"), {"--out": ("", ".", "run", "toy.py", "toy.py/x", "run/inside", "gone/x.zip",
    "toy.py/x.zip", "new.zip"), "": (*NAME, "kept.zip", "toy.py")}),
    "unpack": (("kept.zip",), {"--out": ("", ".", "run", "toy.py", "toy.py/x", "gone/x", "out.zip"), "": NAME}),
    "export": (("run",), {"": (*NAME, "t.csv", "t.parquet", "gone/t.csv", ".csv", "run", "toy.py"), "--rows": None}),
    "report": (("run", "--out", "page"), {"--out": ("toy.py", "toy.py/x"),
    "": (*NAME, "toy.py", "counts.jsonl")}),
    "list": ((), {"": NAME, "--plugins": NAME}), "doctor": ((), {"": ("x",), "--what": NAME}),
    "help": ((), {"": ("", "x")}), "": ((), {"": NAME, "--help": None, "--version": None, "--plugins": NAME}),
}
WORDS = ("", "run", "toy.py", "--out", "--n", "-1", "x", "--", "-", "--set", "--plugins", "..", "=", "--no-time",
    "--help", "@x", "\ud800", "é", "-h", "--n=", "--n=x")
FILES = ("toy.py", "search.py", "run", "kept.zip", "masked.safetensors", "hybrid.safetensors", "judge.safetensors",
    "counts.jsonl", "CHANGELOG.md", "results", "mine.fasta")
CHANGES = ("*.npy", "CHANGELOG.md", "new.jsonl", "counts.jsonl")


# by default they are of the networks that ship, and of all samplers: right, and minutes long
LONG = ("score", "verify")


def values_of(rng: Random, options: dict, verb: str) -> tuple[str, ...]:
    name = rng.choice(sorted(options))
    given = options[name]
    if given is None:
        return (name,)
    value = values.odd_number(rng) if isinstance(given, str) else rng.choice(given)
    return (value,) if not name else (name, value) if rng.random() < 0.7 else (f"{name}={value}",)


def one(rng: Random, base: Base, folder: Path) -> Case:
    base.put(folder, *FILES)
    slow = rng.choice(([], ["report"], ["doctor"]))
    verb = rng.choice([*sorted(set(VERBS) - {"doctor", "report"}), "run", "train", "score", "rescore", *slow])
    good, options = VERBS[verb]
    if rng.random() < 0.08:
        words = tuple(rng.choice(WORDS) for _ in range(rng.randrange(4)))
        return Case((verb, *(good if verb in LONG else ()), *words), changes=CHANGES)
    found = values_of(rng, options, verb)
    name, _, value = found[0].partition("=") if len(found) == 1 else (found[0], "", found[1])
    nonsense = options.get(name) == NUMBERS and value in NEVER and (name, value) != ("--seed", "-1")
    refuse = nonsense or (name, value) == ("--out", "") or (verb, name) == ("rescore", "--set")
    if rng.random() < 0.2:
        found += values_of(rng, options, verb)
        refuse = False
    return Case((verb, *good, *found), refuse, CHANGES)


def paths(rng: Random, base: Base, folder: Path) -> Case:
    """Folders for files, files for folders, links to nothing, links to themselves, in place of what a command reads or
    writes.
    """
    base.put(folder, *FILES)
    words = rng.choice((("run", "toy.py", "--out", "X", "--no-time"), ("run", "X", "--out", "new"), ("rescore", "X"),
        ("compare", "X", "run"), ("compare", "run", "run", "--rules", "X"), ("compare", "run", "run", "--junit", "X"),
                        ("compare", "run", "run", "--markdown", "X"), ("summarise", "run", "--out", "X"),
                        ("summarise", "X", "--out", "kept"), ("unpack", "X", "--out", "out"),
                        ("unpack", "kept.zip", "--out", "X"),
                        ("export", "X", "t.csv"), ("export", "run", "X"), ("expect", "run", "--write", "X",
                                                                           "--changelog",
                        "CHANGELOG.md"), ("sweep", "X", "--out", "swept"),
                        ("expect", "run", "--write", "new.jsonl", "--changelog", "X"),
                            ("score", "X", "--n", "1", "--length", "8"),
                            ("grid", "toy.py", "--out", "X", "--steps", "2", "--rows", "2"),
                            ("claims", "--write", "X"), ("claims", "--refresh", "X"),
                        ("claims", "--fill", "X", "--write", "new.md"),
                        ("claims", "--fill", "CHANGELOG.md", "--write", "X"), ("verify", "any_order", "--write", "X"),
                        ("train", "light", "--data", "text8", "--path", "X", "--dry-run"),
                        ("train", "light", "--out", "X", "--tokens", "32", "--set", "width=16", "--set", "heads=2",
                        "--set", "blocks=1", "--set", "batch=2", "--length", "8"),
                        ("train", "light", "--init", "X", "--dry-run"),
                        ("train", "light", "--recipe", "X", "--dry-run"),
                        ("data", "proteins", "--source", "X", "--out", "p.npz"), ("fasta", "X", "--out", "fa"),
                        ("prove", "X", "--check"), ("report", "X", "--out", "page"),
                        ("sweep", "search.py", "--out", "X"), ("run", "toy.py", "--out", "new", "--no-time",
                            "--report", "X")))
    place = folder / "there"
    how = rng.randrange(10)
    if how == 0:
        place.mkdir()
    elif how == 1:
        place.write_bytes(rng.choice(values.TEXTS))
    elif how == 2:
        place.symlink_to("nowhere/x")
    elif how == 3:
        place.symlink_to("there")
    elif how == 4:
        place.symlink_to("/proc/self/mem")
    elif how == 5:
        place = place.with_name("gone")
    elif how == 6:
        place = rng.choice((place / "below", place.with_name("toy.py") / "x", Path("/proc/x"), Path("/dev/full"),
            Path("/dev/null/x"), place.with_name("b" * 300)))
    elif how == 7:
        place.mkdir()
        for name in rng.choice((("records.jsonl",), ("costs", "samples", "records.jsonl"),
            ("sweep.journal", "sweep.lock"), ("finished.json",), ("x",), ("index.html", "figures"), ("light",),
            ("state.safetensors", "light.safetensors"))):
            (place / name).mkdir()
    elif how == 8:
        place = place.with_name("there.py")
        place.mkdir()
    else:
        place.mkdir()
        os.symlink("nowhere", place / rng.choice(("records.jsonl", "finished.json", "sweep.lock", "sweep.journal",
            "costs", "samples", "figures", "light")))
    shown = str(place.relative_to(folder)) if folder in place.parents else str(place)
    return Case(tuple(shown if word == "X" else word for word in words),
        changes=("*.npy", "CHANGELOG.md", "new.jsonl", "there*"))


