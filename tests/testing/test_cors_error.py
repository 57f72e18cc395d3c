"""A CORSError has the code of Chromium's DevTools, the console message of each browser, the cause and the remedy."""

from __future__ import annotations

import copy
import json
import pathlib
import pickle
import re
from typing import Any, NamedTuple

import httpx
import pytest

from asgi_cors.testing import CORSError, Page

DATA = pathlib.Path(__file__).parent.parent / "data" / "console-messages.json"
CASES: dict[str, Any] = {case["case"]: case for case in json.loads(DATA.read_text(encoding="utf-8"))["cases"]}

PAGE, API, THIRD = "http://app.example.com", "http://api.example.net/URL", "http://third.example.org/URL"
ALLOWED = {"access-control-allow-origin": PAGE}
STAR = {"access-control-allow-origin": "*"}
CUSTOM: dict[str, Any] = {"headers": [("x-custom", "1")]}
JSON: dict[str, Any] = {"method": "POST", "json": {}}
PUT: dict[str, Any] = {"method": "PUT"}
INCLUDE: dict[str, Any] = {"credentials": "include"}

Headers = dict[str, str] | list[tuple[str, str]]


class Scenario(NamedTuple):
    """The arguments of a fetch, and the server's responses to the preflight and to the request."""

    init: dict[str, Any]
    main: Headers = STAR
    pre: Headers = STAR
    main_status: int = 200
    pre_status: int = 204
    location: str = ""


def acao(*values: str) -> list[tuple[str, str]]:
    """Return a line of Access-Control-Allow-Origin for each value."""
    return [("access-control-allow-origin", value) for value in values]


SCENARIOS = {
    "acao_missing_200 fetch": Scenario({}, {}),
    "acao_missing_500 fetch": Scenario({}, {}, main_status=500),
    "acao_missing_404 fetch": Scenario({}, {}, main_status=404),
    "acao_mismatch fetch": Scenario({}, acao("http://other.example.com")),
    "acao_trailing_slash": Scenario({}, acao(f"{PAGE}/")),
    "acao_no_scheme": Scenario({}, acao("app.example.com")),
    "acao_empty": Scenario({}, acao("")),
    "acao_uppercase": Scenario({}, acao(PAGE.upper())),
    "acao_wildcard_subdomain": Scenario({}, acao("http://*.example.com")),
    "acao_true_text": Scenario({}, acao("true")),
    "acao_None_text": Scenario({}, acao("None")),
    "acao_list_comma": Scenario({}, acao(f"{PAGE}, http://b.example.com")),
    "acao_list_space": Scenario({}, acao(f"{PAGE} http://b.example.com")),
    "acao_dup_diff": Scenario({}, acao("*", PAGE)),
    "acao_dup_same": Scenario({}, acao(PAGE, PAGE)),
    "acao_dup_star": Scenario({}, acao("*", "*")),
    "acao_star_creds fetch": Scenario(INCLUDE, STAR),
    "acac_missing fetch": Scenario(INCLUDE, ALLOWED),
    "acac_True_capital": Scenario(INCLUDE, {**ALLOWED, "access-control-allow-credentials": "True"}),
    "acac_dup": Scenario(
        INCLUDE,
        [*ALLOWED.items(), ("access-control-allow-credentials", "true"), ("access-control-allow-credentials", "true")],
    ),
    "pf_acao_missing_200": Scenario(PUT, pre={}, pre_status=200),
    "pf_acao_missing_404": Scenario(PUT, pre={}, pre_status=404),
    "pf_acao_missing_405": Scenario(PUT, pre={}, pre_status=405),
    "pf_acao_missing_400 (starlette disallowed origin)": Scenario(PUT, pre={}, pre_status=400),
    "pf_400_with_acao (starlette disallowed method/header)": Scenario(PUT, pre=ALLOWED, pre_status=400),
    "pf_404_with_acao": Scenario(PUT, pre=ALLOWED, pre_status=404),
    "pf_401_with_acao": Scenario(PUT, pre=ALLOWED, pre_status=401),
    "pf_redirect_307": Scenario(PUT, pre={**ALLOWED, "location": "/other"}, pre_status=307),
    "pf_redirect_301_noacao": Scenario(PUT, pre={"location": "/other"}, pre_status=301),
    "pf_acao_mismatch": Scenario(PUT, pre=acao("http://other.example.com")),
    "pf_acao_dup": Scenario(PUT, pre=acao("*", PAGE)),
    "pf_acao_star_creds": Scenario({**PUT, **INCLUDE}),
    "pf_acac_missing": Scenario({**PUT, **INCLUDE}, pre=ALLOWED),
    "pf_method_put": Scenario(PUT, pre={**STAR, "access-control-allow-methods": "GET, POST"}),
    "pf_method_delete_noacam": Scenario({"method": "DELETE"}),
    "pf_method_lowercase_put": Scenario(PUT, pre={**STAR, "access-control-allow-methods": "put"}),
    "pf_method_patch_lower_request": Scenario(
        {"method": "patch"}, pre={**STAR, "access-control-allow-methods": "PATCH"}
    ),
    "pf_acam_star_creds": Scenario(
        {**PUT, **INCLUDE},
        pre={**ALLOWED, "access-control-allow-credentials": "true", "access-control-allow-methods": "*"},
    ),
    "pf_acam_invalid": Scenario(PUT, pre={**STAR, "access-control-allow-methods": "GET; POST"}),
    "pf_acam_emptyelem": Scenario(PUT, pre={**STAR, "access-control-allow-methods": ",PUT,,"}),
    "pf_header_missing_acah": Scenario(JSON),
    "pf_header_custom": Scenario(CUSTOM, pre={**STAR, "access-control-allow-headers": "x-other"}),
    "pf_header_two": Scenario({"headers": [("x-custom", "1"), ("x-aaa", "2")]}),
    "pf_acah_star_creds": Scenario(
        {**CUSTOM, **INCLUDE},
        pre={**ALLOWED, "access-control-allow-credentials": "true", "access-control-allow-headers": "*"},
    ),
    "pf_acah_star_authorization": Scenario(
        {"headers": [("authorization", "a")]}, pre={**STAR, "access-control-allow-headers": "*"}
    ),
    "pf_acah_star_ok": Scenario(CUSTOM, pre={**STAR, "access-control-allow-headers": "*"}),
    "pf_acah_invalid": Scenario(CUSTOM, pre={**STAR, "access-control-allow-headers": "X-Custom; X-B"}),
    "pf_ok_res_noacao": Scenario(PUT, {}, pre={**STAR, "access-control-allow-methods": "PUT"}),
    "pf_ok_res_500_noacao": Scenario(PUT, {}, pre={**STAR, "access-control-allow-methods": "PUT"}, main_status=500),
    "redirect_samehost_noacao": Scenario({}, {}, main_status=302, location="/other"),
    "redirect_cross_origin_null": Scenario({}, ALLOWED, main_status=302, location=THIRD),
    "redirect_userinfo": Scenario({}, STAR, main_status=302, location="http://u:p@api.example.net/x"),
    "redirect_pf_request_cross": Scenario(
        CUSTOM, ALLOWED, pre={**ALLOWED, "access-control-allow-headers": "x-custom"}, main_status=302, location=THIRD
    ),
    "no_cors opaque": Scenario({"mode": "no-cors"}, {}),
    "expose_star_authorization": Scenario({}, {**STAR, "access-control-expose-headers": "*"}),
}
# XMLHttpRequest and fetch() had the same results.
SCENARIOS["pf_acao_missing_204 fetch"] = Scenario(PUT, pre={})
SCENARIOS["acao_dup fetch"] = SCENARIOS["acao_dup_diff"]
SCENARIOS |= {f"{name[:-5]}xhr": scenario for name, scenario in SCENARIOS.items() if name.endswith(" fetch")}
EXPRESSED = {name: scenario for name, scenario in SCENARIOS.items() if name in CASES}


def transport_of(scenario: Scenario):
    """Return a transport with the scenario's responses. A redirect's target has those of its source."""

    def handler(request: httpx.Request) -> httpx.Response:
        if "access-control-request-method" in request.headers:
            return httpx.Response(scenario.pre_status, headers=scenario.pre)
        redirects = scenario.location and str(request.url) == API
        headers = [
            *httpx.Headers(scenario.main).multi_items(),
            *([("location", scenario.location)] if redirects else []),
        ]
        return httpx.Response(scenario.main_status if redirects or not scenario.location else 200, headers=headers)

    return httpx.MockTransport(handler)


def blocked(scenario: Scenario, engine: str) -> CORSError | None:
    """Run the scenario. Return the error, or None if the fetch passes."""
    with Page(PAGE, transport=transport_of(scenario), engine=engine) as page:
        try:
            page.fetch(API, **scenario.init)
        except CORSError as error:
            return error
    return None


def test_the_cors_error_has_the_exchange_that_failed() -> None:
    with Page(PAGE, transport=transport_of(SCENARIOS["pf_method_put"])) as page:
        with pytest.raises(CORSError) as caught:
            page.fetch(API, method="PUT")
        assert caught.value.exchange is page.exchanges[-1]


@pytest.mark.parametrize("name", EXPRESSED)
def test_the_code_and_the_console_message_are_chromiums(name: str) -> None:
    """The recorded text is the same, in every scenario that a fetch can express."""
    seen = CASES[name]["chromium"]
    error = blocked(EXPRESSED[name], "chromium")
    assert [error.code] * (error is not None) == seen["cors_error"] if error else seen["cors_error"] == []
    if error is not None and not name.endswith(" xhr"):  # Chromium words the message differently
        assert error.chromium in seen["console"]


# Firefox looks at a redirected preflight's origin before it minds the redirect, and in the other case at the header,
# for which its preflight to the target was not allowed.
OTHER_ORDER = {"pf_redirect_301_noacao", "redirect_pf_request_cross"}


@pytest.mark.parametrize("name", sorted(EXPRESSED.keys() - OTHER_ORDER))
def test_the_console_message_is_firefoxs(name: str) -> None:
    """The recorded text is the same."""
    error = blocked(EXPRESSED[name], "firefox")
    blocks = [line for line in CASES[name]["firefox"]["console"] if line.startswith("Cross-Origin Request Blocked")]
    assert (error is not None) == bool(blocks)
    if error is not None:
        assert error.firefox in blocks


def test_every_recorded_scenario_that_a_fetch_can_express_is_tested() -> None:
    """The other scenarios have no CORS error of fetch() to compare."""
    others = {
        "drop",
        "scheme",
        "url_userinfo",
        "mode_same",
        "expose",
        "eventsource",
        "noacao",
        "corp",
        "orb",
        "same_ok",
    }
    assert [name for name in CASES if name not in EXPRESSED and not any(word in name for word in others)] == []


def test_the_message_names_the_request_the_cause_and_the_remedy() -> None:
    """Method, URL, origin, code, header with value, and the correction."""
    error = blocked(SCENARIOS["pf_header_custom"], "standard")
    assert str(error) == (
        "GET http://api.example.net/URL from http://app.example.com was blocked: HeaderDisallowedByPreflightResponse\n"
        "  cause: request header x-custom is not allowed; in the preflight's response (status 204)"
        " access-control-allow-headers is 'x-other'\n"
        "  remedy: respond to OPTIONS with 'access-control-allow-headers: x-other, x-custom': add x-custom to"
        " allow_headers."
        " With credentials, '*' is not a wildcard. By the standard, it never covers authorization."
    )
    assert (error.header, error.value) == ("access-control-allow-headers", "x-other")
    assert error.exchange.problem == error.code


@pytest.mark.parametrize(
    ("init", "headers", "listed"),
    [
        ({"method": "PATCH"}, {"access-control-allow-methods": "PUT, DELETE"}, "methods: PUT, DELETE, PATCH'"),
        ({"method": "PATCH"}, {}, "methods: PATCH'"),
        (
            {"method": "PATCH", "credentials": "include"},
            {"access-control-allow-methods": "*", "access-control-allow-credentials": "true"},
            "methods: PATCH'",
        ),
        ({"headers": {"x-b": "1"}}, {"access-control-allow-headers": "X-A"}, "headers: X-A, x-b'"),
        ({"headers": {"authorization": "1"}}, {"access-control-allow-headers": "*"}, "headers: *, authorization'"),
    ],
)
def test_the_remedy_for_a_list_has_the_old_names_and_the_new_ones(
    init: dict[str, Any], headers: dict[str, str], listed: str
) -> None:
    error = blocked(Scenario(init, pre={"access-control-allow-origin": PAGE} | headers), "standard")
    assert f"'access-control-allow-{listed}" in error.remedy


def test_a_response_header_in_the_request_is_removed_and_not_allowed() -> None:
    scenario = Scenario({"headers": {"Access-Control-Allow-Origin": "*"}}, pre={"access-control-allow-origin": PAGE})
    error = blocked(scenario, "standard")
    assert error.remedy.startswith("remove access-control-allow-origin from the request.")
    assert "allow_headers" not in error.remedy


def test_an_error_after_a_redirect_names_both_urls() -> None:
    """It also explains the origin `null`."""
    text = str(blocked(SCENARIOS["redirect_cross_origin_null"], "standard"))
    assert f"GET {THIRD} (redirected from {API}) from {PAGE}" in text
    assert "origin is 'null'" in text
    assert "after a redirect" in text


def causes() -> list[Scenario]:
    """Return a scenario for each code."""
    found: dict[str, Scenario] = {}
    for scenario in [
        *SCENARIOS.values(),
        Scenario({"mode": "same-origin"}),
        Scenario({"mode": "no-cors", "redirect": "manual"}),
    ]:
        error = blocked(scenario, "standard")
        if error is not None:
            found.setdefault(error.code, scenario)
    return list(found.values())


@pytest.mark.parametrize("scenario", causes(), ids=lambda scenario: blocked(scenario, "standard").code)
def test_every_cause_has_its_message(scenario: Scenario) -> None:
    """No placeholder remains in it, nor in the console messages."""
    error = blocked(scenario, "standard")
    for text in (str(error), error.remedy, error.chromium, error.firefox, error.webkit):
        assert text
        assert not re.search(r"[{}]|None\b", text)
    assert error.remedy in str(error)
    assert "from http://app.example.com" in str(error)
    assert API in str(error)
    assert error.header in str(error)


def test_the_codes_are_all_those_of_chromium_that_a_fetch_can_have() -> None:
    """Not among them are the codes of local network access and of other schemes."""
    codes = {blocked(scenario, "standard").code for scenario in causes()}
    origin = {
        "MissingAllowOriginHeader",
        "WildcardOriginNotAllowed",
        "MultipleAllowOriginValues",
        "AllowOriginMismatch",
        "InvalidAllowCredentials",
    }
    preflight = {
        "PreflightInvalidStatus",
        "PreflightDisallowedRedirect",
        "InvalidAllowMethodsPreflightResponse",
        "InvalidAllowHeadersPreflightResponse",
        "MethodDisallowedByPreflightResponse",
        "HeaderDisallowedByPreflightResponse",
    }
    others = {
        "InvalidAllowOriginValue",
        "RedirectContainsCredentials",
        "DisallowedByMode",
        "NoCorsRedirectModeNotFollow",
    }
    assert codes == origin | {f"Preflight{code}" for code in origin} | preflight | others


def test_a_long_value_is_truncated_in_the_table() -> None:
    """The exchange has the whole value."""
    with Page(PAGE, transport=transport_of(Scenario({}, acao("http://" + "a" * 300)))) as page:
        with pytest.raises(CORSError):
            page.fetch(API)
        assert "(307 characters)" in page.table()
        assert "= blocked: AllowOriginMismatch" in page.table()


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])  # noqa: S301 - its own bytes
def test_a_copy_of_an_error_is_equal_to_the_original(copied) -> None:
    """A process pool pickles the errors of its processes."""
    error = blocked(Scenario(PUT, {}, {}), "standard")
    assert error is not None
    error.add_note("a note")
    other = copied(error)
    assert (type(other), str(other), other.code, other.remedy) == (CORSError, str(error), error.code, error.remedy)
    assert other.__notes__ == ["a note"]
    assert other.exchange.summary == error.exchange.summary
