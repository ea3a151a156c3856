"""The configurations that tests write are read as they were meant."""

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kherd.testing import toml

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = TEXT | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
VALUES = SCALARS | st.lists(SCALARS, max_size=4)
TABLES = st.recursive(
    st.dictionaries(TEXT, VALUES, max_size=4), lambda inner: st.dictionaries(TEXT, VALUES | inner, max_size=4)
)


@given(TABLES)
def test_what_is_written_is_read_back(document: dict[str, Any]) -> None:
    assert tomllib.loads(toml.dumps(document)) == document
