"""Counters of decisions for Prometheus, by the package prometheus-client."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable
from typing import Final, cast
from weakref import WeakKeyDictionary

if importlib.util.find_spec("prometheus_client") is None:
    raise ImportError(
        "PrometheusMetrics needs prometheus-client. Install it with pip install 'asgi-cors-bridge[prometheus]'.",
        name="prometheus_client",
    )

from prometheus_client import REGISTRY, CollectorRegistry, Counter

from .labels import DecisionMetrics

_lock: Final = threading.Lock()
_counters: Final[WeakKeyDictionary[CollectorRegistry, dict[str, Counter]]] = WeakKeyDictionary()


class PrometheusMetrics(DecisionMetrics):
    """Count decisions in a Prometheus registry. Use it as `on_decision`.

    The counters are `cors_decisions_total` with the labels `outcome`, `reason` and `policy`, and
    `cors_report_only_total` with the labels `report`, `reason` and `policy`. A label is empty if a decision has no
    reason, or a policy no name. Objects with the same registry and namespace share their counters. In multiprocess
    mode, as set by `PROMETHEUS_MULTIPROC_DIR`, the counters of all processes are added up.

    Args:
        registry: The registry that exports the counters. Default: the global one of prometheus-client.
        namespace: A prefix of the counters' names, such as `"shop"` for `shop_cors_decisions_total`.

    Raises:
        TypeError: If `registry` is not a CollectorRegistry.
        ValueError: If the registry has another metric of the same name, or the namespace is invalid.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY, *, namespace: str = "") -> None:
        """Register the counters, if they are not registered yet."""
        super().__init__()
        if not isinstance(cast("object", registry), CollectorRegistry):
            raise TypeError(f"{registry!r} is not a CollectorRegistry. A prefix is PrometheusMetrics(namespace=…).")
        self._decision_counter = _register(
            registry, namespace, "cors_decisions", "Decisions on requests.", ("outcome", "reason", "policy")
        )
        self._report_counter = _register(
            registry,
            namespace,
            "cors_report_only",
            "Decisions that a policy in report-only mode would change.",
            ("report", "reason", "policy"),
        )

    def decision_counter(self, outcome: str, reason: str | None, policy: str | None) -> Callable[[], object]:
        """Return the function that increments a counter."""
        return self._decision_counter.labels(outcome, reason or "", policy or "").inc

    def report_counter(self, report: str, reason: str | None, policy: str | None) -> Callable[[], object]:
        """Return the function that increments a counter."""
        return self._report_counter.labels(report, reason or "", policy or "").inc


def _register(
    registry: CollectorRegistry, namespace: str, name: str, documentation: str, labels: tuple[str, ...]
) -> Counter:
    """Return a counter of a registry: a new one, or the one that an earlier object registered."""
    counter = Counter(name, documentation, labels, namespace=namespace, registry=None)
    with _lock:
        ours = _counters.setdefault(registry, {})
        full_name = f"{namespace}_{name}"
        try:
            registry.register(counter)
        except ValueError:
            if full_name not in ours:
                raise
        else:
            ours[full_name] = counter
        return ours[full_name]
