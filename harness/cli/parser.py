"""The verbs of the command line and their options. It loads no library, so that a run that is finished answers at once."""

import argparse
from pathlib import Path

from harness.boundary.arguments import BATCH, JOBS, ROWS, SEEDS, TRIALS, Parser, number, number_or_all, path, whole, word
from harness.cli import contest as commands_contest
from harness.cli import kept as commands_kept


def parser() -> argparse.ArgumentParser:
    top = Parser(prog="ssmd-bench", description="Measures samplers of masked-diffusion models against each other; the last line of stdout is one JSON document")
    top.add_argument("--plugins", action="append", type=word, default=[], metavar="PACKAGE", help="scan one more package for plug-ins")
    verbs = top.add_subparsers(dest="verb", required=True)

    verbs.add_parser("list", help="samplers, data, metrics, plots, studies and more, with fields, defaults, ranges and origin")

    data = verbs.add_parser("data", help="build the file of a data set that does not ship (docs/proteins.md)")
    data.add_argument("dataset", choices=("proteins",))
    data.add_argument("--out", type=path, default=Path("runs/proteins.npz"), metavar="FILE")
    data.add_argument("--source", type=path, help="unpacked Debian package metastudent-data, or a FASTA file (default: fetch the package with apt-get)")
    data.add_argument("--threads", type=whole(1, JOBS), default=1, help="of MMseqs2")
    data.add_argument("--families", type=whole(1, 10**6), default=300, help="profile HMMs, of the largest training clusters")
    data.add_argument("--held-out", type=whole(1, 40), default=8, metavar="PERCENT", help="of the clusters, drawn for test and as many for validation")
    data.add_argument("--near", type=number(0, 1, above=True), default=0.4, metavar="IDENTITY", help="with a training protein, from which on a held-out one is set apart")

    run = verbs.add_parser("run", help="run a study: count, time, score; what is stored is not computed again")
    run.add_argument("study", type=word)
    run.add_argument("--out", type=path, help="run folder (default runs/NAME)")
    run.add_argument("--set", action="append", type=word, default=[], metavar="FIELD=VALUE", dest="changes", help="a field of every sampler, e.g. window.delta=0.04")
    run.add_argument("--only", action="append", type=word, default=[], metavar="ARM")
    run.add_argument("--n", type=whole(1, ROWS), help="rows a cell")
    run.add_argument("--batch", type=whole(1, BATCH), help="rows side by side")
    run.add_argument("--seed", type=whole(0, SEEDS - 1), help="of every draw")
    run.add_argument("--device", type=word, default="cpu")
    run.add_argument("--dtype", choices=("float32", "bfloat16"), help="of the networks' passes; draws are float64 in any case")
    run.add_argument("--compile", action="store_true", help="the networks' blocks by torch.compile: faster, equal up to rounding, and other cells")
    run.add_argument("--jobs", type=whole(1, JOBS), default=1, help="cells counted and scored side by side")
    run.add_argument("--backend", choices=("loky", "dask", "ray"), default="loky", help="where: processes of this machine, or a cluster (harness/run/backend.py)")
    run.add_argument("--shard", type=word, metavar="K/N", help="count the K-th of N stretches of rows alone; a run without --shard unites them")
    run.add_argument("--no-time", action="store_true", help="leave the timed runs out")
    run.add_argument("--time-again", action="store_true", help="time cells that are timed: times belong to the commit that was timed")
    run.add_argument("--measure-again", action="store_true", help="compute the study's own tables anew, which belong to the commit that measured them")
    run.add_argument("--report", type=path, metavar="DIR", help="write the report there")

    run.add_argument("--claims", action="store_true", help="write what the study found to studies/results/NAME.json")

    sweep = verbs.add_parser("sweep", help="search the settings of one arm for those that no other beats; the same command goes on, or adds a worker")
    sweep.add_argument("study", type=word, help="a study file with SWEEP = Sweep(...)")
    sweep.add_argument("--out", type=path, help="run folder (default runs/NAME), shared by all workers")
    sweep.add_argument("--trials", type=whole(1, TRIALS), help="in all")
    sweep.add_argument("--n", type=whole(1, ROWS), help="rows of the last look")
    sweep.add_argument("--seed", type=whole(0, SEEDS - 1), help="of the search")
    sweep.add_argument("--jobs", type=whole(1, JOBS), default=1, help="workers on this machine")
    sweep.add_argument("--storage", type=word, metavar="URL", help="sqlite:///FILE, postgresql://..., grpc://HOST:PORT (default OUT/sweep.journal)")
    sweep.add_argument("--device", type=word, default="cpu")
    sweep.add_argument("--compile", action="store_true", help="the networks' blocks by torch.compile")
    sweep.add_argument("--claims", action="store_true", help="write what the sweep found to studies/results/NAME.json")

    report = verbs.add_parser("report", help="render a report from records alone")
    report.add_argument("runs", nargs="+", type=path)
    report.add_argument("--out", type=path, required=True)

    fasta = verbs.add_parser("fasta", help="write the samples of a run of proteins as FASTA, a file a cell")
    fasta.add_argument("run", type=path)
    fasta.add_argument("--out", type=path, required=True, metavar="DIR")
    fasta.add_argument("--only", action="append", type=word, default=[], metavar="ARM")

    commands_kept.options(verbs)

    compare = verbs.add_parser("compare", help="the regression gate: counts, quality and times of one run against those of another (docs/gate.md)")
    compare.add_argument("base", type=path, metavar="BASE", help="run folder, zip of a kept run, or expectations that `ssmd-bench expect` wrote")
    compare.add_argument("new", type=path, metavar="NEW", help="the same")
    compare.add_argument("--rules", type=path, metavar="FILE", help="TOML: tolerances, margins, thresholds")
    compare.add_argument("--json", action="store_true", help="every verdict in the last line of stdout")
    compare.add_argument("--junit", type=path, metavar="FILE", help="write JUnit XML there")
    compare.add_argument("--markdown", type=path, metavar="FILE", help="write a short table there, for a pull request")

    commands_contest.options(verbs)

    expect = verbs.add_parser("expect", help="write the counts of a run as expectations to compare with, and what changed into the changelog")
    expect.add_argument("run", type=path)
    expect.add_argument("--write", type=path, metavar="FILE", default=Path("studies/gate/counts.jsonl"))
    expect.add_argument("--changelog", type=path, metavar="FILE", default=Path("CHANGELOG.md"))

    rescore = verbs.add_parser("rescore", help="score what a run has stored, with its own metrics or with others; nothing is sampled")
    rescore.add_argument("run", type=path)
    rescore.add_argument("--metric", action="append", type=word, default=[], metavar="NAME", help="in place of the metrics of its study")
    rescore.add_argument("--jobs", type=whole(1, JOBS), default=1, help="cells scored side by side")
    rescore.add_argument("--backend", choices=("loky", "dask", "ray"), default="loky")
    rescore.add_argument("--set", action="append", type=word, default=[], metavar="FIELD=VALUE", dest="changes", help="a field of those metrics")

    prove = verbs.add_parser("prove", help="sample some rows of stored cells again: does the code that runs now give the same?")
    prove.add_argument("runs", nargs="*", type=word, metavar="STUDY|RUN", help="study files, whose kept run is meant, or runs (default: all that are kept)")
    prove.add_argument("--rows", type=number_or_all, default=16, metavar="N|all", help="of each cell (default 16); which ones depends on the sources")
    against = "where floats differ: sample the same rows by the sources of that commit too, on this machine"
    prove.add_argument("--against", type=word, metavar="COMMIT", help=against)
    prove.add_argument("--share", type=word, metavar="K/N", help="look at the K-th of N parts of the cells alone")
    prove.add_argument("--check", action="store_true", help="look also at what is proven, and store nothing")
    prove.add_argument("--jobs", type=whole(1, JOBS), default=1, help="cells side by side")

    score = verbs.add_parser("score", help="bits per character of networks on held-out text")
    score.add_argument("checkpoints", nargs="*", type=path, help="default: the shipped hybrid, heavy and light")
    score.add_argument("--data", type=word, default="wikipedia_leads")
    score.add_argument("--path", type=word, help="of a corpus that does not ship")
    score.add_argument("--length", type=whole(1, 65536), default=128)
    score.add_argument("--n", type=whole(1, ROWS), default=64, help="test rows")
    score.add_argument("--orders", type=whole(1, 65536), default=1, help="K orders a row")
    score.add_argument("--window", type=word, help="of the self-speculative sampler whose law is scored, with its default settings (default cosine)")
    score.add_argument("--set", action="append", type=word, default=[], metavar="FIELD=VALUE", dest="changes", help="a field of the window, e.g. delta=0.04")
    score.add_argument("--rounds", type=whole(1, 65536), help="of that sampler (default 2)")
    score.add_argument("--claims", action="store_true", help="write bpc.NAME to studies/results/likelihood.json")

    verify = verbs.add_parser("verify", help="hold samplers to the law of an ideal network")
    verify.add_argument("samplers", type=word, nargs="*", help="names (default: all)")
    verify.add_argument("--write", type=path, metavar="FILE", help="put the table between the marks of a Markdown file")

    grid = verbs.add_parser("grid", help="search time grids for a network of a study, on its validation text, and say what the search cost")
    grid.add_argument("study", type=word)
    grid.add_argument("--net", type=word, help="of the study (default: its reference)")
    grid.add_argument("--steps", type=whole(1, 4096), nargs="+", default=[8, 16, 32])
    grid.add_argument("--rows", type=whole(1, ROWS), default=64)
    grid.add_argument("--seed", type=whole(0, SEEDS - 1), default=0)
    grid.add_argument("--device", type=word, default="cpu")
    grid.add_argument("--out", type=path, required=True, metavar="FILE", help="JSON; harness.search.time_grid.read makes schedules of it")

    train = verbs.add_parser("train", help="train a member of the family, or `family` for all")
    train.add_argument("member", type=word)
    train.add_argument("--out", type=path, default=Path("runs/train"))
    train.add_argument("--data", type=word, help="default: wikipedia_leads, or the recipe's")
    train.add_argument("--path", type=word, help="of a corpus that does not ship, e.g. text8")
    train.add_argument("--tokenizer", type=word, help="of a corpus of tokens, e.g. openwebtext: tokenizer.json, or the folder of vocab.json and merges.txt")
    train.add_argument("--extra", type=word, metavar="PATH", help="a text8 file whose train split is added to the judge's text")
    train.add_argument("--length", type=whole(1, 65536), help="of a row, in tokens (default 128, or the recipe's)")
    train.add_argument("--tokens", type=number(0, 1e15, above=True), help="in all, of the training")
    train.add_argument("--set", action="append", type=word, default=[], metavar="FIELD=VALUE", dest="changes")
    train.add_argument("--init", type=path, help="start from the weights of a finished checkpoint: a further cosine cycle")
    train.add_argument("--device", type=word, default="cpu")
    train.add_argument("--jobs", type=whole(1, JOBS), help="members of the family trained side by side, one thread each (default 2)")
    train.add_argument("--threads", type=whole(1, JOBS), help="of this training (default: all cores; OMP_NUM_THREADS)")
    train.add_argument("--compile", action="store_true", help="compile each block")
    train.add_argument("--recipe", type=word, metavar="FILE", help="a Python file with FAMILY and DATA in place of the shipped family, e.g. studies/paper/text8.py")
    train.add_argument("--dry-run", action="store_true", help="check data, memory and --init, time a few updates, say how long the whole would take; write nothing")
    train.add_argument("--seconds", type=number(0, 1e6, above=True), help="of updates that a dry run times (default 20)")
    train.add_argument("--assume", type=number(0, 1e25, above=True), metavar="FLOPS", help="a dry run also computes the hours at this many FLOP/s")

    checkpoints = verbs.add_parser("checkpoints", help="the networks that left the tree: which of them are here, and what trains the others")
    checkpoints.add_argument("--restore", type=word, nargs="*", metavar="NAME", help="take them from the history of this clone, e.g. protein, or potts/heavy (default: all)")

    claims = verbs.add_parser("claims", help="what the studies found, and which of it is not proven to be of the present code")
    claims.add_argument("names", type=word, nargs="*", help="names, and beginnings of names, e.g. nfe_ratio (default: all)")
    claims.add_argument("--rebuild", action="store_true", help="compute them anew from the runs kept in studies/runs, without sampling")
    claims.add_argument("--fill", type=path, metavar="FILE", help="write this text to --write, with the numbers of the claims that it names in braces")
    claims.add_argument("--write", type=path, metavar="FILE", help="put the table between the marks of a Markdown file")
    claims.add_argument("--refresh", type=path, nargs="+", default=[], metavar="FILE", help="write the tables of these files again: the claims that they quote, as they stand now")
    verbs.add_parser("doctor", help="what this machine is, and whether data and checkpoints are whole")
    for verb in verbs.choices.values():
        verb.add_argument("--plugins", action="append", type=word, default=[], dest="further", metavar="PACKAGE", help="scan one more package for plug-ins")
    return top
