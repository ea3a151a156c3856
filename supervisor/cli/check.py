"""`kherd check`: what is wrong with a configuration, all at once, and what it comes to."""

import json
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import click

from ...worker.exits import Exit
from ..config.account import Account, account_of, look_up
from ..config.effective import derived, effective, properties, redact, spec_of, to_toml
from ..config.errors import ConfigError
from ..config.load import Loaded, load
from ..config.state import state_dir, unsafe
from ..pidfile import unusable
from ..probe.ask import ProbeError, ask
from .words import plain

PROPERTY_SECONDS: Final = 20.0
READ_SECONDS: Final = 10.0
LIVE_SECONDS: Final = 40.0
"""More than the questions' own limits together."""
STYLES: Final = {"ok": "green", "warn": "yellow", "fail": "red"}


@dataclass(slots=True)
class Report:
    """What was found: `problems` keep a herd from running, `findings` are (level, text) of the brokers."""

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    findings: list[tuple[str, str]] = field(default_factory=list)

    @property
    def code(self) -> Exit:
        """What the command ends with: what the file says is one thing, what the brokers say another."""
        if self.problems:
            return Exit.CONFIG
        return Exit.FAILED if any(level == "fail" for level, _ in self.findings) else Exit.DONE


@click.command("check")
@click.argument("config", type=click.Path(path_type=Path), default=Path("kherd.toml"))
@click.option("--live", is_flag=True, help="Ask the brokers too: reachable, topics, partitions, replicas, protocol.")
@click.option("--json", "as_json", is_flag=True, help="For programs: one JSON object.")
def command(config: Path, *, live: bool, as_json: bool) -> None:
    """Check CONFIG, show it with every default, and try the handler and librdkafka with it.

    Exit code 78: the configuration cannot be used; 1: with --live, the brokers are not ready for it.
    """
    try:
        loaded = load(config)
    except ConfigError as error:
        _show(Report(problems=error.problems), None, as_json=as_json)
        sys.exit(Exit.CONFIG)
    report = examine(loaded, live=live)
    _show(report, loaded, as_json=as_json)
    sys.exit(report.code)


def examine(loaded: Loaded, *, live: bool) -> Report:
    """Return what user code, librdkafka and, if `live`, the brokers have to say; no secret is in it."""
    report = Report()
    account = _account(loaded, report)
    _handler(loaded, report, account)
    _properties(loaded, report)
    _state(loaded, report, account)
    _pidfile(loaded, report)
    _command(loaded, report)
    if live and not report.problems:
        _live(loaded, report)
    known = loaded.secrets
    return Report(
        redact(report.problems, known),
        redact(report.warnings, known),
        [(level, redact([text], known)[0]) for level, text in report.findings],
    )


def _account(loaded: Loaded, report: Report) -> Account | None:
    """Return who will run the herd, if that is not us; whoever checks a file for others to run need not be root."""
    app = loaded.settings.app
    if app.user is None:
        return None
    try:
        look_up(app.user, app.group)
    except ConfigError as error:
        report.problems += error.problems
        return None
    try:
        account = account_of(loaded.settings)
    except ConfigError as error:
        report.warnings += error.problems
        return None
    return None if account is None else _become(account, loaded, report)


def _become(account: Account, loaded: Loaded, report: Report) -> Account | None:
    question = (account, str(loaded.path))
    try:
        problems, unreadable = ask("kherd.supervisor.probe.reading:read_as", question, READ_SECONDS)
    except ProbeError as error:
        problems, unreadable = [f"app.user: becoming {account.name} was not answered: {error}"], []
    report.problems += problems
    report.warnings += [f"app.user: a reload will be refused: as {account.name}, {one}" for one in unreadable]
    return None if problems else account


def _handler(loaded: Loaded, report: Report, account: Account | None) -> None:
    seconds = loaded.settings.workers.start_timeout
    try:
        report.problems += ask("kherd.supervisor.probe.handler:examine", spec_of(loaded), seconds, account)
    except ProbeError as error:
        report.problems.append(f"app.handler: importing {loaded.settings.app.handler} failed: {error}")
    for folder in spec_of(loaded).pythonpath:
        if not Path(folder).is_dir():
            report.warnings.append(f"app.pythonpath: there is no folder {folder}")


def _state(loaded: Loaded, report: Report, account: Account | None) -> None:
    """What is there already can be looked at; whoever runs the herd may be another user, so it is only a warning."""
    folder = state_dir(loaded.settings)
    with suppress(OSError, ValueError):  # not there, or a zero in the path
        problem = unsafe(folder, account)
        report.warnings += [] if problem is None else [f"state.dir: {problem}"]


def _pidfile(loaded: Loaded, report: Report) -> None:
    path = loaded.settings.app.pidfile
    problem = None if path is None else unusable(Path(path))
    report.problems += [] if problem is None else [f"app.pidfile: {path} {problem}"]


def _command(loaded: Loaded, report: Report) -> None:
    """Only a warning: the herd may run as another user, with another PATH, and starts without the program too."""
    command = loaded.settings.alerts.command
    if command is not None and shutil.which(command[0]) is None:
        report.warnings.append(f"alerts.command: there is no program to run, got {command[0]!r}")


def _properties(loaded: Loaded, report: Report) -> None:
    try:
        problems, warnings = ask("kherd.worker.propertycheck:check", spec_of(loaded), PROPERTY_SECONDS)
    except ProbeError as error:
        problems, warnings = [f"kafka: librdkafka could not be asked about its properties: {error}"], []
    report.problems += problems
    report.warnings += warnings


def _live(loaded: Loaded, report: Report) -> None:
    if loaded.settings.embedded:
        report.findings.append(("ok", "brokers: the embedded one is started by `kherd run`, with its topics"))
        return
    question = (spec_of(loaded), loaded.settings.workers.count)
    try:
        report.findings += [
            (level, text) for level, text in ask("kherd.supervisor.probe.live:look", question, LIVE_SECONDS)
        ]
    except ProbeError as error:
        report.findings.append(("fail", f"brokers: the question was not answered: {error}"))


def _show(report: Report, loaded: Loaded | None, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_document(report, loaded)))
        return
    if loaded is not None:
        click.echo(_text(loaded), nl=False)
    for text in report.problems:
        click.secho(f"problem: {_tame(text)}", fg="red", err=True)
    for text in report.warnings:
        click.secho(f"warning: {_tame(text)}", fg="yellow", err=True)
    if report.findings and loaded is not None:
        click.echo()
    for level, text in report.findings:
        click.secho(f"{level:4}  ", fg=STYLES[level], nl=False)
        click.echo(_tame(text))
    if loaded is not None and report.code is Exit.DONE:
        click.echo(f"{_tame(str(loaded.path))}: can be used", err=True)


def _document(report: Report, loaded: Loaded | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ok": report.code is Exit.DONE,
        "problems": report.problems,
        "warnings": report.warnings,
        "findings": [{"level": level, "text": text} for level, text in report.findings],
    }
    if loaded is not None:
        found |= {
            "path": str(loaded.path),
            "config": effective(loaded),
            "derived": derived(loaded),
            "librdkafka": properties(loaded),
        }
    return found


def _text(loaded: Loaded) -> str:
    """Return the effective configuration as TOML, what follows from it as comments."""
    facts = derived(loaded)
    lines = [f"# {name} = {_tame(str(value))}" for name, value in facts.items() if value is not None]
    lines += (
        [] if facts["instance"] else ["# instance: none (in a container, or without a host name): workers are dynamic"]
    )
    return "\n".join([*lines, "", to_toml(effective(loaded))])


def _tame(text: str) -> str:
    """Return `text` without what could command a terminal; lines stay lines."""
    return "\n".join(plain(line).plain for line in text.split("\n"))
