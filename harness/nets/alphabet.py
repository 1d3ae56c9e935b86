"""Networks that write into one text."""

from harness.kinds import Denoiser


def same_alphabet(heavy: Denoiser, light: Denoiser) -> None:
    """Raises ValueError, in a sentence, if they write unlike symbols."""
    if light.vocab != heavy.vocab:
        raise ValueError(f"the light network writes {light.vocab} symbols and the heavy one {heavy.vocab}: train both "
                         "on the same alphabet")
