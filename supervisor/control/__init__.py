"""The control socket: how a running herd is asked and told."""
