"""An installation without a usable mock cluster is told what is missing, where, and what to do."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from kherd.supervisor.children.broker.library import PROTOTYPES, EmbeddedBrokerError, declare, find_library
from kherd.supervisor.children.broker.limits import LIMITS


def package(folder: Path, name: str) -> None:
    (folder / name).mkdir()
    (folder / name / "__init__.py").touch()


def test_a_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(EmbeddedBrokerError, match=r"no_such_package is not installed; install confluent-kafka"):
        find_library("no_such_package")


def test_a_build_against_a_system_library_is_told_from_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "built_from_source")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EmbeddedBrokerError, match=r"comes without its own librdkafka .* from its wheel"):
        find_library("built_from_source")


def test_the_wheels_shared_object_is_found_beside_the_package_and_nothing_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "from_a_wheel")
    (tmp_path / "from_a_wheel.libs").mkdir()
    library = tmp_path / "from_a_wheel.libs" / "librdkafka-0123abcd.so.1"
    library.touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert find_library("from_a_wheel") == library
    assert "from_a_wheel" not in sys.modules


def test_every_missing_symbol_is_named() -> None:
    names = [name for name in PROTOTYPES if not name.endswith(("topic_create", "controller_id"))]
    old = SimpleNamespace(**{name: SimpleNamespace() for name in names}, _name="librdkafka-old.so")
    with pytest.raises(
        EmbeddedBrokerError,
        match=r"librdkafka-old\.so has no rd_kafka_mock_topic_create, rd_kafka_mock_set_controller_id: too old",
    ):
        declare(old, PROTOTYPES)


def test_every_function_gets_its_prototype() -> None:
    library = SimpleNamespace(**{name: SimpleNamespace() for name in PROTOTYPES})
    declare(library, PROTOTYPES)
    for name, (result, arguments) in PROTOTYPES.items():
        assert vars(getattr(library, name)) == {"restype": result, "argtypes": list(arguments)}


def test_every_limit_says_what_and_why() -> None:
    assert len({limit.what for limit in LIMITS}) == len(LIMITS)
    assert str(LIMITS[0]).startswith("the embedded broker does not model classic consumer groups: ")
