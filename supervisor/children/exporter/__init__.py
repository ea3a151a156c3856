"""The exporter: metrics and alerts on their way out."""
