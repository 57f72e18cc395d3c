"""Run `asgi-cors` as `python -m asgi_cors`."""

from asgi_cors.cli import main

main()
