"""The fixtures of the real parts, for every test."""

pytest_plugins = ["kherd.testing.plugin"]
