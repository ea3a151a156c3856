"""A machine in which kherd is installed by the lines of systemd/README.md, and a service of each test's own."""

import itertools
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kherd.testing.machine import Machine
from kherd.testing.service import Service

README = Path(__file__).resolve().parents[2] / "systemd" / "README.md"
ORDERS = """
[app]
name = "orders"
handler = "orders:handle"
[kafka]
bootstrap = "embedded"
topics = ["orders"]
"""
NUMBERS = itertools.count(1)
NewService = Callable[..., Service]


@pytest.fixture(scope="session")
def installed(machine: Machine) -> Machine:
    """The machine after the commands of systemd/README.md, but for pip's, whose registry is out of reach there."""
    (machine.root / "srv/orders.toml").write_text(ORDERS)
    (machine.root / "srv/orders.py").write_text("def handle(message):\n    pass\n")
    (block,) = re.findall(r"```sh\n(.*?)```", README.read_text(), re.DOTALL)
    venv, *commands = block.splitlines()
    assert "pip install kherd" in venv
    for command in commands:
        machine.run("sh", "-e", "-c", f"cd /srv && {command}")
    (machine.root / "etc/systemd/system/kherd-notify@.service").write_bytes(
        (machine.root / "opt/kherd/share/kherd/systemd/kherd-notify@.service").read_bytes()
    )
    return machine


@pytest.fixture
def service(installed: Machine, request: pytest.FixtureRequest) -> Iterator[NewService]:
    """Return a factory of services, named after the test."""
    made: list[Service] = []

    def make(template: str = "kherd") -> Service:
        name = f"{request.node.path.stem.removeprefix('test_')}_{next(NUMBERS)}"
        made.append(Service(installed, name, template))
        return made[-1]

    yield make
    for one in made:
        sys.stderr.write(one.journal()[-8000:])  # shown if the test failed
        one.clean()
        assert one.processes() == set()
