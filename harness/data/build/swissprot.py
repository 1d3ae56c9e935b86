"""Where the proteins come from: a BLAST protein database of version 4, as Debian's `metastudent-data` holds three of,
or a FASTA file.

Version 4: NAME.pin has big-endian counts and offsets, NAME.psq one byte a residue between zero bytes, NAME.phr a header
each, in ASN.1 (BLAST database format, NCBI C++ Toolkit, seqdb). Of a header only its first text is read, as far as its
first |: the accession. Nothing is unpickled, nothing in a package is run.
"""

import shutil
import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from harness.data.fasta import unmarked
from harness.data.residues import read_fasta_file, standard

PACKAGE, VERSION = "metastudent-data", "2.0.1-8"
LETTERS = b"-ABCDEFGHIKLMNPQRSTVWXYZU*OJ"    # the residue that each byte stands for
REMEDY = f"give --source the folder of the unpacked Debian package {PACKAGE}, or a FASTA file of Swiss-Prot"


def fetched(say: Callable[[str], None]) -> Path:
    """The unpacked Debian package in a folder of its own, which the caller removes. Raises ValueError where Debian's
    tools or the package are missing.
    """
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise ValueError(f"this machine has no apt-get and dpkg-deb to fetch the package with: {REMEDY}")
    folder = Path(tempfile.mkdtemp(prefix="ssmd-proteins-"))
    folder.chmod(0o755)
    say(f"fetching Debian's {PACKAGE} {VERSION}, 225 MB")
    for words in (["apt-get", "download", f"{PACKAGE}={VERSION}"], ["dpkg-deb", "-x", f"{PACKAGE}_{VERSION}_all.deb",
                                                                    "unpacked"]):
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            raise ValueError(f"{' '.join(words)} failed ({(done.stderr.strip().splitlines() or ['no word'])[-1]}): "
                             f"run apt-get update, or {REMEDY}")
    return folder / "unpacked"


def read(source: Path) -> tuple[dict[bytes, str], dict[str, int]]:
    """{sequence: accession, the first in the order of the files}, and what was counted; a folder of BLAST databases, or
    a FASTA file.
    """
    if source.is_file():
        named, left_out = read_fasta_file(unmarked(source))
        pairs = ((sequence, name.split("|")[1] if name.count("|") == 2 else name) for name, sequence in named.items())
        return _unique(pairs, other_letters=left_out)
    bases = sorted(path.with_suffix("") for path in source.rglob("*.pin")) if source.is_dir() else []
    if not bases:
        raise ValueError(f"there is no BLAST database (*.pin) under {source}: {REMEDY}")
    return _unique(pair for base in bases for pair in blast(base))


def _unique(pairs: Iterator[tuple[bytes, str]], other_letters: int = 0) -> tuple[dict[bytes, str], dict[str, int]]:
    found: dict[bytes, str] = {}
    strange, entries = set(), other_letters
    for sequence, accession in pairs:
        entries += 1
        if standard(sequence):
            found.setdefault(sequence, accession)
        else:
            strange.add(sequence)
    return found, {"entries": entries, "unique": len(found) + len(strange) + other_letters,
                   "left_out_other_letters": len(strange) + other_letters}


def blast(base: Path) -> Iterator[tuple[bytes, str]]:
    """(sequence, accession) of every entry of a database. Raises ValueError if it is no protein database of version
    4.
    """
    try:
        index, headers = (
            base.with_suffix(base.suffix + ".pin").read_bytes(),
            base.with_suffix(base.suffix + ".phr").read_bytes(),
        )
        letters = np.full(256, ord("X"), np.uint8)
        letters[: len(LETTERS)] = np.frombuffer(LETTERS, np.uint8)
        text = letters[np.frombuffer(base.with_suffix(base.suffix + ".psq").read_bytes(), np.uint8)].tobytes()
        version, kind = struct.unpack_from(">ii", index)
        at = 8
        for _ in range(2):    # title, date
            at += 4 + struct.unpack_from(">i", index, at)[0]
        count, at = struct.unpack_from(">i", index, at)[0], at + 16
        head, body = np.frombuffer(index, ">u4", 2 * (count + 1), at).reshape(2, -1).astype(np.int64).tolist()
    except (OSError, struct.error, ValueError) as error:
        raise ValueError(f"the BLAST database {base} cannot be read ({error}): {REMEDY}") from error
    if (version, kind) != (4, 1) or body[-1] > len(text) or head[-1] > len(headers):
        raise ValueError(f"{base} is not a whole BLAST protein database of version 4: {REMEDY}")
    for k in range(count):
        yield text[body[k] : body[k + 1] - 1], accession(headers[head[k] : head[k + 1]])


def accession(header: bytes) -> str:
    """The first visible string of an ASN.1 header (tag 0x1A, length in short or long form), up to its first |."""
    at = header.index(b"\x1a") + 1
    size, at = header[at], at + 1
    if size & 0x80:
        size, at = int.from_bytes(header[at : at + (size & 0x7F)], "big"), at + (size & 0x7F)
    return header[at : at + size].split(b"|")[0].decode("ascii", "replace")
