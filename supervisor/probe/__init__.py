"""Questions that only user code, librdkafka or brokers can answer, each asked in a child process with a time limit."""
