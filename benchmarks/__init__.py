"""The speed of sent-async compared with its alternatives: ``python -m benchmarks``."""
