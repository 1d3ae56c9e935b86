"""Each step in a process of its own, killed with all that it started when its bound is over; what it yields is appended
to results.jsonl and synced at once.

Lines of results.jsonl, one JSON object each, `quarter` counting the runs into this folder from 1:

    kind "plan"      what was asked, and the steps
    kind "result"    one result of a step
    kind "step"      how a step ended: done, failed, lacking (an import), timed out, skipped; its seconds and its bound
    kind "end"       files and their bytes, seconds of all

Processes are forked from one that has imported torch and has never used a device, since loading torch takes seconds.
"""

import importlib
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.boundary.atomic import append_line, remove_dead
from studies.gpu.plan import LOG, RESULTS, Ask, Step, bound, soft

LACKING = 3                     # exit code: something cannot be imported
TAIL, LOG_MOST = 2**16, 2**23   # bytes: of a step's output, of the log


def rows(out: Path) -> list[dict[str, Any]]:
    """The whole lines of the results, none if there are none."""
    found = []
    if (out / RESULTS).is_file():
        for line in (out / RESULTS).read_bytes().split(b"\n"):
            with suppress(ValueError):    # torn by a kill
                found.append(json.loads(line))
    return found


def put(out: Path, **row: Any) -> None:
    append_line(out / RESULTS, json.dumps(row).encode() + b"\n")


def run(steps: tuple[Step, ...], minutes: float, ask: Ask, start: str = "fork", fail: str = "", hang: str = "",
        say=print) -> dict[str, str]:
    """Step -> how it ended. `fail` raises in a step and `hang` sleeps in one, whose bound is then a second: for
    tests.
    """
    ask.out.mkdir(parents=True, exist_ok=True)
    begun, context = time.monotonic(), multiprocessing.get_context(start)
    end = begun + 60 * minutes * 0.985    # what is left is for the last lines
    quarter = 1 + sum(row["kind"] == "plan" for row in rows(ask.out))
    put(ask.out, kind="plan", quarter=quarter, minutes=minutes, device=ask.device, scale=ask.scale,
        steps=[step.name for step in steps], python=sys.version.split()[0])
    if start == "fork":
        with suppress(ImportError):    # each step will say so
            importlib.import_module("torch")
    ended = {}
    for k, step in enumerate(steps):
        left = end - time.monotonic()
        alone = not any(not later.seconds for later in steps[k + 1:])
        limit = bound(step if step.seconds or not alone else replace(step, share=1.0), minutes, left)
        limit = 1.0 if step.name == hang else limit
        if step.name == "molecules" and ask.moses is None:
            how: dict[str, Any] = {"status": "skipped", "error": "no file of molecules: give --moses PATH"}
        elif limit < 0.5:
            how = {"status": "skipped", "error": "no time is left"}
        else:
            trick = "fail" if step.name == fail else "hang" if step.name == hang else ""
            how = _one(context, step, ask, quarter, limit, trick)
        ended[step.name] = how["status"]
        put(ask.out, kind="step", quarter=quarter, step=step.name, bound_seconds=round(limit, 2), **how)
        say(f"{step.name:<10} {how['status']:<9} {how.get('seconds', 0):7.1f} s  {how.get('error', '')}")
    files = {path.name: path.stat().st_size for path in sorted(ask.out.iterdir())}
    put(ask.out, kind="end", quarter=quarter, seconds=round(time.monotonic() - begun, 2), files=files)
    return ended


def _one(context: Any, step: Step, ask: Ask, quarter: int, limit: float, trick: str) -> dict[str, Any]:
    """One step to its end, or to its bound."""
    begun = time.monotonic()
    ask = replace(ask, until=begun + soft(step, limit, ask.scale))
    with tempfile.NamedTemporaryFile() as output:
        process = context.Process(target=_work, args=(step, ask, quarter, output.name, trick))
        process.start()
        try:
            process.join(limit)
            late = process.is_alive()
        finally:
            with suppress(ProcessLookupError, PermissionError):    # its group: a compiler's workers too
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            process.join()
        remove_dead(ask.out)
        told = Path(output.name).read_bytes()[-TAIL:]
    _log(ask.out, f"--- quarter {quarter}, {step.name}\n".encode() + told)
    how: dict[str, Any] = {"seconds": round(time.monotonic() - begun, 2)}
    if late:
        return how | {"status": "timed out", "error": f"killed after {limit:.1f} s; what it had written stays"}
    if not process.exitcode:
        return how | {"status": "done"}
    last = told.decode(errors="replace").strip().splitlines()[-1:] or [f"ended with code {process.exitcode}"]
    return how | {"status": "lacking" if process.exitcode == LACKING else "failed", "error": last[0][:500]}


def _work(step: Step, ask: Ask, quarter: int, output: str, trick: str) -> None:
    """In the process of a step."""
    with suppress(OSError):
        os.setpgid(0, 0)
    file = os.open(output, os.O_WRONLY | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    try:
        if trick == "hang":
            time.sleep(3600)
        if trick == "fail":
            raise RuntimeError("asked to fail")
        module, _, name = step.call.partition(":")
        for result in getattr(importlib.import_module(module), name)(ask):
            put(ask.out, kind="result", quarter=quarter, step=step.name, **result)
    except BaseException as error:    # recorded by whoever waits for this process
        sys.stdout.flush()
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(LACKING if isinstance(error, ImportError) else 1)
    sys.stdout.flush()
    os._exit(0)


def _log(out: Path, text: bytes) -> None:
    if not (out / LOG).exists() or (out / LOG).stat().st_size < LOG_MOST:
        append_line(out / LOG, text.rstrip() + b"\n")
