"""The counters of `OpenTelemetryMetrics`, as the SDK of OpenTelemetry reads and exports them."""

import logging
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from asgi_cors import Decision, Outcome, Policy
from tests.support.apps import App
from tests.support.clients import Client

pytest.importorskip("opentelemetry.sdk.metrics")

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from asgi_cors.metrics import OpenTelemetryMetrics

APP = "https://app.example.com"
EVIL = "https://evil.example"
POLICY = Policy(allow_origins=APP, allow_methods="PUT", name="api")
REFUSED = Decision(Outcome.REFUSED, "MissingAllowOriginHeader", policy_name="api")
ALLOWED = Decision(Outcome.ALLOWED, policy_name="api")


@pytest.fixture
def reader() -> InMemoryMetricReader:
    return InMemoryMetricReader()


@pytest.fixture
def provider(reader: InMemoryMetricReader) -> Any:
    provider = MeterProvider([reader])
    yield provider
    provider.shutdown()


def read(reader: InMemoryMetricReader, name: str = "cors.decisions") -> list[tuple[dict[str, str], int]]:
    """Return attributes and value of each data point of a metric."""
    data: Any = reader.get_metrics_data()
    scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
    metrics = [metric for scope in scopes for metric in scope.metrics if metric.name == name]
    points = [(dict(point.attributes), point.value) for metric in metrics for point in metric.data.data_points]
    return sorted(points, key=str)


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_requests_are_counted_by_outcome_reason_and_policy(interface: str, reader: Any, provider: Any) -> None:
    client = Client(interface, App(), POLICY, on_decision=OpenTelemetryMetrics(provider))
    for _ in range(3):  # from the second one on, the decision is cached
        client.request(origin=APP)
    client.preflight("DELETE", origin=APP)
    reason = "MethodDisallowedByPreflightResponse"
    assert read(reader) == [
        ({"cors.outcome": "allowed", "cors.policy.name": "api"}, 3),
        ({"cors.outcome": "preflight-refused", "cors.reason": reason, "cors.policy.name": "api"}, 1),
    ]


def test_a_policy_without_name_has_no_attribute(reader: Any, provider: Any) -> None:
    OpenTelemetryMetrics(provider)(Decision(Outcome.NOT_CORS), {})
    assert read(reader) == [({"cors.outcome": "not-cors"}, 1)]


def test_a_report_only_decision_is_counted_with_its_direction_and_reason(reader: Any, provider: Any) -> None:
    OpenTelemetryMetrics(provider)(ALLOWED._replace(report_only=REFUSED), {})
    assert read(reader, "cors.report_only") == [
        ({"cors.report": "would_refuse", "cors.reason": "MissingAllowOriginHeader", "cors.policy.name": "api"}, 1)
    ]


def test_the_values_of_attributes_are_plain_strings(reader: Any, provider: Any) -> None:
    """An exporter may check the type, or use `repr`."""
    OpenTelemetryMetrics(provider)(ALLOWED._replace(report_only=REFUSED), {})
    points = read(reader) + read(reader, "cors.report_only")
    assert {type(value) for attributes, _ in points for value in attributes.values()} == {str}


def test_the_meter_has_the_name_of_the_package_and_the_counters_have_a_unit(reader: Any, provider: Any) -> None:
    OpenTelemetryMetrics(provider)(ALLOWED._replace(report_only=REFUSED), {})
    (resource,) = reader.get_metrics_data().resource_metrics
    (scope,) = resource.scope_metrics
    assert scope.scope.name == "asgi_cors"
    assert [metric.unit for metric in scope.metrics] == ["{decision}", "{decision}"]
    assert all(metric.description and metric.data.is_monotonic for metric in scope.metrics)


def test_middlewares_with_one_provider_share_its_counters(reader: Any, provider: Any) -> None:
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)  # older versions log that the counter exists
    for interface in ("asgi", "wsgi"):
        Client(interface, App(), POLICY, on_decision=OpenTelemetryMetrics(provider)).request(origin=APP)
    assert read(reader) == [({"cors.outcome": "allowed", "cors.policy.name": "api"}, 2)]


def test_threads_lose_no_count(reader: Any, provider: Any) -> None:
    count = OpenTelemetryMetrics(provider)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: count(ALLOWED._replace(policy_name=f"{number % 7}"), {}), range(4000)))
    points = read(reader)
    assert (len(points), sum(value for _, value in points)) == (7, 4000)


GLOBAL = """
    from opentelemetry import metrics
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    from asgi_cors import Decision, Outcome
    from asgi_cors.metrics import OpenTelemetryMetrics

    count = OpenTelemetryMetrics()
    count(Decision(Outcome.ALLOWED), {})  # no provider is set, so this one is not counted
    reader = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider([reader]))
    count(Decision(Outcome.ALLOWED), {})
    count(Decision(Outcome.REFUSED, "InvalidOrigin"), {})
    (resource,) = reader.get_metrics_data().resource_metrics
    (point, other) = resource.scope_metrics[0].metrics[0].data.data_points
    print(point.value, other.value)
"""


def test_a_global_provider_that_is_set_later_counts_from_then_on() -> None:
    """In a process of its own, because the global provider can be set only once."""
    command = [sys.executable, "-c", textwrap.dedent(GLOBAL)]
    environment = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (done.stdout, done.stderr) == ("1 1\n", "")


def test_the_prometheus_exporter_exports_the_names_of_prometheus_metrics() -> None:
    prometheus = pytest.importorskip("prometheus_client")
    exporter = pytest.importorskip("opentelemetry.exporter.prometheus")
    reader = exporter.PrometheusMetricReader()
    provider = MeterProvider([reader])
    OpenTelemetryMetrics(provider)(ALLOWED._replace(report_only=REFUSED), {})
    lines = prometheus.generate_latest().decode().splitlines()
    provider.shutdown()
    ours = [line.partition("{")[0] for line in lines if line.startswith("cors_") and "cors_policy_name" in line]
    assert sorted(ours) == ["cors_decisions_total", "cors_report_only_total"]


def test_a_meter_in_place_of_its_provider_is_named(provider: Any) -> None:
    with pytest.raises(TypeError, match="is not a MeterProvider"):
        OpenTelemetryMetrics(provider.get_meter("shop"))
