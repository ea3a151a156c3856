"""Memory of a process: resident, and its share of what it has in common with others."""

import os
import time

import pytest

from kherd.supervisor.process.memory import pss_of, rss_of

from ..fakes.processes import child

MIB = 2**20


def test_pss_is_what_a_process_has_alone_and_its_share_of_the_rest() -> None:
    own = bytearray(os.urandom(MIB) * 40)
    with child(lambda: bytearray(os.urandom(MIB) * 30)) as one:
        rss, pss = rss_of(one.pid), pss_of(one.pid)
        assert rss is not None
        assert pss is not None
        assert rss > 70 * MIB  # 40 of ours that it shares, 30 of its own
        assert 50 * MIB < pss < rss - 15 * MIB
    del own


def test_who_has_ended_uses_nothing_that_is_known() -> None:
    with child(lambda: None, stay=False) as one:
        while rss_of(one.pid):
            time.sleep(0.001)
        assert pss_of(one.pid) is None  # a zombie
    assert rss_of(one.pid) is None
    assert pss_of(one.pid) is None


def test_who_may_not_be_looked_into_is_told_apart() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to become somebody else")

    def look() -> None:
        with child(lambda: None) as other:
            os.seteuid(65534)
            try:
                with pytest.raises(PermissionError):
                    pss_of(other.pid)
            finally:
                os.seteuid(0)

    look()
