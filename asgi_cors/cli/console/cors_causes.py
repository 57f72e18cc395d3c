"""The causes that CORS headers decide, with the messages of each browser."""

from __future__ import annotations

from typing import Final

from .cause import Cause

_NOT_ALLOWED: Final = "Origin {origin} is not allowed by Access-Control-Allow-Origin."
# Edge before version 79, and Internet Explorer. They print it also if the header is missing.
_EDGE: Final = (
    (
        "The origin '{origin}' did not find '{value}' in the Access-Control-Allow-Origin response header for"
        " cross-origin resource at '{url}'."
    ),
    "Origin {origin} not found in Access-Control-Allow-Origin header.",
)
_MISMATCH: Final = "CORS header ‘Access-Control-Allow-Origin’ does not match ‘{value}’"

CORS_CAUSES: Final = (
    Cause(
        code="MissingAllowOriginHeader",
        title="No Access-Control-Allow-Origin",
        means="The response has no Access-Control-Allow-Origin. Either CORS is not configured for this path or origin,"
        " or another layer sent the response. The status shows which layer: 500 is a crash, 401 a login, 404 the"
        " router, 502 a proxy. Firefox prints the status. If the message mentions a preflight, the response to OPTIONS"
        " is meant. Safari prints the same message if the response allows another origin.",
        write="Check the status first. Then send Access-Control-Allow-Origin with the page's origin, on errors and on"
        " OPTIONS as well.",
        options={"allow_origins": ["{origin}"]},
        advice="Put CORSMiddleware outside of the other middlewares.",
        chromium=("No 'Access-Control-Allow-Origin' header is present on the requested resource.",),
        firefox=(
            "CORS header ‘Access-Control-Allow-Origin’ missing",
            "!This can be fixed by moving the resource to the same domain or enabling CORS",
            "!CORS Missing Allow Origin",
        ),
        safari=(_NOT_ALLOWED,),
        has_preflight=True,
        older=("Received an invalid response",),
        edge=_EDGE,
    ),
    Cause(
        code="AllowOriginMismatch",
        title="Another origin is allowed",
        means="The response allows an origin that is not the page's. Both must be equal in every character: scheme,"
        " host and port, lower case, no slash at the end. After a redirect to a third origin, the page's origin is"
        " 'null'.",
        write="Compare the request's Origin with a list. Send the matching origin back, with Vary: Origin.",
        options={"allow_origins": ["{origin}"]},
        chromium=(
            (
                "The 'Access-Control-Allow-Origin' header has a value '{value}' that is not equal to the supplied"
                " origin."
            ),
        ),
        firefox=(
            _MISMATCH,
            "!CORS Allow Origin Not Matching Origin",
        ),
        safari=(_NOT_ALLOWED,),
        edge=_EDGE,
        has_preflight=True,
    ),
    Cause(
        code="InvalidAllowOriginValue",
        title="Access-Control-Allow-Origin is not an origin",
        means="The header is empty, has no scheme, or is the text of a value such as None or true.",
        write="Send the page's origin, scheme included.",
        options={"allow_origins": ["{origin}"]},
        chromium=("The 'Access-Control-Allow-Origin' header contains the invalid value '{value}'.",),
        firefox=(_MISMATCH,),
        safari=(_NOT_ALLOWED,),
        has_preflight=True,
    ),
    Cause(
        code="MultipleAllowOriginValues",
        title="Several values in Access-Control-Allow-Origin",
        means="Two layers send the header, such as the app and the proxy before it. Or one layer sends a whole list."
        " The header must have one origin.",
        write="Let one layer send the header. If you have a list, send the matching origin back.",
        advice="Leave CORS to the policy, which replaces the app's header. Remove the header from the proxy.",
        chromium=(
            ("The 'Access-Control-Allow-Origin' header contains multiple values '{value}', but only one is allowed."),
        ),
        firefox=(
            "Multiple CORS header ‘Access-Control-Allow-Origin’ not allowed",
            _MISMATCH,
            "!CORS Multiple Allow Origin Not Allowed",
        ),
        safari=("Access-Control-Allow-Origin cannot contain more than one origin.",),
        older=("The 'Access-Control-Allow-Origin' header contains the invalid value '{value}'.",),
        edge=("Multiple Access-Control-Allow-Origin headers are not allowed for CORS response.",),
        has_preflight=True,
    ),
    Cause(
        code="WildcardOriginNotAllowed",
        title="'*' with credentials",
        means="The request sends cookies (credentials: 'include', withCredentials), and the response allows '*'. With"
        " credentials, browsers require the origin itself.",
        write="Name the origin, and send Access-Control-Allow-Credentials: true. Or send the request without"
        " credentials.",
        options={"allow_origins": ["{origin}"], "allow_credentials": True},
        chromium=(
            (
                "The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*'"
                " when the request's credentials mode is 'include'."
            ),
        ),
        firefox=(
            "Credential is not supported if the CORS header ‘Access-Control-Allow-Origin’ is ‘*’",
            "!CORS Not Supporting Credentials",
        ),
        safari=("Cannot use wildcard in Access-Control-Allow-Origin when credentials flag is true.",),
        has_preflight=True,
        older=(
            (
                "A wildcard '*' cannot be used in the 'Access-Control-Allow-Origin' header when the credentials flag"
                " is true"
            ),
            "Cannot use wildcard in Access-Control-Allow-Origin when credentials flag is true",
        ),
    ),
    Cause(
        code="InvalidAllowCredentials",
        title="Credentials are not allowed",
        means="The request sends cookies, and Access-Control-Allow-Credentials is missing or is not exactly true."
        " 'True', '1' and 'true, true' don't count.",
        write="Send Access-Control-Allow-Credentials: true, once, in lower case.",
        options={"allow_origins": ["{origin}"], "allow_credentials": True},
        chromium=(
            (
                "The value of the 'Access-Control-Allow-Credentials' header in the response is '{value}' which must be"
                " 'true' when the request's credentials mode is 'include'."
            ),
        ),
        firefox=(
            "expected ‘true’ in CORS header ‘Access-Control-Allow-Credentials’",
            "!CORS Missing Allow Credentials",
        ),
        safari=('Credentials flag is true, but Access-Control-Allow-Credentials is not "true".',),
        has_preflight=True,
        older=(
            "Credentials flag is 'true', but the 'Access-Control-Allow-Credentials' header is '{value}'",
            'Credentials flag is true, but Access-Control-Allow-Credentials is not "true"',
        ),
    ),
    Cause(
        code="PreflightDisallowedRedirect",
        title="The preflight is redirected",
        means="The response to OPTIONS is a redirect: to https, to add a slash, or to a login. Browsers do not follow"
        " redirects of a preflight.",
        write="Request the final URL, or respond to OPTIONS before the layer that redirects.",
        advice="Put CORSMiddleware outside of the other middlewares. Then preflights do not reach the router.",
        chromium=("Redirect is not allowed for a preflight request.",),
        firefox=(
            "CORS request external redirect not allowed",
            "!CORS External Redirect Not Allowed",
        ),
        safari=("Preflight response is not successful. Status code: {status}",),
        older=(
            "Response for preflight is invalid (redirect)",
            "Request requires preflight, which is disallowed to follow cross-origin redirect.",
            (
                "The request was redirected to '{value}', which is disallowed for cross-origin requests that require"
                " preflight"
            ),
        ),
    ),
    Cause(
        code="PreflightInvalidStatus",
        title="The preflight's status is not ok",
        means="The status of the response to OPTIONS is not from 200 to 299. It comes from a login (401, 403), from the"
        " router (404, 405), or from a CORS library that refuses with 400 and hides its reason.",
        write="Respond to OPTIONS with 204 before authentication and routing, and refuse with 200.",
        advice="Put CORSMiddleware outside of the other middlewares. It refuses with 200, so that the console"
        " names the cause.",
        chromium=("It does not have HTTP ok status.",),
        firefox=(
            "CORS preflight response did not succeed",
            "CORS preflight channel did not succeed",
            "!CORS Preflight Did Not Succeed",
        ),
        safari=("Preflight response is not successful. Status code: {status}", "Preflight response is not successful"),
        older=(
            "Response for preflight has invalid HTTP status code {status}",
            "Response for preflight does not have HTTP ok status",
            "Invalid HTTP status code {status}",
        ),
    ),
    Cause(
        code="MethodDisallowedByPreflightResponse",
        title="The method is not allowed",
        means="The preflight's response does not list the method. Letter case counts: PATCH and patch are different"
        " methods. With credentials, '*' is not a wildcard.",
        write="Add the method to Access-Control-Allow-Methods, in the response to OPTIONS.",
        options={"allow_methods": ["{name}"]},
        advice="Write the whole list: the methods that you allow today, and this one.",
        chromium=("Method {name} is not allowed by Access-Control-Allow-Methods in preflight response.",),
        firefox=(
            "Did not find method in CORS header ‘Access-Control-Allow-Methods’",
            "!CORS Method Not Found",
        ),
        safari=("Method {name} is not allowed by Access-Control-Allow-Methods.",),
        older=("Method {name} is not allowed by Access-Control-Allow-Methods",),
        edge=("Request method {name} was not present in the Access-Control-Allow-Methods list.",),
    ),
    Cause(
        code="HeaderDisallowedByPreflightResponse",
        title="A request header is not allowed",
        means="The script sends a header that the preflight's response does not list: content-type for JSON,"
        " authorization, or one of your own. With credentials, '*' is not a wildcard. By the standard, '*' never covers"
        " authorization.",
        write="Add the header to Access-Control-Allow-Headers, in the response to OPTIONS.",
        options={"allow_headers": ["{name}"]},
        advice="Write the whole list: the headers that you allow today, and this one.",
        chromium=("Request header field {name} is not allowed by Access-Control-Allow-Headers in preflight response.",),
        firefox=(
            "missing token ‘{name}’ in CORS header ‘Access-Control-Allow-Headers’ from CORS preflight channel",
            (
                "header ‘{name}’ is not allowed according to header ‘Access-Control-Allow-Headers’ from CORS preflight"
                " response"
            ),
            "!CORS Missing Allow Header From Preflight",
        ),
        safari=("Request header field {name} is not allowed by Access-Control-Allow-Headers.",),
        older=("Request header field {name} is not allowed by Access-Control-Allow-Headers",),
        edge=("Request header {name} was not present in the Access-Control-Allow-Headers list.",),
    ),
    Cause(
        code="AuthorizationCoveredByWildcard",
        title="Authorization under '*' (a warning)",
        means="The response allows all headers with '*'. By the standard, '*' does not cover Authorization. Firefox"
        " still allows it, and warns that this will end.",
        write="Send both: Access-Control-Allow-Headers: *, Authorization.",
        options={"allow_headers": "*"},
        advice="It sends both.",
        firefox=(
            (
                "!Cross-Origin Request Warning: The Same Origin Policy will disallow reading the remote resource at"
                " {url} soon. (Reason: When the `Access-Control-Allow-Headers` is `*`, the `Authorization` header is"
                " not covered. To include the `Authorization` header, it must be explicitly listed in CORS header"
                " `Access-Control-Allow-Headers`)."
            ),
        ),
    ),
    Cause(
        code="InvalidAllowMethodsPreflightResponse",
        title="The list of methods is malformed",
        means="Access-Control-Allow-Methods contains text that is not the name of a method: semicolons, quotes or"
        " brackets.",
        write="Separate the names with commas: GET, PUT.",
        options={"allow_methods": ["PUT", "DELETE"]},
        advice="Write one name for each entry.",
        chromium=("Cannot parse Access-Control-Allow-Methods response header field in preflight response.",),
        firefox=("invalid token ‘{value}’ in CORS header ‘Access-Control-Allow-Methods’", "!CORS Invalid Allow Method"),
        safari=("Header Access-Control-Allow-Methods has an invalid value: {value}",),
    ),
    Cause(
        code="InvalidAllowHeadersPreflightResponse",
        title="The list of headers is malformed",
        means="Access-Control-Allow-Headers contains text that is not the name of a header: semicolons, quotes or"
        " brackets.",
        write="Separate the names with commas: x-id, x-version.",
        options={"allow_headers": ["x-id", "x-version"]},
        advice="Write one name for each entry.",
        chromium=("Cannot parse Access-Control-Allow-Headers response header field in preflight response.",),
        firefox=("invalid token ‘{value}’ in CORS header ‘Access-Control-Allow-Headers’", "!CORS Invalid Allow Header"),
        safari=("Header Access-Control-Allow-Headers has an invalid value: {value}",),
    ),
    Cause(
        code="ResponseHeaderInRequest",
        title="The script sends a header of the response",
        means="The script sets an Access-Control-Allow-… header on its request. These headers belong to the response."
        " As a request header, it only makes the browser send a preflight that the server refuses.",
        write="Remove the header from the script. The server sends it.",
        chromium=(
            (
                "Request header field access-control-{name} is not allowed by Access-Control-Allow-Headers in preflight"
                " response."
            ),
        ),
        firefox=(
            (
                "header ‘access-control-{name}’ is not allowed according to header"
                " ‘Access-Control-Allow-Headers’ from CORS"
                " preflight response"
            ),
        ),
        safari=("Request header field access-control-{name} is not allowed by Access-Control-Allow-Headers.",),
        edge=("Request header access-control-{name} was not present in the Access-Control-Allow-Headers list.",),
    ),
    Cause(
        code="PreflightFailed",
        title="The preflight fails, and the message ends before its reason",
        means="The browser sent OPTIONS before the request, and the response does not allow the request. The"
        " rest of the"
        " message says why.",
        write="Copy the whole message. Or test the server with asgi-cors doctor.",
        chromium=("Response to preflight request doesn't pass access control check",),
        is_incomplete=True,
    ),
    Cause(
        code="BlockedByCORS",
        title="CORS blocks the response, and the message ends before its reason",
        means="The server's response does not allow this page to read it. The rest of the message says why.",
        write="Copy the whole message. Or test the server with asgi-cors doctor.",
        chromium=("blocked by CORS policy",),
        firefox=("!The Same Origin Policy disallows reading the remote resource",),
        is_incomplete=True,
    ),
)
