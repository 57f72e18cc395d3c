"""Test a live server as three browsers would, and name the cause if they block.

A question is one request of a page's script. `collect` sends it as each engine of `asgi_cors.testing` does, through a
recorder that sends every distinct request once, then probes the URL as other origins. The evidence goes through the
`rules`: a small function for each mistake. Each finding has a recipe if the response shows which software sent it.
"""
