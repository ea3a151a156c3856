"""Both units are without a complaint of `systemd-analyze verify`, and their exposure is what the README states."""

import pytest

from kherd.testing.machine import Machine

from .conftest import README

EXPOSURE = 3.0


@pytest.mark.parametrize("template", ["kherd", "kherd-notify"])
def test_verify_has_no_complaint(installed: Machine, template: str) -> None:
    done = installed.run("systemd-analyze", "verify", "--man=no", f"/etc/systemd/system/{template}@orders.service")
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize("template", ["kherd", "kherd-notify"])
def test_exposure_is_as_stated(installed: Machine, template: str) -> None:
    shown = installed.out("systemd-analyze", "security", "--no-pager", f"{template}@orders.service")
    overall = next(line for line in shown.splitlines() if "Overall exposure level" in line)
    exposure = overall.split(":")[1].split()[0]
    assert float(exposure) < EXPOSURE, shown
    assert f"`systemd-analyze security kherd@orders`: {exposure} OK" in README.read_text(), overall
