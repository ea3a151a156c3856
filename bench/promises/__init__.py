"""What kherd promises, measured beside its rivals in one run: a file per measurement; `promise` judges."""
