"""Variables of the environment that must be whole numbers: a library, or a group of processes, would otherwise stop at
them in words of its own.

    SOURCE_DATE_EPOCH             seconds since 1970, of reproducible builds; numpy and matplotlib read it
    WORLD_SIZE, RANK, LOCAL_RANK  of torchrun: how many processes train together, and which this one is
"""

import re
from collections.abc import Mapping

NUMBERS = ("SOURCE_DATE_EPOCH", "WORLD_SIZE", "RANK", "LOCAL_RANK")


def check(environment: Mapping[str, str], trains: bool) -> None:
    """Raises ValueError, in a sentence, for a variable that is no whole number from 0 on and, where a network is
    trained, for a rank beyond its group.
    """
    for name in NUMBERS:
        if name in environment and not re.fullmatch(r"[0-9]{1,18}", environment[name]):
            raise ValueError(f"the environment variable {name} is {environment[name][:40]!r} and must be a whole "
                             "number from 0 on: correct it, or unset it")
    world, rank = int(environment.get("WORLD_SIZE", 1)), int(environment.get("RANK", 0))
    if trains and (rank >= world or world > 1 and "RANK" not in environment):
        raise ValueError(f"WORLD_SIZE={world} and RANK={environment.get('RANK', '(unset)')} do not make a group of "
                         "processes: start it with torchrun, or unset both")


def speaks(environment: Mapping[str, str]) -> bool:
    """Whether this process is the first of those that train together: it alone says what all of them found."""
    return int(environment.get("RANK", 0)) == 0
