"""How fast sent-async is, beside everything one would use in its place: ``python -m benchmarks``."""
