"""ssmd-bench VERB ...: the verbs are found (harness/cli/verbs.py). The last line of stdout is one JSON document.

Bad input ends in one sentence on stderr and exit code 2; a study with failed cells in exit code 3; one of which nothing
could run in 4; `verify` with a failing sampler in 1; `compare` and `contest` in 1 for a regression, 2 if nothing was
comparable, 3 if a run failed, 4 if nothing was shown. An error that nobody foresaw ends in 70, with its traceback in a
file that the sentence names; a signal in 128 + its number: 129 SIGHUP, 130 SIGINT, 143 SIGTERM.
"""

import sys

# and nothing that is slow to load: until `guarded` stands, a signal or an error is a traceback
from harness.boundary.ending import guarded, working
from harness.boundary.heap import keep_freed


def main(words: list[str] | None = None) -> int:
    return guarded("ssmd-bench", lambda: _work(words), own=words is None)


def _work(words: list[str] | None) -> int:
    import contextlib
    import gc
    import io
    import json
    import os

    # a process of its own: collections of garbage that go through all that was imported, or read, took a fifth of a
    # finished run
    if words is None:
        gc.freeze()
        gc.set_threshold(100_000, 50, 50)
        keep_freed()
        if hasattr(sys.stdout, "reconfigure"):
            # a name that the terminal cannot show is no reason to fail
            sys.stdout.reconfigure(errors="backslashreplace")
    from harness.boundary import surroundings
    from harness.cli import verbs
    from harness.cli.parser import parser, plugins_of
    from harness.plugins import add_package
    from harness.records.study_path import by_name
    from harness.run import finished
    from harness.run.progress import Progress

    given = sys.argv[1:] if words is None else words
    if own := plugins_of(given):
        sys.path.append(os.getcwd())    # as `python -m` has it
    for package in own:
        add_package(package)    # it may bring verbs
    found = verbs.find()
    options = parser(found).parse_args(given)
    if getattr(options, "study", None):
        options.study = by_name(options.study)
    surroundings.check(os.environ, options.verb == "train")
    if options.verb == "run" and (document := finished.answer(options)):
        print(json.dumps(document), flush=True)
        return 0
    for path in filter(None, (getattr(options, "study", None), getattr(options, "recipe", None))):
        if os.path.isfile(path) and not str(path).endswith(".py"):
            raise ValueError(f"{path} is no study file, which is a Python file: give it a name that ends in .py")
    working()
    Progress.quiet = "quiet" in options
    with contextlib.redirect_stdout(io.StringIO()) if "json" in options else contextlib.nullcontext():
        line, code = verbs.done(found[options.verb], options)
    if options.verb != "train" or surroundings.speaks(os.environ):
        print(line, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
