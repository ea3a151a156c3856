"""The process that forks: no Kafka client, no TLS, no thread, no user code."""
