"""Profile HMMs of families: members aligned by FAMSA (pyfamsa; Deorowicz et al., Sci. Rep. 6, 2016), profiles by HMMER3
(pyhmmer; Eddy, PLoS Comput. Biol. 7, 2011).
"""

import io
from collections.abc import Callable, Sequence

MEMBERS = 100    # of a family in its alignment, evenly spaced


def tools():
    """(pyfamsa, pyhmmer). Raises ValueError where one is missing."""
    try:
        import pyfamsa
        import pyhmmer
    except ImportError as error:
        raise ValueError(
            f"profiles need {error.name}, which is not installed: `pip install ssmd-bench[proteins]`"
        ) from None
    return pyfamsa, pyhmmer


def profiles(families: dict[str, Sequence[bytes]], say: Callable[[str], None] = lambda text: None) -> bytes:
    """{name: members, the representative first} -> the profile of each, in HMMER3's text."""
    pyfamsa, pyhmmer = tools()
    alphabet, out = pyhmmer.easel.Alphabet.amino(), io.BytesIO()
    background = pyhmmer.plan7.Background(alphabet)
    for done, (name, members) in enumerate(families.items(), 1):
        step = max(1, -(-len(members) // MEMBERS))
        aligned = pyfamsa.Aligner(threads=1).align([pyfamsa.Sequence(str(k).encode(), s) for k,
                                                    s in enumerate(members[::step])])
        rows = [pyhmmer.easel.TextSequence(name=s.id if isinstance(s.id, str) else s.id.decode(),
                                           sequence=s.sequence.decode()) for s in aligned]
        msa = pyhmmer.easel.TextMSA(name=name, sequences=rows).digitize(alphabet)
        hmm, _, _ = pyhmmer.plan7.Builder(alphabet).build_msa(msa, background)
        hmm.creation_time = None
        hmm.write(out, binary=False)
        if done % 50 == 0:
            say(f"{done} of {len(families)} profiles")
    return out.getvalue()
