"""`asgi_cors.metrics` without its extras, and counters for another metrics library."""

import importlib.util
import subprocess
import sys
from collections import Counter
from collections.abc import Callable

import pytest

import asgi_cors.metrics
from asgi_cors import Decision, Outcome
from asgi_cors.metrics import DecisionMetrics


class Counts(DecisionMetrics):
    """Counters for a metrics library of the user's."""

    def __init__(self) -> None:
        super().__init__()
        self.counted: Counter[tuple[str, str | None, str | None]] = Counter()

    def decision_counter(self, outcome: str, reason: str | None, policy: str | None) -> Callable[[], object]:
        return lambda: self.counted.update([(outcome, reason, policy)])

    def report_counter(self, report: str, reason: str | None, policy: str | None) -> Callable[[], object]:
        return lambda: self.counted.update([(report, reason, policy)])


def test_a_subclass_counts_with_another_library() -> None:
    count = Counts()
    refused = Decision(Outcome.REFUSED, "CrossSiteRequest", status=403)
    count(Decision(Outcome.NOT_CORS, policy_name="shop", report_only=refused), {})
    assert count.counted == {("not-cors", None, "shop"): 1, ("would_refuse", "CrossSiteRequest", "shop"): 1}


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("PrometheusMetrics", "prometheus_client", "prometheus"),
        ("OpenTelemetryMetrics", "opentelemetry", "opentelemetry"),
    ],
)
def test_without_its_extra_a_class_names_the_command_that_installs_it(
    name: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: pytest.fail(name) if name != package else None)
    monkeypatch.delitem(sys.modules, f"asgi_cors.metrics.{extra}", raising=False)
    monkeypatch.delattr(asgi_cors.metrics, extra, raising=False)
    with pytest.raises(ImportError, match=rf"^{name} needs .* pip install 'asgi-cors-bridge\[{extra}\]'") as caught:
        getattr(asgi_cors.metrics, name)
    assert caught.value.name == package


def test_a_star_import_needs_no_extra_and_loads_no_metrics_library() -> None:
    program = (
        "import sys; from asgi_cors.metrics import *; print({'prometheus_client', 'opentelemetry'} & {*sys.modules})"
    )
    environment = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)
    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_a_name_that_the_package_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="StatsdMetrics"):
        _ = asgi_cors.metrics.StatsdMetrics
