"""The causes of a block: the messages of each browser, and the remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Cause:
    """A cause, and the messages by which the three browsers report it.

    Args:
        code: Its name in Chromium's DevTools protocol, or a name of this project if there is none.
        title: The cause in a few words.
        means: The explanation.
        write: The remedy on any server.
        policy: The option of an asgi_cors policy, or "".
        chromium: Chromium's reasons; a text that begins with `!` is a whole message.
        firefox: The same for Firefox.
        safari: Safari's messages.
        has_preflight: Whether Chromium prints the same reason for a preflight.
        is_echo: Whether the message says only that the request failed, and another message names the cause.
    """

    code: str
    title: str
    means: str
    write: str
    policy: str = ""
    chromium: tuple[str, ...] = ()
    firefox: tuple[str, ...] = ()
    safari: tuple[str, ...] = ()
    has_preflight: bool = False
    is_echo: bool = False


_NOT_ALLOWED: Final = "Origin {origin} is not allowed by Access-Control-Allow-Origin."
_MISMATCH: Final = "CORS header ‘Access-Control-Allow-Origin’ does not match ‘{value}’"

CAUSES: Final = (
    Cause(
        code="MissingAllowOriginHeader",
        title="No Access-Control-Allow-Origin",
        means="The response has no Access-Control-Allow-Origin. Either CORS is not configured for this path or origin,"
        " or another layer sent the response. The status shows which layer: 500 is a crash, 401 a login, 404 the"
        " router, 502 a proxy. Firefox prints the status. If the message mentions a preflight, the response to OPTIONS"
        " is meant. Safari prints the same message if the response allows another origin.",
        write="Check the status first. Then send Access-Control-Allow-Origin with the page's origin, on errors and on"
        " OPTIONS as well.",
        policy="allow_origins=['{origin}'], in the outermost middleware",
        chromium=("No 'Access-Control-Allow-Origin' header is present on the requested resource.",),
        firefox=("CORS header ‘Access-Control-Allow-Origin’ missing",),
        safari=(_NOT_ALLOWED,),
        has_preflight=True,
    ),
    Cause(
        code="AllowOriginMismatch",
        title="Another origin is allowed",
        means="The response allows an origin that is not the page's. Both must be equal in every character: scheme,"
        " host and port, lower case, no slash at the end. After a redirect to a third origin, the page's origin is"
        " 'null'.",
        write="Compare the request's Origin with a list. Send the matching origin back, with Vary: Origin.",
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
    Cause(
        code="InvalidAllowOriginValue",
        title="Access-Control-Allow-Origin is not an origin",
        means="The header is empty, has no scheme, or is the text of a value such as None or true.",
        write="Send the page's origin, scheme included.",
        policy="allow_origins=['{origin}']",
        chromium=("The 'Access-Control-Allow-Origin' header contains the invalid value '{value}'.{ending}",),
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
        policy="leave CORS to the policy, which replaces the app's header; remove the header from the proxy",
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
    Cause(
        code="WildcardOriginNotAllowed",
        title="'*' with credentials",
        means="The request sends cookies (credentials: 'include', withCredentials), and the response allows '*'. With"
        " credentials, browsers require the origin itself.",
        write="Name the origin, and send Access-Control-Allow-Credentials: true. Or send the request without"
        " credentials.",
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
    Cause(
        code="InvalidAllowCredentials",
        title="Credentials are not allowed",
        means="The request sends cookies, and Access-Control-Allow-Credentials is missing or is not exactly true."
        " 'True', '1' and 'true, true' don't count.",
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
    Cause(
        code="PreflightDisallowedRedirect",
        title="The preflight is redirected",
        means="The response to OPTIONS is a redirect: to https, to add a slash, or to a login. Browsers do not follow"
        " redirects of a preflight.",
        write="Request the final URL, or respond to OPTIONS before the layer that redirects.",
        policy="make CORSMiddleware the outermost middleware; then preflights do not reach the router",
        chromium=("{preflight}Redirect is not allowed for a preflight request.",),
        firefox=("CORS request external redirect not allowed",),
        safari=("Preflight response is not successful. Status code: {status}",),
    ),
    Cause(
        code="PreflightInvalidStatus",
        title="The preflight's status is not ok",
        means="The status of the response to OPTIONS is not from 200 to 299. It comes from a login (401, 403), from the"
        " router (404, 405), or from a CORS library that refuses with 400 and hides its reason.",
        write="Respond to OPTIONS with 204 before authentication and routing, and refuse with 200.",
        policy="make CORSMiddleware the outermost middleware; it refuses with 200, so that the console names the cause",
        chromium=("{preflight}It does not have HTTP ok status.",),
        firefox=("CORS preflight response did not succeed",),
        safari=("Preflight response is not successful. Status code: {status}", "Preflight response is not successful"),
    ),
    Cause(
        code="MethodDisallowedByPreflightResponse",
        title="The method is not allowed",
        means="The preflight's response does not list the method. Letter case counts: PATCH and patch are different"
        " methods. With credentials, '*' is not a wildcard.",
        write="Add the method to Access-Control-Allow-Methods, in the response to OPTIONS.",
        policy="allow_methods=['{name}']",
        chromium=("Method {name} is not allowed by Access-Control-Allow-Methods in preflight response.",),
        firefox=("Did not find method in CORS header ‘Access-Control-Allow-Methods’",),
        safari=("Method {name} is not allowed by Access-Control-Allow-Methods.",),
    ),
    Cause(
        code="HeaderDisallowedByPreflightResponse",
        title="A request header is not allowed",
        means="The script sends a header that the preflight's response does not list: content-type for JSON,"
        " authorization, or one of your own. With credentials, '*' is not a wildcard. By the standard, '*' never covers"
        " authorization.",
        write="Add the header to Access-Control-Allow-Headers, in the response to OPTIONS.",
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
    Cause(
        code="AuthorizationCoveredByWildcard",
        title="Authorization under '*' (a warning)",
        means="The response allows all headers with '*'. By the standard, '*' does not cover Authorization. Firefox"
        " still allows it, and warns that this will end.",
        write="Send both: Access-Control-Allow-Headers: *, Authorization.",
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
    Cause(
        code="InvalidAllowMethodsPreflightResponse",
        title="The list of methods is malformed",
        means="Access-Control-Allow-Methods contains text that is not the name of a method: semicolons, quotes or"
        " brackets.",
        write="Separate the names with commas: GET, PUT.",
        policy="allow_methods=['GET', 'PUT']: one name for each entry",
        chromium=("Cannot parse Access-Control-Allow-Methods response header field in preflight response.",),
        firefox=("invalid token ‘{value}’ in CORS header ‘Access-Control-Allow-Methods’",),
        safari=("Header Access-Control-Allow-Methods has an invalid value: {value}",),
    ),
    Cause(
        code="InvalidAllowHeadersPreflightResponse",
        title="The list of headers is malformed",
        means="Access-Control-Allow-Headers contains text that is not the name of a header: semicolons, quotes or"
        " brackets.",
        write="Separate the names with commas: x-id, x-version.",
        policy="allow_headers=['x-id', 'x-version']: one name for each entry",
        chromium=("Cannot parse Access-Control-Allow-Headers response header field in preflight response.",),
        firefox=("invalid token ‘{value}’ in CORS header ‘Access-Control-Allow-Headers’",),
        safari=("Header Access-Control-Allow-Headers has an invalid value: {value}",),
    ),
    # The causes below do not depend on a CORS header.
    Cause(
        code="RedirectContainsCredentials",
        title="Redirected to a URL with a password",
        means="The redirect leads to a URL with a user name or a password. Browsers do not follow it to another"
        " origin.",
        write="Redirect to the URL without user name and password.",
        chromium=(
            (
                "Redirect location '{value}' contains a username and password, which is disallowed for cross-origin"
                " requests."
            ),
        ),
        safari=("Redirection to URL with user name or password is not allowed by CORS policy.",),
    ),
    Cause(
        code="LocalNetworkAccessPermissionDenied",
        title="Local Network Access",
        means="A page from the internet requests a URL on this machine or in the local network. Chromium needs the"
        " user's permission for that, and does not have it. CORS is not involved: no request was sent.",
        write="Allow it in the browser's address bar. Serve the page over https, or open it from the same network.",
        chromium=("Permission was denied for this request to access the `{value}` address space.",),
    ),
    Cause(
        code="HeaderNotExposed",
        title="A response header reads as null",
        means="The script may read only seven headers of the response, and those that are exposed. Only Chromium and"
        " Safari print this, and only for XMLHttpRequest.",
        write="Add the header to Access-Control-Expose-Headers, in the response itself, not in the response to"
        " OPTIONS.",
        policy="expose_headers=['{name}']",
        chromium=('!Refused to get unsafe header "{name}"',),
        safari=('!Refused to get unsafe header "{name}"',),
    ),
    Cause(
        code="DisallowedByMode",
        title="The script requested its own origin only",
        means="The script called fetch() with mode: 'same-origin'. No server can allow that for another origin.",
        write="Remove the option mode.",
        chromium=(
            (
                '!Fetch API cannot load {url}. Request mode is "same-origin" but the URL\'s origin is not same as the'
                " request origin {origin}."
            ),
        ),
        firefox=("!Security Error: Content at {origin} may not load data from {url}.",),
        safari=("Cross-origin request is not allowed for mode same-origin.",),
    ),
    Cause(
        code="CorsDisabledScheme",
        title="Neither http nor https",
        means="The URL or the page has a scheme that CORS does not support: file:, or an app's own scheme.",
        write="Serve the page and the API over http or https, also on localhost.",
        chromium=(
            "Cross origin requests are only supported for protocol schemes: {value}.",
            '!Fetch API cannot load {url}. URL scheme "{value}" is not supported.',
            "!Not allowed to load local resource: {url}",
        ),
        firefox=(
            "CORS request not http",
            "!Security Error: Content at {origin} may not load or link to {url}.",
        ),
        safari=("!Not allowed to load local resource: {url}",),
    ),
    Cause(
        code="UrlWithPassword",
        title="The URL itself has a password",
        means="fetch() does not accept a URL with a user name or a password.",
        write="Send the user name and password in an Authorization header.",
        policy="allow_headers=['authorization']",
        chromium=(
            (
                "!TypeError: Failed to execute 'fetch' on 'Window': Request cannot be constructed from a URL that"
                " includes credentials: {url}"
            ),
        ),
        firefox=("!TypeError: Window.fetch: {url} is an url with embedded credentials.",),
        safari=("!TypeError: URL is not valid or contains user credentials.",),
    ),
    Cause(
        code="BlockedByResourcePolicy",
        title="Cross-Origin-Resource-Policy",
        means="The page loads an image, script or style without CORS. The server's header Cross-Origin-Resource-Policy"
        " allows only pages of its own site to do so. It is not a CORS header.",
        write="Send Cross-Origin-Resource-Policy: cross-origin. Or load the file with the attribute crossorigin, and"
        " allow the origin.",
        chromium=("!Failed to load resource: net::ERR_BLOCKED_BY_RESPONSE.{value}",),
        firefox=(
            "!The resource at “{url}” was blocked due to its Cross-Origin-Resource-Policy header (or lack thereof).",
        ),
        safari=(
            "!Cancelled load to {url} because it violates the resource's Cross-Origin-Resource-Policy response header.",
        ),
    ),
    Cause(
        code="OpaqueResponseBlocked",
        title="Opaque Response Blocking",
        means="The page loads JSON or HTML as an image or a script, without CORS. The browser blocks such a response.",
        write="Use fetch(), and allow the origin. Or send the content type that the response really has.",
        chromium=("!net::ERR_BLOCKED_BY_ORB",),
        firefox=(
            "!The resource at “{url}” was blocked by OpaqueResponseBlocking.",
            "!A resource is blocked by OpaqueResponseBlocking, please check browser console for details.",
        ),
    ),
    Cause(
        code="DidNotSucceed",
        title="There was no response",
        means="The connection failed: no server, a refused or broken connection, an invalid certificate, or a browser"
        " extension that blocks the request. CORS was not checked, despite the message. If Firefox prints another"
        " message before this one, the first message has the cause.",
        write="Open the URL itself in the browser. Check that the server runs and that its certificate is valid.",
        chromium=("!Failed to load resource: net::ERR_{value}",),
        firefox=(
            "CORS request did not succeed",
            "!Firefox can’t establish a connection to the server at {url}.",
            "!Module source URI is not allowed in this document: “{url}”.",
            "!downloadable font: download failed{ending}bad URI or cross-site access not allowed source: {url}",
        ),
        safari=("!{kind} cannot load {url} due to access control checks.",),
        is_echo=True,
    ),
    Cause(
        code="FailedToFetch",
        title="The error that the script sees",
        means="The browser reports to the script only that the request failed, because a page must not learn more about"
        " a server that does not trust it. The console has the reason, in another message.",
        write="Look for the other message in the console, or run asgi-cors doctor.",
        chromium=("!TypeError: Failed to fetch", "!NetworkError: A network error occurred."),
        firefox=("!TypeError: NetworkError when attempting to fetch resource.",),
        safari=("!TypeError: Load failed",),
        is_echo=True,
    ),
)
