"""A wrong name or value of an option of `fetch()` raises ScriptError, with the correction."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from asgi_cors.testing import AsyncPage, Page, ScriptError
from tests.support.page_apps import API, ORIGIN, WSGIEcho, allowed

ALLOWED = allowed(
    ("access-control-allow-methods", "*"),
    ("access-control-allow-headers", "*, authorization"),
    ("access-control-allow-credentials", "true"),
)
URL = f"{API}/items?b=2"


def hint_for(url: Any = URL, **init: Any) -> str:
    """Fetch with wrong options, check that nothing was sent, and return the message."""
    app = WSGIEcho(ALLOWED)
    with Page(ORIGIN, app=app) as page, pytest.raises(ScriptError) as caught:
        page.fetch(url, **init)
    assert app.environs == []
    return str(caught.value)


def follow(hint: str, init: dict[str, Any], **names: Any) -> Any:
    """Fetch with the options of the hint, and return the environ of the request."""
    option = re.search(r"[Ww]rite ((?:method|content|json|headers|redirect|credentials|upload_listener)=.*?)\.?$", hint)
    options = eval(f"dict({option[1]})", names) if option else {}  # noqa: S307 - the hint is the test's
    app = WSGIEcho(ALLOWED)
    with Page(ORIGIN, app=app) as page:
        page.fetch(URL, **{**init, **options})
    return app.environs[-1]


@pytest.mark.parametrize(
    ("name", "closest"),
    [
        ("credential", "credentials"),
        ("header", "headers"),
        ("metod", "method"),
        ("uploadListener", "upload_listener"),
        ("redirects", "redirect"),
        ("time_out", "timeout"),
        ("contents", "content"),
    ],
)
def test_the_error_for_an_unknown_option_names_the_closest_one(name, closest):
    """Letter case and underscores do not count."""
    assert hint_for(**{name: 1}) == f"fetch() has no option {name!r}. Did you mean {closest!r}?"


def test_the_error_for_an_unknown_option_lists_all_options_if_none_is_close():
    """In the order of the documentation."""
    assert hint_for(xyz=1).startswith("fetch() has no option 'xyz'. Write one of method, headers, content, json,")


@pytest.mark.parametrize(
    ("name", "value", "url"),
    [
        ("params", {"a": "1 2"}, f"{API}/items?b=2&a=1+2"),
        ("params", [("a", "1"), ("a", "2")], f"{API}/items?b=2&a=1&a=2"),
        ("query_string", "a=1", f"{API}/items?b=2&a=1"),
        ("params", 5, f"{API}/items?name=value"),
    ],
)
def test_the_hint_for_params_is_the_url_with_its_query(name, value, url):
    """The message has the URL to write."""
    hint = hint_for(**{name: value})
    assert f"Write the query into the URL: {url!r}." in hint
    assert Page(ORIGIN, app=WSGIEcho(ALLOWED)).fetch(url).ok


@pytest.mark.parametrize(
    ("name", "value", "body"),
    [
        ("data", {"a": "1", "b": ["2", "é"]}, b"a=1&b=2&b=%C3%A9"),
        ("data", [("a", "1")], b"a=1"),
        ("form", {"a": "1"}, b"a=1"),
        ("data", 5, b"name=value"),
    ],
)
@pytest.mark.parametrize("init", [{}, {"method": "PUT"}], ids=["GET", "PUT"])
def test_the_hint_for_a_form_is_encoded_content(name, value, body, init):
    """The message has the encoded form, and its content-type."""
    environ = follow(hint_for(**{name: value}, **init), init)
    assert environ["REQUEST_METHOD"] == init.get("method", "POST")
    assert (environ["body"], environ["CONTENT_TYPE"]) == (body, "application/x-www-form-urlencoded")


@pytest.mark.parametrize("value", ["text", b"bytes"])
def test_the_hint_for_a_raw_body_is_content(value):
    """The clients httpx and requests accept text and bytes as `data`."""
    assert follow(hint_for(data=value), {})["body"] == (value if isinstance(value, bytes) else value.encode())


@pytest.mark.parametrize("data", [{}, {"data": {"a": "1"}}], ids=["files", "files and data"])
@pytest.mark.parametrize("order", [1, -1])
def test_the_hint_for_files_encodes_them_by_httpx(data, order):
    """The message has the two lines to write."""
    given = dict(list({"files": {"file": ("a.txt", b"abc")}, **data}.items())[::order])
    hint = hint_for(**given)
    form = eval(re.search(r"form = (.*?\))\. ", hint)[1], {"httpx": httpx, "url": URL, **given})  # noqa: S307 - the hint is the test's
    environ = follow(hint, {}, form=form)
    assert environ["CONTENT_TYPE"].startswith("multipart/form-data; boundary=")
    assert b'filename="a.txt"' in environ["body"]
    assert (b'name="a"' in environ["body"]) is bool(data)


@pytest.mark.parametrize(
    ("value", "hint"),
    [("x", "method='POST', content="), (b"x", "method='POST', content="), ({"a": 1}, "method='POST', json=")],
)
def test_the_hint_for_body_is_content_or_json(value, hint):
    """JavaScript's `fetch()` calls both `body`."""
    assert f"Write {hint} instead." in hint_for(body=value)


@pytest.mark.parametrize("value", [{"sid": "1"}, 5])
def test_the_hint_for_cookies_sets_them_on_the_page(value):
    """The message has the option of the page to write."""
    hint = hint_for(cookies=value)
    cookies = eval(re.search(r"cookies=(\{.*?\})\)", hint)[1])  # noqa: S307 - the hint is the test's
    app = WSGIEcho(ALLOWED)
    Page(ORIGIN, app=app, cookies=cookies).fetch(API, credentials="include")
    assert "credentials='include'" in hint
    assert app.environs[-1]["HTTP_COOKIE"] == "sid=1"


@pytest.mark.parametrize(
    ("init", "expected"),
    [
        ({"auth": ("user", "word")}, {"HTTP_AUTHORIZATION": "Basic dXNlcjp3b3Jk"}),
        ({"auth": "word"}, {"HTTP_AUTHORIZATION": "Bearer token"}),
        ({"content_type": "text/csv"}, {"CONTENT_TYPE": "text/csv"}),
        ({"on_upload_progress": print}, {"REQUEST_METHOD": "GET"}),
        ({"withCredentials": True}, {"REQUEST_METHOD": "GET"}),
        ({"allow_redirects": False}, {"REQUEST_METHOD": "GET"}),
    ],
    ids=", ".join,
)
def test_the_options_in_a_hint_are_accepted(init, expected):
    """They have the effect that the wrong option means."""
    hint = hint_for(**init)
    assert "rite " in hint
    assert follow(hint, {}).items() >= expected.items()


@pytest.mark.parametrize(
    ("init", "hint"),
    [
        ({"params": None}, "Leave it out."),
        ({"withCredentials": True}, "Write credentials='include'."),
        ({"with_credentials": False}, "Leave it out: credentials='same-origin' is the default."),
        ({"follow_redirects": True}, "Leave it out: redirects are followed."),
        ({"follow_redirects": False}, "Write redirect='manual'."),
        ({"onUploadProgress": print}, "Write upload_listener=True."),
        ({"verify": False}, "or AsyncPage(..., transport=httpx.AsyncHTTPTransport(verify=...))."),
        ({"max_redirects": 5}, "It is an option of the page: write Page(..., follow=...)."),
        ({"signal": object()}, "Leave it out; timeout=5 ends the fetch after 5 seconds."),
        ({"referrerPolicy": "origin"}, "Write referrer_policy= instead."),
        ({"enctype": "text/plain"}, "It is an option of submit(), which sends a form."),
        ({"keepalive": True}, "Leave it out: it has no effect here."),
        ({"extensions": {}}, "Leave it out: it has no effect here."),
        ({"engine": "firefox"}, "It is an option of the page: write Page(..., engine=...)."),
        ({"base_url": API}, "It is an option of the page: write Page(..., base_url=...)."),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, dict) else "",
)
def test_the_error_for_an_option_of_another_client_has_a_hint(init, hint):
    """The names are those of httpx, requests, axios, test clients and JavaScript."""
    assert hint_for(**init).endswith(hint)


@pytest.mark.parametrize(
    ("init", "message"),
    [
        (
            {"headers": "x"},
            "headers='x' is not a mapping of names to values. Write headers={'x-request-id': '1'}, or pairs.",
        ),
        ({"headers": None}, "headers=None is not a mapping. Write headers={}, or leave it out."),
        ({"headers": {"x-a": 1}}, "header 'x-a': 1 is not text. Write '1'."),
        ({"method": None}, "method=None is not text. Write method='GET', or leave it out."),
        ({"method": 5}, "method=5 is not text. Write method='GET', or leave it out."),
        ({"credentials": True}, "credentials=True is not known. Write one of 'omit', 'same-origin', 'include'."),
        ({"mode": None}, "mode=None is not known. Write one of 'cors', 'no-cors', 'same-origin'."),
        ({"mode": ["cors"]}, "mode=['cors'] is not known. Write one of 'cors', 'no-cors', 'same-origin'."),
        ({"method": "POST", "json": 1, "content": "x"}, "content and json are both given; write one."),
        ({"url": None}, "url=None is not text. Write a URL such as 'https://api.test/items'."),
        ({"url": b"https://api.test"}, "url=b'https://api.test' is not text. Write a URL such as"),
        ({"timeout": "5"}, "timeout='5' is not a number of seconds. Write timeout=30, or leave it out."),
        ({"timeout": -1}, "timeout=-1 is not a number of seconds. Write timeout=30, or leave it out."),
        ({"timeout": float("nan")}, "timeout=nan is not a number of seconds."),
        ({"timeout": 10**400}, "timeout=1000"),
        ({"stream": b"x"}, "stream=b'x' is not True or False. Write stream=True, or leave it out. A body is sent by"),
        (
            {"upload_listener": print},
            "upload_listener=<built-in function print> is not True or False. Write upload_listene",
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
async def test_an_option_of_the_wrong_type_is_a_script_error(init, message):
    """In both kinds of page. Nothing is sent."""
    init = {"url": URL, **init}
    assert hint_for(**init).startswith(message)
    with pytest.raises(ScriptError, match=re.escape(message)):
        await AsyncPage(ORIGIN).fetch(**init)


@pytest.mark.parametrize("url", [None, 5, b"wss://api.test"])
async def test_the_url_of_a_websocket_must_be_text(url):
    """In both kinds of page."""
    with pytest.raises(ScriptError, match="is not text"):
        Page(ORIGIN).websocket(url)
    with pytest.raises(ScriptError, match="is not text"):
        await AsyncPage(ORIGIN).websocket(url)


@pytest.mark.parametrize("name", ["data", "form"])
@pytest.mark.parametrize("value", [[("a", "b", "c")], [("a",)], {"a": "\ud800"}, 3])
def test_the_hint_for_a_form_that_cannot_be_encoded_is_an_example(name, value):
    """A pair of three, half of a surrogate pair, a number."""
    assert "content='name=value', headers=" in hint_for(**{name: value})


def test_the_error_for_a_value_that_has_no_truth_value_names_the_closest_option():
    """Such as an array of NumPy."""

    class Array:
        def __bool__(self):
            raise ValueError("ambiguous")

    assert hint_for(withCredentials=Array()).endswith("Did you mean 'credentials'?")
