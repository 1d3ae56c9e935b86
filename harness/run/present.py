"""What of a study can run here: an arm whose network left the tree, and was not brought back, is left out, and the run
says so.
"""

from dataclasses import replace
from pathlib import Path

from harness.nets.absent import lacking, way_back
from harness.study import Checkpoint, Study


def present(study: Study) -> tuple[Study, str]:
    """The study without those arms and networks, and a sentence that names them; the study as it is, and no sentence,
    where nothing is absent.

    Raises ValueError if its reference network is absent, or every arm that samples would be left out.
    """
    absent = {name: entry for name, source in study.nets.items()
              if isinstance(source, Checkpoint) and (entry := lacking(Path(source.path)))}
    if not absent:
        return study, ""
    sampling = [arm for arm in study.arms if not all(hasattr(point, "control") for point in arm.points)]
    without = [arm for arm in sampling if absent.keys() & {*arm.nets.values()}]
    if study.reference in absent or len(without) == len(sampling):
        raise ValueError(f"the study {study.name} needs networks that the tree does not hold: "
                         f"{way_back([*absent.values()])}")
    nets = {name: source for name, source in study.nets.items() if name not in absent}
    said = (
        f"left out for want of a network: {', '.join(arm.name for arm in without)}; {way_back([*absent.values()])}"
        if without
        else ""
    )
    return replace(study, arms=[arm for arm in study.arms if arm not in without], nets=nets), said
