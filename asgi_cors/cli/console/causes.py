"""What each message means, and what to write: the text of `asgi-cors console` and of docs/console.md.

Here are those that are not about a field of CORS, however they are called.
"""

from __future__ import annotations

from typing import Final

from .cause import Meaning
from .causes_cors import MEANINGS as OF_CORS

MEANINGS: Final = (
    *OF_CORS,
    Meaning(
        code="RedirectContainsCredentials",
        title="Redirected to a URL with a password",
        means="A redirect leads to a URL with a user name or a password in it, which browsers don't follow to another"
        " origin.",
        write="Redirect to the bare URL.",
        chromium=(
            (
                "Redirect location '{value}' contains a username and password, which is disallowed for cross-origin"
                " requests."
            ),
        ),
        safari=("Redirection to URL with user name or password is not allowed by CORS policy.",),
    ),
    Meaning(
        code="LocalNetworkAccessPermissionDenied",
        title="Local Network Access",
        means="A page from the internet calls this machine or the local network, and the user hasn't allowed it"
        " (Chromium asks). It has nothing to do with CORS fields: nothing was sent.",
        write="Allow it at the address bar; serve the page over https; or open the page from the same network.",
        chromium=("Permission was denied for this request to access the `{value}` address space.",),
    ),
    Meaning(
        code="HeaderNotExposed",
        title="A response header reads as null",
        means="The page gets the response, but of its headers only seven and those that are exposed. Only Chromium, and"
        " only for XMLHttpRequest, says so.",
        write="List it in Access-Control-Expose-Headers, in the response itself, not in the answer to OPTIONS.",
        policy="expose_headers=['{name}']",
        chromium=('!Refused to get unsafe header "{name}"',),
        safari=('!Refused to get unsafe header "{name}"',),
    ),
    Meaning(
        code="DisallowedByMode",
        title="The script asked for its own origin only",
        means="fetch() was called with mode: 'same-origin', which no server can allow.",
        write="Leave mode out.",
        chromium=(
            (
                '!Fetch API cannot load {url}. Request mode is "same-origin" but the URL\'s origin is not same as the'
                " request origin {origin}."
            ),
        ),
        firefox=("!Security Error: Content at {origin} may not load data from {url}.",),
        safari=("Cross-origin request is not allowed for mode same-origin.",),
    ),
    Meaning(
        code="CorsDisabledScheme",
        title="Neither http nor https",
        means="The URL, or the page's, has a scheme that CORS doesn't know: file:, or one of an app's own.",
        write="Serve page and API over http or https, on localhost, too.",
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
    Meaning(
        code="UrlWithPassword",
        title="The URL itself has a password",
        means="fetch() takes no URL with a user name or a password in it.",
        write="Send them as an Authorization header.",
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
    Meaning(
        code="BlockedByResourcePolicy",
        title="Cross-Origin-Resource-Policy",
        means="An image, script or style was asked for without CORS, and the server keeps it to its own site by"
        " Cross-Origin-Resource-Policy. That is another field than CORS's.",
        write="Send Cross-Origin-Resource-Policy: cross-origin; or load it with the attribute crossorigin, and allow"
        " the origin.",
        chromium=("!Failed to load resource: net::ERR_BLOCKED_BY_RESPONSE.{value}",),
        firefox=(
            "!The resource at “{url}” was blocked due to its Cross-Origin-Resource-Policy header (or lack thereof).",
        ),
        safari=(
            "!Cancelled load to {url} because it violates the resource's Cross-Origin-Resource-Policy response header.",
        ),
    ),
    Meaning(
        code="OpaqueResponseBlocked",
        title="Opaque Response Blocking",
        means="JSON or HTML was asked for as if it were an image or a script, without CORS; the browser keeps it away.",
        write="Ask by fetch(), and allow the origin; or send the content type of what it is.",
        chromium=("!net::ERR_BLOCKED_BY_ORB",),
        firefox=(
            "!The resource at “{url}” was blocked by OpaqueResponseBlocking.",
            "!A resource is blocked by OpaqueResponseBlocking, please check browser console for details.",
        ),
    ),
    Meaning(
        code="DidNotSucceed",
        title="There was no answer",
        means="The connection failed: no server, a refused or broken connection, a wrong certificate, a block by an"
        " extension. CORS wasn't looked at, whatever the message is called. Where Firefox prints it second, the first"
        " message is the one that tells.",
        write="Open the URL itself in the browser; look whether the server runs, and at its certificate.",
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
    Meaning(
        code="FailedToFetch",
        title="What the script sees",
        means="The script is told nothing but that the call failed, on purpose: a page must not learn more of a server"
        " that doesn't trust it. The console has the reason, in a message of its own.",
        write="Look for the other message in the console; or run asgi-cors doctor.",
        chromium=("!TypeError: Failed to fetch", "!NetworkError: A network error occurred."),
        firefox=("!TypeError: NetworkError when attempting to fetch resource.",),
        safari=("!TypeError: Load failed",),
        is_echo=True,
    ),
)
