"""The tree to boot has what setup.cfg asks for, and says what is missing where it cannot be built."""

import os
from importlib.metadata import requires

import pytest

from kherd.testing.parts import MissingPartError
from kherd.testing.tree import ROOT, requirements, tree

from ..fakes.processes import child

NOBODY = 65534


def test_it_has_what_kherd_needs_to_run() -> None:
    names = {line.split(";")[0].replace(" ", "") for line in requires("kherd") or () if "extra ==" not in line}
    wanted = {one.replace(" ", "") for one in requirements(ROOT / "setup.cfg")}
    assert {name.split(">")[0].split("<")[0] for name in names} == {one.split(">")[0] for one in wanted}
    assert all(">=" in one for one in wanted)


def test_without_root_it_is_a_missing_part() -> None:
    def ask() -> None:
        if os.geteuid() == 0:
            os.setuid(NOBODY)
        with pytest.raises(MissingPartError, match="run the tests as root"):
            tree()

    with child(ask, stay=False) as one:
        assert one.wait() == 0
