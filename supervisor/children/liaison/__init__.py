"""The liaison: besides the workers the only process that talks to Kafka.

It measures lag, watches topics, creates dead-letter topics and tells the group's coordinator about dead workers.
"""
