"""What arms and settings are called. An arm has its name in its study; an identifier with an underscore is put in
words, from its sampler. Settings are those that vary within the arm.

    >>> in_words("ssmd_dilated_long", {"name": "ssmd", "order": {"name": "dilated"}})
    'self-speculative, dilated order, long'
    >>> in_words("remdm_cap", {"name": "remdm"})
    'ReMDM, cap'
"""

import json
import re
from collections.abc import Mapping, Sequence

from reports.records import Cell
from reports.text import apart, plain

# beside its sampler; what they are where a record is silent
ARM_SETTINGS = {"temperature": 1.0, "nucleus": 1.0, "nucleus_keep": "crossing"}


SAMPLERS = {  # whose names are identifiers or abbreviations, in words
    "ssmd": "self-speculative",
    "ssmd_adaptive": "self-speculative, adaptive", "ssmd_corrected": "self-speculative, corrected",
    "ssmd_relayed": "self-speculative, light and heavy",
    "fixed_count": "fixed count, unverified", "ordered": "", "remdm": "ReMDM", "remdm_conf": "ReMDM, by confidence",
    "sigma_gpt": "sigma-GPT", "held_out": "held-out data", "light_heavy": "light drafts, heavy verifies",
    "tau_leaping": "tau-leaping", "theta_trapezoidal": "theta-trapezoidal", "first_hitting": "first-hitting",
    "forward_backward": "forward-backward", "entropy_bounded": "entropy-bounded", "dfm": "DFM corrector",
    "fused_float32": "float32 race",
}
DILATED = {"first_hitting": "fixed number", "fixed_count": "fixed number"}    # where they go by a dilated order


def in_words(arm: str, sampler: Mapping) -> str:
    """A name that is an identifier, or its sampler's own, in words: what its sampler is, and what else the name says.
    """
    name = str(sampler.get("name", ""))
    if arm != name and not re.fullmatch("[a-z0-9]+(_[a-z0-9]+)+", arm):
        return arm
    what = SAMPLERS.get(name, name.replace("_", " "))
    if isinstance(order := sampler.get("order"), Mapping) and order.get("name") == "dilated":
        what = f"{DILATED.get(name, what)}, dilated order"
    said = {*name.split("_"), *re.findall(r"\w+", what)}
    further = " ".join(part for part in arm.split("_") if part and part not in said)
    return ", ".join(filter(None, (what, further))) or arm.replace("_", " ")


def arm_names(cells: Sequence[Cell]) -> dict[str, str]:
    """key -> arm, plain; arms of one name and unlike networks or samplers, from two studies, get the study's name
    too.
    """
    kinds: dict[str, set] = {}
    for cell in cells:
        kinds.setdefault(cell.record["arm"], set()).add(
            (cell.study["name"], json.dumps(cell.record["cell"].get("nets") or {}, sort_keys=True))
        )
    mixed = {arm for arm, seen in kinds.items() if len({nets for _, nets in seen}) > 1
             and len({study for study, _ in seen}) > 1}
    words: dict[tuple[str, str], str] = {}    # of the first cell that bears the name: an arm has one
    for cell in cells:
        arm, study = cell.record["arm"], cell.study["name"] if cell.record["arm"] in mixed else ""
        words.setdefault((arm, study), in_words(arm, cell.record["cell"]["sampler"])
                         + (f" [{study.replace('_', ' ')}]" if study else ""))
    alike = {text for text in words.values() if sum(other == text for other in words.values()) > 1}
    named = {place: text if text not in alike else " ".join(filter(None, (place[0].replace("_", " "), place[1])))
             for place, text in words.items()}
    return apart({cell.record["key"]: named[arm, cell.study["name"] if arm in mixed else ""] for cell in cells
                  for arm in [cell.record["arm"]]})


def _flat(value: object, path: str = "") -> dict[str, object]:
    if isinstance(value, dict):
        return {k: v for key, inner in value.items() if key != "version" for k,
                v in _flat(inner, f"{path}.{key}" if path else key).items()}
    return {path.removesuffix(".name"): value}


def settings_of(cells: Sequence[Cell], names: dict[str, str]) -> dict[str, str]:
    """key -> the settings of a cell that vary within its arm, as short text."""
    flat = {
        cell.record["key"]: _flat(cell.record["cell"]["sampler"]) | {part: cell.record["cell"].get(part, usual)
                                                                     for part, usual in ARM_SETTINGS.items()}
        for cell in cells
    }
    found: dict[str, str] = {}
    for arm in set(names.values()):
        mine = [key for key in flat if names[key] == arm]
        paths = list(dict.fromkeys(path for key in mine for path in flat[key]))
        varying = [p for p in paths if len({json.dumps(flat[key].get(p)) for key in mine}) > 1]
        leaves = [p.rsplit(".", 1)[-1].replace("_", " ") for p in varying]
        short = {p: leaf if leaves.count(leaf) == 1 else p for p, leaf in zip(varying, leaves)}
        found |= {key: " ".join(f"{short[p]}={text_of(flat[key][p])}" for p in varying if p in flat[key])
                  for key in mine}
    return {key: text and plain(text) for key, text in found.items()}


def text_of(value: object) -> str:
    """The value of a setting as short text."""
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")
