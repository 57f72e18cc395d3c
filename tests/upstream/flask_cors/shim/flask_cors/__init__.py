"""asgi_cors_flask under the name of Flask-CORS, for its own tests."""

from asgi_cors_flask import CORS, cross_origin

__all__ = ["CORS", "cross_origin"]
