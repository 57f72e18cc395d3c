"""The smallest API of each protocol that a preset serves, as an ASGI app without any CORS of its own."""
