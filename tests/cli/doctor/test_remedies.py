"""The remedies of the doctor: what they propose, and what they never propose."""

import httpx
import pytest

from asgi_cors.cli.doctor.collect import collect_evidence
from asgi_cors.cli.doctor.diagnosis import diagnose
from asgi_cors.cli.doctor.question import Question
from asgi_cors.cli.doctor.rules.lists import list_remedy, with_names
from tests.cli.corpus.raw import ACAC, ACAH, ACAM, ACAO, ACEH, PAGE, PAGE_ALLOWED, allowing, sends, splits
from tests.cli.corpus.serving import Response, serving
from tests.support.command_line import run
from tests.support.remedies import build_every_policy, parse_options

PAGE_ON_LOCALHOST = "http://localhost:3000"


def diagnosed(behaviour, *arguments: str, origin: str = PAGE):
    """Run the doctor on a server, and return its report as JSON."""
    with serving(behaviour) as server:
        report = run("doctor", f"{server.url}/items", "-o", origin, *arguments, "--json").json
    build_every_policy(report)
    return report


def redirected(location: str, method: str = "GET"):
    """Return the cause for a page on localhost whose request is redirected from https to http."""

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.scheme == "https" and request.url.path == "/items":
            return httpx.Response(307, headers={"location": location, "access-control-allow-origin": "*"})
        return httpx.Response(200, headers={"access-control-allow-origin": PAGE_ON_LOCALHOST})

    question = Question(url="https://127.0.0.1/items", origin=PAGE_ON_LOCALHOST, method=method)
    cause = diagnose(collect_evidence(question, httpx.MockTransport(respond))).cause
    assert cause
    return cause


# -- the whole list


@pytest.mark.parametrize(
    ("headers", "arguments", "option"),
    [
        ([(ACAM, "PUT, DELETE")], ["-X", "PATCH"], {"allow_methods": ["PUT", "DELETE", "PATCH"]}),
        ([], ["-X", "PATCH"], {"allow_methods": ["PATCH"]}),
        ([(ACAM, "put, DELETE")], ["-X", "PUT"], {"allow_methods": ["DELETE", "PUT"]}),
        ([(ACAM, "GET, TRACE")], ["-X", "PUT"], {"allow_methods": ["GET", "PUT"]}),
        ([(ACAM, "GET")], ["-X", "patch"], {"allow_methods": ["GET", "PATCH"]}),
        ([(ACAM, "*"), (ACAC, "true")], ["-X", "PUT", "-c"], {"allow_methods": ["PUT"]}),
        ([(ACAM, "GET; POST")], ["-X", "PUT"], {"allow_methods": ["GET", "POST"]}),
        ([(ACAH, "Origin, X-A, Cookie")], ["-H", "x-b: 1"], {"allow_headers": ["X-A", "x-b"]}),
        ([(ACAH, "x-a, *"), (ACAC, "true")], ["-c", "-H", "x-b: 1"], {"allow_headers": ["x-a", "x-b"]}),
        ([(ACAH, "x-a")], ["-H", "content-type: application/json", "-H", "x-b: 1"], {"allow_headers": ["x-a", "x-b"]}),
    ],
)
def test_the_option_has_the_allowed_names_and_the_refused_ones(headers, arguments, option):
    cause = diagnosed(splits(allowing(*headers), PAGE_ALLOWED), *arguments)["cause"]
    assert parse_options(cause["policy"]) == option


def test_the_header_to_send_has_the_whole_list():
    cause = diagnosed(splits(allowing((ACAM, "PUT, DELETE")), PAGE_ALLOWED), "-X", "PATCH")["cause"]
    assert "'Access-Control-Allow-Methods: PUT, DELETE, PATCH'" in cause["remedy"]


def test_a_method_that_no_policy_accepts_in_lower_case_is_corrected_in_the_script():
    cause = diagnosed(splits(allowing((ACAM, "GET")), PAGE_ALLOWED), "-X", "patch")["cause"]
    assert cause["remedy"].startswith("In the script write method: 'PATCH'. Send ")


def test_a_right_list_is_not_changed_for_a_method_in_lower_case():
    cause = diagnosed(splits(allowing((ACAM, "PATCH")), PAGE_ALLOWED), "-X", "patch")["cause"]
    assert (cause["remedy"], cause["policy"]) == ("In the script write method: 'PATCH'.", "")


def test_json_alone_needs_no_option():
    arguments = ["-X", "POST", "-H", "content-type: application/json"]
    cause = diagnosed(splits(allowing(), PAGE_ALLOWED), *arguments)["cause"]
    assert (cause["policy"], cause["advice"]) == ("", "A policy always allows content-type.")


def test_exposed_headers_stay_exposed():
    behaviour = sends(200, (ACAO, PAGE), (ACEH, "etag, *, Set-Cookie"), (ACAC, "true"), ("x-id", "1"))
    cause = diagnosed(behaviour, "-r", "x-id", "-c")["cause"]
    assert cause["remedy"].endswith("'Access-Control-Expose-Headers: etag, x-id'.")
    assert parse_options(cause["policy"]) == {"expose_headers": ["etag", "x-id"]}


def test_names_are_joined_once():
    assert with_names(["GET", "PUT"], ["PUT", "*"], credentials=False) == ["GET", "PUT", "*"]
    assert list_remedy("access-control-allow-headers", ["cookie"]).options == ""


def test_a_server_without_cors_needs_all_headers_of_the_request():
    arguments = ["-X", "PUT", "-c", "-H", "x-id: 7", "-H", "content-type: application/json"]
    cause = diagnosed(sends(), *arguments)["cause"]
    assert cause["remedy"] == (
        f"Send 'Access-Control-Allow-Origin: {PAGE}', 'Access-Control-Allow-Credentials: true' and 'Vary: Origin'. In"
        " the response to OPTIONS, also send 'Access-Control-Allow-Methods: PUT' and 'Access-Control-Allow-Headers:"
        " content-type, x-id'."
    )
    assert parse_options(cause["policy"]) == {
        "allow_origins": [PAGE], "allow_credentials": True, "allow_methods": ["PUT"], "allow_headers": ["x-id"],
    }  # fmt: skip


# -- no remedy that a policy refuses


def test_credentials_over_http_have_advice_without_options():
    cause = diagnosed(sends(), "-c", origin="http://app.example.com")["cause"]
    assert cause["policy"] == ""
    assert "Serve the page over https, and allow 'https://app.example.com'." in cause["advice"]


def test_an_origin_over_http_without_credentials_is_an_option():
    cause = diagnosed(sends(), origin="http://app.example.com")["cause"]
    assert parse_options(cause["policy"]) == {"allow_origins": ["http://app.example.com"]}


def test_the_origin_null_has_advice_without_options():
    cause = diagnosed(sends(200, (ACAO, "null")), "-c", origin="null")["cause"]
    assert (cause["policy"], cause["recipe"]) == ("", "")
    assert "Serve the page from an origin of its own" in cause["advice"]


def test_a_pattern_that_a_policy_refuses_has_advice_without_options():
    cause = diagnosed(sends(200, (ACAO, "https://*.com"), (ACAC, "true")), "-c")["cause"]
    assert (cause["name"], cause["policy"]) == ("origin-is-a-pattern", "")
    assert cause["advice"] == "A policy refuses 'https://*.com'. Name the origins in full."


def test_set_cookie_cannot_be_exposed():
    cause = diagnosed(sends(200, (ACAO, PAGE), ("Set-Cookie", "a=1")), "-r", "Set-Cookie")["cause"]
    assert (cause["name"], cause["policy"]) == ("header-not-exposed", "")
    assert "Browsers show it to no script" in cause["sentence"]


# -- a response header in the request


def test_a_response_header_is_removed_from_the_script():
    behaviour = splits(allowing((ACAH, "x-a")), PAGE_ALLOWED)
    cause = diagnosed(behaviour, "-H", "Access-Control-Allow-Origin: *")["cause"]
    assert cause["name"] == "response-header-in-request"
    assert cause["remedy"].startswith("Remove access-control-allow-origin from the headers in the script.")
    assert (cause["policy"], cause["recipe"]) == ("", "")


def test_the_other_headers_are_allowed_next_to_a_response_header():
    arguments = ["-H", "Access-Control-Allow-Origin: *", "-H", "Access-Control-Allow-Methods: *", "-H", "x-b: 1"]
    report = diagnosed(splits(allowing((ACAH, "x-a")), PAGE_ALLOWED), *arguments)
    cause = report["cause"]
    assert "They are response headers" in cause["sentence"]
    assert parse_options(cause["policy"]) == {"allow_headers": ["x-a", "x-b"]}
    assert report["risks"] == []


def test_a_response_header_in_the_request_is_a_risk_next_to_another_cause():
    report = diagnosed(splits(Response(405), Response()), "-H", "Access-Control-Allow-Origin: *")
    assert report["cause"]["name"] == "preflight-not-routed"
    assert [risk["name"] for risk in report["risks"]] == ["response-header-in-request"]


# -- a refusal by status


@pytest.mark.parametrize(
    ("reason", "arguments", "option"),
    [
        ("origin", ["-X", "PUT"], {"allow_origins": [PAGE]}),
        ("method", ["-X", "PUT"], {"allow_methods": ["GET", "DELETE", "PUT"]}),
        ("headers", ["-X", "PUT", "-H", "x-b: 1"], {"allow_headers": ["Accept", "x-a", "x-b"]}),
    ],
)
def test_starlettes_reason_decides_the_option(reason, arguments, option):
    refused = allowing((ACAM, "GET, DELETE"), (ACAH, "Accept, x-a"), status=400)
    refused = Response(400, refused.headers, f"Disallowed CORS {reason}".encode())
    cause = diagnosed(splits(refused, PAGE_ALLOWED), *arguments)["cause"]
    assert cause["name"] == "refused-by-status"
    assert parse_options(cause["policy"]) == option


# -- a redirect to http behind a proxy that terminates TLS


def test_a_lost_scheme_is_forwarded_and_the_http_url_is_not_advised():
    cause = redirected("http://127.0.0.1/items/")
    assert cause.name == "redirected-to-http"
    assert "X-Forwarded-Proto" in cause.remedy
    assert "Or request https://127.0.0.1/items/, without the redirect." in cause.remedy
    assert "http://" not in cause.remedy


def test_a_lost_scheme_with_the_same_path_has_no_other_url():
    cause = redirected("http://127.0.0.1/items")
    assert "X-Forwarded-Proto" in cause.remedy
    assert "Or request" not in cause.remedy


def test_a_preflight_redirected_to_http_with_a_slash_is_requested_over_https():
    cause = redirected("http://127.0.0.1/items/", method="PUT")
    assert cause.name == "preflight-redirected-for-slash"
    assert cause.remedy.startswith("Request https://127.0.0.1/items/, ")
    assert "X-Forwarded-Proto" in cause.remedy


def test_a_preflight_redirected_to_http_only_needs_the_scheme():
    cause = redirected("http://127.0.0.1/items", method="PUT")
    assert cause.name == "redirected-to-http"
    assert "X-Forwarded-Proto" in cause.remedy


def test_a_refusal_that_names_the_method_and_the_headers_is_answered_for_both():
    def refuse(_):
        return Response(400, ((ACAO, PAGE), (ACAM, "GET")), b"Disallowed CORS method, headers")

    cause = diagnosed(refuse, "-X", "PUT", "-H", "x-id: 7")["cause"]
    assert "PUT" in cause["remedy"]
    assert "x-id" in cause["remedy"]
    assert cause["policy"] == "allow_methods=['GET', 'PUT'], allow_headers=['x-id']"


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("https://shop.example.net", ["https://shop.example.net", PAGE]),
        (f"https://a.example.com, {PAGE}", ["https://a.example.com", PAGE]),
        (f"['https://a.example.com', '{PAGE}']", ["https://a.example.com", PAGE]),
        (f"{PAGE}/", [PAGE]),
    ],
)
def test_the_origins_that_are_allowed_today_stay_in_the_list(value, origins):
    assert diagnosed(sends(200, (ACAO, value)))["cause"]["policy"] == f"allow_origins={origins!r}"
