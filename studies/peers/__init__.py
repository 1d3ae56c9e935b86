"""Public samplers beside ours, on our network: their law, and what their loop costs beyond its passes.

    python -m studies.peers --peer mdlm=PATH --peer llada=PATH --out runs/peers

    __main__.py    the command
    load.py        a file of a peer as a module, with stand-ins for what its loop does not touch
    peer.py        what an adapter says of a peer: how its loop is called, which of our samplers is the same
    laws.py        the exact law of such a sampler at its own number of steps, in a world of 81 texts
    look.py        the two tests of a law: the small world, and one of 50,257 symbols
    timing.py      loops and their bare passes in turns, peak memory
    claims.py      tables and claims: peers.loop_ratio.NAME, .ours, peers.seconds_ratio.NAME, peers.rare_tokens.NAME
    adapters/      a file for each peer that is known; `plain` for any other

**The code of a peer runs as it stands.** Nothing of it is copied, checked or fenced in: it runs because you named its
folder, with your rights. Read it first, and name no folder that you do not trust.
"""
