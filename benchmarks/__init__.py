"""Measurements beside the nearest peer or limit: `make bench` runs them all. None is a test, and no test is timed."""
