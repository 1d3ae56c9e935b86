"""A kept run is one zip: it says what its folder says, to the bit, and a damaged one is a sentence."""

import json
import os
import random
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from harness.__main__ import main
from harness.records.kept_index import INDEX, RECORDS
from harness.records.pack import pack, unpack
from harness.records.places import Kept
from harness.records.store import Store
from harness.spec import ROOT
from tests.compared import by, cell, made, rows, score

LATER = "2026-01-02T00:00:00+00:00"

PROOF = {"type": "proof", "key": "k", "of": "5" * 64, "verdict": "proven", "rows": 16, "seen": ["costs"], "reason": "",
         "machine": "m0", "made": by()}


@pytest.fixture
def run(tmp_path) -> Path:
    """A run of two writers, with arrays of several dtypes and shapes, a journal, a torn line and what is not kept."""
    first, second = cell(steps=8, time=LATER), cell(steps=16, time=LATER)
    scores = score(first, rows(), time=LATER), score(second, rows(seed=1), time=LATER)
    folder = made(tmp_path / "run", first, scores[0], second, scores[1])
    early = [{"type": "note", "text": f"é {k} {1e22} {ROOT}/x", "time": f"2026-01-0{k}T00:00:00+00:00"} for k in (1, 3)]
    (folder / "records.1of2.jsonl").write_text("\n".join(map(json.dumps, early)) + '\n{"type": "torn')
    (folder / "sweep.journal").write_bytes(b'{"op_code": 0}\n')
    store = Store(folder)
    for key, dtype, shape in (("a", "<f8", (3, 2)), ("b", "<f8", (0, 2)), ("c", "<f4", (5,)), ("d", "|u1", (4, 8)),
                              ("e", ">i8", (2, 2, 2)), ("f", "<f8", (1, 2))):
        array = np.random.default_rng(len(key)).integers(0, 200, shape).astype(dtype)
        store.put("digests", key, array)
    store.put("digests", "g", np.array([[np.nan, -0.0]]))
    store.put("samples", "a", np.zeros((2, 2), np.uint8))
    (folder / "training").mkdir()
    (folder / "training" / "weights.bin").write_bytes(b"no array")
    return folder


def arrays(store: Store) -> dict[tuple[str, str], tuple]:
    return {(room, key): (array.dtype.str, array.shape, array.tobytes(), array.flags.writeable)
            for room, keys in store.place.rooms().items() if room != "samples"
            for key in keys for array in [store.get(room, key)]}


def test_a_run_of_another_clone_names_no_place_of_it(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    metric = {"name": "judge", "checkpoint": "/home/a/clone/ssmd/checkpoints/prose/judge.safetensors"}
    (folder / "records.jsonl").write_text(json.dumps({"type": "note", "metric": metric, "schema": 3}) + "\n")
    pack(Store(folder), tmp_path / "kept.zip")
    assert Store(tmp_path / "kept.zip").records[0]["metric"]["checkpoint"] == "ssmd/checkpoints/prose/judge.safetensors"


def test_a_zip_says_what_its_folder_says_to_the_bit(run, tmp_path):
    said = pack(Store(run), tmp_path / "run.zip")
    folder, kept = Store(run), Store(tmp_path / "run.zip")
    assert [json.dumps(r).replace(f"{ROOT}/", "") for r in folder.records] == [json.dumps(r) for r in kept.records]
    assert arrays(folder) == arrays(kept) and len(arrays(kept)) == said["arrays"] == 9
    assert folder.latest("counted", "key") == kept.latest("counted", "key") and folder.searched() and kept.searched()
    assert said["records"] == len(kept.records) == 6 and said["left_out"] == ["1 torn lines"]
    assert not kept.has("samples", "a") and not kept.has("digests", "none") and not kept.has("none", "a")
    assert kept.place.files() == {"sweep.journal": b'{"op_code": 0}\n'}
    with kept.place.on_disk() as copy:
        assert (copy / "sweep.journal").read_bytes() == b'{"op_code": 0}\n'


def test_equal_content_is_equal_bytes_whatever_the_clock_and_the_order_of_files(run, tmp_path):
    pack(Store(run), tmp_path / "one.zip")
    for path in sorted(run.rglob("*.npy"), reverse=True):
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)
        os.utime(path, (1e9, 1e9))
    pack(Store(run), tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    unpack(Store(tmp_path / "one.zip"), tmp_path / "again")
    pack(Store(tmp_path / "again"), tmp_path / "three.zip")
    pack(Store(tmp_path / "one.zip"), tmp_path / "four.zip")
    one, three, four = ((tmp_path / f"{name}.zip").read_bytes() for name in ("one", "three", "four"))
    assert one == three == four


def test_measured_numbers_lie_in_planes_and_counts_as_they_are_whichever_is_smaller(tmp_path):
    nats, counts = np.random.default_rng(0).gamma(40, 2, (2, 4096)), np.arange(8192.0).reshape(2, 4096) // 700
    (tmp_path / "run").mkdir()
    for room, array in (("costs", counts), ("digests", nats)):
        Store(tmp_path / "run").put(room, "a", array)
    pack(Store(tmp_path / "run"), tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        planes = {stack["room"]: stack["planes"] for stack in json.loads(archive.read(INDEX))["stacks"]}
        assert planes == {"costs": False, "digests": True}
        assert archive.getinfo("digests/0.npy").compress_size < 0.95 * nats.nbytes
    found = Store(tmp_path / "a.zip")
    found.lines()
    assert np.array_equal(found.get("digests", "a"), nats) and np.array_equal(found.get("costs", "a"), counts)


def test_what_is_unpacked_has_the_same_files(run, tmp_path):
    pack(Store(run), tmp_path / "run.zip")
    unpack(Store(tmp_path / "run.zip"), tmp_path / "again")
    files = {path.relative_to(tmp_path / "again") for path in (tmp_path / "again").rglob("*") if path.is_file()}
    patterns = ("scores/*", "digests/*", "sweep.journal")
    kept = {path.relative_to(run) for pattern in patterns for path in run.glob(pattern)}
    assert files == kept | {Path("records.jsonl")}
    assert all((run / path).read_bytes() == (tmp_path / "again" / path).read_bytes() for path in kept)


def test_a_damaged_array_is_left_out_and_named(run, tmp_path):
    path = next((run / "scores").iterdir())
    path.write_bytes(path.read_bytes()[:-8])
    assert f"the array scores/{path.stem}" in pack(Store(run), tmp_path / "run.zip")["left_out"]
    with pytest.raises(ValueError, match=f"scores/{path.stem} in .*run.zip is missing or damaged: take it anew"):
        Store(tmp_path / "run.zip").get("scores", path.stem)


def test_records_of_a_newer_version_are_not_lost_in_silence(run, tmp_path):
    with open(run / "records.jsonl", "a") as file:
        file.write('{"schema": 99, "type": "counted"}\n')
    with pytest.raises(ValueError, match="has 1 records of a newer version"):
        pack(Store(run), tmp_path / "run.zip")
    assert not (tmp_path / "run.zip").exists()


@pytest.mark.parametrize("name", ["acceptance", "best_seconds", "window_sweep"])
def test_a_kept_run_of_ours_is_unpacked_and_kept_again_to_the_bit(tmp_path, name):
    shutil.copy(ROOT / "studies" / name / "kept.zip", tmp_path / "kept.zip")    # without the proofs beside it
    kept = Store(tmp_path / "kept.zip")
    unpack(kept, tmp_path / name)
    folder = Store(tmp_path / name)
    assert folder.records == kept.records and arrays(folder) == arrays(kept)
    assert folder.place.files() == kept.place.files()
    pack(folder, tmp_path / "again.zip")
    with zipfile.ZipFile(kept.folder) as before, zipfile.ZipFile(tmp_path / "again.zip") as after:
        assert before.namelist() == after.namelist() and all(before.read(n) == after.read(n) for n in before.namelist())


# ---- what is added


def test_a_zip_is_not_written_to_and_says_how_to_go_on(run, tmp_path):
    pack(Store(run), tmp_path / "run.zip")
    store, before = Store(tmp_path / "run.zip"), (tmp_path / "run.zip").read_bytes()
    for write in (lambda: store.append(cell()), lambda: store.put("costs", "k", np.zeros(3)), store.work,
                  lambda: store.writing("costs", "k", 3).__enter__()):
        with pytest.raises(Kept, match="nothing is added: copy it out with `ssmd-bench unpack .*run.zip --out FOLDER`"):
            write()
    assert (tmp_path / "run.zip").read_bytes() == before and not (tmp_path / "run.proofs.jsonl").exists()


def test_proofs_are_lines_beside_the_zip_which_count_after_its_records(run, tmp_path):
    pack(Store(run), tmp_path / "run.zip")
    store, other = Store(tmp_path / "run.zip"), Store(tmp_path / "run.zip")
    proof = store.append(PROOF | {"time": "2000-01-01T00:00:00+00:00"})
    other.append(PROOF | {"key": "l"})
    assert [r["key"] for r in store.of("proof")] == ["k"] and store.records[-1] == proof
    store.refresh()
    assert [r["key"] for r in store.of("proof")] == ["k", "l"], "another has written"
    with open(tmp_path / "run.proofs.jsonl", "ab") as file:
        file.write(b'{"type":"proof","ke')
    torn = Store(tmp_path / "run.zip")
    assert torn.torn == 1 and [r["type"] for r in torn.records[-2:]] == ["proof", "proof"]
    torn.append(PROOF | {"key": "m"})
    assert [r["key"] for r in Store(tmp_path / "run.zip").of("proof")] == ["k", "l", "m"]
    unpack(Store(tmp_path / "run.zip"), tmp_path / "again")
    assert Store(tmp_path / "again").records == Store(tmp_path / "run.zip").records


def test_a_zip_that_is_replaced_is_read_again(run, tmp_path):
    pack(Store(run), tmp_path / "run.zip")
    store, one = Store(tmp_path / "run.zip"), cell(steps=9)
    os.utime(tmp_path / "run.zip", (1e9, 1e9))
    store.refresh()
    Store(run).append(one)
    pack(Store(run), tmp_path / "run.zip")
    store.refresh()
    assert store.records[-1]["key"] == one["key"]


# ---- damage


def again(path: Path, change) -> None:
    """The zip written once more, as `change` has its files: name -> bytes."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files = change(files) or files
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, content)


def indexed(change):
    def changed(files: dict[str, bytes]) -> None:
        index = json.loads(files[INDEX])
        change(index)
        files[INDEX] = json.dumps(index).encode()
    return changed


def stack_of(index: dict, room: str = "scores") -> dict:
    return next(stack for stack in index["stacks"] if stack["room"] == room)


DAMAGE = {
    "no index": (lambda files: files.pop(INDEX) and None, "it has no index.json"),
    "an index that is no JSON": (lambda files: files.update({INDEX: b"{"}), "it is not valid JSON"),
    "an index of another format": (indexed(lambda index: index.update(format=2)), "the field `format` is wrong"),
    "no records": (lambda files: files.pop(RECORDS) and None, "'records.jsonl' is in it and not in its index"),
    "a name that leads out": (lambda files: files.update({"../../evil": b""}), "'../../evil' is in it and not"),
    "a name that leads out, indexed": (indexed(lambda index: index["files"].update({"../evil": 0})), "`files"),
    "a folder": (lambda files: files.update({"costs/": b""}), "'costs/' is in it and not in its index"),
    "a file twice": (lambda files: [*files.items(), (RECORDS, b"")], "it holds a file twice"),
    "a stack that leads out": (indexed(lambda index: stack_of(index).update(file="../scores.npy")), "file"),
    "a stack of objects": (indexed(lambda index: stack_of(index).update(dtype="|O8")), "dtype"),
    "a stack of no dtype": (indexed(lambda index: stack_of(index).update(dtype="<f3")), "is of no dtype"),
    "rows that do not add up": (indexed(lambda index: stack_of(index)["shape"].__setitem__(1, 3)), "do not add up"),
    "an axis that is not there": (indexed(lambda index: stack_of(index).update(axis=5)), "do not add up"),
    "another size": (indexed(lambda index: index["files"].update({RECORDS: 5})), "records.jsonl is not as large"),
    "a bomb in the index": (indexed(lambda index: stack_of(index)["shape"].__setitem__(0, 2**40)), "not as large"),
    "an array twice": (indexed(lambda index: index["stacks"].append(stack_of(index))), "twice"),
    "a key that leads out": (indexed(lambda index: stack_of(index)["keys"].update({"../x": 0})), "keys"),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("how", DAMAGE)
def test_a_foreign_or_damaged_zip_is_one_sentence_with_the_remedy(run, tmp_path, capsys, how):
    pack(Store(run), tmp_path / "run.zip")
    change, says = DAMAGE[how]
    again(tmp_path / "run.zip", change)
    capsys.readouterr()
    path, out = str(tmp_path / "run.zip"), str(tmp_path / "out")
    for words in (["report", path, "--out", out], ["compare", path, str(run)], ["unpack", path, "--out", out]):
        assert main(words) == 2
        said = capsys.readouterr().err
        assert says in said and "is no whole kept run" in said and "ssmd-bench summarise" in said
        assert said.count("\n") == 1
    assert not (tmp_path / "out").exists() and not (tmp_path.parent / "evil").exists()


def test_a_bomb_is_not_opened(run, tmp_path, monkeypatch):
    monkeypatch.setattr("harness.records.kept_index.LARGEST", 10_000)
    pack_of = tmp_path / "bomb.zip"
    with zipfile.ZipFile(pack_of, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(INDEX, b" " * 20_000)
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(ValueError, match="it would unpack to more than"):
        Store(pack_of)


def test_a_stack_that_is_not_what_its_index_says_gives_no_array(run, tmp_path):
    pack(Store(run), tmp_path / "run.zip")
    key = Store(run).place.rooms()["scores"][0]
    again(tmp_path / "run.zip", lambda files: files.update({"scores/0.npy": bytes(len(files["scores/0.npy"]))}))
    store = Store(tmp_path / "run.zip")
    assert not store.has("scores", key) and store.has("digests", "a")
    again(tmp_path / "run.zip", indexed(lambda index: stack_of(index).update(dtype="<i8")))
    assert not Store(tmp_path / "run.zip").has("scores", key)


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"\x93NUMPY", b"{}"])
def test_a_file_that_is_no_zip_is_one_sentence(tmp_path, content):
    (tmp_path / "run.zip").write_bytes(content)
    with pytest.raises(ValueError, match="run.zip is no whole kept run .*: take it anew"):
        Store(tmp_path / "run.zip")
    with pytest.raises(ValueError, match="there is no .*none.zip: give the zip of a kept run"):
        Store(tmp_path / "none.zip")


def test_a_cut_zip_and_one_with_a_wrong_byte_end_in_a_sentence_or_are_whole(run, tmp_path):
    pack(Store(run), tmp_path / "run.zip")
    whole, draw, says = (tmp_path / "run.zip").read_bytes(), random.Random(0), 0
    before = arrays(Store(tmp_path / "run.zip"))
    for trial in range(300):
        place = draw.randrange(len(whole))
        wrong = bytes([whole[place] ^ 1 << draw.randrange(8)]) + whole[place + 1:] if trial % 3 else b""
        (tmp_path / "run.zip").write_bytes(whole[:place] + wrong)
        try:
            store = Store(tmp_path / "run.zip")
            found = arrays(store)
            assert len(store.records) == 6 and found == before, "a byte that says nothing"
        except ValueError as error:
            says += 1
            assert "take it anew" in str(error)
    assert says > 250


# ---- writing


def test_a_kill_while_writing_leaves_the_old_zip_whole(run, tmp_path):
    pack(Store(run), tmp_path / "run.zip")
    before = (tmp_path / "run.zip").read_bytes()
    Store(run).append(cell(steps=9))
    killed = ("import os, signal, sys, zipfile, pathlib\nfrom harness.records import pack\nfrom "
              "harness.records.store import Store\n"
              "write = zipfile.ZipFile.writestr\n"
              "def cut(self, *words, **more):\n"
              "    write(self, *words, **more)\n    os.kill(os.getpid(), signal.SIGKILL)\n"
              "zipfile.ZipFile.writestr = cut\npack.pack(Store(pathlib.Path(sys.argv[1])), pathlib.Path(sys.argv[2]))")
    done = subprocess.run([sys.executable, "-c", killed, str(run), str(tmp_path / "run.zip")], cwd=ROOT)
    assert done.returncode == -9 and (tmp_path / "run.zip").read_bytes() == before
    assert len(list(tmp_path.glob("*.tmp"))) == 1
    pack(Store(run), tmp_path / "run.zip")
    assert len(Store(tmp_path / "run.zip").records) == 7 and not list(tmp_path.glob("*.tmp"))


def test_a_full_disk_is_a_sentence_and_leaves_what_was_there(run, small_disk):
    store = Store(run)
    pack(store, small_disk / "run.zip")
    before = (small_disk / "run.zip").read_bytes()
    store.put("digests", "large", np.random.default_rng(0).random((20_000, 2)))
    for write, out in ((pack, small_disk / "run.zip"), (unpack, small_disk / "run")):
        with pytest.raises(ValueError, match="cannot be written .No space left.*free the disk .* is as it was"):
            write(store, out)
    assert (small_disk / "run.zip").read_bytes() == before
    assert [path.name for path in small_disk.iterdir()] == ["run.zip"]


# ---- the command line


def test_summaries_are_named_by_their_runs_and_never_written_over(run, tmp_path, capsys):
    made(tmp_path / "other", cell())
    assert main(["summarise", str(run), str(tmp_path / "other"), "--out", str(tmp_path / "kept")]) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["records"] == 7 and {p.name for p in (tmp_path / "kept").iterdir()} == {"run.zip", "other.zip"}
    assert main(["summarise", str(tmp_path / "kept" / "run.zip"), "--out", str(tmp_path / "again.zip")]) == 0
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "kept" / "run.zip").read_bytes()
    capsys.readouterr()
    for words, says in (([str(run), "--out", str(tmp_path / "again.zip")], "again.zip is there already: remove it"),
                        ([str(run), str(run), "--out", str(tmp_path / "x")], "and different names"),
                        ([str(run), str(tmp_path / "other"), "--out", "x.zip"], "do not go into one zip")):
        assert main(["summarise", *words]) == 2 and says in capsys.readouterr().err


@pytest.mark.parametrize("words", [["rescore", "ZIP"], ["run", f"{ROOT}/studies/smoke", "--n", "4", "--out", "ZIP"],
                                   ["sweep", f"{ROOT}/studies/sweep_smoke", "--n", "8", "--out", "ZIP"]])
def test_what_would_write_into_a_zip_says_where_to_go(run, tmp_path, capsys, words):
    pack(Store(run), tmp_path / "run.zip")
    assert main([word.replace("ZIP", str(tmp_path / "run.zip")) for word in words]) == 2
    said = capsys.readouterr().err
    assert "nothing is added: copy it out with `ssmd-bench unpack" in said and said.count("\n") == 1


def test_a_folder_is_not_unpacked_nor_anything_over_what_is_there(run, tmp_path, capsys):
    pack(Store(run), tmp_path / "run.zip")
    for words, says in (([str(run), "--out", str(tmp_path / "x")], "is no FILE.zip"),
                        ([str(tmp_path / "run.zip"), "--out", str(run)], "is not empty: remove it")):
        assert main(["unpack", *words]) == 2 and says in capsys.readouterr().err
