"""Tests of `asgi-cors origins`."""
