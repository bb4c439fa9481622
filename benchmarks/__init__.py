"""Measurements whose results are committed: ``python -m benchmarks NAME``."""
