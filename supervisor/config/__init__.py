"""The configuration: its schema, and how a file becomes what every process is told."""
