"""Pure decisions of the supervisor: values in, values out, time passed in."""
