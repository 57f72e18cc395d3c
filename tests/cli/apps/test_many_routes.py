"""Apps with many routes."""

from asgi_cors.cli.apps.templates import PathTemplate, Variable


def test_a_path_with_a_policy_leads_to_one_of_many_routes():
    routes = [PathTemplate(parts=(f"/route{number}/", Variable())) for number in range(2_000)]
    for key in range(100):
        assert sum(route.may_match(f"/route{key}/*") for route in routes) == 1
