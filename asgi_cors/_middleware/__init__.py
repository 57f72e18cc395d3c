"""The objects around an app, for ASGI and WSGI.

A middleware finds the cache of the policy that serves a request, and the cached response in it. `base.py` makes a
response that is not cached. A preflight never reaches the app. Of an app's response, only the start is changed: the
headers of the policy replace the app's own, and the app's Vary and Access-Control-Expose-Headers stay.

Limits: bodies are never read or changed. An app that raises after its response has started is left to the server.
"""
