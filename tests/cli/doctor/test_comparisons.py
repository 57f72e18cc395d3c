"""The comparisons of the doctor: the requests that it sends, and the sentences about what they show."""

import pytest

from tests.cli.corpus.comparisons import cache_by_url, refusing, to_a_cdn
from tests.cli.corpus.raw import ACAO, PAGE, PAGE_ALLOWED, PREFLIGHT_ALLOWED, sends, splits
from tests.cli.corpus.serving import Response, serving
from tests.support.command_line import run


def diagnosis(behaviour, *arguments):
    """Return the doctor's JSON, and the requests that the server received."""
    with serving(behaviour) as server:
        ran = run("doctor", f"{server.url}/items", "-o", PAGE, "--json", *arguments)
    return ran.json, server.requests


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_an_unsafe_method_is_sent_once_however_many_comparisons_follow(method):
    found, requests = diagnosis(splits(PREFLIGHT_ALLOWED, Response(500)), "-X", method)
    assert found["cause"] is not None
    assert [request.method for request in requests].count(method) <= 1
    assert {request.method for request in requests} <= {"GET", "OPTIONS", method}


def test_a_comparison_repeats_the_headers_and_cookies_of_the_request():
    _, requests = diagnosis(sends(401), "-H", "Accept: text/csv", "-c", "--cookie", "sid=1")
    without = [request for request in requests if request.method == "GET" and not request.origin]
    assert [(request.headers["accept"], request.headers["cookie"]) for request in without] == [("text/csv", "sid=1")]


def test_the_sentence_names_both_responses_of_a_comparison():
    found, _ = diagnosis(refusing(403, own=200, without_origin=403))
    assert "The response to GET is 403 for this origin, and 200 for http://127.0.0.1" in found["cause"]["sentence"]
    assert "or the check fails" not in found["cause"]["sentence"]
    found, _ = diagnosis(refusing(403))
    assert "and 200 without Origin. Either no tested origin is in the list" in found["cause"]["sentence"]


@pytest.mark.parametrize(
    ("behaviour", "text"),
    [
        (splits(PREFLIGHT_ALLOWED, Response(500)), "The response to a preflight allows this origin."),
        (sends(500), "a CORS check that refuses by an error is possible, too"),
        (sends(401), "No response shows whether this origin is allowed"),
    ],
)
def test_an_error_says_which_causes_are_open(behaviour, text):
    assert text in diagnosis(behaviour)[0]["cause"]["sentence"]


@pytest.mark.parametrize(
    ("headers", "arguments", "text"),
    [
        ([], [], "is not enough: it does not allow this page either (200)"),
        ([(ACAO, "*")], ["-H", "x-id: 7"], ""),
        ([(ACAO, PAGE)], [], "it allows this page"),
        ([], ["--no-probes"], "itself if it allows the page"),
    ],
)
def test_a_redirect_to_another_origin_says_whether_the_target_allows_the_page(headers, arguments, text):
    found, _ = diagnosis(to_a_cdn(*headers), *arguments)
    assert text in (found["cause"]["remedy"] if found["cause"] else "")


def test_a_cache_is_tested_at_a_url_that_no_user_requests():
    found, requests = diagnosis(cache_by_url())
    assert "Age" not in found["risks"][0]["sentence"]
    assert "allows 'https://asgi-cors-doctor.example' (age: 3)" in found["risks"][0]["sentence"]
    fresh = [request.target for request in requests if "?" in request.target]
    assert len(fresh) == 2
    assert len(set(fresh)) == 1
    assert diagnosis(cache_by_url())[1][-1].target != fresh[0]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([PAGE, PAGE], "One app can send both, or two layers: no response shows which."),
        (["*", PAGE], "'*' is the same for every origin, 'https://app.example.com' depends on it."),
    ],
)
def test_a_header_that_is_sent_twice_is_not_called_two_layers_without_a_fact(values, text):

    def respond(request):
        if request.path != "/items" or request.origin != PAGE:
            return Response(200, [(ACAO, value) for value in values if value == "*"])
        return Response(200, [(ACAO, value) for value in values])

    assert text in diagnosis(respond)[0]["cause"]["sentence"]


def test_the_layer_before_the_routes_is_known_by_an_unknown_path():

    def respond(request):
        proxy = ((ACAO, "*"), ("Server", "nginx/1.25"))
        return Response(200, (*proxy, (ACAO, PAGE))) if request.path == "/items" else Response(404, proxy)

    sentence = diagnosis(respond)[0]["cause"]["sentence"]
    assert "At an unknown path (404), only '*' is sent, so nginx before the routes sends it" in sentence


def test_the_same_value_of_two_layers_is_attributed_by_an_unknown_path():
    twice, once = Response(200, ((ACAO, PAGE), (ACAO, PAGE))), Response(404, ((ACAO, PAGE),))
    sentence = diagnosis(lambda request: twice if request.path == "/items" else once)[0]["cause"]["sentence"]
    assert "a layer before the routes sends it, and the route sends the other one." in sentence


def test_a_healthy_response_is_compared_with_no_preflight():
    _, requests = diagnosis(lambda _: PAGE_ALLOWED)
    assert {request.method for request in requests} == {"GET"}
