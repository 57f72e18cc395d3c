"""The types of `asgi_cors.metrics`, checked by mypy and pyright. Nothing runs this file."""

from collections.abc import Callable

from opentelemetry.metrics import get_meter_provider
from prometheus_client import CollectorRegistry

from asgi_cors import Configuration, Decision, Outcome
from asgi_cors.metrics import DecisionMetrics, OpenTelemetryMetrics, PrometheusMetrics, Report

Configuration(allow_origins="*", on_decision=PrometheusMetrics())
Configuration(allow_origins="*", on_decision=PrometheusMetrics(CollectorRegistry(), namespace="shop"))
Configuration(allow_origins="*", on_decision=OpenTelemetryMetrics())
Configuration(allow_origins="*", on_decision=OpenTelemetryMetrics(get_meter_provider()))


class Statsd(DecisionMetrics):
    """Counters for a third library."""

    def decision_counter(self, outcome: str, reason: str | None, policy: str | None) -> Callable[[], object]:
        """Return a function that prints."""
        return lambda: print(Outcome(outcome), reason, policy)  # noqa: T201 - only a type checker reads it

    def report_counter(self, report: str, reason: str | None, policy: str | None) -> Callable[[], object]:
        """Return a function that prints."""
        return lambda: print(Report(report), reason, policy)  # noqa: T201 - only a type checker reads it


Statsd()(Decision(Outcome.ALLOWED), {})
DecisionMetrics()  # type: ignore[abstract]  # pyright: ignore[reportAbstractUsage]
PrometheusMetrics(namespace=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
