"""The global registry of prometheus-client, which all tests of a process share."""

from typing import Any


def remove_our_counters(registry: Any) -> None:
    """Remove the counters of `PrometheusMetrics` from a registry."""
    for collector, names in list(registry._collector_to_names.items()):
        if any("cors_" in name for name in names):
            registry.unregister(collector)
