"""Bad inputs for the command line, made by a fixed seed.

None may end in a traceback, hang, be taken for good, or cost a user what is stored.

    python -m tests.fuzz --seed 1 --n 1300            the whole; the last line of stdout is JSON with the counts
    python -m tests.fuzz --seed 1 --n 1300 --claims   the same, as the claim bad_input.tracebacks
    python -m tests.fuzz --seed 1 --only records --show    one kind, every failure with what was said

    case.py     an input: words, files, and what may happen          base.py    good material that inputs are made of
    child.py    runs one in a process of its own, with limits        values.py  wrong values
    driver.py   makes inputs and runs them                           kinds/     a generator a kind of input
    outcome.py  what happened, in a word                             table.py   counts, and failures by place

A number here makes inputs, it samples nothing: harness/random.py has no part in it.
"""
