"""ssmd-bench: list | data | run | sweep | report | fasta | compare | expect | rescore | summarise | renew | score | verify | grid | train | claims | doctor. The last line
of stdout is one JSON document.

Bad input ends in one sentence on stderr and exit code 2; a study with failed cells in exit code 3; `verify` with a failing sampler in 1;
`compare` in 1 for a regression, 2 if nothing was comparable, 3 if a run failed.
"""

import argparse
import gc
import json
import os
import sys
from pathlib import Path

from harness import finished


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="ssmd-bench", description=__doc__.split(".")[0])
    top.add_argument("--plugins", action="append", default=[], metavar="PACKAGE", help="scan one more package for plug-ins")
    verbs = top.add_subparsers(dest="verb", required=True)

    verbs.add_parser("list", help="samplers, data, metrics, plots, studies and more, with fields, defaults, ranges and origin")

    data = verbs.add_parser("data", help="build the file of a data set that does not ship (docs/proteins.md)")
    data.add_argument("dataset", choices=("proteins",))
    data.add_argument("--out", type=Path, default=Path("runs/proteins.npz"), metavar="FILE")
    data.add_argument("--source", type=Path, help="unpacked Debian package metastudent-data, or a FASTA file (default: fetch the package with apt-get)")
    data.add_argument("--threads", type=int, default=1, help="of MMseqs2")
    data.add_argument("--families", type=int, default=300, help="profile HMMs, of the largest training clusters")
    data.add_argument("--held-out", type=int, default=8, metavar="PERCENT", help="of the clusters, drawn for test and as many for validation")
    data.add_argument("--near", type=float, default=0.4, metavar="IDENTITY", help="with a training protein, from which on a held-out one is set apart")

    run = verbs.add_parser("run", help="run a study: count, time, score; what is stored is not computed again")
    run.add_argument("study")
    run.add_argument("--out", type=Path, help="run folder (default runs/NAME)")
    run.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", dest="changes", help="a field of every sampler, e.g. window.delta=0.04")
    run.add_argument("--only", action="append", default=[], metavar="ARM")
    run.add_argument("--n", type=int)
    run.add_argument("--batch", type=int)
    run.add_argument("--seed", type=int)
    run.add_argument("--device", default="cpu")
    run.add_argument("--dtype", choices=("float32", "bfloat16"), help="of the networks' passes; draws are float64 in any case")
    run.add_argument("--compile", action="store_true", help="the networks' blocks by torch.compile: faster, equal up to rounding, and other cells")
    run.add_argument("--jobs", type=int, default=1, help="cells counted and scored side by side")
    run.add_argument("--backend", choices=("loky", "dask", "ray"), default="loky", help="where: processes of this machine, or a cluster (harness/backend.py)")
    run.add_argument("--shard", metavar="K/N", help="count the K-th of N stretches of rows alone; a run without --shard unites them")
    run.add_argument("--no-time", action="store_true", help="leave the timed runs out")
    run.add_argument("--report", type=Path, metavar="DIR", help="write the report there")

    run.add_argument("--claims", action="store_true", help="write what the study found to studies/results/NAME.json")

    sweep = verbs.add_parser("sweep", help="search the settings of one arm for those that no other beats; the same command goes on, or adds a worker")
    sweep.add_argument("study", help="a study file with SWEEP = Sweep(...)")
    sweep.add_argument("--out", type=Path, help="run folder (default runs/NAME), shared by all workers")
    sweep.add_argument("--trials", type=int, help="in all")
    sweep.add_argument("--n", type=int, help="rows of the last look")
    sweep.add_argument("--seed", type=int, help="of the search")
    sweep.add_argument("--jobs", type=int, default=1, help="workers on this machine")
    sweep.add_argument("--storage", default="", metavar="URL", help="sqlite:///FILE, postgresql://..., grpc://HOST:PORT (default OUT/sweep.journal)")
    sweep.add_argument("--device", default="cpu")
    sweep.add_argument("--compile", action="store_true", help="the networks' blocks by torch.compile")
    sweep.add_argument("--claims", action="store_true", help="write what the sweep found to studies/results/NAME.json")

    report = verbs.add_parser("report", help="render a report from records alone")
    report.add_argument("runs", nargs="+", type=Path)
    report.add_argument("--out", type=Path, required=True)

    fasta = verbs.add_parser("fasta", help="write the samples of a run of proteins as FASTA, a file a cell")
    fasta.add_argument("run", type=Path)
    fasta.add_argument("--out", type=Path, required=True, metavar="DIR")
    fasta.add_argument("--only", action="append", default=[], metavar="ARM")

    summarise = verbs.add_parser("summarise", help="copy a run without its samples: what a repository keeps and a report can be rendered from")
    summarise.add_argument("run", type=Path)
    summarise.add_argument("--out", type=Path, required=True)

    compare = verbs.add_parser("compare", help="the regression gate: counts, quality and times of one run against those of another (docs/gate.md)")
    compare.add_argument("base", type=Path, metavar="BASE", help="run folder, or expectations that `ssmd-bench expect` wrote")
    compare.add_argument("new", type=Path, metavar="NEW", help="the same")
    compare.add_argument("--rules", type=Path, metavar="FILE", help="TOML: tolerances, margins, thresholds")
    compare.add_argument("--json", action="store_true", help="every verdict in the last line of stdout")
    compare.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit XML there")
    compare.add_argument("--markdown", type=Path, metavar="FILE", help="write a short table there, for a pull request")

    expect = verbs.add_parser("expect", help="write the counts of a run as expectations to compare with, and what changed into the changelog")
    expect.add_argument("run", type=Path)
    expect.add_argument("--write", type=Path, metavar="FILE", default=Path("studies/gate/counts.jsonl"))
    expect.add_argument("--changelog", type=Path, metavar="FILE", default=Path("CHANGELOG.md"))

    rescore = verbs.add_parser("rescore", help="score what a run has stored, with its own metrics or with others; nothing is sampled")
    rescore.add_argument("run", type=Path)
    rescore.add_argument("--metric", action="append", default=[], metavar="NAME", help="in place of the metrics of its study")
    rescore.add_argument("--jobs", type=int, default=1, help="cells scored side by side")
    rescore.add_argument("--backend", choices=("loky", "dask", "ray"), default="loky")
    rescore.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", dest="changes", help="a field of those metrics")

    renew = verbs.add_parser("renew", help="after a change of code: let a record stand if some of its rows, sampled again, are equal to the bit")
    renew.add_argument("study")
    renew.add_argument("--out", type=Path, help="run folder (default runs/NAME)")
    renew.add_argument("--rows", type=int, default=64, help="sampled again of each cell")
    renew.add_argument("--jobs", type=int, default=1, help="cells side by side")

    score = verbs.add_parser("score", help="bits per character of networks on held-out text")
    score.add_argument("checkpoints", nargs="*", type=Path, help="default: the shipped hybrid, heavy and light")
    score.add_argument("--data", default="wikipedia_leads")
    score.add_argument("--path", help="of a corpus that does not ship")
    score.add_argument("--length", type=int, default=128)
    score.add_argument("--n", type=int, default=64, help="test rows")
    score.add_argument("--orders", type=int, default=1, help="K orders a row")
    score.add_argument("--window", default="cosine", help="of the self-speculative sampler whose law is scored, with its default settings")
    score.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", dest="changes", help="a field of the window, e.g. delta=0.04")
    score.add_argument("--rounds", type=int, default=2)
    score.add_argument("--claims", action="store_true", help="write bpc.NAME to studies/results/likelihood.json")

    verify = verbs.add_parser("verify", help="hold samplers to the law of an ideal network")
    verify.add_argument("samplers", nargs="*", help="names (default: all)")
    verify.add_argument("--write", type=Path, metavar="FILE", help="put the table between the marks of a Markdown file")

    grid = verbs.add_parser("grid", help="search time grids for a network of a study, on its validation text, and say what the search cost")
    grid.add_argument("study")
    grid.add_argument("--net", help="of the study (default: its reference)")
    grid.add_argument("--steps", type=int, nargs="+", default=[8, 16, 32])
    grid.add_argument("--rows", type=int, default=64)
    grid.add_argument("--seed", type=int, default=0)
    grid.add_argument("--device", default="cpu")
    grid.add_argument("--out", type=Path, required=True, metavar="FILE", help="JSON; harness.grid.read makes schedules of it")

    train = verbs.add_parser("train", help="train a member of the family, or `family` for all")
    train.add_argument("member")
    train.add_argument("--out", type=Path, default=Path("runs/train"))
    train.add_argument("--data", default="wikipedia_leads")
    train.add_argument("--path", help="of a corpus that does not ship, e.g. text8")
    train.add_argument("--tokenizer", help="of a corpus of tokens, e.g. openwebtext: tokenizer.json, or the folder of vocab.json and merges.txt")
    train.add_argument("--extra", metavar="PATH", help="a text8 file whose train split is added to the judge's text")
    train.add_argument("--length", type=int, help="of a row, in tokens (default 128, or the recipe's)")
    train.add_argument("--tokens", type=float)
    train.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", dest="changes")
    train.add_argument("--init", type=Path, help="start from the weights of a finished checkpoint: a further cosine cycle")
    train.add_argument("--device", default="cpu")
    train.add_argument("--jobs", type=int, default=2, help="members of the family trained side by side, one thread each")
    train.add_argument("--threads", type=int, help="of this training (default: all cores; OMP_NUM_THREADS)")
    train.add_argument("--compile", action="store_true", help="compile each block")
    train.add_argument("--recipe", metavar="FILE", help="a Python file with FAMILY and DATA in place of the shipped family, e.g. studies/paper/text8.py")
    train.add_argument("--dry-run", action="store_true", help="check data, memory and --init, time a few updates, say how long the whole would take; write nothing")
    train.add_argument("--seconds", type=float, default=20.0, help="of updates that a dry run times")
    train.add_argument("--assume", type=float, metavar="FLOPS", help="a dry run also computes the hours at this many FLOP/s")

    claims = verbs.add_parser("claims", help="what the studies found, and which of it is stale")
    claims.add_argument("names", nargs="*", help="names, and beginnings of names, e.g. nfe_ratio (default: all)")
    claims.add_argument("--rebuild", action="store_true", help="compute them anew from the runs kept in studies/runs, without sampling")
    claims.add_argument("--fill", type=Path, metavar="FILE", help="write this text to --write, with the numbers of the claims that it names in braces")
    claims.add_argument("--write", type=Path, metavar="FILE", help="put the table between the marks of a Markdown file")
    claims.add_argument("--refresh", type=Path, nargs="+", default=[], metavar="FILE", help="write the tables of these files again: the claims that they quote, as they stand now")
    verbs.add_parser("doctor", help="what this machine is, and whether data and checkpoints are whole")
    for verb in verbs.choices.values():
        verb.add_argument("--plugins", action="append", default=argparse.SUPPRESS, metavar="PACKAGE", help="scan one more package for plug-ins")
    return top


def main(words: list[str] | None = None) -> int:
    if words is None:    # a process of its own: collections of garbage that go through all that was imported, or read, took a fifth of a finished run
        gc.freeze()
        gc.set_threshold(100_000, 50, 50)
    options = parser().parse_args(words)
    try:
        if options.verb == "run" and (document := finished.answer(options)):
            print(json.dumps(document), flush=True)
            return 0
        from harness.commands import VERBS  # and with it the network library
        from harness.plugins import add_package

        for path in filter(None, (getattr(options, "study", None), getattr(options, "recipe", None))):
            if os.path.isfile(path) and not str(path).endswith(".py"):
                raise ValueError(f"{path} is no study file, which is a Python file: give it a name that ends in .py")
        if options.plugins:
            sys.path.append(os.getcwd())    # as `python -m` has it
        for package in options.plugins:
            add_package(package)
        document, code = VERBS[options.verb](options)
        print(json.dumps(document), flush=True)
        return code
    except ValueError as error:
        print(f"ssmd-bench: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except BrokenPipeError:    # the reader of our stdout has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"ssmd-bench: {error.filename or 'a file'} cannot be used ({error.strerror or error}): correct the path, its rights or the room on its disk", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("ssmd-bench: stopped; the same command goes on from here", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
