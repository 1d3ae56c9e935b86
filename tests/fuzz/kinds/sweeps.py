"""Sweeps: wrong values in every field, journals with other lines, storages that are none."""

import json
import sqlite3
from pathlib import Path
from random import Random

from tests.fuzz import values
from tests.fuzz.base import SWEEP, Base
from tests.fuzz.case import Case

FIELDS = ("study", "arm", "objectives", "space", "search", "trials", "early", "constraint", "doubt", "beside", "seed")
MORE = {"objectives": ("('gone',)", "('nfe_a', 'nfe_a')", "'nfe_a'", "(1,)", "()", "('seconds',)",
    "('corpus_entropy',)"), "arm": ("'gone'", "'held_out'", "''"), "search": ("'TPE'", "'gp'", "'random'"),
    "space": ("{'steps': Range(0, 0)}", "{'steps': Range(8, 1)}", "{'steps': Range(-1, 4, log=True)}",
    "{'steps': Range(1, 10**9)}", "{'steps': Range(float('nan'), 2)}", "{'steps': Choice()}",
    "{'steps': Choice(1, 'x')}", "{'gone': Range(1, 2)}",
    "{'steps': 3}", "{'steps': None}", "{1: Range(1, 2)}", "{'schedule': Choice(1)}",
    "{'temperature': Range(0, 1)}", "{'temperature': Range(-1, 1)}", "{'temperature': Choice('x')}",
    "{'': Range(1, 2)}", "{'steps.x': Range(1, 2)}",
    "{'steps': Range('a', 'b')}", "{'steps': Range(1, float('inf'))}", "{'steps': Choice(None)}"),
    "trials": ("1", "2.0", "10**9 * 0"), "early": ("(16,)", "(8, 8)", "(9, 8)", "(0,)", "('8',)", "8",
    "(8.0,)", "(100,)"),
    "constraint": ("Band('gone', 1)", "Band('corpus_entropy', -1)", "Band('corpus_entropy', float('nan'))",
    "Band('corpus_entropy', 'x')", "Band('corpus_entropy', 1, 'ancestral')",
    "Band('corpus_entropy', 1, 'gone')", "Band(None, None)", "'x'"),
    "doubt": ("-1", "float('inf')"), "beside": ("('ancestral',)", "('gone',)", "('held_out',)", "'held_out'",
    "(1,)"), "seed": ("2**64", "1.0")}
NO_SWEEP = ("del SWEEP", "SWEEP = None", "SWEEP = STUDY", "SWEEP = Sweep", "STUDY = None", "raise ValueError", "1/0")
LINES = ("null", "{}", "[]", "1", '"x"', '{"op_code":999,"worker_id":"x"}', '{"op_code":0,"worker_id":"w"}',
    '{"op_code":4,"worker_id":"w","study_id":0,"datetime_start":"2026-01-01T00:00:00.000000"}',
    '{"op_code":4,"worker_id":"w","study_id":99}',
    '{"op_code":5,"worker_id":"w","trial_id":99}', '{"op_code":6,"worker_id":"w","trial_id":0,"state":99}',
    '{"op_code":null}', '{"op_code":"0"}', '{"op_code":1,"worker_id":"w","study_id":0}', '{"op_code":2}',
    values.DEEP, "{")


def fields(rng: Random, base: Base, folder: Path) -> Case:
    names = rng.sample(FIELDS, 1 if rng.random() < 0.8 else 2)
    given = [f"{name}={rng.choice((*values.PYTHON, *(MORE.get(name, ()) * 3)))}" for name in names]
    change = f"SWEEP = replace(SWEEP, {', '.join(given)})" if rng.random() < 0.85 else rng.choice(NO_SWEEP)
    (folder / "search.py").write_text(SWEEP + f"from dataclasses import replace\n{change}\n")
    return Case(("sweep", "search.py", "--out", "swept"))


def journals(rng: Random, base: Base, folder: Path) -> Case:
    """The journal, the lock and the records of a sweep, each with something wrong; the command goes on with it, or a
    report reads it.
    """
    base.put(folder, "swept", "search.py")
    path, how = folder / "swept" / "sweep.journal", rng.randrange(9)
    content = path.read_bytes()
    lines = content.splitlines()
    place = rng.randrange(len(lines))
    changes: tuple[str, ...] = ("*.npy",)
    if how < 2:
        lines[place] = values.changed(rng, json.loads(lines[place])).encode()
        path.write_bytes(b"\n".join(lines) + b"\n")
    elif how < 4:
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(LINES).encode())
        path.write_bytes(b"\n".join(lines) + b"\n" * rng.randrange(2))
    elif how == 4:
        path.write_bytes(values.broken(rng, content))
    elif how == 5:
        path.write_bytes(rng.choice(values.TEXTS))
    elif how == 6:
        lock = folder / "swept" / "sweep.lock"
        lock.unlink()
        if rng.random() < 0.7:
            lock.write_bytes(rng.choice(values.TEXTS))
        elif rng.random() < 0.5:
            lock.mkdir()
    elif how == 7:
        for old in (folder / "swept" / rng.choice(("scores", "samples", "costs"))).glob("*.npy"):
            old.unlink()
    else:
        records = folder / "swept" / "records.jsonl"
        records.write_bytes(values.broken(rng, records.read_bytes()))
    words = rng.choice((("sweep", "search.py", "--out", "swept"), ("sweep", "search.py", "--out", "swept", "--trials",
        "3"), ("sweep", "search.py", "--out", "swept", "--trials", "3"), ("report", "swept", "--out", "page"),
                        ("summarise", "swept", "--out", "kept")))
    return Case(words, changes=changes)


URLS = ("sqlite://", "sqlite:///", "sqlite:///gone/x.db", "sqlite:///x.db", "sqlite:///x.db?password=SECRET",
    "sqlite:////", "sqlite:///.", "x", "x://", "://", "postgresql://", "postgresql://me:SECRET@127.0.0.1:1/db",
    "http://127.0.0.1:1",
    "mysql://me:SECRET@127.0.0.1:1/db", "grpc://", "grpc://x", "grpc://127.0.0.1:99999999", "grpc://127.0.0.1:x",
    "sqlite:///é.db", "redis://127.0.0.1:1", " ", "sqlite+nowhere:///x.db", "file:x.db",
    "/tmp", "sqlite:///search.py")


def storages(rng: Random, base: Base, folder: Path) -> Case:
    """Addresses that are none, and SQLite files of others."""
    base.put(folder, "search.py")
    url, path = rng.choice(URLS), folder / "x.db"
    if rng.random() < 0.5:
        url = "sqlite:///x.db"
        path.write_bytes(rng.choice(values.TEXTS))
        if rng.random() < 0.6:
            path.unlink()
            with sqlite3.connect(path) as connection:
                table = rng.choice(("studies (x int)", "other (x int)", "version_info (x int)", "trials (trial_id int)",
                                    "alembic_version (version_num text)"))
                connection.execute(f"create table {table}")
                if rng.random() < 0.5:
                    connection.execute(f"insert into {table.split()[0]} values ({rng.randrange(9)})")
            connection.close()
            if rng.random() < 0.3:
                path.write_bytes(values.broken(rng, path.read_bytes()))
    return Case(("sweep", "search.py", "--out", "swept", "--storage", url), changes=("x.db",))
