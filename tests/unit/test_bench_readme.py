"""The matrix file in bench/README.md is the default one, key by key."""

import re
import tomllib
from pathlib import Path

from kherd.bench.matrix import Matrix

README = Path(__file__).resolve().parents[2] / "bench" / "README.md"


def test_it_shows_every_key_with_its_default() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", README.read_text(), re.DOTALL)
    shown = tomllib.loads(text)
    assert Matrix.model_validate(shown) == Matrix()
    for section in ("load", "fault", "consume"):
        known = set(type(getattr(Matrix(), section)).model_fields)
        assert known - set(shown[section]) == ({"replication"} if section == "load" else set())
    assert "# replication = 3" in text
