"""CORS for Quart: `CORS` takes the policy's own options, the functions take the names of Quart-CORS.

    app = Quart(__name__)
    CORS(app, allow_origins=["https://app.example.com"], allow_credentials=True)

`cors(app_or_blueprint, allow_origin=…)`, `route_cors`, `websocket_cors` and `cors_exempt` take the options of
Quart-CORS, and use the same `QUART_CORS_*` configuration. A view's policy replaces its blueprint's, which replaces the
app's. Policies are not merged.

To read the code: `_options` parses the options, `_installation` applies them to an app, `_routing` finds the route of
a request, and `_decorators` applies a policy to a view.
"""

from asgi_cors_werkzeug import cors_exempt

from ._decorators import route_cors, websocket_cors
from ._extension import CORS, cors

__all__ = ["CORS", "cors", "cors_exempt", "route_cors", "websocket_cors"]
