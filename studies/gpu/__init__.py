"""A rented quarter of an hour on a GPU: one script, steps in order of worth, each bounded and on its own.

    python -m studies.gpu --minutes 14 --out runs/gpu

    plan.py      the steps, how long each may take, and what a step is given
    runner.py    each step in a process of its own, killed at its bound; results.jsonl and log.txt
    machine.py   what the machine is, and how fast its matrix products are
    exact.py     draws on the device against those of the CPU; laws and golden probes are tests/golden/device.py
    speed.py     passes, loops and waits of the host: eager, compiled, as CUDA graphs; ancestral sampling against SSMD
    graphs.py    a network whose passes are CUDA graphs
    train.py     larger networks of text and of molecules, for what is left; the next quarter goes on
    weights.py   checkpoints by torch alone

Made for a bare image with torch: a step imports what it needs when it runs, and one that cannot says so. docs/gpu.md
says what each result means.
"""
