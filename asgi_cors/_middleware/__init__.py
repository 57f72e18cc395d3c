"""The objects around an app, for ASGI and WSGI."""
