"""The counters of `PrometheusMetrics`, as prometheus-client exports them."""

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from asgi_cors import Configuration, CORSMiddleware, Decision, Outcome, Policy, WSGIMiddleware
from tests.support.apps import App
from tests.support.clients import Client, call_asgi, call_wsgi, http_scope, wsgi_environ

prometheus_client = pytest.importorskip("prometheus_client")

from prometheus_client import CollectorRegistry, Counter, generate_latest  # noqa: E402
from prometheus_client.parser import text_string_to_metric_families  # noqa: E402

from asgi_cors.metrics import PrometheusMetrics  # noqa: E402
from tests.support.metrics import remove_our_counters  # noqa: E402

APP = "https://app.example.com"
EVIL = "https://evil.example"
POLICY = Policy(allow_origins=APP, allow_methods="PUT", name="api")
REFUSED = Decision(Outcome.REFUSED, "MissingAllowOriginHeader", policy_name="api")
ALLOWED = Decision(Outcome.ALLOWED, policy_name="api")


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def clean_global_registry() -> Iterator[None]:
    """Have no counters of ours in the registry that all tests of a process share."""
    remove_our_counters(prometheus_client.REGISTRY)
    yield
    remove_our_counters(prometheus_client.REGISTRY)


def exported(registry: CollectorRegistry, name: str = "cors_decisions_total") -> dict[tuple[str, ...], float]:
    """Return the samples of a counter by the values of the labels, parsed from the text that Prometheus reads."""
    families = text_string_to_metric_families(generate_latest(registry).decode())
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    order = ("outcome", "report", "reason", "policy")
    return {tuple(each.labels[label] for label in order if label in each.labels): each.value for each in samples}


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_requests_are_counted_by_outcome_reason_and_policy(interface: str, registry: CollectorRegistry) -> None:
    client = Client(interface, App(), POLICY, on_decision=PrometheusMetrics(registry))
    for _ in range(3):  # from the second one on, the decision is cached
        client.request(origin=APP)
    client.request(origin=EVIL)
    client.request()
    client.preflight("PUT", origin=APP)
    client.preflight("DELETE", origin=APP)
    assert exported(registry) == {
        ("allowed", "", "api"): 3,
        ("refused", "MissingAllowOriginHeader", "api"): 1,
        ("not-cors", "", "api"): 1,
        ("preflight-allowed", "", "api"): 1,
        ("preflight-refused", "MethodDisallowedByPreflightResponse", "api"): 1,
    }


def test_each_request_is_counted_under_the_name_of_the_policy_that_decided(registry: CollectorRegistry) -> None:
    paths = {"/admin/*": {"name": "admin"}, "/public": Policy(allow_origins="*"), "/own": None}
    client = Client("asgi", App(), POLICY, paths=paths, on_decision=PrometheusMetrics(registry))
    for path in ("/", "/admin/users", "/public", "/own"):
        client.request(path=path, origin=APP)
    assert exported(registry) == {("allowed", "", "api"): 1, ("allowed", "", "admin"): 1, ("allowed", "", ""): 1}


def test_values_that_clients_choose_are_never_labels(registry: CollectorRegistry) -> None:
    client = Client("asgi", App(), POLICY, on_decision=PrometheusMetrics(registry))
    for number in range(20):
        client.request(path=f"/marker-{number}", origin=f"https://marker-{number}.example")
        client.preflight(f"MARKER{number}", f"x-marker-{number}", origin=APP, headers=[("host", f"marker-{number}")])
    assert sorted(exported(registry).values()) == [20, 20]
    assert "marker" not in generate_latest(registry).decode().lower()


def test_a_report_only_decision_is_counted_with_its_direction_and_reason(registry: CollectorRegistry) -> None:
    count = PrometheusMetrics(registry)
    count(ALLOWED._replace(report_only=REFUSED), {})
    count(REFUSED._replace(report_only=ALLOWED), {})
    count(REFUSED._replace(report_only=ALLOWED), {})
    count(ALLOWED, {})
    assert exported(registry) == {("allowed", "", "api"): 2, ("refused", "MissingAllowOriginHeader", "api"): 2}
    assert exported(registry, "cors_report_only_total") == {
        ("would_refuse", "MissingAllowOriginHeader", "api"): 1,
        ("would_allow", "MissingAllowOriginHeader", "api"): 2,
    }


def test_a_decision_that_would_stop_a_refused_request_before_the_app_is_one_that_would_refuse(
    registry: CollectorRegistry,
) -> None:
    """Under `enforce="report"`: today the browser hides the response, but the app runs."""
    PrometheusMetrics(registry)(REFUSED._replace(report_only=REFUSED._replace(status=403)), {})
    assert exported(registry, "cors_report_only_total") == {("would_refuse", "MissingAllowOriginHeader", "api"): 1}


def test_middlewares_with_one_registry_share_its_counters(registry: CollectorRegistry) -> None:
    """A second registration would raise."""
    for interface in ("asgi", "wsgi"):
        Client(interface, App(), POLICY, on_decision=PrometheusMetrics(registry)).request(origin=APP)
    assert exported(registry) == {("allowed", "", "api"): 2}


def test_one_object_serves_two_middlewares(registry: CollectorRegistry) -> None:
    shared = Configuration(POLICY, on_decision=PrometheusMetrics(registry))
    call_asgi(CORSMiddleware(App().asgi, shared), http_scope("GET", "/", [("origin", APP)]))
    call_wsgi(WSGIMiddleware(App().wsgi, shared), wsgi_environ("GET", "/", [("origin", APP)]))
    assert exported(registry) == {("allowed", "", "api"): 2}


@pytest.mark.usefixtures("clean_global_registry")
def test_the_default_is_the_global_registry() -> None:
    PrometheusMetrics()(ALLOWED, {})
    assert exported(prometheus_client.REGISTRY) == {("allowed", "", "api"): 1}


def test_a_namespace_is_a_prefix_of_the_names(registry: CollectorRegistry) -> None:
    PrometheusMetrics(registry)(ALLOWED, {})
    PrometheusMetrics(registry, namespace="shop")(REFUSED, {})
    assert exported(registry) == {("allowed", "", "api"): 1}
    assert exported(registry, "shop_cors_decisions_total") == {("refused", "MissingAllowOriginHeader", "api"): 1}


def test_another_metric_of_the_same_name_is_an_error(registry: CollectorRegistry) -> None:
    Counter("cors_report_only", "Another one.", registry=registry)
    with pytest.raises(ValueError, match="cors_report_only"):
        PrometheusMetrics(registry)


def test_counters_that_were_unregistered_are_registered_again(registry: CollectorRegistry) -> None:
    """Tests of apps empty the registry between them."""
    PrometheusMetrics(registry)(ALLOWED, {})
    remove_our_counters(registry)
    PrometheusMetrics(registry)(REFUSED, {})
    assert exported(registry) == {("refused", "MissingAllowOriginHeader", "api"): 1}


def test_threads_lose_no_count(registry: CollectorRegistry) -> None:
    count = PrometheusMetrics(registry)
    decisions = [ALLOWED._replace(policy_name=f"policy {number % 7}", report_only=REFUSED) for number in range(4000)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda decision: count(decision, {}), decisions))
    assert sum(exported(registry).values()) == sum(exported(registry, "cors_report_only_total").values()) == 4000
    assert len(exported(registry)) == 7


def test_names_of_policies_beyond_the_limit_are_counted_as_other(registry: CollectorRegistry) -> None:
    """For example of a `policy_for` that names a policy for each tenant."""
    count = PrometheusMetrics(registry)
    for number in range(1200):
        count(ALLOWED._replace(policy_name=f"tenant {number}"), {})
    count(ALLOWED._replace(policy_name="tenant 7"), {})
    counted = exported(registry)
    assert len(counted) == 1001
    assert counted["allowed", "", "other"] == 200
    assert counted["allowed", "", "tenant 7"] == 2


MULTIPROCESS = """
    import os

    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    from asgi_cors import CORSMiddleware
    from asgi_cors.metrics import PrometheusMetrics

    async def api(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    async def send(message):
        pass

    def request():
        scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"origin", b"https://a.example")]}
        try:
            app(scope, None, send).send(None)
        except StopIteration:
            pass

    app = CORSMiddleware(api, allow_origins="https://a.example", name="api", on_decision=PrometheusMetrics())
    request()  # before the fork, so the workers inherit the counter
    for requests in (2, 3):
        worker = os.fork()
        if not worker:
            for _ in range(requests):
                request()
            os._exit(0)
        os.waitpid(worker, 0)

    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    print(generate_latest(registry).decode())
"""


def test_the_counts_of_all_workers_are_added_up_in_multiprocess_mode(tmp_path: Any) -> None:
    """Six requests: one before the fork, two in one worker and three in another."""
    environment = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-c", textwrap.dedent(MULTIPROCESS)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    samples = [line for line in done.stdout.splitlines() if line.startswith("cors_decisions_total{")]
    assert samples == ['cors_decisions_total{outcome="allowed",policy="api",reason=""} 6.0']


@pytest.mark.parametrize("registry", ["shop", None])
def test_a_value_that_is_no_registry_is_named(registry: Any) -> None:
    with pytest.raises(TypeError, match=r"is not a CollectorRegistry. A prefix is PrometheusMetrics\(namespace=…\)"):
        PrometheusMetrics(registry)
