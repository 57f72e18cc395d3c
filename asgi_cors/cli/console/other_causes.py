"""The causes that no CORS header decides, with the messages of each browser."""

from __future__ import annotations

from typing import Final

from .cause import Cause

OTHER_CAUSES: Final = (
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
        chromium=(
            "Permission was denied for this request to access the `{value}` address space.",
            "!net::ERR_BLOCKED_BY_LOCAL_NETWORK_ACCESS_CHECKS",
        ),
        older=(
            "The request client is not a secure context and the resource is in more-private address space `{value}`",
            (
                "No 'Access-Control-Allow-Local-Network' header was present in the preflight response for this local"
                " network request targeting the `{value}` address space"
            ),
            (
                "The 'Access-Control-Allow-Private-Network' header in the preflight response for this private network"
                " request targeting the `{value}` address space had a value of"
            ),
            "No 'Access-Control-Allow-External' header was present in the preflight response for this external request",
            "!net::ERR_BLOCKED_BY_PRIVATE_NETWORK_ACCESS_CHECKS",
            (
                "No 'Access-Control-Allow-Private-Network' header was present in the preflight response for this"
                " private"
                " network request targeting the `{value}` address space"
            ),
        ),
    ),
    Cause(
        code="InvalidLocalNetworkAccess",
        title="Local Network Access: another address space",
        means="The script's option targetAddressSpace names another address space than that of the URL: 'loopback' is"
        " this machine, 'local' is the local network. Chromium blocks the request before it is sent.",
        write="Name the address space of the URL in the option, or remove the option.",
        chromium=(
            "Request had a target IP address space of `{value}` yet the resource is in address space `{name}`.",
            "Request had no target IP address space, yet the resource is in address space `{name}`.",
        ),
    ),
    Cause(
        code="MixedContent",
        title="Mixed content",
        means="A page over https requests a URL over http (or ws). The browser blocks the request before it is sent."
        " CORS is not involved.",
        write="Request https:// or wss://. If the server redirects to http, forward the scheme from the proxy"
        " (X-Forwarded-Proto).",
        chromium=(
            (
                "!Mixed Content: The page at '{page}' was loaded over HTTPS, but requested an insecure {kind}"
                " '{url}'. This"
                " request has been blocked; the content must be served over HTTPS."
            ),
            (
                "!Mixed Content: The page at '{page}' was loaded over HTTPS, but attempted to connect to the insecure"
                " WebSocket endpoint '{url}'. This request has been blocked; this endpoint must be available over WSS."
            ),
            (
                "!Failed to construct 'WebSocket': An insecure WebSocket connection may not be initiated from a"
                " page loaded"
                " over HTTPS."
            ),
        ),
        firefox=(
            "!Blocked loading mixed active content “{url}”",
            "!Blocked loading mixed display content “{url}”",
        ),
        safari=(
            "![blocked] The page at {page} was not allowed to display insecure content from {url}.",
            "![blocked] The page at {page} was not allowed to run insecure content from {url}.",
            "![blocked] The page at {page} requested insecure content from {url}.",
        ),
    ),
    Cause(
        code="ContentSecurityPolicy",
        title="The page's Content-Security-Policy",
        means="The page itself forbids the request with its Content-Security-Policy, whatever the server allows.",
        write="Add the URL's origin to connect-src in the Content-Security-Policy of the page.",
        chromium=(
            "!Refused to connect to '{url}' because it violates the following Content Security Policy directive:",
            "!Connecting to '{url}' violates the following Content Security Policy directive:",
            "!Refused to connect to '{url}' because it violates the document's Content Security Policy",
            "!net::ERR_BLOCKED_BY_CSP",
        ),
        firefox=(
            "!The page’s settings blocked the loading of a resource at {url}",
            "!The page’s settings blocked the loading of a resource ({name}) at {url}",
        ),
        safari=("!Refused to connect to {url} because it does not appear in the connect-src directive",),
    ),
    Cause(
        code="TaintedCanvas",
        title="A canvas with an image of another origin",
        means="The page drew an image of another origin on a canvas, without CORS. The canvas may then not be read.",
        write="Load the image with crossorigin='anonymous', and let the image's server allow the page's origin.",
        options={"allow_origins": ["{origin}"]},
        chromium=(
            "!Tainted canvases may not be exported",
            "!The canvas has been tainted by cross-origin data",
            "!The image element contains cross-origin data, and may not be loaded",
            "!The video element contains cross-origin data, and may not be loaded",
        ),
        older=(
            "!The cross-origin image at {url} may not be loaded",
            "!The cross-origin video at {url} may not be loaded",
        ),
        safari=("!Unable to get image data from canvas because the canvas has been tainted by cross-origin data",),
    ),
    Cause(
        code="OperationInsecure",
        title="An operation that the browser calls insecure",
        means="Firefox and Safari print this for several operations: to read a canvas with an image of another origin,"
        " to open ws:// on a page over https, to use storage that the user has blocked. The script's line, which the"
        " console shows next to the message, has the operation.",
        write="For a canvas, load the image with crossorigin='anonymous', and let the image's server allow the page's"
        " origin. For a WebSocket, use wss://.",
        firefox=("!SecurityError: The operation is insecure",),
        safari=("!SecurityError: The operation is insecure",),
    ),
    Cause(
        code="HandshakeRefused",
        title="The server refuses the WebSocket",
        means="The server responds to the handshake with an error status. 403 often means that the server does"
        " not allow"
        " the page's origin: asgi_cors responds so. 404 means that no WebSocket is at this path, 401 that a login is"
        " missing, 200 or 400 that a proxy does not forward Upgrade.",
        write="403: allow the origin. Otherwise correct the path, or forward Upgrade and Connection in the proxy.",
        options={"allow_origins": ["{origin}"]},
        advice="If the page sends cookies, add allow_credentials=True.",
        chromium=(
            (
                "!WebSocket connection to '{url}' failed: Error during WebSocket handshake: Unexpected response code:"
                " {status}"
            ),
            "!Error during WebSocket handshake: Unexpected response code: {status}",
            "!WebSocket connection to '{url}' failed: HTTP Authentication failed; no valid credentials available",
        ),
        safari=(
            "!WebSocket connection to '{url}' failed: Unexpected response code: {status}",
            "!WebSocket connection to '{url}' failed: There was a bad response from the server.",
        ),
    ),
    Cause(
        code="HeaderNotExposed",
        title="A response header reads as null",
        means="The script may read only seven headers of the response, and those that are exposed. Only Chromium and"
        " Safari print this, and only for XMLHttpRequest.",
        write="Add the header to Access-Control-Expose-Headers, in the response itself, not in the response to"
        " OPTIONS.",
        options={"expose_headers": ["{name}"]},
        advice="Write the whole list: the headers that you expose today, and this one.",
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
            "!Cross origin requests are only supported for HTTP",
            '!Fetch API cannot load {url}. URL scheme "{value}" is not supported.',
            "!Not allowed to load local resource: {url}",
        ),
        older=("Received an invalid response",),
        firefox=(
            "CORS request not http",
            "!CORS Request Not HTTP",
            "!Module source URI is not allowed in this document: “{url}”",
            "!Security Error: Content at {origin} may not load or link to {url}.",
        ),
        safari=("!Not allowed to load local resource: {url}",),
    ),
    Cause(
        code="UrlWithPassword",
        title="The URL itself has a password",
        means="fetch() does not accept a URL with a user name or a password.",
        write="Send the user name and password in an Authorization header.",
        options={"allow_headers": ["authorization"]},
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
        " allows only pages of its own site to do so. It is not a CORS header. For a frame, ERR_BLOCKED_BY_RESPONSE"
        " without a suffix means X-Frame-Options or frame-ancestors.",
        write="Send Cross-Origin-Resource-Policy: cross-origin. Or load the file with the attribute crossorigin, and"
        " allow the origin.",
        chromium=(
            "!net::ERR_BLOCKED_BY_RESPONSE.NotSameOriginAfterDefaultedToSameOriginByCoep",
            "!net::ERR_BLOCKED_BY_RESPONSE.NotSameOrigin",
            "!net::ERR_BLOCKED_BY_RESPONSE.NotSameSite",
        ),
        older=("!net::ERR_BLOCKED_BY_RESPONSE",),
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
        older=(
            "!Cross-Origin Read Blocking (CORB) blocked cross-origin response {url} with MIME type {value}",
            "!Cross-Origin Read Blocking (CORB) blocked a cross-origin response",
        ),
        firefox=(
            "!The resource at “{url}” was blocked by OpaqueResponseBlocking.",
            "!A resource is blocked by OpaqueResponseBlocking, please check browser console for details.",
        ),
    ),
    Cause(
        code="WebSocketClosed",
        title="The script closed the WebSocket first",
        means="The script called close() before the handshake ended. In development, React runs an effect twice, which"
        " does that. CORS is not involved.",
        write="Close the WebSocket only after it is open, or ignore the message.",
        chromium=(
            "!WebSocket connection to '{url}' failed: WebSocket is closed before the connection is established.",
            "!WebSocket is closed before the connection is established.",
        ),
        safari=("!WebSocket connection to '{url}' failed: WebSocket is closed before the connection is established.",),
    ),
    Cause(
        code="ConnectionFailed",
        title="There was no response",
        means="The connection failed: no server, a refused or broken connection, an invalid certificate, or a browser"
        " extension that blocks the request (ERR_BLOCKED_BY_CLIENT). CORS was not checked.",
        write="Open the URL itself in the browser. Check that the server runs and that its certificate is valid.",
        chromium=(
            "!net::ERR_{reason}",
            "!WebSocket connection to '{url}' failed: Error in connection establishment: net::ERR_{reason}",
            "!WebSocket connection to '{url}' failed: Connection closed before receiving a handshake response",
            "!WebSocket connection to '{url}' failed",
        ),
        firefox=("!Firefox can’t establish a connection to the server at {url}.",),
    ),
    Cause(
        code="DidNotSucceed",
        title="There was no response (Firefox)",
        means="The connection failed: no server, a refused or broken connection, an invalid certificate, or a browser"
        " extension that blocks the request. CORS was not checked, despite the message. If Firefox prints another"
        " message before this one, the first message has the cause.",
        write="Open the URL itself in the browser. Check that the server runs and that its certificate is valid.",
        firefox=(
            "CORS request did not succeed",
            "!CORS Did Not Succeed",
        ),
        is_echo=True,
    ),
    Cause(
        code="AccessControlChecks",
        title="Safari blocked the request, without a reason",
        means="Safari prints this after another message, which has the reason. If there is no other message, the"
        " connection failed, or Safari blocked the request before it was sent.",
        write="Look for the message before this one, or run asgi-cors doctor.",
        safari=(
            "!{kind} cannot load {url} due to access control checks.",
            "!cannot load {url} due to access control checks",
            "!access control checks",
        ),
        is_echo=True,
    ),
    Cause(
        code="FontNotLoaded",
        title="A font was not loaded",
        means="The font's server does not allow the page's origin, or there was no response. Fonts are always loaded"
        " with CORS. Another message of Firefox has the reason.",
        write="Look for the other message in the console, or run asgi-cors doctor with the font's URL.",
        options={"allow_origins": ["{origin}"]},
        firefox=("!downloadable font: download failed {value} bad URI or cross-site access not allowed source: {url}",),
        is_echo=True,
    ),
    Cause(
        code="CorsDisabled",
        title="CORS is switched off in this Firefox",
        means="The user, or an extension, set content.cors.disable in about:config. Firefox then blocks every"
        " cross-origin request.",
        write="Set content.cors.disable to false in about:config.",
        firefox=("CORS disabled",),
    ),
    Cause(
        code="FailedToFetch",
        title="The error that the script sees",
        means="The browser reports to the script only that the request failed, because a page must not learn more about"
        " a server that does not trust it. The console has the reason, in another message.",
        write="Look for the other message in the console, or run asgi-cors doctor.",
        chromium=(
            "!TypeError: Failed to fetch",
            "!net::ERR_FAILED",
            "!NetworkError: A network error occurred.",
            "!AxiosError: Network Error",
            "!Error: Network Error",
        ),
        firefox=(
            "!NetworkError when attempting to fetch resource",
            "!Module source URI is not allowed in this document: “{url}”",
        ),
        safari=("!TypeError: Load failed",),
        is_echo=True,
    ),
)
