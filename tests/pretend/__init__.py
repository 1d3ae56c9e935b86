"""A device that is not the CPU, on the CPU: what would fail on a GPU fails here, and what would wait there is counted.

Tensors that live on it say device "pretend"; their numbers lie in plain CPU tensors, so answers are the CPU's to the
bit. As on CUDA, no operation takes them together with a tensor of the CPU, but for one number (dim 0) and for indices.

    with pretended() as tally:
        x = torch.zeros(3, device=DEVICE)     # or plain.to(DEVICE)
        bool((x > 0).any())                   # a wait
    tally.waits                               # Counter of the lines of our code, here one of the test

    rules.py     what makes the host wait, what starts no kernel, what may mix devices
    away.py      the tensors, and how an operation on them is run
    tally.py     the counts, each with the line of our code that caused it
    device.py    `pretended`, and networks moved there
"""
