"""The harness: it runs, counts, times, scores and compares samplers."""

import importlib.util

if importlib.util.find_spec("fcntl") is None:
    raise ImportError("ssmd-bench locks the files of a run by fcntl, which Windows does not have: run it on Linux, or "
                      "in WSL")
