"""Keys that a later version will have: they are refused in words of their own, not as a typing error."""

from typing import Final

LATER: Final = {
    "autoscale.catch_up": "autoscale.lag_above says when there are too few workers",
    "schema_registry": "decode in the handler",
    "workers.deserializer": "decode in the handler",
    "delivery.transaction_interval": "",
    "dead_letter.compat": "",
}
"""Key or section -> what there is today instead, if anything."""


def refusal(path: str) -> str | None:
    """Return what to say of a key, None if no later version has it either."""
    section = path.partition(".")[0]
    hint = LATER.get(path, LATER.get(section))
    if hint is None:
        return None
    return f"{path}: does not exist in this version of kherd" + (f"; {hint}" if hint else "")
