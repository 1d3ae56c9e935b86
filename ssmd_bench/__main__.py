"""The command `ssmd-bench`, and `python -m ssmd_bench`."""

import os
import sys

from ssmd_bench import ROOMS


def main() -> int:
    """The exit code. What cannot even be loaded is one sentence too."""
    given = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    if os.path.isdir(ROOMS) and ROOMS not in given:    # processes that the command starts find the modules as it does
        os.environ["PYTHONPATH"] = os.pathsep.join((ROOMS, *given))
    try:
        from harness.__main__ import main as command
    except ImportError as error:
        print(f"ssmd-bench: {error}", file=sys.stderr)
        return 2
    return command()


if __name__ == "__main__":
    sys.exit(main())
