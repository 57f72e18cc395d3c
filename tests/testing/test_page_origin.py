"""The error for a mistyped origin of a page has the correction."""

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
def test_the_hint_for_a_mistyped_origin_is_the_corrected_one(origin, corrected):
    """A page accepts the corrected origin."""
    with pytest.raises(ValueError, match=rf"Write {re.escape(repr(corrected))}"):
        Page(origin)
    assert Page(corrected).origin == corrected


@pytest.mark.parametrize("origin", NO_ORIGINS)
def test_the_hint_for_a_text_unlike_an_origin_is_an_example(origin):
    """A page accepts the example."""
    with pytest.raises(ValueError, match=r"Write an origin such as 'https://app\.example\.com', or 'null'"):
        Page(origin)
