"""Messages as users paste them, each with the code of its cause."""
# ruff: noqa: E501 - as browsers print them

PASTED = [
    (
        "XMLHttpRequest cannot load http://api.test/x. No 'Access-Control-Allow-Origin' header is present on the requested resource. Origin 'http://y.test' is therefore not allowed access.",
        "MissingAllowOriginHeader",
    ),
    (
        "Failed to load http://localhost:3000/login/: No 'Access-Control-Allow-Origin' header is present on the requested resource. Origin 'null' is therefore not allowed access. If an opaque response serves your needs, set the request's mode to 'no-cors' to fetch the resource with CORS disabled.",
        "MissingAllowOriginHeader",
    ),
    (
        "XMLHttpRequest cannot load http://localhost:8080/good-beers. No 'Access-Control-Allow-Origin' header is present on the requested resource. Origin 'http://localhost:8100' is therefore not allowed access. The response had HTTP status code 401.",
        "MissingAllowOriginHeader",
    ),
    (
        "XMLHttpRequest cannot load http://a.test/. Response to preflight request doesn't pass access control check: No 'Access-Control-Allow-Origin' header is present on the requested resource. Origin 'http://y' is therefore not allowed access.",
        "MissingAllowOriginHeader",
    ),
    (
        "XMLHttpRequest cannot load http://a.test/. Response for preflight has invalid HTTP status code 404",
        "PreflightInvalidStatus",
    ),
    ("Failed to load http://a.test/: Response for preflight does not have HTTP ok status.", "PreflightInvalidStatus"),
    (
        "Fetch API cannot load http://a.test/. Request header field Content-Type is not allowed by Access-Control-Allow-Headers in preflight response.",
        "HeaderDisallowedByPreflightResponse",
    ),
    (
        "XMLHttpRequest cannot load http://a.test/. Method PUT is not allowed by Access-Control-Allow-Methods in preflight response.",
        "MethodDisallowedByPreflightResponse",
    ),
    (
        "XMLHttpRequest cannot load http://a.test/. A wildcard '*' cannot be used in the 'Access-Control-Allow-Origin' header when the credentials flag is true. Origin 'http://b.test' is therefore not allowed access. The credentials mode of an XMLHttpRequest is controlled by the withCredentials attribute.",
        "WildcardOriginNotAllowed",
    ),
    (
        "Failed to load https://x.top/blog/likeBlog: Redirect from 'https://x.top/blog/likeBlog' to 'https://x.top/user/login' has been blocked by CORS policy: The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*' when the request's credentials mode is 'include'. Origin 'http://www.x.top' is therefore not allowed access.",
        "WildcardOriginNotAllowed",
    ),
    (
        "XMLHttpRequest cannot load http://a.test/. Credentials flag is 'true', but the 'Access-Control-Allow-Credentials' header is ''. It must be 'true' to allow credentials. Origin 'http://b' is therefore not allowed access.",
        "InvalidAllowCredentials",
    ),
    (
        "XMLHttpRequest cannot load http://a.test. The request was redirected to 'http://b.test/login', which is disallowed for cross-origin requests that require preflight.",
        "PreflightDisallowedRedirect",
    ),
    (
        "XMLHttpRequest cannot load http://a.test/. Origin http://b.test is not allowed by Access-Control-Allow-Origin.",
        "MissingAllowOriginHeader",
    ),
    ("XMLHttpRequest cannot load http://a.test/. Invalid HTTP status code 405", "PreflightInvalidStatus"),
    (
        "Font from origin 'http://cdn.x.com' has been blocked from loading by Cross-Origin Resource Sharing policy: No 'Access-Control-Allow-Origin' header is present on the requested resource. Origin 'http://www.x.com' is therefore not allowed access.",
        "MissingAllowOriginHeader",
    ),
    (
        "XMLHttpRequest cannot load file:///C:/x.json. Cross origin requests are only supported for HTTP.",
        "CorsDisabledScheme",
    ),
    (
        "XMLHttpRequest cannot load http://a.test. The 'Access-Control-Allow-Origin' header contains multiple values '*, *', but only one is allowed. Origin 'http://b.test' is therefore not allowed access.",
        "MultipleAllowOriginValues",
    ),
    (
        "Failed to load http://a.test/: The 'Access-Control-Allow-Origin' header has a value 'http://xxx.com' that is not equal to the supplied origin. Origin 'http://localhost:3000' is therefore not allowed access.",
        "AllowOriginMismatch",
    ),
    ("No 'Access-Control-Allow-Origin' header is present on the requested resource", "MissingAllowOriginHeader"),
    ("no access-control-allow-origin header is present on the requested resource", "MissingAllowOriginHeader"),
    ("has been blocked by CORS policy", "BlockedByCORS"),
    ("blocked by CORS policy", "BlockedByCORS"),
    ("Response to preflight request doesn't pass access control check", "PreflightFailed"),
    ("Redirect is not allowed for a preflight request", "PreflightDisallowedRedirect"),
    ("It does not have HTTP ok status", "PreflightInvalidStatus"),
    ("CORS header ‘Access-Control-Allow-Origin’ missing", "MissingAllowOriginHeader"),
    ("(Reason: CORS request did not succeed)", "DidNotSucceed"),
    ("Reason: CORS request not HTTP", "CorsDisabledScheme"),
    ("CORS Missing Allow Origin", "MissingAllowOriginHeader"),
    (
        "Access to fetch at 'https://api.example.com/items' from origin 'https://app.example.com' has been blocked by CORS policy",
        "BlockedByCORS",
    ),
    (
        "Access to fetch at 'https://api.example.com/items' from origin 'https://app.example.com' has been blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present",
        "MissingAllowOriginHeader",
    ),
    (
        "Access to fetch at 'https://api.example.com/items' app.js:17 from origin 'https://app.example.com' has been blocked by CORS policy: Method PUT is not allowed by Access-Control-\nAllow-Methods in preflight response",
        "MethodDisallowedByPreflightResponse",
    ),
    (
        "app.js:17 Access to fetch at 'https://api.example.com/items' from origin 'https://app.example.com' has been blocked by CORS policy: Request header field x-id is not allowed by Access-Control-Allow-Headers in preflight response.",
        "HeaderDisallowedByPreflightResponse",
    ),
    (
        "Access to XMLHttpRequest at '[https://api.example.com/x](https://api.example.com/x)' from origin '[https://a.test](https://a.test)' has been blocked by CORS policy: It does not have HTTP ok status.",
        "PreflightInvalidStatus",
    ),
    (
        "Mixed Content: The page at 'https://app.test/' was loaded over HTTPS, but requested an insecure XMLHttpRequest endpoint 'http://api.test/x'. This request has been blocked; the content must be served over HTTPS.",
        "MixedContent",
    ),
    ("Blocked loading mixed active content “http://api.test/x”", "MixedContent"),
    (
        "[blocked] The page at https://a.test/ was not allowed to display insecure content from http://api.test/x.",
        "MixedContent",
    ),
    ("GET https://x.test/a.png net::ERR_BLOCKED_BY_RESPONSE.NotSameOrigin 200 (OK)", "BlockedByResourcePolicy"),
    ("GET https://x.test/a.js net::ERR_BLOCKED_BY_ORB", "OpaqueResponseBlocked"),
    (
        "Cross-Origin Read Blocking (CORB) blocked cross-origin response https://x.test/ with MIME type text/html. See https://www.chromestatus.com/feature/5629709824032768 for more details.",
        "OpaqueResponseBlocked",
    ),
    (
        "Uncaught DOMException: Failed to execute 'toDataURL' on 'HTMLCanvasElement': Tainted canvases may not be exported.",
        "TaintedCanvas",
    ),
    (
        "Failed to execute 'getImageData' on 'CanvasRenderingContext2D': The canvas has been tainted by cross-origin data.",
        "TaintedCanvas",
    ),
    ("SecurityError: The operation is insecure.", "OperationInsecure"),
    (
        "WebSocket connection to 'wss://api.test/ws' failed: Error during WebSocket handshake: Unexpected response code: 403",
        "HandshakeRefused",
    ),
    ("Error during WebSocket handshake: Unexpected response code: 403", "HandshakeRefused"),
    ("WebSocket connection to 'wss://api.test/ws' failed: Unexpected response code: 403", "HandshakeRefused"),
    ("WebSocket connection to 'wss://api.test/ws' failed: ", "ConnectionFailed"),
    ("NetworkError when attempting to fetch resource", "FailedToFetch"),
    ("TypeError: NetworkError when attempting to fetch resource. app.js:12:5", "FailedToFetch"),
    ("Fetch API cannot load https://api.test/x due to access control checks.", "AccessControlChecks"),
    (
        "[Error] Origin https://a.test is not allowed by Access-Control-Allow-Origin. Status code: 403\n[Error] Fetch API cannot load https://api.test/x due to access control checks.\n[Error] Failed to load resource: Origin https://a.test is not allowed by Access-Control-Allow-Origin. Status code: 403 (x, line 0)",
        "MissingAllowOriginHeader",
    ),
    (
        "Access to fetch at 'https://api.example.com/items' from origin 'https://app.example.com' has been blocked by CORS policy: Permission was denied for this request to access the `loopback` address space.",
        "LocalNetworkAccessPermissionDenied",
    ),
    (
        "Access to fetch at 'https://api.example.com/items' from origin 'https://app.example.com' has been blocked by CORS policy: Request had a target IP address space of `local` yet the resource is in address space `loopback`.",
        "InvalidLocalNetworkAccess",
    ),
    (
        "Access to fetch at 'https://api.example.com/items' from origin 'https://app.example.com' has been blocked by CORS policy: The request client is not a secure context and the resource is in more-private address space `local`.",
        "LocalNetworkAccessPermissionDenied",
    ),
    (
        "Access to fetch at 'https://api.example.com/items' from origin 'https://app.example.com' has been blocked by CORS policy: Response to preflight request doesn't pass access control check: No 'Access-Control-Allow-Private-Network' header was present in the preflight response for this private network request targeting the `local` address space.",
        "LocalNetworkAccessPermissionDenied",
    ),
    (
        "Access to fetch at 'https://api.example.com/items' from origin 'https://app.example.com' has been blocked by CORS policy: Request header field access-control-allow-origin is not allowed by Access-Control-Allow-Headers in preflight response.",
        "ResponseHeaderInRequest",
    ),
    (
        "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at https://api.test/. (Reason: header ‘access-control-allow-origin’ is not allowed according to header ‘Access-Control-Allow-Headers’ from CORS preflight response).",
        "ResponseHeaderInRequest",
    ),
    (
        "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at http://a.test/x. This can be fixed by moving the resource to the same domain or enabling CORS.",
        "MissingAllowOriginHeader",
    ),
    (
        "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at http://a.test/x. (Reason: CORS preflight channel did not succeed).",
        "PreflightInvalidStatus",
    ),
    (
        "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at http://a.test/x. (Reason: missing token ‘authorization’ in CORS header ‘Access-Control-Allow-Headers’ from CORS preflight channel).",
        "HeaderDisallowedByPreflightResponse",
    ),
    (
        "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at http://a.test/x. (Reason: CORS header 'Access-Control-Allow-Origin' does not match 'https://b.test, https://c.test').",
        "MultipleAllowOriginValues",
    ),
    (
        "Refused to connect to 'https://api.test/' because it violates the following Content Security Policy directive: \"connect-src 'self'\".",
        "ContentSecurityPolicy",
    ),
    ("AxiosError: Network Error", "FailedToFetch"),
    (
        "Access to image at 'https://cdn.test/a.png' from origin 'https://a.test' has been blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present on the requested resource.",
        "MissingAllowOriginHeader",
    ),
    (
        "Access to script at 'file:///C:/x/app.js' from origin 'null' has been blocked by CORS policy: Cross origin requests are only supported for protocol schemes: http, data, isolated-app, chrome-extension, chrome, https, chrome-untrusted.",
        "CorsDisabledScheme",
    ),
    ("Origin https://app.example.com is not allowed by Access-Control-Allow-Origin", "MissingAllowOriginHeader"),
    ("Preflight response is not successful", "PreflightInvalidStatus"),
    # Errors of the network stack: before there is a response, after it, or for another reason.
    ("GET http://localhost:5000/ net::ERR_CONNECTION_REFUSED", "ConnectionFailed"),
    (
        "POST https://a.test/x net::ERR_CERT_AUTHORITY_INVALID\nUncaught (in promise) TypeError: Failed to fetch",
        "ConnectionFailed",
    ),
    ("GET http://localhost:5000/ net::ERR_FAILED 200 (OK)", "FailedToFetch"),
    ("GET https://a.test/ net::ERR_BLOCKED_BY_CSP", "ContentSecurityPolicy"),
    ("GET http://a.test/ net::ERR_BLOCKED_BY_PRIVATE_NETWORK_ACCESS_CHECKS", "LocalNetworkAccessPermissionDenied"),
    ("GET https://a.test/a.png net::ERR_BLOCKED_BY_RESPONSE", "BlockedByResourcePolicy"),
    (
        "WebSocket connection to 'ws://localhost:8000/ws' failed: WebSocket is closed before the connection is established.",
        "WebSocketClosed",
    ),
    (
        "WebSocket connection to 'ws://a.test/' failed: HTTP Authentication failed; no valid credentials available",
        "HandshakeRefused",
    ),
    (
        "WebSocket connection to 'ws://a.test/' failed: Error during WebSocket handshake: net::ERR_TIMED_OUT",
        "ConnectionFailed",
    ),
    # Firefox says less, or switched CORS off.
    (
        "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at https://a.test/. (Reason: CORS disabled).",
        "CorsDisabled",
    ),
    (
        "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at https://a.test/. (Reason: CORS request did not succeed).\nTypeError: NetworkError when attempting to fetch resource.",
        "DidNotSucceed",
    ),
    (
        'downloadable font: download failed (font-family: "X" style:normal): bad URI or cross-site access not allowed source: http://a.test/x.woff',
        "FontNotLoaded",
    ),
    ("Module source URI is not allowed in this document: “file:///C:/app.js”.", "CorsDisabledScheme"),
    ("Module source URI is not allowed in this document: “https://a.test/app.js”.", "FailedToFetch"),
    ("CORS Invalid Allow Header", "InvalidAllowHeadersPreflightResponse"),
    ("CORS Invalid Allow Method", "InvalidAllowMethodsPreflightResponse"),
    # Edge before version 79, and Internet Explorer.
    ("SEC7120: Origin http://b.test not found in Access-Control-Allow-Origin header.", "MissingAllowOriginHeader"),
    (
        "SEC7120: [CORS] The origin 'http://localhost:3000' did not find 'http://localhost:3000' in the Access-Control-Allow-Origin response header for cross-origin  resource at 'http://a.test/x'.",
        "MissingAllowOriginHeader",
    ),
    (
        "SEC7123: Request header content-type was not present in the Access-Control-Allow-Headers list.",
        "HeaderDisallowedByPreflightResponse",
    ),
    (
        "SEC7123: Request header Access-Control-Allow-Origin was not present in the Access-Control-Allow-Headers list.",
        "ResponseHeaderInRequest",
    ),
    # Earlier versions of Chrome.
    (
        "XMLHttpRequest cannot load http://a.test/x. The 'Access-Control-Allow-Origin' header contains the invalid value 'http://b.test, http://c.test'. Origin 'http://b.test' is therefore not allowed access.",
        "MultipleAllowOriginValues",
    ),
    (
        "Redirect from 'http://a.test/x' to 'https://a.test/x' has been blocked by CORS policy: Request requires preflight, which is disallowed to follow cross-origin redirect.",
        "PreflightDisallowedRedirect",
    ),
    (
        "Imported resource from origin 'file://' has been blocked from loading by Cross-Origin Resource Sharing policy: Received an invalid response. Origin 'null' is therefore not allowed access.",
        "CorsDisabledScheme",
    ),
    (
        "Uncaught SecurityError: Failed to execute 'texImage2D' on 'WebGLRenderingContext': The cross-origin image at http://a.test/x.png may not be loaded.",
        "TaintedCanvas",
    ),
    (
        "Access to fetch at 'http://localhost/' from origin 'https://a.test' has been blocked by CORS policy: Response to preflight request doesn't pass access control check: No 'Access-Control-Allow-Local-Network' header was present in the preflight response for this local network request targeting the `local` address space.",
        "LocalNetworkAccessPermissionDenied",
    ),
    # The log of a test runner, in JSON.
    (
        '{"message":"https://b.test/ - Access to fetch at \\u0027https://a.test/\\u0027 from origin \\u0027https://b.test\\u0027 has been blocked by CORS policy:\\nNo \\u0027Access-Control-Allow-Origin\\u0027 header is present on the requested resource."}',
        "MissingAllowOriginHeader",
    ),
    # The beginning of a reason, if it can be only one cause.
    ("No 'Access-Control-Allow-Origin' header", "MissingAllowOriginHeader"),
    (
        "The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*'",
        "WildcardOriginNotAllowed",
    ),
    (
        "Access to fetch at 'https://a.test/' from origin 'https://b.test' has been blocked by CORS policy: The 'Access-Control-Allow-Origin' header contains",
        "BlockedByCORS",
    ),
]

# Texts that are not a message of a browser about CORS, or that may be one of several causes.
NOT_MESSAGES = [
    "GET http://a.test/ net::ERR_ABORTED 404 (Not Found)",
    "DevTools failed to load source map: Could not load content for chrome-extension://x/a.map: HTTP error: status code 404, net::ERR_UNKNOWN_URL_SCHEME",
    "GET https://a.test/frame net::ERR_BLOCKED_BY_RESPONSE.CoepFrameResourceNeedsCoepHeader",
    "GET https://a.test/x net::ERR_INCOMPLETE_CHUNKED_ENCODING 200 (OK)",
    "WebSocket connection to 'wss://a.test/' failed: Invalid frame header",
    "The 'Access-Control-Allow-Origin' header",
    "Request header field names are case-insensitive.",
    "CORS is a mechanism that lets a server say which origins may read a response.",
    "django.security.csrf: Forbidden (Origin checking failed - https://a.test does not match any trusted origins.): /api",
]
