"""Operating-system processes: forking them, holding them, their boards."""
