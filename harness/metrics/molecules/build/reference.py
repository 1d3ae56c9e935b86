"""Builds what metrics of molecules compare with (harness/metrics/molecules/reference.py): `ssmd-bench data
moses_reference`.

Read are the data set moses, the patterns of the benchmark's filters in its wheel, and ChemNet's weights in the wheel of
fcd_torch, a pickle that torch opens for weights alone. Nothing of the wheels is run. Each split takes minutes; a killed
command goes on behind the last part that it finished.
"""

import csv
import io
import json
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import joblib
import numpy as np
import torch
from torch import Tensor

from harness.boundary.atomic import write_text
from harness.data.build import moses
from harness.data.build.wheels import fetched, remedy
from harness.data.moses import Moses
from harness.data.smiles import canonical, chem, sound
from harness.metrics.molecules import chemnet
from harness.metrics.molecules.parts import fragments, scaffold
from harness.metrics.molecules.properties import KINDS, property_of
from harness.metrics.molecules.reference import SPLITS, begun, digest, opened, packed
from harness.metrics.molecules.similarity import fingerprints
from harness.nets import checkpoint

WHEEL, OPTION, WEIGHTS = "fcd_torch==1.0.7", "--chemnet", "fcd_torch/ChemNet_v0.13_pretrained.pt"
FILTERS, REMEDY, CHUNK = ("moses/metrics/mcf.csv", "moses/metrics/wehi_pains.csv"), remedy(WHEEL, OPTION), 1024


def build(source: Path | None, weights: Path | None, data: Path, out: Path, jobs: int = 1,
          say: Callable[[str], None] = lambda text: None) -> dict[str, Any]:
    """Write `out` and its card beside it (.md); what the file says of itself. Raises ValueError, in a sentence, for
    what is missing or is none of these files.
    """
    chem()
    if out.is_dir():
        raise ValueError(f"{out} is a folder: give the name of a file as --out")
    molecules = Moses(str(data))
    sha = molecules.identity()["sha256"]
    part = out.with_suffix(".part.safetensors")
    found = _kept(part, sha)
    if not found:
        with TemporaryDirectory(prefix="ssmd-moses-") as folder:
            found["filters"] = packed(filters(source or fetched(moses.WHEEL, "52 MB", moses.OPTION, Path(folder), say)))
            found |= converted(weights or fetched(WHEEL, "5 MB", OPTION, Path(folder), say))
    net = chemnet.of_weights({name.removeprefix("chemnet."): t for name, t in found.items()})
    out.parent.mkdir(parents=True, exist_ok=True)
    for split in SPLITS:
        smiles = molecules.smiles(split)
        for what, made in (("chemistry", _chemistry), ("states", _states)):
            if f"{split}.{what}" in found:
                continue
            found |= {f"{split}.{name}": t for name, t in made(smiles, net, jobs, _told(split, what, say)).items()}
            found[f"{split}.{what}"] = torch.tensor([len(smiles)])
            _write(part, found, sha)
    about = _write(out, found, sha)
    write_text(out.with_suffix(".md"), card(about, found))
    part.unlink(missing_ok=True)
    opened(str(out))
    return about


def _told(split: str, what: str, say: Callable[[str], None]) -> Callable[[int, int], None]:
    begun, last = time.monotonic(), [0.0]

    def told(done: int, of: int) -> None:
        if done and (time.monotonic() - last[0] > 5 or done == of):
            last[0] = time.monotonic()
            say(f"{split}, {what}: {done:,}/{of:,}  {(last[0] - begun) / done * (of - done) / 60:.0f} min left")
    return told


def _chemistry(smiles: list[str], net: chemnet.ChemNet, jobs: int, told: Callable[[int, int], None]):
    """Fingerprints, parts and properties."""
    chunks = [smiles[first : first + CHUNK] for first in range(0, len(smiles), CHUNK)]
    prints, pieces, scaffolds, values = [], Counter[str](), Counter[str](), []
    for k, made in enumerate(joblib.Parallel(jobs, return_as="generator")(map(joblib.delayed(_of_chunk), chunks))):
        prints.append(made[0])
        pieces.update(made[1])
        scaffolds.update(made[2])
        values.append(made[3])
        told(min((k + 1) * CHUNK, len(smiles)), len(smiles))
    found = {"fingerprints": torch.from_numpy(np.concatenate(prints))}
    for name, counts in (("fragments", pieces), ("scaffolds", scaffolds)):
        found |= {name: packed(sorted(counts)), f"{name}_counts": torch.tensor([counts[one] for one in sorted(counts)])}
    return found | dict(zip(KINDS, torch.from_numpy(np.concatenate(values)).T.contiguous(), strict=True))


def _of_chunk(smiles: list[str]) -> tuple[np.ndarray, Counter[str], Counter[str], np.ndarray]:
    found = sound(smiles)
    return (np.packbits(fingerprints(found), axis=1), Counter(part for one in found for part in fragments(one)),
            Counter(part for one in found for part in scaffold(one)),
            np.array([[property_of(kind)(one) for kind in KINDS] for one in found]))


def _states(smiles: list[str], net: chemnet.ChemNet, jobs: int, told: Callable[[int, int], None]) -> dict[str, Tensor]:
    """Mean and covariance of ChemNet's states."""
    written = [str(canonical(one)) for one in smiles]
    x = chemnet.states(net, written, lambda done: told(done, len(smiles)))         # (n, 512)
    return {"mean": torch.from_numpy(x.mean(0)), "covariance": torch.from_numpy(np.cov(x.T))}


def filters(wheel: Path) -> list[str]:
    """The patterns of the benchmark's filters. Raises ValueError for a file that is no such wheel."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            own, pains = (archive.read(name).decode() for name in FILTERS)
        found = [row["smarts"] for row in csv.DictReader(io.StringIO(own))]
        found += [row[0].strip() for row in csv.reader(io.StringIO(pains)) if row]
        if bad := [text for text in found if chem().MolFromSmarts(text) is None]:
            raise ValueError(f"{bad[0]!r} is no pattern")
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{wheel} is not the wheel of {moses.WHEEL} ({error}): {moses.REMEDY}") from None
    return found


def converted(wheel: Path) -> dict[str, Tensor]:
    """ChemNet's weights by their names here. Raises ValueError for a file that is no such wheel."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            layers = torch.load(io.BytesIO(archive.read(WEIGHTS)), map_location="cpu", weights_only=True)
        found = {f"chemnet.{layer}.{name}": t.contiguous() for layer, (_, (weights, *_)) in
                 zip(chemnet.LAYERS, layers, strict=True) for name, t in weights.items()}
        chemnet.of_weights({name.removeprefix("chemnet."): t for name, t in found.items()})
    except Exception as error:    # whatever torch raises for a file that holds no weights
        said = (str(error).splitlines() or ["no word"])[0]
        raise ValueError(f"{wheel} is not the wheel of {WHEEL} ({said}): {REMEDY}") from None
    return found


def _kept(part: Path, sha: str) -> dict[str, Tensor]:
    """What an earlier command finished; nothing if it is of other molecules or damaged."""
    try:
        about, found = begun(str(part))
    except ValueError:
        return {}
    return dict(found) if about["moses"] == sha else {}


def _write(path: Path, found: dict[str, Tensor], sha: str) -> dict[str, Any]:
    import rdkit

    about = {"sha256": digest(found), "moses": sha, "rdkit": rdkit.__version__}
    checkpoint.write(found, path, {"about": json.dumps(about)})
    return about


def card(about: dict[str, Any], found: dict[str, Tensor]) -> str:
    sizes = " and ".join(f"{int(found[f'{split}.states']):,} molecules of {split}" for split in SPLITS)
    return f"""# What metrics of molecules compare with

| | |
|---|---|
| of | {sizes} of MOSES |
| what | mean and covariance of ChemNet's states, fingerprints, fragments, scaffolds, properties |
| beside | ChemNet's weights, the patterns of the benchmark's filters |
| licence | MIT (MOSES), MIT (fcd_torch) |
| made by | `ssmd-bench data moses_reference` with RDKit {about['rdkit']} |
| sha256 | `{about['sha256']}` |
| molecules | `{about['moses']}` |
"""
