"""Operators of harness/fused: their paths against what they replaced, and their kernels against their paths.

    cases.py            what every operator is called with
    test_operators.py   paths, on any machine
    test_kernels.py     kernels: by Triton's interpreter on a CPU, on a CUDA device where there is one
    interpreted.py      the same tests in a process of the interpreter's own
"""
