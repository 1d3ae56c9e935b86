"""The cell that a record is of, made anew from its settings and the networks of its study."""

from dataclasses import replace

from harness.nets.device import checked
from harness.run.cell import Cell
from harness.spec import from_json, to_json
from harness.study import Study


def cell_of(record: dict, study: Study) -> Cell | None:
    """None if no arm of the study makes it, or its networks or data are others now. Raises ValueError if a network is
    not there.
    """
    about = record["cell"]
    arm = next((arm for arm in study.arms if arm.name == record["arm"]), None)
    if arm is None:
        return None
    sampler = next((point for point in arm.points if to_json(point) == about["sampler"]), None)
    try:
        # of a sweep, or of --set
        sampler = sampler or from_json("control" if record["control"] else "step", about["sampler"])
    except ValueError:    # its settings have gone since
        return None
    study = replace(study, compiled=about.get("compiled", False),
                    **{name: about[name] for name in ("n", "batch", "seed", "dtype")})
    arm = replace(arm, temperature=about["temperature"], nucleus=about.get("nucleus", 1.0),
                  nucleus_keep=about.get("nucleus_keep", arm.nucleus_keep))
    cell = Cell(study, arm, sampler, checked(about["device"]))
    return cell if cell.key() == record["key"] else None
