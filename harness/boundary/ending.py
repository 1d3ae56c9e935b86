"""How a command ends: with the exit code of its work, or in one sentence on stderr.

    2      something that was given cannot be used: the sentence has the remedy
    4      nothing could run or be looked at, since all of it lacks something
    70     nobody foresaw the error: the sentence names the file that holds the traceback (harness/boundary/blame.py)
    129, 130, 143    SIGHUP, SIGINT, SIGTERM: workers end too, and what is stored stays

Before `working` a signal ends the process at once: there is nothing to lose, and a library that is being loaded may
swallow an exception, or abort on one. Afterwards it raises Ended, which cleans up on its way, once no module is being
loaded; what is not through after GRACE_SECONDS, and a second signal, end the process wherever it is.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

NOTHING = 4
GRACE_SECONDS, WAIT_SECONDS = 10, 0.05
SIGNALS = ("SIGHUP", "SIGINT", "SIGTERM")


class Ended(KeyboardInterrupt):
    """A signal asked this process to end; to every library it is Ctrl-C."""


class Shown(SystemExit):
    """The help or the version was asked for and is printed: the command has done its work."""


class _State:
    """Of this process, which has one command."""

    program = "ssmd-bench"
    works = False
    ends: signal.Signals | None = None    # the signal that ends it
    waits = False    # for a module that is being loaded
    told = False


def guarded(program: str, work: Callable[[], int], own: bool = True) -> int:
    """The exit code of `work`, whatever it raises. `own`: it is all that this process does, so that signals are
    ours.
    """
    if own:
        _listen(program)
    try:
        code = work()
        if own:
            _close()
        return code
    except KeyboardInterrupt:
        return _ended()
    except Shown:
        return 0
    except BrokenPipeError:    # the reader of our stdout has seen enough
        _drop_stdout()
        return 0
    except (Exception, SystemExit) as error:
        if _State.ends:    # a library made another error of it
            return _ended()
        from harness.boundary.blame import told

        sentence, code = told(error)
        say(program, sentence)
        return code


def working() -> None:
    """All is loaded: from here on a signal is an exception."""
    _State.works = True


def say(program: str, sentence: str) -> None:
    """One line on stderr, if there is still a stderr."""
    try:
        print(f"{program}: {' '.join(sentence.split())}", file=sys.stderr, flush=True)
    except (OSError, ValueError, AttributeError):
        pass


def _listen(program: str) -> None:
    _State.program = program
    sys.unraisablehook = _unraisable
    for name in SIGNALS:
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) is not signal.SIG_IGN:    # as nohup leaves it
            signal.signal(number, _on_signal)


def _on_signal(number: int, frame: Any) -> None:
    again, _State.ends = _State.ends, signal.Signals(number)
    if not _State.works or (again and not _State.waits):
        _leave()
    if not again:
        _after(GRACE_SECONDS, _leave)
    _State.waits = _loads(frame)
    if not _State.waits:
        raise Ended()
    _after(WAIT_SECONDS, os.kill, os.getpid(), number)


def _after(seconds: float, call: Callable[..., None], *words: Any) -> None:
    timer = threading.Timer(seconds, call, words)
    timer.daemon = True
    timer.start()


def _loads(frame: Any) -> bool:
    """Whether a module is being loaded where the signal came."""
    while frame is not None and not frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    return frame is not None


def _unraisable(about: Any) -> None:
    """An exception where none can be raised is lost; a signal must not be."""
    if issubclass(about.exc_type, KeyboardInterrupt):
        _leave()
    sys.__unraisablehook__(about)


def _ended() -> int:
    """After the clean-up: the sentence and the exit code."""
    found = _State.ends or signal.SIGINT
    _kill_children()
    if not _State.told:
        _State.told = _State.ends is not None
        say(_State.program,
            f"stopped{'' if found == signal.SIGINT else f' by {found.name}'}; the same command goes on from here")
    return 128 + found


def _leave() -> None:
    os._exit(_ended())


def _kill_children() -> None:
    if "multiprocessing" in sys.modules:
        from harness.boundary.workers import kill_children

        kill_children()


def _drop_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _close() -> None:
    """Everything is said and stored: a signal ends the process without a word."""
    try:
        sys.stdout.flush()
    finally:
        for name in SIGNALS:
            number = getattr(signal, name, None)
            if number and signal.getsignal(number) == _on_signal:
                signal.signal(number, signal.SIG_DFL)
