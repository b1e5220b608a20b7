"""Upstream's import name for this package; see `assistant_stream_ce._legacy`."""

from assistant_stream_ce._legacy import install

install(__name__)
