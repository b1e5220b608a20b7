"""Upstream's own tests, unchanged, against this package; see `__main__.py`."""
