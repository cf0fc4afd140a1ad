"""Benchmarks of Tallymark's promises on speed: `python -m benchmarks [names…] [--quick] [--json FILE]`."""
