"""The verbs about files of data: `data` and `fasta`."""

import re
from argparse import Namespace
from pathlib import Path

from harness.boundary.arguments import JOBS, MAKE, READ, Parser, Verb, number, path, whole, word


def _data_options(parser: Parser) -> None:
    parser.add_argument("dataset", choices=("proteins", "moses", "moses_reference"))
    parser.add_argument("--out", type=path, metavar="FILE",
                        help="default: runs/proteins.npz, runs/moses.npz, runs/moses_reference.safetensors")
    parser.add_argument("--source", type=path,
                        help="proteins: unpacked Debian package metastudent-data, or a FASTA file (default: fetch the "
                             "package with apt-get); moses, moses_reference: wheel of molsets (default: fetch it with "
                             "pip)")
    parser.add_argument("--chemnet", type=path,
                        help="moses_reference: wheel of fcd_torch (default: fetch it with pip)")
    parser.add_argument("--molecules", type=path, metavar="FILE",
                        help="moses_reference: file of the data set moses (default runs/moses.npz)")
    parser.add_argument("--jobs", type=whole(1, JOBS), help="moses_reference: processes (default 1)")
    parser.add_argument("--threads", type=whole(1, JOBS), help="proteins: of MMseqs2 (default 1)")
    parser.add_argument("--families", type=whole(1, 10**6),
                        help="proteins: profile HMMs, of the largest training clusters (default 300)")
    parser.add_argument("--held-out", type=whole(1, 40), metavar="PERCENT", dest="held_out",
                        help="proteins: of the clusters, drawn for test and as many for validation (default 8)")
    parser.add_argument("--near", type=number(0, 1, above=True), metavar="IDENTITY", dest="near_from",
                        help="proteins: with one of training, from which on a held-out one is set apart (default 0.4)")


def _fasta_options(parser: Parser) -> None:
    parser.add_argument("run", type=path)
    parser.add_argument("--out", type=path, required=True, metavar="DIR")
    parser.add_argument("--only", action="append", type=word, default=[], metavar="ARM")


OWN = {"proteins": ("threads", "families", "held_out", "near_from"), "moses": (),
       "moses_reference": ("chemnet", "molecules", "jobs")}    # options that only one of them takes


def data(options: Namespace) -> tuple[dict, int]:
    """Build the file of a data set that does not ship, or of what its metrics compare with."""
    from harness.data.build import moses, proteins
    from harness.run.progress import tell

    kind = options.dataset
    for owner, names in OWN.items():
        for name in names if owner != kind else ():
            if getattr(options, name) is not None:
                said = {"near_from": "near"}.get(name, name.replace("_", "-"))
                raise ValueError(f"--{said} is of {owner}: leave it out")
    given = {name: value for name in OWN[kind] if (value := getattr(options, name)) is not None}
    out = options.out or Path(f"runs/{kind}{'.safetensors' if kind == 'moses_reference' else '.npz'}")
    if kind == "moses":
        about = moses.build(options.source, out, say=tell)
    elif kind == "proteins":
        about = proteins.build(options.source, out, **given, say=tell)
    else:
        from harness.data.moses import BUILT
        from harness.metrics.molecules.build import reference

        about = reference.build(options.source, given.get("chemnet"), given.get("molecules", Path(BUILT)), out,
                                      given.get("jobs", 1), say=tell)
    return {"data": str(out), "card": str(out.with_suffix(".md")), "bytes": out.stat().st_size, **about}, 0


def fasta(options: Namespace) -> tuple[dict, int]:
    """The samples of a run as FASTA, a file a cell; of cells that are done."""
    from harness.boundary.atomic import write_text
    from harness.boundary.nearest import meant
    from harness.cli._options import opened
    from harness.data.residues import Sequences
    from harness.data.residues import fasta as records
    from harness.spec import from_json

    store = opened(options.run)
    about = next((r for r in reversed(store.of("study")) if r.get("data")), None)
    dataset = from_json("rows", about["data"]) if about else None
    if about is None or not isinstance(dataset, Sequences):
        raise ValueError(f"the samples of {options.run} are not proteins{f' but {dataset.name}' if dataset else ''}: "
                         "give a run of a study of proteins")
    counted = [r for r in store.latest("counted", "key").values() if r["study"] == about["name"]]
    if unknown := sorted({*options.only} - (names := {r["arm"] for r in counted})):
        raise ValueError(f"{options.run} has no arm {unknown[0]!r}; it has "
                         f"{', '.join(sorted(names))}{meant(unknown[0], names)}")
    cells = [r for r in counted if r["status"] == "done" and (not options.only or r["arm"] in options.only)]
    if not cells:
        raise ValueError(f"{options.run} has no finished "
                         f"cell{' of ' + ', '.join(options.only) if options.only else ''}: run its study first, or "
                         "choose another --only")
    options.out.mkdir(parents=True, exist_ok=True)
    written: dict[str, int] = {}
    for r in cells:
        rows = dataset.decode(_ids(store.get("samples", r["key"])))
        name = f"{re.sub('[^A-Za-z0-9_.-]', '_', r['arm'])}-{r['key'][:8]}.fasta"
        write_text(Path(options.out) / name, records([f"{r['arm']}/{r['key']}/{k}" for k in range(len(rows))], rows))
        written[name] = len(rows)
        print(f"{name}  {len(rows)} sequences of {len(rows[0])} residues")
    return {"fasta": str(options.out), "files": written}, 0


def _ids(samples):
    import torch

    return torch.from_numpy(samples.astype("int64"))


VERBS = (
    Verb("data", MAKE, "build the file of a data set that does not ship (docs/proteins.md)",
         "ssmd-bench data proteins --source mine.fasta --out runs/proteins.npz", _data_options, data),
    Verb("fasta", READ, "write the samples of a run of proteins as FASTA, a file a cell",
         "ssmd-bench fasta runs/protein_frontier --out runs/fasta --only ssmd", _fasta_options, fasta),
)
