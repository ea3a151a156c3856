"""`app.user` and `app.group`: the account that a herd started by root runs as."""

import grp
import os
import pwd
from dataclasses import dataclass

from .errors import ConfigError
from .schema import Settings

WANTS_NUMBER = "has no entry among the users of this machine"


@dataclass(frozen=True, slots=True)
class Account:
    """A user id, a group id, every group of the process, and what HOME and USER say. `name` is as configured."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    user: str
    home: str


def account_of(settings: Settings, euid: int | None = None, egid: int | None = None) -> Account | None:
    """Return whom to become, None if that is nobody else: not configured, or what we are already.

    `euid` and `egid` are this process' own unless they are given.

    Raises:
        ConfigError: there is no such user or group, or only root could become that.
    """
    if settings.app.user is None:
        return None
    euid, egid = os.geteuid() if euid is None else euid, os.getegid() if egid is None else egid
    account = look_up(settings.app.user, settings.app.group)
    if euid == 0:
        return account
    if account.uid != euid:
        who = f"only root can run kherd as another user, and this is user id {euid}"
        raise ConfigError([f"app.user: {who}; start it as root or as {account.name}, got {account.name!r}"])
    if settings.app.group is not None and account.gid != egid:
        who = f"only root can change the group, and this is group id {egid}"
        raise ConfigError([f"app.group: {who}; start kherd as root, got {settings.app.group!r}"])
    return None


def look_up(user: str, group: str | None) -> Account:
    """Return the account of a name or number; raises ConfigError if there is none."""
    entry = _user(user)
    gid = None if group is None else _group(group)
    if entry is not None:
        primary = entry.pw_gid if gid is None else gid
        groups = os.getgrouplist(entry.pw_name, primary)
        return Account(user, entry.pw_uid, primary, tuple(groups), entry.pw_name, entry.pw_dir)
    if not user.isdecimal():
        raise ConfigError([f"app.user: there is no such user on this machine, got {user!r}"])
    if gid is None:
        raise ConfigError([f"app.user: {user} {WANTS_NUMBER}: set app.group too"])
    return Account(user, int(user), gid, (gid,), user, "/")


def _user(user: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(user)
    except KeyError:
        pass
    try:
        return pwd.getpwuid(int(user)) if user.isdecimal() else None
    except KeyError:
        return None


def _group(group: str) -> int:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        if group.isdecimal():
            return int(group)
    raise ConfigError([f"app.group: there is no such group on this machine, got {group!r}"])
