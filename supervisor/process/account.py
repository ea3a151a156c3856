"""Becoming another user, for good: root's process gives up what only root has, before it forks anybody."""

import os
from pathlib import Path

from ...worker import kernel
from ..config.account import Account
from ..config.errors import ConfigError


def become(account: Account) -> None:
    """Take on the user, group and groups of `account`, with HOME, USER and LOGNAME; there is no way back.

    Raises:
        ConfigError: the kernel refuses (a container without CAP_SETUID, say), or that user could not run Python.
    """
    by_whom = kernel.parent_death_signal()
    try:
        os.setgroups(account.groups)
        os.setresgid(account.gid, account.gid, account.gid)
        os.setresuid(account.uid, account.uid, account.uid)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError([f"app.user: cannot become {account.name} (user id {account.uid}): {reason}"]) from None
    # Another user id clears both: who started us may have tied our life to theirs, and without the second nobody, we
    # ourselves included, could look at our children in /proc.
    kernel.set_parent_death_signal(by_whom)
    kernel.set_dumpable()
    for file in (os.__file__, str(kernel.__file__)):
        if not os.access(file, os.R_OK):
            who = f"{account.name} cannot read {Path(file).parent}"
            raise ConfigError([f"app.user: {who}; install Python and kherd where every user can read them"])
    os.environ.update(HOME=account.home, USER=account.user, LOGNAME=account.user)
