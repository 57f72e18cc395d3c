"""A mistyped origin of a page is refused with the origin to write."""

import re

import pytest

from asgi_cors.testing import Page

MISTYPED_ORIGINS = [
    ("localhost:5173", "http://localhost:5173"),
    ("localhost", "http://localhost"),
    ("app.localhost:3000", "http://app.localhost:3000"),
    ("127.0.0.1:8000", "http://127.0.0.1:8000"),
    ("[::1]:3000", "http://[::1]:3000"),
    ("app.example.com", "https://app.example.com"),
    ("app.example.com:8443/path", "https://app.example.com:8443"),
    ("//app.example.com", "https://app.example.com"),
    ("HTTPS://App.Example.com/", "https://app.example.com"),
    ("ws://app.example.com", "https://app.example.com"),
    ("app://x/y", "app://x"),
    ("file:///x", "null"),
    ("data:text/html", "null"),
]
NO_ORIGINS = ["", "a b", "https://", "*", "http://1.2.3.4.5", "http://localhost:99999", "x:99999"]


@pytest.mark.parametrize(("origin", "corrected"), MISTYPED_ORIGINS)
def test_a_mistyped_origin_is_corrected(origin, corrected):
    """The origin that the message says to write is one that a page can have."""
    with pytest.raises(ValueError, match=rf"Write {re.escape(repr(corrected))}"):
        Page(origin)
    assert Page(corrected).origin == corrected


@pytest.mark.parametrize("origin", NO_ORIGINS)
def test_what_is_no_origin_gets_an_example(origin):
    """Without a correction, the message has an example that is accepted."""
    with pytest.raises(ValueError, match=r"Write an origin such as 'https://app\.example\.com', or 'null'"):
        Page(origin)
