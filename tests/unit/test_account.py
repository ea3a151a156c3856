"""Whom a herd runs as: looked up by name or number, and refused where only root could."""

import os
import pwd

import pytest

from kherd.supervisor.config.account import account_of, look_up
from kherd.supervisor.config.errors import ConfigError

from ..fakes.configs import settings

NOBODY = pwd.getpwnam("nobody")


def test_a_name_and_its_number_are_the_same_account() -> None:
    named, numbered = look_up("nobody", None), look_up(str(NOBODY.pw_uid), None)
    assert (named.uid, named.gid, named.groups) == (numbered.uid, numbered.gid, numbered.groups)
    assert (named.uid, named.gid, named.home, named.user) == (NOBODY.pw_uid, NOBODY.pw_gid, NOBODY.pw_dir, "nobody")


def test_a_group_takes_the_place_of_the_users_own() -> None:
    account = look_up("nobody", "4711")
    assert account.gid == 4711
    assert account.groups[0] == 4711


def test_a_number_without_an_entry_is_a_user_where_its_group_is_told() -> None:
    account = look_up("4711", "4712")
    assert (account.uid, account.gid, account.groups, account.home) == (4711, 4712, (4712,), "/")
    with pytest.raises(ConfigError, match=r"app\.user: 4711 has no entry .* set app\.group"):
        look_up("4711", None)


def test_who_does_not_exist_is_named() -> None:
    with pytest.raises(ConfigError, match=r"app\.user: there is no such user .* got 'nobody-here'"):
        look_up("nobody-here", None)
    with pytest.raises(ConfigError, match=r"app\.group: there is no such group .* got 'nobody-here'"):
        look_up("nobody", "nobody-here")


def test_nobody_is_asked_for_nothing() -> None:
    assert account_of(settings()) is None


def test_root_becomes_whoever_is_asked_for() -> None:
    account = account_of(settings("[app]\nuser = 'nobody'"), 0, 0)
    assert account is not None
    assert account.uid == NOBODY.pw_uid


def test_who_is_that_user_already_has_nothing_to_do() -> None:
    uid, gid = NOBODY.pw_uid, NOBODY.pw_gid
    assert account_of(settings("[app]\nuser = 'nobody'"), uid, gid) is None
    assert account_of(settings(f"[app]\nuser = {uid}\ngroup = {gid}"), uid, gid) is None


def test_another_user_than_root_can_become_nobody() -> None:
    with pytest.raises(ConfigError, match=r"app\.user: only root .* this is user id 4711; start it as root or as"):
        account_of(settings("[app]\nuser = 'nobody'"), 4711, 4711)
    with pytest.raises(ConfigError, match=r"app\.group: only root .* this is group id 4711"):
        account_of(settings(f"[app]\nuser = 'nobody'\ngroup = {os.getegid()}"), NOBODY.pw_uid, 4711)
