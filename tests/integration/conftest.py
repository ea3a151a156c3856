"""A scene for workers without a supervisor, on the embedded broker and on a real one under both group protocols."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..fakes.scene import Scene, scene

EVERYWHERE = [
    pytest.param("embedded", id="embedded"),
    pytest.param("classic", id="classic", marks=pytest.mark.kafka),
    pytest.param("consumer", id="consumer", marks=pytest.mark.kafka),
]
"""For `@pytest.mark.parametrize("place", EVERYWHERE)`."""


@pytest.fixture
def place() -> str:
    """Where a scene plays unless its test says otherwise."""
    return "embedded"


@pytest.fixture
def stage(place: str, request: pytest.FixtureRequest, unique: Callable[[str], str], tmp_path: Path) -> Iterator[Scene]:
    """A scene: on the embedded broker, or on a real one under a group protocol."""
    cluster: Any = request.getfixturevalue("embedded" if place == "embedded" else "kafka")
    with scene(tmp_path, cluster, unique("orders"), "consumer" if place == "embedded" else place) as made:
        yield made
