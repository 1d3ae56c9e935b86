"""The networks that ship, as the listing shows them: from their cards, without their weights."""

from pathlib import Path
from typing import Any

from harness.boundary.incoming import Wrong, fitted, read
from harness.nets.absent import FOLDER, lacking
from harness.spec import ROOT

CARD = "take the file from the repository again"


def cards() -> dict[str, Path]:
    """Name -> card. A name has the folder of its data before it where that is not the text: protein/heavy."""
    found = {path.relative_to(FOLDER).with_suffix("").as_posix(): path for path in FOLDER.glob("**/*.json")}
    return {name: path for name, path in sorted(found.items()) if name != "absent"}


def entry(name: str) -> dict:
    """What the card says, and the line that names the network in a study. Raises ValueError for a damaged card."""
    path = cards()[name]
    card, (of, _, alone) = read(path, dict[str, Any], CARD), name.rpartition("/")
    data, losses = _table(card, "data"), _table(card, "validation_nats_per_token")
    told = {"kind": card.get("network"), "parameters": card.get("parameters"), "data": data.get("name"),
            "split": card.get("split"), "length": card.get("length"), "tokens": card.get("tokens"),
            "nats_per_token": ", ".join(f"{part} {loss}" for part, loss in losses.items())}
    fields = {field: str(value) for field, value in told.items() if value not in (None, "")}
    on = f", trained on {fields['data']}" if "data" in fields else ""
    size = f" of {card['parameters']:,} parameters" if isinstance(card.get("parameters"), int) else ""
    about = f"{fields.get('kind', 'network')}{size}{on}"
    if gone := lacking(path.with_suffix(".safetensors")):
        fields["file"] = f"not in the tree: `ssmd-bench checkpoints --restore {gone.group}` brings it back"
    call = f'shipped("{alone}", "{of}")' if of else f'shipped("{alone}")'
    return {"origin": f"{path.relative_to(ROOT)}:1", "about": about, "more": f"A network that ships: {about}.",
            "import": f"from harness.study import shipped\n{call}", "fields": fields,
            "notes": {"nats_per_token": "on the validation split", "tokens": "seen in training"}}


def _table(card: dict[str, Any], field: str) -> dict[str, Any]:
    try:
        return fitted(card.get(field), dict[str, Any])
    except Wrong:
        return {}
