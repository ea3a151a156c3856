"""Keys that a later version will have: they are refused in words of their own, not as a typing error."""

from typing import Final

LATER: Final = {
    "autoscale.catch_up": "autoscale.lag_above says when there are too few workers",
    "breaker": "",
    "alerts.error_rate_above": "the metric error_rate tells it",
    "schema_registry": "decode in the handler",
    "workers.concurrency": "more workers do more at a time",
    "workers.order": "records of a partition are handled in their order",
    "workers.bisect": "a failing batch is run again one record at a time",
    "workers.deserializer": "decode in the handler",
    "delivery.transaction_interval": "",
    "errors.outage": "",
    "errors.max_crashes": "",
    "dead_letter.compat": "",
    "dead_letter.alert_above": "the metric dlq_count tells it",
}
"""Key or section -> what there is today instead, if anything."""


def refusal(path: str) -> str | None:
    """Return what to say of a key, None if no later version has it either."""
    section = path.partition(".")[0]
    hint = LATER.get(path, LATER.get(section))
    if hint is None:
        return None
    return f"{path}: does not exist in this version of kherd" + (f"; {hint}" if hint else "")
