"""The fixtures of the real parts, for every test, and what Hypothesis may expect of the machine."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["kherd.testing.plugin"]

# A busy machine is no reason to fail: a property is about values, never about time.
settings.register_profile("kherd", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("kherd")
