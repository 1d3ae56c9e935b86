"""Metrics of molecules against the benchmark's own code on one file of molecules; ChemNet against fcd_torch; intervals
of what is linearised against a bootstrap.
"""

import gzip
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from harness import plugins
from harness.__main__ import main
from harness.data.moses import END, Moses
from harness.metrics.molecules import chemnet
from harness.metrics.molecules.build import reference as built
from harness.metrics.molecules.fcd import Fcd, frechet
from harness.metrics.molecules.parts import Frag, Scaf, cosine
from harness.metrics.molecules.properties import Filters, PropertyDistance, distance
from harness.metrics.molecules.reference import opened
from harness.metrics.molecules.similarity import InternalDiversity, Snn
from harness.metrics.molecules.validity import Validity
from harness.metrics.molecules.variety import Unique
from harness.run.scoring import label
from harness.stats.intervals import ratio_interval

pytest.importorskip("rdkit", reason="rdkit is not installed: pip install ssmd-bench[molecules]")
fcd_torch = pytest.importorskip("fcd_torch", reason="fcd_torch is not installed: pip install ssmd-bench[test]")
WEIGHTS = Path(fcd_torch.__file__).parent / "ChemNet_v0.13_pretrained.pt"
GOLDEN = json.loads((Path(__file__).parent / "golden/moses.json").read_text())
PATTERNS = ("[#6]=&!@[#6]-[#6]#[#7]", "O=C1C=CC(=O)C=C1", "[#7;H1,X3]~&!@[#7]=O", "[#6;R]1=&@[#6;R][#6;R](=O)[#6;R]=1")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """Two wheels as the real ones are, of fewer molecules and patterns."""
    folder = tmp_path_factory.mktemp("wheels")
    molecules, weights = folder / "molsets-0.3.1-py3-none-any.whl", folder / "fcd_torch-1.0.7-py3-none-any.whl"
    with zipfile.ZipFile(molecules, "w") as archive:
        for name, lines in (("train", GOLDEN["written"][:60]), ("test", GOLDEN["test"]),
                            ("test_scaffolds", GOLDEN["scaffolds"])):
            archive.writestr(f"moses/dataset/data/{name}.csv.gz", gzip.compress("\n".join(["SMILES", *lines]).encode()))
        archive.writestr("moses/metrics/mcf.csv", "names,smarts\n" + "".join(f'x,"{one}"\n' for one in PATTERNS[::2]))
        archive.writestr("moses/metrics/wehi_pains.csv", "".join(f'"{one}"  ,"<name>"\n' for one in PATTERNS[1::2]))
    with zipfile.ZipFile(weights, "w") as archive:
        archive.write(WEIGHTS, built.WEIGHTS)
    return molecules, weights


@pytest.fixture(scope="module")
def reference(wheels, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    data, out = folder / "moses.npz", folder / "reference.safetensors"
    assert main(["data", "moses", "--source", str(wheels[0]), "--out", str(data)]) == 0
    assert main(["data", "moses_reference", "--source", str(wheels[0]), "--chemnet", str(wheels[1]), "--molecules",
                 str(data), "--out", str(out)]) == 0
    return Moses(str(data)), str(out)


@pytest.fixture(scope="module")
def written(reference):
    """The file's molecules as rows; those with a charge or a ring of eight are no text of these 26 characters."""
    data = reference[0]
    rows = torch.full((len(GOLDEN["written"]), data.length), END)
    for row, text in zip(rows, GOLDEN["written"]):
        row[: len(text)] = data.encode(text)
    return rows


def test_they_are_what_the_benchmark_computes(reference, written):
    data, path = reference
    made = {"valid": Validity(), "unique@100": Unique(k=100), "IntDiv": InternalDiversity(),
            "IntDiv2": InternalDiversity(p=2)}
    for end, split in (("Test", "test"), ("TestSF", "scaffolds")):
        made |= {f"{name}/{end}": kind(split=split, reference=path) for name, kind in
                 (("FCD", Fcd), ("SNN", Snn), ("Frag", Frag), ("Scaf", Scaf))}
    made |= {name: PropertyDistance(kind=name.lower(), reference=path) for name in ("logP", "SA", "QED", "weight")}
    for name, metric in made.items():
        found = metric.score(written, data)
        assert found.value == pytest.approx(GOLDEN["values"][name], rel=2e-4, abs=1e-5), name
        if len(found.numerator):
            assert found.numerator.sum() / found.denominator.sum() == pytest.approx(found.value), name
            assert found.denominator.sum() in (len(written), round(GOLDEN["values"]["valid"] * len(written)), 100)


def test_states_of_chemnet_hold_no_memory_but_their_own():
    """176,074 molecules took 19 GB, since a view of the last place kept all places."""
    x = chemnet.ChemNet()(torch.zeros(3, chemnet.PLACES, dtype=torch.long))
    assert x.shape == (3, chemnet.STATES) and x.untyped_storage().nbytes() == x.numel() * x.element_size()


def test_the_states_of_chemnet_are_those_of_fcd_torch(reference, monkeypatch):
    monkeypatch.setattr(np, "row_stack", np.vstack, raising=False)    # numpy has it no more
    some = GOLDEN["test"][:24] + ["CC(Br)c1ccc(Cl)cc1", "N", "C[Si](C)(C)C", "C" * 400]
    net = chemnet.of_weights({name.removeprefix("chemnet."): t for name, t in opened(reference[1])[1].items()})
    theirs = fcd_torch.FCD(canonize=False).get_predictions(some)
    assert np.abs(chemnet.states(net, some) - theirs).max() < 1e-6 and np.abs(theirs).max() > 0.5


def test_filters_refuse_by_pattern_ring_charge_and_atom(reference):
    data, path = reference
    texts = ("CCO", "N#CC=CC", "O=C1C=CC(=O)C=C1", "C1CCCCCCC1", "C[N+](C)(C)C", "CB", "c1ccccc1", "CC(", "CCCN")
    rows = torch.full((len(texts), data.length), END)
    for row, text in zip(rows, texts):
        if "+" not in text:
            row[: len(text)] = data.encode(text)
    rows[4, :3] = data.encode("C=O")
    found = Filters(reference=path).score(rows, data)
    assert found.numerator.tolist() == [1, 0, 0, 0, 1, 0, 1, 0, 1] and found.denominator.sum() == 8


class OtherMolecules(Moses):
    def identity(self):
        return super().identity() | {"sha256": "of others"}


def test_a_reference_of_other_molecules_is_refused(reference, written):
    data, path = reference
    for metric in (Filters(reference=path), Snn(reference=path)):
        with pytest.raises(ValueError, match="is of other molecules than these data: build it with"):
            metric.score(written[:20], OtherMolecules(data.path))


def resampled(value, rows: int, times: int = 400) -> np.ndarray:
    draws = np.random.default_rng(0).integers(0, rows, (times, rows))
    return np.array([value(some) for some in draws])


def test_intervals_of_linearised_values_are_those_of_a_bootstrap():
    """Standard errors within a tenth, of a value that changes with each row in another way."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(600, 4)) @ rng.normal(size=(4, 4)) + 0.3
    mean, covariance = np.zeros(4), np.eye(4)
    values, theirs = rng.normal(size=600) + 0.4, rng.normal(size=900)
    parts = [[f"p{k}" for k in rng.integers(0, 6, rng.integers(1, 4))] for _ in range(600)]
    counts = {f"p{k}": 10 * k for k in range(6)}
    for name, made, again in (
            ("frechet", frechet(x, mean, covariance), lambda some: frechet(x[some], mean, covariance)[0]),
            ("wasserstein", distance(values, theirs), lambda some: distance(values[some], theirs)[0]),
            ("cosine", cosine(parts, counts), lambda some: cosine([parts[k] for k in some], counts)[0])):
        error = np.std(made[1]) / len(made[1]) ** 0.5
        assert abs(error / resampled(again, 600).std() - 1) < 0.1, name


def test_a_row_that_leaves_changes_the_value_by_its_influence(reference, written):
    """Of metrics of the whole set: without one row the value moves as that row's share says. FCD has 512 dimensions and
    these are 160 molecules, too few for its covariance; it has the test above.
    """
    data, path = reference
    for metric in (Frag(reference=path), InternalDiversity(), InternalDiversity(p=2),
                   PropertyDistance(kind="weight", reference=path)):
        whole = metric.score(written, data)
        inside = whole.denominator.astype(bool)
        told, seen = [], []
        for row in range(0, 40, 4):
            keep = torch.arange(len(written)) != row
            told.append((whole.value - whole.numerator[row]) / inside.sum())
            seen.append(metric.score(written[keep], data).value - whole.value)
        assert np.corrcoef(told, seen)[0, 1] > 0.95, metric
        if isinstance(metric, Frag):
            v = ratio_interval(whole.numerator, whole.denominator)
            assert v.low < whole.value < v.high


def test_a_killed_building_goes_on_and_a_wrong_file_is_one_sentence(wheels, reference, tmp_path, monkeypatch, capsys):
    data, path = reference
    command = ["data", "moses_reference", "--source", str(wheels[0]), "--chemnet", str(wheels[1]), "--molecules",
               data.path, "--out", str(tmp_path / "again.safetensors")]
    real = built._states

    def killed(smiles, *more):
        if smiles == data.smiles("scaffolds"):
            raise KeyboardInterrupt
        return real(smiles, *more)

    monkeypatch.setattr(built, "_states", killed)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        raise KeyboardInterrupt if main(command) else AssertionError
    monkeypatch.setattr(built, "_states", lambda smiles, *more: (
        real(smiles, *more) if smiles == data.smiles("scaffolds") else pytest.fail("it was made again")))
    assert main(command) == 0
    assert opened(str(tmp_path / "again.safetensors"))[0] == opened(path)[0]
    capsys.readouterr()
    (tmp_path / "no.whl").write_bytes(b"no")
    for words, says in (([*command[:2], "--source", str(tmp_path / "no.whl"), *command[4:-1], str(tmp_path / "x")],
                         "is not the wheel of molsets"),
                        ([*command[:4], "--chemnet", str(tmp_path / "no.whl"), *command[6:-1], str(tmp_path / "x")],
                         "is not the wheel of fcd_torch"),
                        (["data", "moses", "--jobs", "2"], "--jobs is of moses_reference"),
                        (["data", "proteins", "--chemnet", "x"], "--chemnet is of moses_reference")):
        assert main(words) == 2
        assert says in (said := capsys.readouterr().err) and "Traceback" not in said
    whole = Path(path).read_bytes()
    for name, content, says in (("cut", whole[:-9], "cannot be read"), ("empty", b"", "cannot be read"),
                                ("other", whole[:-9] + bytes(9), "sha256 differs")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=says):
            Snn(reference=str(tmp_path / name)).score(data.rows("test", 3, 0), data)
    tensors = {name: t for name, t in opened(path)[1].items() if not name.startswith("test.mean")}
    built._write(tmp_path / "part.safetensors", tensors, data.identity()["sha256"])
    with pytest.raises(ValueError, match="is a part of what metrics need: build it"):
        Snn(reference=str(tmp_path / "part.safetensors")).score(data.rows("test", 3, 0), data)
    assert main([*command[:-1], str(tmp_path)]) == 2 and "is a folder" in capsys.readouterr().err
    with pytest.raises(ValueError, match="build it with `ssmd-bench data moses_reference"):
        Fcd(reference="nowhere").score(data.rows("test", 3, 0), data)


def test_each_is_a_metric_of_studies():
    known = plugins.metrics()
    assert {"validity", "unique", "novelty", "fcd", "snn", "frag", "scaf", "internal_diversity", "filters",
            "property_distance"} <= set(known)
    assert "fcd_torch" in sys.modules
    one, other = Fcd(reference="a"), Fcd(split="scaffolds", reference="a")
    assert label(one, [one, other]) == "fcd(split=test)"
    assert label(one, [one, Fcd(reference="b")]) == "fcd(split=test,reference=a)"
