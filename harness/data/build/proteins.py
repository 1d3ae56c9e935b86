"""Builds the file that the data set `proteins` reads, from Debian's metastudent-data or from a FASTA file: `ssmd-bench
data proteins`.

Read, keep what has 40 or more residues, all of the 20; cluster (harness/data/build/clusters.py); draw the split of each
cluster, one uniform permutation of seed 0: `held_out` per cent test, as many validation, 10 % judge, the rest train. Of
validation and test one protein a cluster is kept, its representative; if it has a relative among all proteins of train
and judge, its cluster goes to the split `near`. Profile HMMs are of the largest clusters of train. The same source and
MMseqs2 give the same sha256.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from harness.boundary.atomic import write_text
from harness.data.build import clusters, swissprot
from harness.data.build.npz import written
from harness.data.build.profiles import profiles, tools
from harness.data.proteins import Proteins, digest
from harness.data.residues import encode
from harness.random import Stream, permutation

SHORTEST, FAMILIES, LEAST = 40, 300, 10    # residues of a protein; profiles, and members of a family at least
# per cent of the clusters; identity from which on a relative is near (measured in docs/proteins.md)
HELD_OUT, NEAR_FROM = 8, 0.4
TRAIN, JUDGE, VALIDATION, TEST, NEAR = range(5)


def drawn(n: int, held_out: int = HELD_OUT) -> np.ndarray:
    """The split of each of n clusters before any is screened, (n,) uint8; `held_out` per cent for test and for
    validation.
    """
    place = 100 * permutation(0, torch.tensor([0]), Stream.DATA, n)[0].argsort().numpy()
    ends = [place < n * share for share in (held_out, 2 * held_out, 2 * held_out + 10)]
    return np.select(ends, [TEST, VALIDATION, JUDGE], TRAIN).astype(np.uint8)


def build(source: Path | None, out: Path, threads: int = 1, families: int = FAMILIES, held_out: int = HELD_OUT,
          near_from: float = NEAR_FROM,
          say: Callable[[str], None] = lambda text: None) -> dict:
    """Write `out` and its card beside it (.md); what the file says of itself. Raises ValueError, in a sentence, for
    what is missing.
    """
    tools()    # before minutes of work
    begun, fetched = time.monotonic(), None
    clusters.program()
    if source is None:
        source = fetched = swissprot.fetched(say)
    with tempfile.TemporaryDirectory(prefix="ssmd-proteins-") as scratch:
        try:
            say("reading the sequences")
            found, counts = swissprot.read(source)
        finally:
            if fetched is not None:
                shutil.rmtree(fetched.parent, ignore_errors=True)
        sequences = sorted(s for s in found if len(s) >= SHORTEST)
        counts |= {"left_out_short": len(found) - len(sequences), "proteins": len(sequences),
                   "residues": sum(map(len, sequences))}
        if not sequences:
            raise ValueError(f"{source} holds no protein of {SHORTEST} or more residues: give another source")
        say(f"{len(sequences):,} proteins, {counts['residues']:,} residues; clustering at {clusters.IDENTITY:.0%} "
            f"identity, {(time.monotonic() - begun):.0f} s so far")
        groups = clusters.clusters(sequences, Path(scratch), threads)
        split = drawn(len(groups), held_out)
        held = [k for k in range(len(groups)) if split[k] in (VALIDATION, TEST)]
        known = [p for k, group in enumerate(groups) if split[k] in (TRAIN, JUDGE) for p in group]
        say(f"{len(groups):,} clusters; looking for relatives of {len(held):,} held-out ones among {len(known):,} "
            f"proteins, {(time.monotonic() - begun):.0f} s so far")
        near = clusters.related(sequences, [groups[k][0] for k in held], known, near_from, Path(scratch), threads)
        counts |= {f"drawn_{name}": int((split == k).sum()) for name, k in (("validation", VALIDATION), ("test", TEST))}
        for k in held:
            groups[k] = groups[k][:1]
            split[k] = NEAR if groups[k][0] in near else split[k]
        mmseqs = clusters.version(Path(scratch))
    large = sorted((k for k in range(len(groups)) if split[k] == TRAIN and len(groups[k]) >= LEAST),
                   key=lambda k: (-len(groups[k]), k))[:families]
    say(f"{len(near):,} of them have one; profiles of {len(large)} families, {(time.monotonic() - begun):.0f} s so far")
    hmms = profiles({found[sequences[groups[k][0]]]: [sequences[p] for p in groups[k]] for k in large}, say)
    arrays = packed(sequences, groups, split)
    size = np.array([len(group) for group in groups])
    counts |= {"clusters": len(groups), "clusters_of_one": int((size == 1).sum()), "families_with_profile": len(large)}
    for k, name in enumerate(Proteins.splits):
        counts |= {f"{name}_clusters": int((split == k).sum()), f"{name}_proteins": int(size[split == k].sum())}
    about = {"sha256": digest(arrays), "source": f"Debian {swissprot.PACKAGE} {swissprot.VERSION}" if fetched
             else source.name, "mmseqs": mmseqs, "shortest": SHORTEST,
             "identity": clusters.IDENTITY, "coverage": clusters.COVERAGE,
             "held_out": held_out, "near_from": near_from, "aligned": clusters.ALIGNED,
             "sensitivity": clusters.SENSITIVITY, "counts": counts}
    accessions = "\n".join(found[sequences[p]] for group in groups for p in group)
    arrays |= {"accession": _bytes(accessions.encode()), "profiles": _bytes(hmms),
               "about": _bytes(json.dumps(about, sort_keys=True).encode())}
    say(f"writing {out}, {(time.monotonic() - begun):.0f} s so far")
    written(out, arrays)
    write_text(out.with_suffix(".md"), card(about))
    return about


def packed(sequences: Sequence[bytes], groups: Sequence[Sequence[int]], split: np.ndarray) -> dict[str, np.ndarray]:
    kept = [sequences[p] for group in groups for p in group]
    return {"residues": encode(b"".join(kept)).numpy(), "starts": np.cumsum([0, *map(len, kept)], dtype=np.int64),
            "cluster": np.repeat(np.arange(len(groups)), [len(group) for group in groups]).astype(np.int64),
            "split": split}


def _bytes(content: bytes) -> np.ndarray:
    return np.frombuffer(content, np.uint8)


def card(about: dict) -> str:
    """Markdown: licence, attribution, counts."""
    counts, licence = about["counts"], "that of the source (Swiss-Prot: CC BY 4.0, The UniProt Consortium)"
    if about["source"].startswith("Debian"):
        licence = ("**CC BY 4.0**, as UniProt releases Swiss-Prot today (https://www.uniprot.org/help/license); the "
                   "release of January 2014 came out under CC BY-ND 3.0")
    rows = "\n".join(f"| {name} | {counts[f'{name}_clusters']:,} | {counts[f'{name}_proteins']:,} |"
                     for name in Proteins.splits)
    return f"""# Proteins, clustered at {about['identity']:.0%} identity

| | |
|---|---|
| what | {counts['proteins']:,} proteins of {about['shortest']} and more residues, {counts['residues']:,} residues |
| made of | {counts['entries']:,} entries, {counts['unique']:,} different ones |
| source | {about['source']} |
| licence | {licence} |
| attribution | The UniProt Consortium, UniProtKB/Swiss-Prot. The accession of every protein is in the file: \
`Proteins(path).accessions(split)` |
| left out | {counts['left_out_other_letters']:,} with letters other than the 20 amino acids, then \
{counts['left_out_short']:,} shorter ones |
| changed | equal sequences made one; clustered; split |
| sha256 | `{about['sha256']}` of proteins, clusters and splits |
| made by | `ssmd-bench data proteins`, MMseqs2 {about['mmseqs']} |

{counts['clusters']:,} clusters (linclust, identity {about['identity']}, coverage {about['coverage']} of both), \
{counts['clusters_of_one']:,} of one protein.
Of {counts['drawn_validation']:,} and {counts['drawn_test']:,} clusters drawn for validation and test, those with a \
relative in train or judge (identity {about['near_from']} over
{about['aligned']} aligned residues, MMseqs2 at sensitivity {about['sensitivity']}) are in `near`. \
{counts['families_with_profile']} profile HMMs of the largest clusters of train.

| split | clusters | proteins |
|---|---|---|
{rows}
"""
