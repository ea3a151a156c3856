"""The six lines of systemd/README.md, on a bare Debian, give a herd that systemd shows as active."""

import json

from kherd.testing.machine import Machine
from kherd.testing.service import Service


def test_the_lines_of_the_readme_give_a_running_herd(installed: Machine) -> None:
    one = Service(installed, "orders")
    one.wait_ready(2)
    one.wait(lambda: one.show("StatusText").startswith("2/2 ready, lag 0, gen 1"), "its standing")
    shown = installed.out("systemctl", "status", "--no-pager", one.unit)
    assert "Active: active (running)" in shown
    assert 'Status: "2/2 ready, lag 0, gen 1"' in shown
    assert one.show("User") == "kherd"
    told = json.loads(installed.out("kherd", "status", "--app", "orders", "--json"))
    assert told["pid"] == one.main_pid
    assert one.show("UnitFileState") == "enabled"
    one.clean()
