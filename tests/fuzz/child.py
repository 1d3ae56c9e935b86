"""One input in a process of its own: forked from a process that has loaded everything, with limits of memory, time and
file size.
"""

import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from functools import partial
from pathlib import Path
from typing import NamedTuple

from harness.spec import ROOT
from tests.fuzz.case import Case

MEMORY = 3 * 2**30     # bytes beyond what the parent has
SECONDS = 20           # of the processor
WALL_SECONDS = 600     # where it waits instead, or the machine is busy
LARGEST = 2**28        # bytes of a file
SAID = ("stdout", "stderr")


class Ended(NamedTuple):
    code: int          # below 0: the number of the signal that ended it
    late: bool         # whether that was ours
    stdout: str
    stderr: str
    seconds: float = 0.0    # of the processor


class Running:
    """An input that has been started in FOLDER/work; what it says goes to FOLDER/stdout and FOLDER/stderr."""

    def __init__(self, case: Case, folder: Path):
        self.case, self.folder, self.begun = case, folder, time.monotonic()
        self.pid = _outside(case, folder) if case.outside else _forked(case, folder)

    def ended(self) -> Ended | None:
        """What happened, once it has."""
        late = time.monotonic() - self.begun > WALL_SECONDS
        if late:
            os.kill(self.pid, signal.SIGKILL)
        pid, status, used = os.wait4(self.pid, 0 if late else os.WNOHANG)
        if not pid:
            return None
        code = os.waitstatus_to_exitcode(status)
        said = [(self.folder / name).read_bytes().decode("utf-8", "replace") for name in SAID]
        return Ended(code, late or code in (-signal.SIGXCPU, -signal.SIGKILL), *said, used.ru_utime + used.ru_stime)


def _limits(memory: int = 0) -> None:
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, LARGEST))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _outside(case: Case, folder: Path) -> int:
    """As a user starts it."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | dict(case.environment)
    with open(folder / "stdout", "wb") as out, open(folder / "stderr", "wb") as err:
        # a shell hands over bytes, whatever they are
        words = [word.encode("utf-8", "surrogatepass") for word in case.words]
        return subprocess.Popen([sys.executable, "-m", "harness", *words], cwd=folder / "work", env=environment,
                                stdin=subprocess.DEVNULL,
                                stdout=out, stderr=err, preexec_fn=_limits).pid


def _forked(case: Case, folder: Path) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        for number, name in enumerate(SAID, 1):
            os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(folder / "work")
        os.environ.update(case.environment)
        _limits(MEMORY + resource.getpagesize() * int(Path("/proc/self/statm").read_text().split()[0]))
        code = _main(case)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except BaseException:    # a child must end here, whatever its streams think
                code = code or 1
        os._exit(code)


def _main(case: Case) -> int:
    from harness.__main__ import main
    from harness.claims import claim as claims

    sys.argv = ["ssmd-bench", *case.words]
    sys.path[:] = [path for path in sys.path if path not in ("", os.getcwd())]
    claims.RESULTS = Path("results").resolve()    # no input may write to those of the repository
    claims.read = partial(claims.read, claims.RESULTS)
    return main(list(case.words))
