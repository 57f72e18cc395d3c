"""Which policy serves a request."""
