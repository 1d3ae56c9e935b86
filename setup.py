"""What pyproject.toml cannot say: a wheel holds the rooms in one folder of ssmd_bench, so that an environment gets one
name (docs/decisions.md). In the repository, and where that is installed with -e, they stand where they are.
"""

import sys

from setuptools import find_packages, setup

ROOMS = ("harness", "baselines", "ssmd", "reports", "studies")
DATA = {
    "harness.data": ["files/*.xz", "cards/*.md"],
    "ssmd": ["checkpoints/*.json", "checkpoints/*/*.json", "checkpoints/*.safetensors"],
    "studies": ["*/*.json"],
    "reports": ["*.csv", "templates/*", "templates/vendor/*"],
}
# files of the history that `ssmd-bench checkpoints --restore` may have brought back
ABSENT = [f"checkpoints/{name}.safetensors" for name in ("hybrid_plain", "hybrid_two", "hybrid_frozen_plain",
                                                         "hybrid_frozen_heads")]
EDITABLE = bool({"editable_wheel", "develop"} & {*sys.argv})


def inside(package: str) -> str:
    """The name of a package as the wheel holds it."""
    return package if EDITABLE else f"ssmd_bench._rooms.{package}"


if __name__ == "__main__":
    setup(
        packages=["ssmd_bench", *map(inside, find_packages(include=[f"{room}{end}" for room in ROOMS
                                                                    for end in ("", ".*")]))],
        package_dir={} if EDITABLE else {inside(room): room for room in ROOMS},
        package_data={"ssmd_bench": ["py.typed"], **{inside(room): ["py.typed", *DATA.get(room, [])] for room in ROOMS},
                      inside("harness.data"): DATA["harness.data"]},
        exclude_package_data={inside("ssmd"): ABSENT},
        include_package_data=False,
    )
