"""Where cells are counted and scored: in other processes of this machine (loky), or on a cluster (dask, ray), all
through joblib.

    loky    `jobs` processes here
    dask    the scheduler that DASK_SCHEDULER_ADDRESS names; without one, a cluster of `jobs` workers here
    ray     the cluster that RAY_ADDRESS names; without one, a cluster of `jobs` workers here

A job travels as bytes that are opened only after the plug-in packages of --plugins are in place, whose sources travel
with it: a worker on another machine needs ssmd-bench and the checkpoints at their paths, nothing else. A worker whose
code differs from ours answers with a refusal, never a number.
"""

import hashlib
import io
import os
import signal
import socket
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import cloudpickle
import torch

from harness import plugins
from harness.boundary.addresses import without_secrets
from harness.boundary.workers import serve
from harness.records import provenance

BACKENDS = ("loky", "dask", "ray")
LARGEST = 2**24    # bytes of a plug-in package that travels with every job


class Package(NamedTuple):
    """A plug-in package and its files, zipped."""

    name: str
    files: bytes


def each(work: Callable, items: Iterable[tuple], jobs: int = 1, backend: str = "loky") -> Iterator[Any]:
    """work(*item) of every item, elsewhere, in the order of finishing. Raises ValueError, in a sentence, if the workers
    cannot be had or are lost.
    """
    from joblib import Parallel, delayed, parallel_config  # slow to load, and most runs do without

    from ssmd_bench.worker import elsewhere

    code = version(tuple(plugins.packages()))
    packages = cloudpickle.dumps([packed(name) for name in plugins.packages()])
    with _cluster(backend, jobs) as (n_jobs, threads, lost):
        begins = {"initializer": serve, "initargs": (os.getpid(),)} if backend == "loky" else {}
        # ends before the first answer: what our caller does in between is no business of the cluster
        with parallel_config(backend, n_jobs=n_jobs, **begins):
            pool = Parallel(return_as="list" if backend == "ray" else "generator_unordered")
        made = (delayed(elsewhere)(cloudpickle.dumps((work, item)), packages, code, threads) for item in items)
        try:    # the joblib of ray has no generators: there what is done is handed on, and stored, a batch at a time
            for found, refusal in _in_batches(pool, made, 4 * n_jobs) if backend == "ray" else pool(made):
                if refusal:
                    raise ValueError(refusal)
                yield found
        except lost as error:
            raise ValueError(f"a worker of {backend} was lost ({type(error).__name__}), perhaps for want of memory: "
                             "run the same command again, which goes on from here, with fewer --jobs") from None


def _in_batches(pool: Callable[[list], Iterable], made: Iterator, size: int) -> Iterator[Any]:
    while batch := list(islice(made, size)):
        yield from pool(batch)


def answer(job: bytes, packages: bytes, code: str, threads: int) -> tuple[Any, str]:
    """On the worker, which has scanned nothing yet: (answer, why there is none)."""
    if threads:
        torch.set_num_threads(threads)
    for package in cloudpickle.loads(packages):
        receive(package)
    if version(tuple(plugins.packages())) != code:
        return None, ("a worker has other code than this machine: install the same version of ssmd-bench and of the "
                      "plug-ins there, and start the workers afresh")
    work, item = cloudpickle.loads(job)
    return work(*item), ""


@lru_cache
def version(packages: tuple[str, ...]) -> str:
    """Hash of our sources and of the files of these packages."""
    files = (hashlib.sha256(packed(name).files).hexdigest() for name in packages)
    return " ".join((provenance.tree(), *files))


@lru_cache
def packed(name: str) -> Package:
    """Raises ValueError for a package too large to travel, and for a folder that is no package."""
    top = name.split(".")[0]
    begin = sys.modules[top].__file__
    if begin is None:
        raise ValueError(f"the plug-in package {top!r} is a folder without an __init__.py, which cannot travel: write "
                         "one, or run it without --backend and --jobs")
    source = Path(begin)
    paths = (
        [source]
        if source.name != "__init__.py"
        else [p for p in sorted(source.parent.rglob("*")) if p.is_file() and "__pycache__" not in p.parts]
    )
    if sum(p.stat().st_size for p in paths) > LARGEST:
        raise ValueError(f"the plug-in package {top!r} is larger than {LARGEST >> 20} MiB: keep its data apart from "
                         "its code, or run it without --backend and --jobs")
    content, home = (
        io.BytesIO(),
        source.parent if len(paths) == 1 and source.name != "__init__.py" else source.parent.parent,
    )
    with zipfile.ZipFile(content, "w") as file:
        for path in paths:
            # without its date: the same files are the same bytes
            file.writestr(zipfile.ZipInfo(str(path.relative_to(home))), path.read_bytes())
    return Package(name, content.getvalue())


@lru_cache
def receive(package: Package) -> None:
    """Scan a package that came with a job; where it is not installed, from the files that came with it."""
    try:
        plugins.add_package(package.name)
    except ValueError:
        folder = tempfile.mkdtemp(prefix="ssmd-bench-plugins-")
        with zipfile.ZipFile(io.BytesIO(package.files)) as file:
            file.extractall(folder)
        sys.path.append(folder)
        plugins.add_package(package.name)


@contextmanager
def _cluster(backend: str, jobs: int) -> Iterator[tuple[int, int, tuple[type[Exception], ...]]]:
    """(n_jobs of joblib, threads of a worker, what a lost worker raises); 0 threads leave the workers of a foreign
    cluster as they are.
    """
    threads = max(1, (os.cpu_count() or 1) // jobs)
    if backend == "loky":
        yield jobs, threads, (BrokenProcessPool,)
    elif backend == "dask":
        distributed, address = _imported("dask", "distributed"), os.environ.get("DASK_SCHEDULER_ADDRESS")
        try:
            client = (
                distributed.Client(address)
                if address
                else distributed.Client(n_workers=jobs, threads_per_worker=1, dashboard_address=":0")
            )
        except OSError as error:
            raise ValueError(_silent("dask scheduler", address, "DASK_SCHEDULER_ADDRESS", error)) from None
        with client:
            yield -1, 0 if address else threads, (distributed.KilledWorker,)
    elif backend == "ray":
        ray, address = _imported("ray", "ray"), os.environ.get("RAY_ADDRESS")
        _imported("ray", "ray.util.joblib").register_ray()
        ours, handler = not ray.is_initialized(), signal.getsignal(signal.SIGTERM)
        if ours:
            where = (
                {"address": address}
                if address
                else {"num_cpus": jobs, "include_dashboard": False, "object_store_memory": 2**28}
            )
            try:
                host, colon, port = (address or "").rpartition("/")[2].rpartition(":")
                if colon:
                    socket.create_connection((host, int(port)), timeout=5).close()    # ray itself would try for minutes
                ray.init(log_to_driver=False, logging_level="error", **where)
            except Exception as error:    # ray raises bare ones
                raise ValueError(_silent("ray cluster", address, "RAY_ADDRESS", error)) from None
            _restore(handler)    # ray puts one of its own there, which does not end the process
        try:
            yield (
                int(ray.cluster_resources()["CPU"]),
                threads if ours and not address else 0,
                (ray.exceptions.RayError,),
            )
        finally:
            if ours:
                ray.shutdown()
                _restore(handler)
    else:
        raise ValueError(f"there is no backend {backend!r}; choose {', '.join(BACKENDS)}")


def _restore(handler: Any) -> None:
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)


def _silent(what: str, address: str | None, variable: str, error: Exception) -> str:
    if address:
        return (f"no {what} answers at {without_secrets(address)} ({type(error).__name__}): start one, or unset "
                f"{variable} for workers on this machine")
    return (f"no {what} could be started on this machine ({type(error).__name__}): try again when it is less busy, "
            "with fewer --jobs, or with --backend loky")


def _imported(backend: str, module: str):
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ValueError(f"the backend {backend} needs the package {error.name}, which is not installed: pip install "
                         "'ssmd-bench[cluster]', or choose --backend loky") from None
