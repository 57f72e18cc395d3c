"""What each message about the fields of CORS means, and what to write."""

from __future__ import annotations

from typing import Final

from .cause import Meaning

_NOT_ALLOWED: Final = "Origin {origin} is not allowed by Access-Control-Allow-Origin."
_MISMATCH: Final = "CORS header ‘Access-Control-Allow-Origin’ does not match ‘{value}’"

MEANINGS: Final = (
    Meaning(
        code="MissingAllowOriginHeader",
        title="No Access-Control-Allow-Origin",
        means="The answer doesn't allow any origin. Either CORS isn't set up for this path, or this origin isn't in the"
        " list, or something that knows nothing of CORS answered: a crash (500), a login (401), a router (404), a proxy"
        " (502). The status tells which; Firefox prints it. With the words about a preflight, it is OPTIONS that was"
        " answered so. Safari says the same where another origin is allowed.",
        write="Look at the status first. Then send Access-Control-Allow-Origin with the page's origin, on errors and on"
        " OPTIONS as well.",
        policy="allow_origins=['{origin}'], in a middleware that stands outermost",
        chromium=("No 'Access-Control-Allow-Origin' header is present on the requested resource.",),
        firefox=("CORS header ‘Access-Control-Allow-Origin’ missing",),
        safari=(_NOT_ALLOWED,),
        has_preflight=True,
    ),
    Meaning(
        code="AllowOriginMismatch",
        title="Another origin is allowed",
        means="The answer allows an origin, and it isn't the page's. They must be equal to the letter: scheme, host and"
        " port, lower case, no slash at the end. Where a redirect led to a third origin, the page's has become 'null'.",
        write="Compare the request's Origin with a list, send back the one that matches, and Vary: Origin.",
        policy="allow_origins=['{origin}']",
        chromium=(
            (
                "The 'Access-Control-Allow-Origin' header has a value '{value}' that is not equal to the supplied"
                " origin.{ending}"
            ),
        ),
        firefox=(_MISMATCH,),
        safari=(_NOT_ALLOWED,),
        has_preflight=True,
    ),
    Meaning(
        code="InvalidAllowOriginValue",
        title="Access-Control-Allow-Origin is no origin",
        means="The value isn't an origin at all: it is empty, lacks its scheme, or is a word such as None or true.",
        write="Send the page's origin, scheme included.",
        policy="allow_origins=['{origin}']",
        chromium=("The 'Access-Control-Allow-Origin' header contains the invalid value '{value}'.{ending}",),
        firefox=(_MISMATCH,),
        safari=(_NOT_ALLOWED,),
        has_preflight=True,
    ),
    Meaning(
        code="MultipleAllowOriginValues",
        title="Several values in Access-Control-Allow-Origin",
        means="Two layers each send the field (the app and the proxy before it), or one sends a whole list. One origin"
        " may stand there.",
        write="Let one layer send it. Of a list, send back the origin that matches.",
        policy="leave CORS to the policy, which replaces what the app sets; take it out of the proxy",
        chromium=(
            (
                "The 'Access-Control-Allow-Origin' header contains multiple values '{value}', but only one is"
                " allowed.{ending}"
            ),
        ),
        firefox=("Multiple CORS header ‘Access-Control-Allow-Origin’ not allowed", _MISMATCH),
        safari=("Access-Control-Allow-Origin cannot contain more than one origin.",),
        has_preflight=True,
    ),
    Meaning(
        code="WildcardOriginNotAllowed",
        title="'*' with credentials",
        means="The call sends cookies (credentials: 'include', withCredentials), and the answer allows '*'. With"
        " credentials browsers want the origin itself.",
        write="Name the origin, and send Access-Control-Allow-Credentials: true; or call without credentials.",
        policy="allow_origins=['{origin}'], allow_credentials=True",
        chromium=(
            (
                "The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*'"
                " when the request's credentials mode is 'include'.{ending}"
            ),
        ),
        firefox=("Credential is not supported if the CORS header ‘Access-Control-Allow-Origin’ is ‘*’",),
        safari=("Cannot use wildcard in Access-Control-Allow-Origin when credentials flag is true.",),
        has_preflight=True,
    ),
    Meaning(
        code="InvalidAllowCredentials",
        title="Credentials are not allowed",
        means="The call sends cookies, and Access-Control-Allow-Credentials is missing, or isn't exactly true: 'True',"
        " '1' and 'true, true' don't count.",
        write="Send Access-Control-Allow-Credentials: true, once, in lower case.",
        policy="allow_credentials=True",
        chromium=(
            (
                "The value of the 'Access-Control-Allow-Credentials' header in the response is '{value}' which must be"
                " 'true' when the request's credentials mode is 'include'.{ending}"
            ),
        ),
        firefox=("expected ‘true’ in CORS header ‘Access-Control-Allow-Credentials’",),
        safari=('Credentials flag is true, but Access-Control-Allow-Credentials is not "true".',),
        has_preflight=True,
    ),
    Meaning(
        code="PreflightDisallowedRedirect",
        title="The preflight is redirected",
        means="OPTIONS was answered with a redirect: to https, for a slash at the end, or to a login. Browsers follow"
        " none.",
        write="Let the page call the final URL; answer OPTIONS before what redirects.",
        policy="CORSMiddleware outermost: preflights never reach the router",
        chromium=("{preflight}Redirect is not allowed for a preflight request.",),
        firefox=("CORS request external redirect not allowed",),
        safari=("Preflight response is not successful. Status code: {status}",),
    ),
    Meaning(
        code="PreflightInvalidStatus",
        title="The preflight's status is not ok",
        means="OPTIONS was answered with another status than 200 to 299: by a login (401, 403), by the router (404,"
        " 405), or by a CORS library that refuses with 400 and hides its reason.",
        write="Answer OPTIONS with 204 before authentication and routing; a refusal, too, with 200.",
        policy="CORSMiddleware outermost; it refuses with 200, so that consoles name the cause",
        chromium=("{preflight}It does not have HTTP ok status.",),
        firefox=("CORS preflight response did not succeed",),
        safari=("Preflight response is not successful. Status code: {status}", "Preflight response is not successful"),
    ),
    Meaning(
        code="MethodDisallowedByPreflightResponse",
        title="The method is not allowed",
        means="The preflight's answer doesn't list the method. Case counts: of PATCH and patch only the former is"
        " usual. With credentials '*' isn't a wildcard.",
        write="List it in Access-Control-Allow-Methods, in the answer to OPTIONS.",
        policy="allow_methods=['{name}']",
        chromium=("Method {name} is not allowed by Access-Control-Allow-Methods in preflight response.",),
        firefox=("Did not find method in CORS header ‘Access-Control-Allow-Methods’",),
        safari=("Method {name} is not allowed by Access-Control-Allow-Methods.",),
    ),
    Meaning(
        code="HeaderDisallowedByPreflightResponse",
        title="A request header is not allowed",
        means="The script sends a header that the preflight's answer doesn't list: content-type for JSON,"
        " authorization, one of your own. With credentials '*' isn't a wildcard, and for authorization it never"
        " should be.",
        write="List it in Access-Control-Allow-Headers, in the answer to OPTIONS.",
        policy="allow_headers=['{name}']",
        chromium=("Request header field {name} is not allowed by Access-Control-Allow-Headers in preflight response.",),
        firefox=(
            (
                "header ‘{name}’ is not allowed according to header ‘Access-Control-Allow-Headers’ from CORS preflight"
                " response"
            ),
        ),
        safari=("Request header field {name} is not allowed by Access-Control-Allow-Headers.",),
    ),
    Meaning(
        code="AuthorizationCoveredByWildcard",
        title="Authorization under '*' (a warning)",
        means="The answer allows all headers by '*'. By the standard that doesn't cover Authorization; Firefox still"
        " lets it through, and says that it won't for ever.",
        write="Name it: Access-Control-Allow-Headers: *, Authorization.",
        policy="allow_headers='*' sends both",
        firefox=(
            (
                "!Cross-Origin Request Warning: The Same Origin Policy will disallow reading the remote resource at"
                " {url} soon. (Reason: When the `Access-Control-Allow-Headers` is `*`, the `Authorization` header is"
                " not covered. To include the `Authorization` header, it must be explicitly listed in CORS header"
                " `Access-Control-Allow-Headers`)."
            ),
        ),
    ),
    Meaning(
        code="InvalidAllowMethodsPreflightResponse",
        title="The list of methods can't be read",
        means="Access-Control-Allow-Methods holds something that is no name of a method: semicolons, quotes, brackets.",
        write="Separate the names by commas: GET, PUT.",
        policy="allow_methods=['GET', 'PUT']: one name for each entry",
        chromium=("Cannot parse Access-Control-Allow-Methods response header field in preflight response.",),
        firefox=("invalid token ‘{value}’ in CORS header ‘Access-Control-Allow-Methods’",),
        safari=("Header Access-Control-Allow-Methods has an invalid value: {value}",),
    ),
    Meaning(
        code="InvalidAllowHeadersPreflightResponse",
        title="The list of headers can't be read",
        means="Access-Control-Allow-Headers holds something that is no name of a header: semicolons, quotes, brackets.",
        write="Separate the names by commas: x-id, x-version.",
        policy="allow_headers=['x-id', 'x-version']: one name for each entry",
        chromium=("Cannot parse Access-Control-Allow-Headers response header field in preflight response.",),
        firefox=("invalid token ‘{value}’ in CORS header ‘Access-Control-Allow-Headers’",),
        safari=("Header Access-Control-Allow-Headers has an invalid value: {value}",),
    ),
)
