"""The network of a page: an ASGI or WSGI application in place of a server.

`apps` finds an application's interface. `asgi`, `wsgi` and `websocket` call an application, `lifespan` starts and stops
it, and `head` checks its responses. `tasks`, `worker` and `loop_thread` run code that can block or never return.

Limits: an application sees HTTP/1.1 and one client address. A WebSocket closes after its handshake.
"""
