"""A mistake in an option: one line that says what to write, and that works."""

import re
import shlex

import pytest

from tests.cli.corpus.raw import ACAO, ACEH, PAGE, sends
from tests.cli.corpus.serving import serving
from tests.support.command_line import run

COULD_NOT_RUN = 2

MISTAKES = [
    # the mistake, and the options to write
    (["-r", "x id"], "-r x,id"),
    (["-r", "x-id: 7"], "-r x-id"),
    (["-r", ","], "-r x-total-count"),
    (["-r", "x-id;x-b"], "-r x-id,x-b"),
    (["-r", "{}"], "-r x-total-count"),
    (["--cookie", "sid"], "--cookie 'sid=1'"),
    (["--cookie", "sid=7; Path=/; HttpOnly"], "--cookie 'sid=7'"),
    (["--cookie", ""], "--cookie 'sid=1'"),
    (["-H", ": 7"], "-H 'x-request-id: 7'"),
    (["-H", "x-id=7"], "-H 'x-id: 7'"),
    (["-H", "x-id,x-b"], "-H x-id -H x-b"),
    (["-H", "x id: 7"], "-H 'x-request-id: 7'"),
    (["-H", "Cookie: sid=7"], "--cookie 'sid=7' --credentials"),
    (["-H", "Origin: https://a.test"], "-o https://a.test"),
    (["-H", "Access-Control-Request-Method: PUT"], "-X PUT"),
    (["-X", "PUT,DELETE"], "-X PUT"),
    (["-X", ""], "-X PUT"),
    (["-X", "{}"], "-X PUT"),
    (["--timeout", "0"], "--timeout 10"),
    (["--timeout", "soon"], "--timeout 10"),
]


@pytest.mark.parametrize(
    ("mistake", "options"), MISTAKES, ids=lambda value: " ".join(value) if value[0] == "-" else value
)
def test_a_mistake_is_reported_with_options_that_work(mistake, options):
    with serving(sends(200, (ACAO, "*"), ("Access-Control-Allow-Methods", "*"), (ACEH, "*"))) as server:
        ran = run("doctor", server.url, "-o", PAGE, *mistake)
        assert (ran.code, ran.out, ran.err.count("\n")) == (COULD_NOT_RUN, "", 1)
        assert f"Write {options}." in ran.err
        assert run("doctor", server.url, "-o", PAGE, *shlex.split(options), "--json").code != COULD_NOT_RUN


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            [],
            "Missing argument 'URL'. Write asgi-cors doctor https://api.example.com/items -o https://app.example.com.",
        ),
        (["https://api.test"], "Missing option '--origin' / '-o'. Write -o https://app.example.com."),
        (["https://api.test", "-o", PAGE, "--wrong"], "Write asgi-cors doctor --help."),
        (["https://api.test", "https://b.test", "-o", PAGE], "unexpected extra argument"),
        (["https://api.test", "-o", PAGE, "-d", "x"], "a GET has no body. Write -X POST, or leave --data out."),
        (["https://api.test", "-o", PAGE, "-X", "trace"], "browsers refuse this method to scripts"),
        (["https://u:p@api.test/x?y=1", "-o", PAGE], "Write 'https://api.test/x?y=1'."),
    ],
)
def test_a_wrong_use_is_reported_in_one_line(arguments, text):
    ran = run("doctor", *arguments)
    assert (ran.code, ran.out, ran.err.count("\n")) == (COULD_NOT_RUN, "", 1)
    assert text in ran.err


def test_names_of_response_headers_may_be_a_list():
    with serving(sends(200, (ACAO, "*"), (ACEH, "x-a"), ("x-a", "1"), ("x-b", "2"))) as server:
        ran = run("doctor", server.url, "-o", PAGE, "-r", "X-A, x-b", "-r", "x-a", "--json")
    assert ran.json["question"]["reads"] == ["x-a", "x-b"]
    assert ran.json["cause"]["name"] == "header-not-exposed"
    assert re.search(r"reads null for x-b\b", ran.json["cause"]["sentence"])


def test_cookies_may_be_a_list_as_in_the_header():
    with serving(sends(200, (ACAO, PAGE), ("Access-Control-Allow-Credentials", "true"))) as server:
        run("doctor", server.url, "-o", PAGE, "-c", "--cookie", "Cookie: a=1; b=2", "--no-probes")
    assert server.requests[0].headers["cookie"] == "a=1; b=2"
