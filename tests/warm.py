"""Commands in processes of their own that need not load the libraries again: torch alone takes seconds of a processor.

`run` is subprocess.run([python, ...], capture_output=True, text=True) for what a test types. A server, one a process of
tests, has loaded the libraries and nothing of ours; each command is a fork of it, with its own folder, environment,
arguments, streams and exit code, and loads our modules anew. What is tested about starts, signals or installed files
starts a Python instead.
"""

import atexit
import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = ("torch", "torch._dynamo", "numpy", "scipy.stats", "pandas", "matplotlib.pyplot", "seaborn", "optuna",
             "jinja2", "joblib", "joblib.externals.loky", "safetensors.torch", "msgspec", "concurrent.futures.process",
             "importlib.metadata", "email.message", "sqlite3", "lzma", "unittest.mock", "xml.etree.ElementTree")
# figures are drawn and not written, in three formats, which takes most of a report: tests/test_report.py looks at those
PLAIN = """from reports import style
style.save = lambda figure, folder, name: '<svg viewBox="0 0 1 1"></svg>'
"""
_SERVER: list[subprocess.Popen] = []
_ONE = threading.Lock()    # command at a time


def run(words: list[str], cwd: Path | str, env: dict[str, str] | None = None, timeout: float = 300,
        before: str = "") -> subprocess.CompletedProcess:
    """`python *words`: words are ["-P", "-m", module, ...], ["-m", module, ...], ["-c", code, ...] or [file, ...].
    `before`: code that is run ahead of them.
    """
    with tempfile.TemporaryDirectory() as place:
        asked = {"words": [*map(str, words)], "cwd": str(cwd), "env": {**(os.environ if env is None else env)},
                 "out": f"{place}/out", "err": f"{place}/err", "timeout": timeout, "before": before}
        with _ONE:
            server = _server()
            print(json.dumps(asked), file=server.stdin, flush=True)
            code = json.loads(server.stdout.readline())
        said = [Path(asked[stream]).read_text(encoding="utf-8", errors="replace") for stream in ("out", "err")]
    if code is None:
        raise subprocess.TimeoutExpired(words, timeout, *said)
    return subprocess.CompletedProcess(words, code, *said)


def _server() -> subprocess.Popen:
    if not _SERVER:
        environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
        _SERVER.append(subprocess.Popen(
            [sys.executable, "-P", __file__], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
            env=environment | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}))
    return _SERVER[0]


@atexit.register
def stop() -> None:
    """The server ends, and what it and its commands spent counts as ours."""
    for server in _SERVER:
        server.stdin.close()
        server.wait()
        server.stdout.close()
    _SERVER.clear()


def serve() -> None:
    for name in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            _become(asked)    # it does not return
        timer = threading.Timer(asked["timeout"], os.kill, (child, signal.SIGKILL))
        timer.start()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        late = not timer.is_alive()
        timer.cancel()
        timer.join()
        print(json.dumps(None if late else code), flush=True)


def _become(asked: dict) -> None:
    """The process of a command, from its first line to its exit."""
    for stream, how, file in ((0, os.O_RDONLY, os.devnull), (1, os.O_WRONLY | os.O_CREAT, asked["out"]),
                              (2, os.O_WRONLY | os.O_CREAT, asked["err"])):
        os.dup2(os.open(file, how, 0o600), stream)
    code = 1
    try:
        os.chdir(asked["cwd"])
        os.environ.clear()
        os.environ.update(asked["env"])
        sys.stdin = open(0, encoding="utf-8", closefd=False)
        code = _done(asked["words"], asked["env"].get("PYTHONPATH", ""), asked["before"])
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        if code and not isinstance(error.code, int):
            print(error.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            threading._shutdown()    # pools end here, as at the end of an interpreter
            atexit.unregister(stop)
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _done(words: list[str], paths: str, before: str) -> int:
    import runpy

    safe = words[0] == "-P"
    words = words[safe:]
    own = [] if safe else [{"-m": os.getcwd(), "-c": ""}.get(words[0]) or str(Path(words[0]).resolve().parent)]
    sys.path[:0] = [*own, *filter(None, paths.split(os.pathsep))]
    importlib.invalidate_caches()
    exec(before, {})
    if words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    elif words[0] == "-c":
        sys.argv = ["-c", *words[2:]]
        sys.modules["__main__"] = module = ModuleType("__main__")
        exec(compile(words[1], "<string>", "exec"), module.__dict__)
    else:
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    serve()
