"""CORS for Flask, with the names of Flask-CORS: change the import, not the code.

    from asgi_cors_flask import CORS, cross_origin

    CORS(app, resources={"/api/*": {"origins": ["https://app.example.com"]}})

`CORS` puts a `WSGIMiddleware` around `app.wsgi_app`, which answers preflights before anything of the app runs.
`cross_origin` applies a policy to one view, and `cors_exempt` passes its requests through. `asgi_app` serves the app
over ASGI.

To read the code: `_options` parses the options, `_extension` applies them to an app, `_decorators` to a view, and
`_asgi` is the bridge to ASGI.
"""

from asgi_cors_werkzeug import cors_exempt

from ._asgi import asgi_app
from ._decorators import cross_origin
from ._extension import CORS, Installation

__all__ = ["CORS", "Installation", "asgi_app", "cors_exempt", "cross_origin"]
