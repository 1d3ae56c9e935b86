"""Nearest neighbours of protein rows by identity: a k-mer prefilter, then alignment.

The candidates of a row are the proteins that share most distinct words of WORD residues with it, amino acids of one
class taken as equal (ten classes: Murphy, Wallqvist and Levy, Protein Eng. 13, 2000). They are aligned by
Smith-Waterman with affine gaps (BLOSUM62, a gap of k costs 11 + k; exact, by pyopal's SIMD), and

    identity = identical residues of the best local alignment / residues of the row,

the highest over the candidates: a short perfect match is a low identity. It is a lower bound of the nearest
neighbour's, exact where that one is among the candidates. Time: one pass over the proteins' words, and rows x
candidates alignments.

    >>> encoded = [encode(s).numpy() for s in (b"MKVLAAGIVGLPNVGKSTLF", b"WWWWWHHHHHWWWWWHHHHH")]
    >>> nearest(np.stack(encoded), [encoded[0][2:], encoded[1]]).tolist()
    [0.9, 1.0]
"""

from collections.abc import Sequence

import numpy as np

from harness.data.residues import AMINO, encode

CLASSES = ("LVIM", "C", "A", "G", "ST", "P", "FYW", "EDNQ", "KR", "H")
WORD = 7
CHUNK = 1 << 22    # residues looked at in one go: bounds the memory
_CLASS = np.array([next(k for k, letters in enumerate(CLASSES) if amino in letters) for amino in AMINO], np.int32)

__all__ = ["aligner", "candidates", "encode", "identities", "nearest"]


def aligner():
    """A Smith-Waterman aligner with BLOSUM62, where a gap of k costs 11 + k. Raises ValueError where pyopal is missing.
    """
    try:
        import pyopal
        import scoring_matrices
    except ImportError as error:
        raise ValueError(
            f"alignment needs {error.name}, which is not installed: `pip install ssmd-bench[proteins]`"
        ) from None
    # pyopal charges the first residue of a gap `gap_open` alone
    return pyopal.Aligner(scoring_matrices.ScoringMatrix.from_name("BLOSUM62"), gap_open=12, gap_extend=1)


def words(residues: np.ndarray) -> np.ndarray:
    """Words of WORD neighbouring residues, by class: (R,) uint8 -> (R - WORD + 1,) numbers in base 10."""
    classes, found = _CLASS[residues], np.zeros(max(len(residues) - WORD + 1, 0), np.int32)
    for place in range(WORD):
        found = found * len(CLASSES) + classes[place : place + len(found)]
    return found


def candidates(rows: np.ndarray, proteins: Sequence[np.ndarray], keep: int) -> list[np.ndarray]:
    """rows (n, L) uint8 -> for each the numbers of at most `keep` proteins, those with most of its distinct words
    first; ties by number.
    """
    # (P, 2) word, row
    pairs = np.unique(np.concatenate([np.stack([words(row).astype(np.int64), np.full(len(row) - WORD + 1, k)], 1) for k,
                                      row in enumerate(rows)]), axis=0)
    known = np.zeros(len(CLASSES) ** WORD, bool)
    known[pairs[:, 0]] = True
    found = []  # [(H, 3) row, words shared, protein]
    ends = np.cumsum([0, *map(len, proteins)])
    start = 0
    while start < len(proteins):
        stop = max(start + 1, int(np.searchsorted(ends, ends[start] + CHUNK, side="right")) - 1)
        text = np.concatenate(proteins[start:stop])
        owner = np.repeat(np.arange(start, stop), np.diff(ends[start : stop + 1]))
        codes = words(text)
        inside = known[codes] & (owner[: len(codes)] == owner[WORD - 1 :][: len(codes)])
        # a word counts once a protein
        once = np.unique(codes[inside].astype(np.int64) * len(proteins) + owner[: len(codes)][inside])
        word, protein = once // len(proteins), once % len(proteins)
        first, last = (np.searchsorted(pairs[:, 0], word, side=side) for side in ("left", "right"))
        times = last - first                                                        # rows that have the word
        at = np.repeat(first - np.cumsum(times) + times, times) + np.arange(times.sum())
        hits, shared = np.unique(pairs[at, 1] * len(proteins) + np.repeat(protein, times), return_counts=True)
        found.append(np.stack([hits // len(proteins), shared, hits % len(proteins)], 1))
        found = [_best(np.concatenate(found), keep)]
        start = stop
    table = found[0] if found else np.empty((0, 3), np.int64)
    bounds = np.searchsorted(table[:, 0], np.arange(len(rows) + 1))
    return [table[bounds[k] : bounds[k + 1], 2] for k in range(len(rows))]


def _best(table: np.ndarray, keep: int) -> np.ndarray:
    """(row, shared, protein): the `keep` with most shared of each row, rows ascending."""
    table = table[np.lexsort((table[:, 2], -table[:, 1], table[:, 0]))]
    rank = np.arange(len(table)) - np.searchsorted(table[:, 0], table[:, 0])
    return table[rank < keep]


def identities(tool, row: np.ndarray, proteins: Sequence[np.ndarray]) -> np.ndarray:
    """Identity of one row (L,) with each of the proteins, (len(proteins),)."""
    import pyopal

    query, found = text(row), np.zeros(len(proteins))
    for result in tool.align(query, pyopal.Database([text(p) for p in proteins]), mode="full", algorithm="sw"):
        found[result.target_index] = result.alignment.count("M") / len(row) if result.score > 0 else 0.0
    return found


def text(row: np.ndarray) -> str:
    """Residues (L,) uint8 -> letters."""
    return np.frombuffer(AMINO.encode(), np.uint8)[row].tobytes().decode()


def nearest(rows: np.ndarray, proteins: Sequence[np.ndarray], keep: int = 32) -> np.ndarray:
    """Highest identity of each row (n, L) with a protein, (n,); keep=0 aligns with all of them, and then counts the 32
    of the highest scores.
    """
    import pyopal

    tool, chosen = aligner(), candidates(rows, proteins, keep) if keep else None
    if chosen is None:
        base, chosen = pyopal.Database([text(p) for p in proteins]), []
        for row in rows:
            scores = np.zeros(len(proteins))
            for result in tool.align(text(row), base, mode="score", algorithm="sw"):
                scores[result.target_index] = result.score
            chosen.append(np.argsort(-scores, kind="stable")[:32])
    return np.array([identities(tool, row, [proteins[p] for p in some]).max(initial=0.0) for row,
                     some in zip(rows, chosen, strict=True)])
