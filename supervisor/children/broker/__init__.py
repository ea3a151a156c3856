"""The embedded broker: imported only in its own process, but for `spec` and `limits`."""
