"""How much does a look at 16 rows of a kept cell see, and how long does it take?

Every mutant of the conformance tests, a plausible slip in one of our own sources, is planted in turn. Kept cells of
every sampler that ships are then looked at as `ssmd-bench prove` looks at them, 16 rows each, until one is refuted. By
the unharmed code the same cells are proven, or they are left out.

    python -m studies.evidence        the looks, about ten minutes; claims prove.* are made of them and of stored proofs
"""

from studies.found.evidence import main

if __name__ == "__main__":
    main()
