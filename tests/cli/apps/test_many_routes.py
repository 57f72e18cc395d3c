"""Many routes and many paths with a policy take seconds."""

import time

from asgi_cors.cli.apps.templates import PathTemplate, Variable


def test_many_routes_are_compared_with_many_paths_in_a_moment():
    routes = [PathTemplate(parts=(f"/route{number}/", Variable())) for number in range(2_000)]
    began = time.process_time()
    for key in range(100):
        assert sum(route.may_match(f"/route{key}/*") for route in routes) == 1
    assert time.process_time() - began < 2
