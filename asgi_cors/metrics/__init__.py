"""Counters of decisions, for Prometheus and OpenTelemetry.

`PrometheusMetrics` and `OpenTelemetryMetrics` are values for the middleware's `on_decision`. Both count two things:

- decisions, by outcome, reason and name of the policy
- decisions that the policy of `report_only`, `csrf_protection="report"` or `enforce="report"` would have made otherwise

A label never has a value that a client chooses, such as an origin or a path. A client could otherwise create any number
of time series, and each of them takes memory in the app and in the database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .labels import DecisionMetrics, Report

if TYPE_CHECKING:
    # Not in __all__, because `import *` must work without the extras.
    from .opentelemetry import OpenTelemetryMetrics as OpenTelemetryMetrics
    from .prometheus import PrometheusMetrics as PrometheusMetrics

__all__ = ["DecisionMetrics", "Report"]


def __getattr__(name: str) -> Any:
    """Import a class when it is used, because it needs an extra."""
    if name == "PrometheusMetrics":
        from . import prometheus  # noqa: PLC0415 - an optional dependency

        return prometheus.PrometheusMetrics
    if name == "OpenTelemetryMetrics":
        from . import opentelemetry  # noqa: PLC0415 - an optional dependency

        return opentelemetry.OpenTelemetryMetrics
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
