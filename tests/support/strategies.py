"""Random policies and requests for the property tests."""

from typing import Any

from hypothesis import strategies as st

from tests.support.policies import policy_without_warnings

ORIGINS = [
    "https://a.com",
    "https://b.com:8443",
    "https://*.c.com",
    "http://localhost:*",
    "https://pr-*.d.com",
    "app://x",
    "moz-extension://*",
]
TRUSTED = ["https://a.com", "https://bank.example", "https://*.c.com"]
METHODS = ["GET", "put", "DELETE", "PATCH", "LOCK", "OPTIONS"]
HEADERS = ["x-a", "X-B", "authorization", "content-type", "x-p-*", "x-pre*"]
EXPOSED = ["X-A", "x-b", "etag"]


def _some(names: list[str]) -> st.SearchStrategy[Any]:
    return st.just("*") | st.lists(st.sampled_from(names), max_size=4)


@st.composite
def policies(draw: st.DrawFn, *, every_option: bool = False) -> Any:
    """Draw a policy of few strings, with the options of CORS or, on request, with every option."""
    options: dict[str, Any] = {
        "allow_origins": draw(_some(ORIGINS).filter(len)),
        "allow_methods": draw(_some(METHODS)),
        "allow_headers": draw(_some(HEADERS)),
        "expose_headers": draw(st.lists(st.sampled_from(EXPOSED), max_size=3)),
        "allow_credentials": draw(st.booleans()),
        "max_age": draw(st.none() | st.integers(0, 86400)),
        "dangerously_allow": ["credentials-from-any-origin", "credentials-from-shared-suffix"],
    }
    if not options["allow_credentials"]:
        options["dangerously_allow"] = []
        options["expose_headers"] = draw(_some(EXPOSED))
    return policy_without_warnings(**options, **(draw(_OTHER_OPTIONS) if every_option else {}))


_OTHER_OPTIONS = st.fixed_dictionaries(
    {
        "csrf_protection": st.sampled_from([False, "report", True]),
        "csrf_trusted_origins": st.lists(st.sampled_from(TRUSTED), max_size=2),
        "timing_allow_origin": st.booleans(),
        "resource_policy": st.sampled_from([None, "same-origin", "same-site", "cross-origin"]),
        "presets": st.lists(st.sampled_from(["mcp", "opentelemetry", "tus"]), max_size=2),
        "name": st.none() | st.just("api"),
    }
)


def requests() -> st.SearchStrategy[tuple[str, list[tuple[bytes, bytes]]]]:
    """Return a strategy for a method and headers, similar to those of browsers or not at all."""
    origins = st.sampled_from(
        [b"https://a.com", b"https://x.c.com", b"http://localhost:99", b"null", b"https://evil.net", b"app://x", b""]
    )
    methods = st.sampled_from([b"GET", b"PUT", b"LOCK", b"put", b"", b"A B"])
    names = st.lists(st.sampled_from([b"x-a", b"X-b", b" authorization ", b"x-p-1", b"", b"x y"]), max_size=4).map(
        b",".join
    )
    noise = st.binary(max_size=40)
    header = st.one_of(
        st.tuples(st.just(b"origin"), origins | noise),
        st.tuples(st.just(b"access-control-request-method"), methods | noise),
        st.tuples(st.just(b"access-control-request-headers"), names | noise),
    )
    return st.tuples(st.sampled_from(["OPTIONS", "OPTIONS", "GET", "POST", "PUT"]), st.lists(header, max_size=5))
