"""Counters of decisions for OpenTelemetry, by the package opentelemetry-api."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial

if importlib.util.find_spec("opentelemetry") is None:
    raise ImportError(
        "OpenTelemetryMetrics needs opentelemetry-api. Install it with pip install 'asgi-cors-bridge[opentelemetry]'.",
        name="opentelemetry",
    )

from opentelemetry.metrics import MeterProvider, get_meter

from .labels import DecisionMetrics


class OpenTelemetryMetrics(DecisionMetrics):
    """Count decisions by OpenTelemetry. Use it as `on_decision`.

    The instruments are the counters `cors.decisions`, with the attributes `cors.outcome`, `cors.reason` and
    `cors.policy.name`, and `cors.report_only`, with the attributes `cors.report`, `cors.reason` and `cors.policy.name`.
    An attribute is absent if a decision has no reason, or a policy no name. Names and units follow the semantic
    conventions of OpenTelemetry (https://opentelemetry.io/docs/specs/semconv/general/naming/). The name of the meter is
    `asgi_cors`.

    Args:
        meter_provider: The provider of the meter. Default: the global one. If that is set later, the counters count
            from then on. Without one, nothing is counted.

    Raises:
        TypeError: If `meter_provider` is not a MeterProvider.
    """

    def __init__(self, meter_provider: MeterProvider | None = None) -> None:
        """Create the instruments."""
        super().__init__()
        if meter_provider is not None and not callable(getattr(meter_provider, "get_meter", None)):
            raise TypeError(f"{meter_provider!r} is not a MeterProvider.")
        meter = get_meter("asgi_cors", meter_provider=meter_provider)
        self._decision_counter = meter.create_counter(
            "cors.decisions", unit="{decision}", description="Decisions on requests."
        )
        self._report_counter = meter.create_counter(
            "cors.report_only",
            unit="{decision}",
            description="Decisions that a policy in report-only mode would change.",
        )

    def decision_counter(self, outcome: str, reason: str | None, policy: str | None) -> Callable[[], object]:
        """Return the function that adds to a counter."""
        return partial(self._decision_counter.add, 1, {"cors.outcome": str(outcome), **_attributes(reason, policy)})

    def report_counter(self, report: str, reason: str | None, policy: str | None) -> Callable[[], object]:
        """Return the function that adds to a counter."""
        return partial(self._report_counter.add, 1, {"cors.report": str(report), **_attributes(reason, policy)})


def _attributes(reason: str | None, policy: str | None) -> dict[str, str]:
    """Return the attributes that both counters have."""
    values = {"cors.reason": reason, "cors.policy.name": policy}
    return {name: value for name, value in values.items() if value is not None}
