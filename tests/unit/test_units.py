"""The two units say the same, but for what an old systemd does not know; their numbers fit kherd's own."""

from pathlib import Path

from kherd.supervisor.config.operations import Stop
from kherd.worker.exits import Exit

SYSTEMD = Path(__file__).resolve().parents[2] / "systemd"
DIFFERENT = {"Type", "ExecReload", "RestartSec", "RestartSteps", "RestartMaxDelaySec"}


def unit(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (SYSTEMD / name).read_text().splitlines():
        if line and line[0] not in "#[":
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def test_the_units_differ_only_where_they_must() -> None:
    new, old = unit("kherd@.service"), unit("kherd-notify@.service")
    assert {key for key in new.keys() | old.keys() if new.get(key) != old.get(key)} == DIFFERENT
    assert (new["Type"], old["Type"]) == (["notify-reload"], ["notify"])
    assert old["ExecReload"] == ["/bin/kill -HUP $MAINPID"]


def test_exit_codes_and_times_are_kherds_own() -> None:
    new = unit("kherd@.service")
    assert new["RestartPreventExitStatus"] == [str(int(Exit.CONFIG))]
    assert new["SuccessExitStatus"] == [str(int(Exit.KILLED_AT_DEADLINE))]
    assert float(new["TimeoutStopSec"][0].removesuffix("s")) > Stop().timeout
