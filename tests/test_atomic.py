"""A file is replaced whole or left as it was: on a full disk, through a link, in the hands of a killed writer."""

import errno
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.boundary.atomic import Scratch, remove_dead, replacing, replacing_folder, write_text
from harness.records.store import Store
from harness.spec import ROOT

MINE = "# mine\n" + "x" * 3000 + "\n<!-- claims -->\nold\n<!-- /claims -->\n" + "TAIL" * 100 + "\n"


def full(monkeypatch) -> None:
    """Every write from here on finds the disk full, through os.write or through a file object."""

    def refuse(*words):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", refuse)
    monkeypatch.setattr(Path, "write_text", lambda path, *words, **more: path.write_bytes(b"half") and refuse())


def test_a_full_disk_leaves_the_file_as_it_was_and_no_scratch_beside_it(tmp_path, monkeypatch):
    path = tmp_path / "README.md"
    path.write_text(MINE)
    full(monkeypatch)
    with pytest.raises(OSError, match="No space left") as caught:
        write_text(path, "new")
    assert caught.value.filename == str(path) and path.read_text() == MINE and [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize("words", [["claims", "headline", "--write", "FILE"], ["claims", "--refresh", "FILE"],
                                   ["claims", "--fill", "LETTER", "--write", "FILE"],
                                   ["verify", "ancestral", "--write", "FILE"]],
                         ids=lambda words: f"{words[0]} {' '.join(w for w in words if w.startswith('--'))}")
def test_a_verb_that_writes_a_users_file_leaves_it_whole_on_a_full_disk(tmp_path, monkeypatch, capsys, words):
    from harness.__main__ import main

    mine = MINE + "<!-- verify -->\n<!-- /verify -->\n"
    (tmp_path / "FILE").write_text(mine)
    (tmp_path / "LETTER").write_text("Dear all\n")
    monkeypatch.chdir(tmp_path)
    full(monkeypatch)
    assert main(words) == 2
    assert re.search(r"FILE cannot be (used|written) \(No space left on device\)", capsys.readouterr().err)
    assert (tmp_path / "FILE").read_text() == mine and {p.name for p in tmp_path.iterdir()} == {"FILE", "LETTER"}


def test_rights_and_links_of_what_is_replaced_stay(tmp_path):
    path, link = tmp_path / "real.md", tmp_path / "link.md"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    write_text(link, "new")
    assert link.is_symlink() and path.read_text() == "new" and path.stat().st_mode & 0o777 == 0o640
    write_text(tmp_path / "fresh.md", "é")
    assert (tmp_path / "fresh.md").read_bytes() == "é".encode() and (
        tmp_path / "fresh.md"
    ).stat().st_mode & 0o777 == 0o666 & ~umask()


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_pipe_or_a_device_is_written_to_and_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = subprocess.Popen(["cat", str(tmp_path / "pipe")], stdout=subprocess.PIPE)
    write_text(tmp_path / "pipe", "through")
    assert reader.communicate()[0] == b"through" and (tmp_path / "pipe").is_fifo()
    write_text(Path("/dev/null"), "away")
    assert Path("/dev/null").is_char_device()


def test_scratch_files_of_dead_writers_go_and_those_of_living_ones_stay(tmp_path):
    (tmp_path / "samples").mkdir()
    code = (f"from pathlib import Path; from harness.boundary.atomic import Scratch; Scratch(Path({str(tmp_path)!r}) / "
            "'samples/a.npy').write(b'x'); print(1, flush=True); input()")
    other = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    other.stdout.readline()
    mine, foreign = Scratch(tmp_path / "samples" / "b.npy"), tmp_path / "samples" / "notes.tmp"
    foreign.touch()
    (tmp_path / "c.host.123.tmp").touch()    # of a writer of before, who is gone
    remove_dead(tmp_path)
    assert (
        len([*tmp_path.glob("samples/a.npy.*.tmp")]) == 1
        and mine.beside.exists()
        and foreign.exists()
        and not (tmp_path / "c.host.123.tmp").exists()
    )
    other.send_signal(signal.SIGKILL)
    other.communicate()
    remove_dead(tmp_path)
    assert {p.name for p in (tmp_path / "samples").iterdir()} == {mine.beside.name, "notes.tmp"}
    mine.write(b"whole")
    mine.finish()
    mine.close()
    assert {p.name for p in (tmp_path / "samples").iterdir()} == {"b.npy", "notes.tmp"}


def test_the_next_write_of_a_file_removes_what_a_killed_write_of_it_left(tmp_path):
    (tmp_path / "README.md.host.99.tmp").write_text("half")
    (tmp_path / "OTHER.md.host.99.tmp").write_text("half")
    write_text(tmp_path / "README.md", "whole")
    assert {p.name for p in tmp_path.iterdir()} == {"README.md", "OTHER.md.host.99.tmp"}


def test_a_writer_by_name_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "net.safetensors") as beside:
        beside.write_bytes(b"half")
        raise ZeroDivisionError
    assert not [*tmp_path.iterdir()]


def test_the_next_run_removes_the_scratch_files_of_a_killed_one(tmp_path):
    from tests.test_runner import ANCESTRAL, runner, study

    (tmp_path / "samples").mkdir()
    for name in ("samples/0.npy.host.123.tmp", "samples/0.host.123.tmp"):    # of this version and of those before
        (tmp_path / name).write_bytes(b"half")
    runner.run(study(ANCESTRAL), tmp_path)
    assert not [*tmp_path.glob("*/*.tmp")] and len(Store(tmp_path).of("counted")) == 2


def test_a_folder_comes_whole_or_not_at_all_and_what_a_killed_writer_left_of_it_goes(tmp_path):
    (tmp_path / "kept.host.77.tmp").mkdir()
    (tmp_path / "kept.host.77.tmp" / "half").touch()
    with pytest.raises(ZeroDivisionError), replacing_folder(tmp_path / "kept") as beside:
        (beside / "a").touch()
        raise ZeroDivisionError
    assert not [*tmp_path.iterdir()]
    with replacing_folder(tmp_path / "kept") as beside:
        (beside / "a").touch()
    assert [p.name for p in tmp_path.iterdir()] == ["kept"] and [p.name for p in (tmp_path / "kept").iterdir()] == ["a"]
