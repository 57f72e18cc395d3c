"""Which responses a browser stores, and which pages share a stored response."""

import httpx
import pytest

from asgi_cors.cli.check.cases.caches import is_stored
from asgi_cors.cli.doctor.evidence import ServerResponse

from .servers import ACAO, ALLOWED, PAGE, changed, has, mute, plus
from .test_cases import results

NOW = ("date", "Fri, 02 Jan 2026 00:00:00 GMT")
OLD = ("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], False),
        ([("cache-control", "max-age=60")], True),
        ([("cache-control", 'private, Max-Age="60"')], True),
        ([("cache-control", "max-age=0"), OLD], False),
        ([("cache-control", "s-maxage=60")], False),
        ([("cache-control", "no-cache, max-age=60")], False),
        ([("pragma", "no-cache"), OLD], False),
        ([("cache-control", "max-age=60"), ("age", "59")], True),
        ([("cache-control", "max-age=60"), ("age", "60")], False),
        ([("cache-control", "max-age=60"), ("age", "x")], True),
        ([NOW, OLD], True),
        ([OLD], True),
        ([NOW, ("last-modified", NOW[1])], False),
        ([NOW, ("last-modified", "yesterday")], False),
        ([NOW, OLD, ("cache-control", "must-revalidate")], False),
        ([NOW, OLD, ("expires", "0")], False),
        ([NOW, OLD, ("expires", OLD[1])], False),
        ([OLD, ("expires", NOW[1])], False),
        ([NOW, ("expires", "Sat, 03 Jan 2026 00:00:00 -0000")], True),
    ],
)
def test_a_response_is_stored_if_it_is_fresh(headers, expected):
    request = httpx.Request("GET", "http://127.0.0.1:9/items")
    assert is_stored(ServerResponse(request, httpx.Response(200, headers=headers))) is expected


def test_only_a_200_is_stored():
    request = httpx.Request("GET", "http://127.0.0.1:9/items")
    response = httpx.Response(404, headers={"cache-control": "max-age=60"})
    assert not is_stored(ServerResponse(request, response))


@pytest.mark.parametrize(
    ("allow", "status"),
    [
        ((PAGE, "https://admin.example.com:8443"), "failed"),
        ((PAGE, "https://partner.example.org", "https://admin.example.com:8443"), "failed"),
        ((PAGE, "https://partner.example.org"), "skipped"),
        (("capacitor://localhost", "null"), "skipped"),
    ],
)
def test_a_browser_has_a_cache_for_each_site(allow, status):
    def server(request):
        headers = [("cache-control", "max-age=9"), ("access-control-allow-credentials", "true")]
        return httpx.Response(200, headers=[*headers, (ACAO, request.headers.get("origin", "*"))])

    assert results(server, ["cache-other-origin"], allow=allow)["cache-other-origin"][0] == status


@pytest.mark.parametrize("value", ["", "false", "https://first.example.com"])
def test_a_fixed_value_for_refused_origins_is_not_sent_back(value):
    server = changed(lambda request: request.headers.get("origin") not in ALLOWED, plus((ACAO, value)))
    found = results(server, ["forged-*"])
    assert {status for status, _ in found.values()} == {"passed"}


def test_a_declared_origin_is_no_other_site():
    allow = ("https://asgi-cors-check.example",)
    server = changed(has("origin", allow[0]), lambda pairs: [*mute(pairs), (ACAO, allow[0])])
    assert results(server, ["origin-other-site"], allow=allow, credentials=False)["origin-other-site"] == (
        "skipped",
        "https://asgi-cors-check.example is declared.",
    )
