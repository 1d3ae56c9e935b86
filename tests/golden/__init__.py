"""Golden probes: every variant of every sampler on toy networks, 16 rows each.

They are compared to the bit with `probes.json`, in seconds.

    python -m tests.golden             says which probes differ from the file
    python -m tests.golden --write     rewrites it, after a change that means to change samples

    toys.py     the networks and prompts
    cells.py    the probes
    draw.py     one probe sampled: a digest of its tokens, one of its counts
    kept.py     the file: read, compared, rewritten
"""
