"""Which identity a supervisor has on which machine."""

from pathlib import Path

import pytest

from kherd.supervisor.config.instance import is_static, resolve_instance

from ..fakes.configs import settings

AUTO = settings("[app]\ninstance = 'auto'")


def on(root: Path, host: str = "kafka-7", environment: dict[str, str] | None = None) -> str | None:
    return resolve_instance(AUTO, environment=environment or {}, host=lambda: host, root=root)


def put(root: Path, name: str, content: str = "") -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(content)


def test_a_machine_is_called_by_its_whole_host_name(tmp_path: Path) -> None:
    assert on(tmp_path) == "kafka-7"
    assert on(tmp_path, "a.eu.example.com") == "a.eu.example.com"


@pytest.mark.parametrize("host", ["", "localhost", "LocalHost.localdomain", "a b", "ü"])
def test_a_machine_without_a_name_has_no_instance(tmp_path: Path, host: str) -> None:
    assert on(tmp_path, host) is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (".dockerenv", ""),
        ("run/.containerenv", ""),
        ("run/systemd/container", "lxc"),
        ("run/host/container-manager", "systemd-nspawn"),
        ("proc/1/environ", "A=b\0container=lxc\0"),
        ("proc/1/environ", "container=podman\0A=b\0"),
        ("proc/vz/x", ""),
        ("proc/sys/kernel/osrelease", "5.15.0-microsoft-standard-WSL2"),
    ],
)
def test_a_container_has_no_instance(tmp_path: Path, name: str, content: str) -> None:
    put(tmp_path, name, content)
    assert on(tmp_path) is None


@pytest.mark.parametrize("variable", ["KUBERNETES_SERVICE_HOST", "container"])
def test_the_environment_tells_of_a_container_too(tmp_path: Path, variable: str) -> None:
    assert on(tmp_path, environment={variable: "x"}) is None


def test_the_host_of_containers_is_none_itself(tmp_path: Path) -> None:
    put(tmp_path, "proc/vz/x")
    put(tmp_path, "proc/bc/x")
    put(tmp_path, "proc/1/environ", "mycontainer=x\0")
    assert on(tmp_path) == "kafka-7"


def test_what_is_configured_counts_everywhere(tmp_path: Path) -> None:
    put(tmp_path, ".dockerenv")
    chosen = settings("[app]\ninstance = 'pod-3'")
    assert resolve_instance(chosen, environment={"container": "x"}, root=tmp_path) == "pod-3"


@pytest.mark.parametrize(
    ("text", "instance", "static"),
    [
        ("", "a", True),
        ("", None, False),
        ("[kafka]\nbootstrap = 'embedded'", "a", False),
        ("[kafka]\nstatic_membership = false", "a", False),
        ("[kafka]\nstatic_membership = true", "a", True),
    ],
)
def test_members_are_static_if_the_instance_is_known_and_the_broker_real(
    text: str, instance: str | None, static: bool
) -> None:
    assert is_static(settings(text), instance) is static
