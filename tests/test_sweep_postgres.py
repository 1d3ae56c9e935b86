"""Two workers and a real PostgreSQL: one worker is killed, the sweep ends complete and repeats nothing. Skipped, with
the reason, where there is no server.
"""

import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from harness.records.store import Store
from harness.search import front as found
from harness.search.sweep import Sweep
from harness.search.worker import Worker, sweep
from tests.test_sweep import FORK, SMALL, front, keys, slowed


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def postgres():
    """The URL of a server of our own, with its data in a folder that the user `postgres` may enter."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'ssmd-bench[cluster]'")
    binaries = shutil.which("initdb") or next(
        iter(sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), reverse=True)), None
    )
    if binaries is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    binaries, root = Path(binaries).parent, os.geteuid() == 0
    if root and (shutil.which("runuser") is None or subprocess.run(["id", "postgres"], capture_output=True).returncode):
        pytest.skip("PostgreSQL refuses root, and there is no user postgres to run it as")

    def call(*words: str) -> None:
        done = subprocess.run([*(["runuser", "-u", "postgres", "--"] if root else []), *words], capture_output=True,
                              text=True, cwd="/")
        if done.returncode:
            pytest.skip(f"PostgreSQL does not start here: {done.stderr.strip().splitlines()[-1:]}")

    folder, port = tempfile.mkdtemp(prefix="ssmd-bench-postgres-"), _port()
    try:
        if root:
            shutil.chown(folder, "postgres")
        call(str(binaries / "initdb"), "-D", f"{folder}/data", "-U", "postgres", "-A", "trust", "--no-sync")
        call(str(binaries / "pg_ctl"), "-D", f"{folder}/data", "-w", "-l", f"{folder}/log", "-o",
             f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off", "start")
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        call(str(binaries / "pg_ctl"), "-D", f"{folder}/data", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


ASKED = replace(SMALL, search="random", trials=10)


def _work(asked: Sweep, folder: Path, url: str, told=None) -> None:
    found = sweep(asked, folder, url)
    if told:
        told.send(found)


def test_two_workers_share_a_data_base_and_one_is_killed(postgres, tmp_path, monkeypatch):
    whole = sweep(ASKED, tmp_path / "whole")
    slowed(monkeypatch, 0.3)
    workers = [FORK.Process(target=_work, args=(ASKED, tmp_path / "two", postgres)) for _ in range(2)]
    for worker in workers:
        worker.start()
    while len(keys(tmp_path / "two")) < 3:
        time.sleep(0.05)
        assert all(worker.is_alive() for worker in workers)
    kept = keys(tmp_path / "two")
    os.kill(workers[0].pid, signal.SIGKILL)
    workers[1].join(300)
    assert workers[1].exitcode == 0
    assert (
        keys(tmp_path / "two")[: len(kept)] == kept
        and max(Counter(keys(tmp_path / "two")).values()) == 1
        and Store(tmp_path / "two").torn == 0
    )
    with Worker(ASKED, tmp_path / "two", postgres) as last:
        assert last.take() is None    # the one that was left has done it all
        tally = found.tally(last)
        assert tally["trials"] == 10 and tally["points"] == len(keys(tmp_path / "two")) and tally["requeued"] <= 1
        assert front({"front": found.front(last)}) == front(whole)


@pytest.mark.parametrize(("old", "new", "says"), [
    ("/postgres", "/nothing", "no data base of that name: make it with createdb"),
    ("postgres@", "nobody:secret@", "refuses the user or the password"),
    ("127.0.0.1", "nowhere.invalid", "no server answers there"), ("?", "?sslmode=require", "cannot be opened or used"),
    ("?", "?nonsense=secret", "cannot be opened or used")])
def test_what_a_server_refuses_is_said_with_the_remedy(postgres, tmp_path, old, new, says):
    url = new.join((postgres + ("?" if old == "?" else "")).rsplit(old, 1))
    with pytest.raises(ValueError, match=says) as refused:
        sweep(ASKED, tmp_path, url)
    assert "secret" not in str(refused.value) and "\n" not in str(refused.value)


def _serve(url: str, port: int) -> None:
    from optuna.storages import run_grpc_proxy_server

    from harness.search.storage import open_storage
    run_grpc_proxy_server(open_storage(url, Path()), host="127.0.0.1", port=port)


def test_a_proxy_in_front_of_a_data_base_is_a_storage(postgres, tmp_path):
    if find_spec("grpc") is None:
        pytest.skip("grpcio is not installed: pip install 'ssmd-bench[cluster]'")
    asked = replace(ASKED, seed=1)    # another sweep than the one that the data base has
    port, (here, there) = _port(), FORK.Pipe()
    server = FORK.Process(target=_serve, args=(postgres, port))
    server.start()
    # in a process of its own: gRPC and forks do not mix
    client = FORK.Process(target=_work, args=(asked, tmp_path / "proxy", f"grpc://127.0.0.1:{port}", there))
    client.start()
    there.close()
    try:
        assert here.poll(300), "the proxy does not answer"
        assert front(here.recv()) == front(sweep(asked, tmp_path / "plain"))
    finally:
        client.kill()
        server.kill()
