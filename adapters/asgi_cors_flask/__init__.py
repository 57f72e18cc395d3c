"""CORS for Flask, under the names of Flask-CORS: change the import, keep the code.

    from asgi_cors_flask import CORS, cross_origin

    CORS(app, resources={"/api/*": {"origins": ["https://app.example.com"]}})

`CORS` puts a `WSGIMiddleware` around `app.wsgi_app`, so that preflights are answered before anything of the app runs.
`cross_origin` and `cors_exempt` give single views a policy of their own, or none. `asgi_app` serves the app by ASGI.
To read the code: `_options` reads what people write, `_installation` binds it to an app, `_extension` and `_decorator`
are how people ask for it, `_asgi` is the way to ASGI.
"""

from asgi_cors_werkzeug import cors_exempt

from ._asgi import asgi_app
from ._decorator import cross_origin
from ._extension import CORS
from ._installation import Installation

__all__ = ["CORS", "Installation", "asgi_app", "cors_exempt", "cross_origin"]
