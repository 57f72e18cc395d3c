"""`python -m asgi_cors` is the script `asgi-cors`."""

from asgi_cors.cli import main

main()
