"""CORS for Quart: the policy's own options by `CORS`, and the names of Quart-CORS.

    app = Quart(__name__)
    CORS(app, allow_origins=["https://app.example.com"], allow_credentials=True)

`cors(app_or_blueprint, allow_origin=…)`, `route_cors`, `websocket_cors` and `cors_exempt` take what Quart-CORS takes,
and read the same `QUART_CORS_*` configuration. The nearest setting wins, whole: the view's, its blueprint's, the app's.

To read the code: `_settings` is what is written, and the policy that it comes to; `_installation` puts it around one
app; `_extension` and `_decorators` are what people call; `_alone` is for a view of an app with nothing around it.
"""

from asgi_cors_werkzeug import cors_exempt

from ._decorators import route_cors, websocket_cors
from ._extension import CORS, cors

__all__ = ["CORS", "cors", "cors_exempt", "route_cors", "websocket_cors"]
