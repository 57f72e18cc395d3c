"""Which responses a middleware has cached."""

from asgi_cors import Policy
from asgi_cors._configuration.bounded_cache import BoundedCache
from tests.support.clients import Client


def cached(client: Client, policy: Policy) -> list[BoundedCache]:
    """Return the caches of a policy, those of both interfaces."""
    evaluator = client.middleware.configuration.evaluator
    caches = [caches.for_policy(policy) for caches in (evaluator.asgi, evaluator.wsgi)]
    return [cache for each in caches for cache in (each.actual, each.preflight, each.writes)]
