"""Networks that a study uses if they are there: one that is still in training, or does not ship, has no arm, and the study's run says so."""

from collections.abc import Mapping
from pathlib import Path


def present(folder: Path, members: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Of name -> the command that trains it: the names whose checkpoint is in the folder, and a sentence for each of the others."""
    there = [name for name in members if (folder / f"{name}.safetensors").is_file()]
    absent = [f"{name} has no arm, its checkpoint is not in {'/'.join(folder.parts[-2:])}: train it with `{command}` and copy it there as {name}.safetensors"
              for name, command in members.items() if name not in there]
    return there, absent
