"""The fixtures of the real parts, for every test, what runs in one process, and what Hypothesis may expect."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

pytest_plugins = ["kherd.testing.plugin"]

COSTLY = ("kafka3", "kafka_proxied", "kafka_secured", "kafka_tight")
"""Brokers of their own kind, which take time to start, memory, and a share of the processor even when idle."""
ROOT = Path(__file__).parents[1]
_started: dict[str, Any] = {}

# A busy machine is no reason to fail: a property is about values, never about time.
settings.register_profile("kherd", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("kherd")


class ByPart(LoadScopeScheduling):  # type: ignore[misc]  # it is untyped
    """Like `--dist loadfile`, but one process runs all files that need the same costly part."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return _part(ROOT / file) or file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """Take the place of `loadfile`."""
    return ByPart(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """End a costly part after the last test of its files, if one process runs all of them."""
    yield
    part = _part(item.path)
    if part is None or not hasattr(item.config, "workerinput"):
        return
    if part in getattr(item, "fixturenames", ()):
        _started[part] = item.funcargs[part]  # type: ignore[attr-defined]  # a function's
    if part in _started and (nextitem is None or _part(nextitem.path) != part):
        _started.pop(part).close()


@cache
def _part(file: Path) -> str | None:
    text = file.read_text()
    return next((part for part in COSTLY if f"{part}: " in text), None)
