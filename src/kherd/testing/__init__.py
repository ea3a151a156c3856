"""Real parts to test against: Apache Kafka, statsd, a herd as a process; `plugin` has the fixtures."""
