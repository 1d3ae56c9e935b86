"""Claims moses.ends.written.{validity, fcd} and moses.autoregressive.{validity, fcd}."""

from harness.records.store import Store
from studies.moses_frontier.claims import level

ARMS = {"ends.written": "written", "autoregressive": "autoregressive"}


def claims(store: Store, command: str) -> list[dict]:
    return [row for name, arm in ARMS.items() for what in ("validity", "fcd")
            for row in level(f"moses.{name}.{what}", store, command, what, arm)]
