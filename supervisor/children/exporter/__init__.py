"""The exporter: metrics on their way out."""
