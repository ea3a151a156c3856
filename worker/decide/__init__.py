"""What the worker decides: pure functions and state machines, values in and values out."""
