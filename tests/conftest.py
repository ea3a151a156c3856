"""The fixtures of the real parts, for every test, and what Hypothesis may expect of the machine."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["kherd.testing.plugin"]

COSTLY = ("kafka3", "kafka_proxied", "kafka_secured", "kafka_tight")
"""Brokers of their own kind, which take time to start, memory, and a share of the processor even when idle."""

# A busy machine is no reason to fail: a property is about values, never about time.
settings.register_profile("kherd", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("kherd")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have one process run all tests that need a costly part, and one all of a contract file (`--dist loadgroup`)."""
    for item in items:
        group = _costly(item)
        if group is None and item.path.parent.name == "contract":
            group = item.path.stem
        if group is not None:
            item.add_marker(pytest.mark.xdist_group(group))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """End a costly part after the last test that needs it: all of them run in this process, one after the other."""
    yield
    part = _costly(item)
    if part is not None and hasattr(item.config, "workerinput") and (nextitem is None or _costly(nextitem) != part):
        item.funcargs[part].close()  # type: ignore[attr-defined]  # a function's


def _costly(item: pytest.Item) -> str | None:
    parts = getattr(item, "fixturenames", ())
    return next((part for part in COSTLY if part in parts), None)
